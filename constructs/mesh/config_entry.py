"""What all config entries share: identity, body, references.

The server sends back defaults that were left out, which shows as a difference in every plan. So
:meth:`ConfigEntry.body` is the form that Consul itself stores (``consul@1.22.7 agent/structs``, ``terraform-provider-
consul@2.22.1 resource_consul_config_entry.go``).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, StringConstraints

from mesh.shapes import JsonObject, Shape, plain


class EntryId(NamedTuple):
    """What makes a config entry unique."""

    kind: str
    name: str
    partition: str | None = None
    namespace: str | None = None

    def __str__(self) -> str:
        where = "/".join(part for part in (self.partition, self.namespace) if part)
        return f"{self.kind}/{self.name}" + (f" ({where})" if where else "")


class ServiceRef(NamedTuple):
    """A service whose compiled discovery chain an entry reads."""

    name: str
    partition: str | None = None
    namespace: str | None = None


Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""Any name that Consul accepts; the vocabulary of environments is stricter."""


class ConfigEntry(Shape):
    """A config entry of any kind.

    Attributes:
        name: Name of the entry; for the service kinds, of the service.
        partition: Admin partition, Enterprise only.
        namespace: Namespace, Enterprise only.
        meta: Free labels: at most 64, keys up to 128 and values up to 512 characters
            (``agent/structs/config_entry.go``).
    """

    KIND: ClassVar[str]
    IDENTITY: ClassVar[frozenset[str]] = frozenset({"name", "partition", "namespace"})

    name: Name
    partition: Name | None = None
    namespace: Name | None = None
    meta: Annotated[
        Mapping[Annotated[str, Field(max_length=128)], Annotated[str, Field(max_length=512)]], Field(max_length=64)
    ] = Field(default_factory=dict)

    @property
    def id(self) -> EntryId:
        """Identity of the entry."""
        return EntryId(self.KIND, self.name, self.partition, self.namespace)

    def body(self) -> JsonObject:
        """The entry as Consul stores it, without kind, name, partition and namespace: what ``config_json`` holds."""
        return plain(self, without=self.IDENTITY)

    def reads(self) -> Iterator[ServiceRef]:
        """Services whose discovery chain Consul compiles when this entry is written.

        Their entries must be there first and leave last (``agent/consul/state/config_entry.go``,
        ``validateProposedConfigEntryInGraph``).
        """
        yield from ()
