"""Which binding is used, and which Terraform provider it was generated from.

Pure Python: the table is read where nothing of jsii may be loaded. A test compares it with what is installed.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Binding:
    """A generated package and the provider whose schema it carries."""

    name: str
    """Short name, as in `imports.<name>`."""
    version: str
    """Of the binding package."""
    provider_version: str
    """The exact version that the schema was read from, and that synthesized stacks ask for."""

    @property
    def provider(self) -> str:
        """Source of the Terraform provider, in the short form that stacks use: `consul` is `hashicorp/consul`."""
        return self.name

    @property
    def package(self) -> str:
        """Name to import."""
        return f"cdktf_cdktf_provider_{self.name}"

    @property
    def distribution(self) -> str:
        """Name to install."""
        return self.package.replace("_", "-")


BINDINGS: Final = (
    Binding("azurerm", "14.23.1", "4.55.0"),
    Binding("consul", "10.1.2", "2.22.1"),
    Binding("helm", "12.1.2", "3.1.1"),
    Binding("nomad", "10.0.3", "2.5.2"),
)


def provider_versions() -> dict[str, str]:
    """Terraform provider version by binding name."""
    return {binding.name: binding.provider_version for binding in BINDINGS}
