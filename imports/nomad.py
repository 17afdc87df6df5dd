"""Nomad resources that the project uses, and no others: one line per class."""

# mypy: implicit-reexport
# ruff: noqa: F401

from cdktf_cdktf_provider_nomad.job import Job
from cdktf_cdktf_provider_nomad.provider import NomadProvider
