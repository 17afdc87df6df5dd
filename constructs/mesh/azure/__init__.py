"""Azure: network, firewall, vault, identities, machines and cluster as plain values."""
