"""The real Consul and the comparison of the real Terraform provider, for tests to ask."""
