"""service-router: which requests go where.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go``, ``ServiceRouterConfigEntry``.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import HttpHeaderModifiers, NonEmpty, Status, Unsigned
from mesh.consul.entries.service_resolver import SubsetName
from mesh.model.service import Route as RouteDeclaration
from mesh.model.service import Service
from mesh.scalars import Duration, HttpPath, Method
from mesh.shapes import Many, Shape
from mesh.topology import Place


class HeaderMatch(Shape):
    """A condition on a request header; exactly one of the matchers."""

    name: NonEmpty
    present: bool | None = None
    exact: NonEmpty | None = None
    prefix: NonEmpty | None = None
    suffix: NonEmpty | None = None
    regex: NonEmpty | None = None
    invert: bool | None = None


class QueryParamMatch(Shape):
    """A condition on a query parameter; exactly one of the matchers."""

    name: NonEmpty
    present: bool | None = None
    exact: str | None = None
    regex: NonEmpty | None = None


class HttpMatch(Shape):
    """Conditions that must all hold; an empty one matches everything."""

    path_exact: HttpPath | None = None
    path_prefix: HttpPath | None = None
    path_regex: NonEmpty | None = None
    case_insensitive: bool | None = None
    header: Many[HeaderMatch] = ()
    query_param: Many[QueryParamMatch] = ()
    methods: Many[Method] = ()


class Match(Shape):
    """What a route matches."""

    http: HttpMatch


class Destination(Shape):
    """Where a matching request goes. A subset goes past the splitter."""

    service: NonEmpty | None = None
    service_subset: SubsetName | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    prefix_rewrite: HttpPath | None = None
    request_timeout: Duration | None = None
    idle_timeout: Duration | None = None
    num_retries: Unsigned | None = None
    retry_on_connect_failure: bool | None = None
    retry_on: Many[
        Literal[
            "5xx",
            "gateway-error",
            "reset",
            "connect-failure",
            "envoy-ratelimited",
            "retriable-4xx",
            "refused-stream",
            "cancelled",
            "deadline-exceeded",
            "internal",
            "resource-exhausted",
            "unavailable",
        ]
    ] = ()
    retry_on_status_codes: Many[Status] = ()
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None


class Route(Shape):
    """One route; the first that matches wins."""

    match: Match | None = None
    destination: Destination


class ServiceRouter(ConfigEntry):
    """The ``service-router`` entry of a service.

    What no route matches goes to the service itself, hence to its splitter.
    """

    KIND: ClassVar[str] = "service-router"

    routes: Annotated[Many[Route], Field(min_length=1)]

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service and every service it routes to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        for route in self.routes:
            to = route.destination
            if to.service:
                yield ServiceRef(to.service, to.partition or self.partition, to.namespace or self.namespace)


def derive(service: Service, where: Place) -> ServiceRouter | None:
    """The declared routes, in their order; no entry for a service without any."""
    if not service.routes:
        return None
    return ServiceRouter(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        routes=[
            Route(match=_match(route), destination=_destination(service, route, where)) for route in service.routes
        ],
    )


def _match(route: RouteDeclaration) -> Match:
    return Match(
        http=HttpMatch(
            path_exact=route.path_exact,
            path_prefix=route.path_prefix,
            path_regex=route.path_regex,
            header=[HeaderMatch(name=name, exact=value) for name, value in route.headers.items()],
            query_param=[QueryParamMatch(name=name, exact=value) for name, value in route.query.items()],
            methods=tuple(route.methods),
        )
    )


def _destination(service: Service, route: RouteDeclaration, where: Place) -> Destination:
    # Enterprise fills in namespace and partition of a destination; left out, they would show as a difference in every
    # plan.
    retry = route.retry
    return Destination(
        service=service.name,
        service_subset=route.to,
        namespace=where.namespace,
        partition=where.partition,
        prefix_rewrite=route.prefix_rewrite,
        request_timeout=route.timeout,
        num_retries=retry.attempts if retry else None,
        retry_on_connect_failure=True if retry and retry.on_connect_failure else None,
        retry_on_status_codes=tuple(retry.on_status_codes) if retry else (),
    )
