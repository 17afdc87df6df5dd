"""The only place that names provider binding packages.

Use `from imports.azurerm import ResourceGroup`. Importing this package loads no binding, nor cdktf;
importing `imports.<provider>` loads that provider's listed modules and no others. See README.md.

It has to come before the first import of `cdktf` for Node to be quick too, see `_node_index`.
"""

from typing import Final

from imports._lazy import mount
from imports._node_index import preload
from imports.versions import BINDINGS, Binding, provider_versions

__all__ = ["BINDINGS", "LAZY_NODE", "Binding", "provider_versions"]

LAZY_NODE: Final = preload()
"""Whether this process's Node loads bindings lazily: false when switched off, or when cdktf came first."""

for _binding in BINDINGS:
    mount(_binding.package)
