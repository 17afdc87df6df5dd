"""http-route: what an API gateway's HTTP listener serves (``agent/structs/config_entry_routes.go``)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.api_gateway import listener_name
from mesh.consul.entries.common import HttpHeaderModifiers, NonEmpty, Status, Unsigned
from mesh.model.gateway import ApiGateway, Listener
from mesh.scalars import Duration, Hostname, Method
from mesh.shapes import Many, Shape
from mesh.topology import Place


class Parent(Shape):
    """The gateway, and its listener, that a route attaches to."""

    kind: Literal["api-gateway"] = "api-gateway"
    name: NonEmpty
    section_name: NonEmpty | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None


class UrlRewrite(Shape):
    """Replaces the matched path."""

    path: NonEmpty


class RetryFilter(Shape):
    """How failed requests are repeated."""

    num_retries: Unsigned | None = None
    retry_on: Many[NonEmpty] = ()
    retry_on_status_codes: Many[Status] = ()
    retry_on_connect_failure: bool | None = None


class TimeoutFilter(Shape):
    """Time limits of a request."""

    request_timeout: Duration | None = None
    idle_timeout: Duration | None = None


class Filters(Shape):
    """What is changed in a request."""

    headers: Many[HttpHeaderModifiers] = ()
    url_rewrite: UrlRewrite | None = None
    retry_filter: RetryFilter | None = None
    timeout_filter: TimeoutFilter | None = None


class ResponseFilters(Shape):
    """What is changed in an answer."""

    headers: Many[HttpHeaderModifiers] = ()


class PathMatch(Shape):
    """A condition on the path. The server adds one to a match that has none."""

    match: Literal["exact", "prefix", "regex"]
    value: NonEmpty


class RouteHeaderMatch(Shape):
    """A condition on a header."""

    match: Literal["exact", "prefix", "present", "regex", "suffix"]
    name: NonEmpty
    value: str | None = None


class RouteQueryMatch(Shape):
    """A condition on a query parameter."""

    match: Literal["exact", "present", "regex"]
    name: NonEmpty
    value: str | None = None


class RouteMatch(Shape):
    """Conditions that must all hold."""

    headers: Many[RouteHeaderMatch] = ()
    method: Method | None = None
    path: PathMatch = PathMatch(match="prefix", value="/")
    query: Many[RouteQueryMatch] = ()


class RouteService(Shape):
    """A service behind a rule.

    The weight is always said: since Consul 1.22.6 a missing one is 0, which takes the service out of traffic.
    """

    name: NonEmpty
    weight: Annotated[int, Field(ge=0)] = 1
    filters: Filters | None = None
    response_filters: ResponseFilters | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None


class RouteRule(Shape):
    """Matches and the services that answer; without matches it takes every request."""

    filters: Filters | None = None
    response_filters: ResponseFilters | None = None
    matches: Many[RouteMatch] = ()
    services: Annotated[Many[RouteService], Field(min_length=1)]


class HttpRoute(ConfigEntry):
    """An ``http-route`` entry.

    Consul reports a route that does not bind only in the entry's status, after the write.
    """

    KIND: ClassVar[str] = "http-route"

    parents: Annotated[Many[Parent], Field(min_length=1)]
    hostnames: Many[Hostname] = ()
    rules: Annotated[Many[RouteRule], Field(min_length=1)]

    def reads(self) -> Iterator[ServiceRef]:
        """Every service behind a rule."""
        for rule in self.rules:
            for service in rule.services:
                yield ServiceRef(service.name, service.partition or self.partition, service.namespace or self.namespace)


def parent(gateway: ApiGateway, listener: Listener, where: Place) -> Parent:
    """The reference of a route to a listener's port."""
    return Parent(
        name=gateway.name,
        section_name=listener_name(listener.protocol, listener.port),
        namespace=where.namespace,
        partition=where.partition,
    )


def route_name(gateway: ApiGateway, listener: Listener) -> str:
    """Name of the route of a listener."""
    return f"{gateway.name}-{listener.port}-{listener.to}"


def derive(gateway: ApiGateway, listener: Listener, where: Place, places: Mapping[str, Place]) -> HttpRoute:
    """The route of one HTTP listener: its hosts, or every host, to its service."""
    there = places[listener.to]
    return HttpRoute(
        name=route_name(gateway, listener),
        partition=where.partition,
        namespace=where.namespace,
        parents=[parent(gateway, listener, where)],
        hostnames=tuple(listener.hosts),
        rules=[
            RouteRule(services=[RouteService(name=listener.to, namespace=there.namespace, partition=there.partition)])
        ],
    )
