"""Consul: config entries, agent configuration, the Helm chart's values."""
