"""tcp-route: what an API gateway's TCP listener serves (``agent/structs/config_entry_routes.go``)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import NonEmpty
from mesh.consul.entries.http_route import Parent, parent, route_name
from mesh.model.gateway import ApiGateway, Listener
from mesh.shapes import Many, Shape
from mesh.topology import Place


class TcpRouteService(Shape):
    """The service behind the route."""

    name: NonEmpty
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None


class TcpRoute(ConfigEntry):
    """A ``tcp-route`` entry; Consul takes at most one service."""

    KIND: ClassVar[str] = "tcp-route"

    parents: Annotated[Many[Parent], Field(min_length=1)]
    services: Annotated[Many[TcpRouteService], Field(min_length=1, max_length=1)]

    def reads(self) -> Iterator[ServiceRef]:
        """The service behind the route."""
        for service in self.services:
            yield ServiceRef(service.name, service.partition or self.partition, service.namespace or self.namespace)


def derive(gateway: ApiGateway, listener: Listener, where: Place, places: Mapping[str, Place]) -> TcpRoute:
    """The route of one TCP listener."""
    there = places[listener.to]
    return TcpRoute(
        name=route_name(gateway, listener),
        partition=where.partition,
        namespace=where.namespace,
        parents=[parent(gateway, listener, where)],
        services=[TcpRouteService(name=listener.to, namespace=there.namespace, partition=there.partition)],
    )
