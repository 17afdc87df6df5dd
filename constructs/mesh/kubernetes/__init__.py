"""Kubernetes: the chart of a meshed service and its values."""
