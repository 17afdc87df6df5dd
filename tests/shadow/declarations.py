"""What a synthesized stack declares: resources, data sources, ephemeral resources and provider configurations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

MANAGED, DATA, EPHEMERAL = "resource", "data", "ephemeral"
MODES = (MANAGED, DATA, EPHEMERAL)
"""The top-level keys of a stack that hold objects of providers."""

REMOTE_STATE = "terraform_remote_state"
BUILT_IN = "terraform_data"

META_ARGUMENTS = frozenset(
    {"//", "connection", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider", "provisioner"},
)
"""Keys of a resource's body that mean something to Terraform itself."""


class ShadowError(ValueError):
    """A stack uses something that cannot be shadowed faithfully."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One object of a provider."""

    mode: str
    type: str
    name: str
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The address without the name, as in `data.azurerm_subnet`."""
        return self.type if self.mode == MANAGED else f"{self.mode}.{self.type}"

    @property
    def address(self) -> str:
        """The address that Terraform's messages and references use."""
        return f"{self.kind}.{self.name}"

    @property
    def stand_in(self) -> str:
        """The name of the object that takes its place in the shadow."""
        return f"{self.kind.replace('.', '__')}__{self.name}"

    @property
    def shadow_address(self) -> str:
        """The address of the object that takes its place in the shadow."""
        return f"local.{self.stand_in}" if self.mode == EPHEMERAL else f"{BUILT_IN}.{self.stand_in}"

    @property
    def arguments(self) -> Json:
        """What is meant for the provider."""
        return {key: value for key, value in self.body.items() if key not in META_ARGUMENTS}

    @property
    def repeated(self) -> bool:
        """Whether the object has instances, which references select by index."""
        return "count" in self.body or "for_each" in self.body

    @property
    def is_built_in(self) -> bool:
        """Whether Terraform can plan it as it is."""
        return self.mode == MANAGED and self.type == BUILT_IN

    @property
    def configuration(self) -> str:
        """The provider configuration it uses: `consul`, or with an alias `consul.west`."""
        return str(self.body.get("provider", self.type.split("_", maxsplit=1)[0]))


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider configuration."""

    name: str
    alias: str | None
    body: Mapping[str, Any]

    @property
    def configuration(self) -> str:
        """How a resource names it in its `provider` argument."""
        return f"{self.name}.{self.alias}" if self.alias else self.name

    @property
    def stand_in(self) -> str:
        """The name of the local value that takes its place in the shadow."""
        return f"provider__{self.configuration.replace('.', '__')}"

    @property
    def arguments(self) -> Json:
        """What is meant for the provider."""
        return {key: value for key, value in self.body.items() if key not in {"//", "alias", "version"}}


def declarations(stack: Mapping[str, Any]) -> dict[str, Declaration]:
    """Return every resource, data source and ephemeral resource by address, remote state apart."""
    found = (
        Declaration(mode, type_, name, body)
        for mode in MODES
        for kinds in blocks(stack.get(mode))
        for type_, bodies in kinds.items()
        if type_ not in {"//", REMOTE_STATE}
        for names in blocks(bodies)
        for name, instances in labelled(names)
        for body in blocks(instances)
    )
    return {declaration.address: declaration for declaration in found}


def providers(stack: Mapping[str, Any]) -> list[Provider]:
    """Return the provider configurations in the order in which they are written."""
    return [
        Provider(name, body.get("alias"), body)
        for kinds in blocks(stack.get("provider"))
        for name, bodies in labelled(kinds)
        for body in blocks(bodies)
    ]


def blocks(value: object) -> list[Json]:
    """Return the bodies of a block, which JSON may give as one object or as a list of objects."""
    match value:
        case dict():
            return [value]
        case list():
            return [body for body in value if isinstance(body, dict)]
        case _:
            return []


def labelled(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the labels in a body with what they hold, comments apart."""
    for label, value in body.items():
        if label != "//":
            yield label, value
