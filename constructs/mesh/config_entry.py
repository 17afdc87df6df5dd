"""What all config entries share: identity, body, references.

The server sends back defaults that were left out, which shows as a difference in every plan. So
:meth:`ConfigEntry.body` is the form that Consul itself stores (``consul@1.22.7 agent/structs``, ``terraform-provider-
consul@2.22.1 resource_consul_config_entry.go``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, ClassVar, NamedTuple

from mesh.consul.parts import NOTHING_INHERITED, Enterprise, Inherited, Part, plain
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.shapes import JsonObject

DEFAULT: str = "default"
"""The partition and the namespace that always exist."""


class EntryId(NamedTuple):
    """What makes a config entry unique."""

    kind: str
    name: str
    partition: str | None = None
    namespace: str | None = None

    def folded(self) -> "EntryId":
        """As Consul compares it: without regard to capitals, with partition and namespace filled in.

        Source: ``consul@1.22.7 agent/consul/state/config_entry_schema.go``.
        """
        return EntryId(self.kind, self.name.lower(), self.partition or DEFAULT, self.namespace or DEFAULT)

    def __str__(self) -> str:
        where = "/".join(part for part in (self.partition, self.namespace) if part)
        return f"{self.kind}/{self.name}" + (f" ({where})" if where else "")


class ServiceRef(NamedTuple):
    """A service whose compiled discovery chain an entry reads, and the subset of it that has to exist, if any."""

    name: str
    partition: str | None = None
    namespace: str | None = None
    subset: str | None = None


class ConfigEntry(Part):
    """A config entry of any kind.

    Attributes:
        name: Name of the entry; for the service kinds, of the service.
        partition: Admin partition, Enterprise only.
        namespace: Namespace, Enterprise only.
        meta: Free labels: at most 64, keys up to 128 and values up to 512 bytes
            (``agent/structs/config_entry.go``, ``validateConfigEntryMeta``).
    """

    KIND: ClassVar[str]
    IDENTITY: ClassVar[frozenset[str]] = frozenset({"name", "partition", "namespace"})

    name: str
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> EntryId:
        """Identity of the entry."""
        return EntryId(self.KIND, self.name, self.partition, self.namespace)

    def body(self) -> JsonObject:
        """The entry as Consul stores it, without kind, name, partition and namespace: what ``config_json`` holds."""
        return plain(self, without=self.IDENTITY, inherited=self.inherited())

    def inherited(self) -> Inherited:
        """What the parts of this entry inherit: Enterprise fills it in, so it is said."""
        if self.partition is None:
            return NOTHING_INHERITED
        return {"partition": self.partition, "namespace": self.namespace or DEFAULT}

    def written(self) -> JsonObject:
        """The entry with its identity, as Consul's API takes it."""
        identity = {"Kind": self.KIND, "Name": self.name, "Partition": self.partition, "Namespace": self.namespace}
        return {**{key: value for key, value in identity.items() if value}, **self.body()}

    def reads(self) -> Iterator[ServiceRef]:
        """Services whose discovery chain Consul compiles when this entry is written.

        Their entries must be there first and leave last (``agent/consul/state/config_entry.go``,
        ``validateProposedConfigEntryInGraph``).
        """
        yield from ()
