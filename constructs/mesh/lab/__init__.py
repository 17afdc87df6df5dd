"""The declared mesh on real Consul, Nomad and Envoy, on one machine."""
