"""Helm releases that the project uses, and no others: one line per class."""

# mypy: implicit-reexport
# ruff: noqa: F401

from cdktf_cdktf_provider_helm.provider import (
    HelmProvider,
    HelmProviderKubernetes,
    HelmProviderKubernetesExec,
)
from cdktf_cdktf_provider_helm.release import (
    Release,
    ReleaseSet,
    ReleaseSetWo,
)
