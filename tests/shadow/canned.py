"""Values that only a real provider would know, for attributes whose readers need more than some string."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Canned: TypeAlias = Mapping[str, Mapping[str, object]]
"""Attribute values by address (`data.azurerm_subnet.nodes`) or by kind (`data.azurerm_subnet`); the address wins."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A canned value that the provider's schema marks sensitive: readers get it through `sensitive()`."""

    value: object


_BASE64 = "c2hhZG93"
_KUBE_CONFIG = [
    {
        "host": "https://aks.example.com:443",
        "username": "shadow",
        "password": "shadow",
        "client_certificate": _BASE64,
        "client_key": _BASE64,
        "cluster_ca_certificate": _BASE64,
    },
]
_AKS: dict[str, object] = {
    "kube_config": Sensitive(_KUBE_CONFIG),
    "kube_admin_config": Sensitive(_KUBE_CONFIG),
    "kube_config_raw": Sensitive("apiVersion: v1\nkind: Config\n"),
}

CANNED: Canned = {
    "azurerm_kubernetes_cluster": _AKS,
    "data.azurerm_kubernetes_cluster": _AKS,
    "data.azurerm_key_vault_secret": {"value": Sensitive(_BASE64)},
    "ephemeral.azurerm_key_vault_secret": {"value": Sensitive("shadow")},
}
"""What readers of common azurerm objects decode, index or mark sensitive."""
