"""Nomad: typed jobs for services and gateways, agent configuration."""
