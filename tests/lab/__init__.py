"""The real Consul and the comparison of the real Terraform provider, for tests to ask."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder."""
