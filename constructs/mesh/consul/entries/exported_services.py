"""exported-services: what other partitions or peers may see (``agent/structs/config_entry_exports.go``)."""

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import NonEmpty
from mesh.shapes import Many, Shape
from mesh.topology import DEFAULT


class Consumer(Shape):
    """Who may see a service: exactly one of the three."""

    partition: NonEmpty | None = None
    peer: NonEmpty | None = None
    sameness_group: NonEmpty | None = None


class ExportedService(Shape):
    """A service and its consumers."""

    name: NonEmpty
    namespace: NonEmpty | None = None
    consumers: Annotated[Many[Consumer], Field(min_length=1)]


class ExportedServices(ConfigEntry):
    """The one ``exported-services`` entry of a partition; it is named after the partition."""

    KIND: ClassVar[str] = "exported-services"

    services: Annotated[Many[ExportedService], Field(min_length=1)]

    def reads(self) -> Iterator[ServiceRef]:
        """The exported services."""
        for service in self.services:
            yield ServiceRef(service.name, self.partition, service.namespace)


def derive(partition: str, exports: Iterable[tuple[str, str]]) -> ExportedServices | None:
    """The entry of one partition from pairs of service and consuming partition; none when nothing leaves it.

    It has no namespace of its own; each service has.
    """
    consumers: dict[str, dict[str, None]] = {}
    for service, consumer in exports:
        consumers.setdefault(service, {})[consumer] = None
    if not consumers:
        return None
    return ExportedServices(
        name=partition,
        partition=partition,
        services=[
            ExportedService(name=service, namespace=DEFAULT, consumers=[Consumer(partition=name) for name in names])
            for service, names in consumers.items()
        ],
    )
