"""tcp-route: what an API gateway's TCP listener serves.

Source: ``consul@1.22.7 agent/structs/config_entry_routes.go``, ``TCPRouteConfigEntry``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import ServiceName
from mesh.consul.entries.http_route import Parent, judge_parents, parent, route_name
from mesh.consul.parts import Check, Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.model.gateway import ApiGateway, Listener
from mesh.rules import At, Example, Problem, refused
from mesh.topology import Place


def _route(*services: str) -> Example:
    listener = {"Name": "tcp", "Port": 9000, "Protocol": "tcp"}
    parent = {"Kind": "api-gateway", "Name": "gateway", "SectionName": "tcp"}
    to = [{"Name": service} for service in services]
    return [
        {"Kind": "api-gateway", "Name": "gateway", "Listeners": [listener]},
        {"Kind": "tcp-route", "Name": "db", "Parents": [parent], "Services": to},
    ]


TCP_SERVICES: Final = refused(
    "tcp-route-services",
    what="A tcp-route has more than one service.",
    why="Consul refuses it: tcp-route currently only supports one service.",
    source="consul@1.22.7 agent/structs/config_entry_routes.go, TCPRouteConfigEntry.Validate",
    fix="keep one; to split, route to a service that has a service-resolver",
    example=_route("db", "replica"),
    instead=_route("db"),
)


class TcpRouteService(Part):
    """The service behind the route."""

    name: Annotated[ServiceName, Mark.LAX]
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None


class TcpRoute(ConfigEntry):
    """A ``tcp-route`` entry.

    Attributes:
        parents: Gateways and their listeners.
        services: The one service behind the route.
    """

    KIND: ClassVar[str] = "tcp-route"

    parents: Annotated[Sequence[Parent], Mark.LAX]
    services: Annotated[
        Sequence[TcpRouteService], Mark.LAX, Check(TCP_SERVICES, lambda services: len(services) <= 1, "one service")
    ]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Parents."""
        yield from judge_parents(self, self.parents, at)

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
