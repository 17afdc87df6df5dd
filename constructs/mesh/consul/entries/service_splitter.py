"""service-splitter: shares of traffic.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go``, ``ServiceSplitterConfigEntry``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import HttpHeaderModifiers, NonEmpty
from mesh.consul.entries.service_resolver import SubsetName
from mesh.model.service import Service
from mesh.shapes import Many, Shape
from mesh.topology import Place

Weight = Annotated[Decimal, Field(strict=False, ge=0, le=100, decimal_places=2)]
"""A share in percent. Consul rounds to two decimals, so a third one would show as a difference in every plan."""


class Split(Shape):
    """The share of one target. No ``service`` means the splitter's own."""

    weight: Weight
    service: NonEmpty | None = None
    service_subset: SubsetName | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None


class ServiceSplitter(ConfigEntry):
    """The ``service-splitter`` entry of a service. The weights are exactly 100 together; Consul has no tolerance."""

    KIND: ClassVar[str] = "service-splitter"

    splits: Annotated[Many[Split], Field(min_length=1)]

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service and every service it splits to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        for split in self.splits:
            if split.service:
                yield ServiceRef(split.service, split.partition or self.partition, split.namespace or self.namespace)


def derive(service: Service, where: Place) -> ServiceSplitter | None:
    """The declared split, or everything on the only version; no entry for a service without versions."""
    if not service.versions:
        return None
    split = service.split or dict.fromkeys(service.versions, 100)
    return ServiceSplitter(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        splits=[Split(weight=Decimal(str(weight)), service_subset=version) for version, weight in split.items()],
    )
