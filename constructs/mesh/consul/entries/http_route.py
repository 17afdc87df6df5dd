"""http-route: what an API gateway's HTTP listener serves.

Source: ``consul@1.22.7 agent/structs/config_entry_routes.go``, ``HTTPRouteConfigEntry``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.domain_names import is_domain_name
from mesh.consul.entries.api_gateway import GatewayJwt, listener_name
from mesh.consul.entries.common import (
    Duration,
    HttpHeaderModifiers,
    Method,
    RetryCondition,
    ServiceName,
    Status,
    Unsigned,
)
from mesh.consul.entries.hosts import ANY, HOST_NAME, judge_host_form
from mesh.consul.entries.http_matching import PATH_SLASH, judge_regex
from mesh.consul.examples import HTTP
from mesh.consul.parts import Check, Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY, FIELD_EXPECTED
from mesh.model.gateway import ApiGateway, Listener
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.showing import show
from mesh.topology import Place

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry_routes.go, HTTPRouteConfigEntry.Validate"
_CHAIN: Final = "consul@1.22.7 agent/consul/discoverychain/gateway_httproute.go, httpRouteToDiscoveryChain"

_GATEWAY: Final[JsonObject] = {
    "Kind": "api-gateway",
    "Name": "gateway",
    "Listeners": [{"Name": "http", "Port": 8080, "Protocol": "http"}],
}
_PARENT: Final[JsonObject] = {"Kind": "api-gateway", "Name": "gateway", "SectionName": "http"}
_WEB: Final[JsonObject] = {"Name": "web", "Weight": 1}
_API: Final[JsonObject] = {"Name": "api", "Weight": 1}


def _route(*services: JsonObject, match: JsonObject | None = None, **fields: object) -> Example:
    rule = {"Services": list(services or [_WEB]), **({"Matches": [match]} if match else {})}
    route = {"Kind": "http-route", "Name": "shop", "Parents": [_PARENT], "Rules": [rule], **fields}
    return [HTTP, _GATEWAY, route]


def _headers(**header: str) -> JsonObject:
    return {"Headers": [header], "Path": {"Match": "prefix", "Value": "/"}}


PARENT_TWICE: Final = refused(
    "route-parent-twice",
    what="A route has the same parent twice.",
    why="Consul refuses it: route parents must be unique.",
    source=f"{_VALIDATE}; TCPRouteConfigEntry.Validate",
    fix="keep one",
    example=_route(Parents=[_PARENT, _PARENT]),
    instead=_route(Parents=[_PARENT]),
)

ROUTE_HOST_WILDCARD: Final = refused(
    "route-host-wildcard",
    what="A host of a route has a *.",
    why='Consul refuses it: host "*.example.com" must not be a wildcard.',
    source=_VALIDATE,
    fix="write the hosts one by one, or none for every host of the listener",
    example=_route(Hostnames=["*.example.com"]),
    instead=_route(Hostnames=["a.example.com"]),
)

MATCH_VALUE: Final = stricter(
    "match-value",
    what="A condition on a header or query parameter has nothing to compare with, or compares with nothing.",
    why="Consul drops a condition with an empty value, so that the rule takes more requests than it says; and it does "
    "not look at the value of one for presence.",
    source="consul@1.22.7 agent/xds/routes.go, makeRouteMatchForDiscoveryRoute (not checked)",
    fix='set Value, or the Match to "present"',
    example=_route(match=_headers(Match="exact", Name="x-version")),
    instead=_route(match=_headers(Match="exact", Name="x-version", Value="v1")),
)

SERVICES_SEVERAL: Final = stricter(
    "route-services-several",
    what="A route names more than one service, or one more than once.",
    why="Consul's leading server can crash whenever the route changes, or an entry that decides about its services: it "
    "watches those of the first one while it still adds those of the next (fatal error: concurrent map iteration and "
    "map write; hashicorp/consul#23522).",
    source="consul@1.22.7 agent/consul/gateways/controller_gateways.go, reconcileRoute",
    fix="name one service, once, and divide its requests with a service-router or service-splitter",
    example=_route(_WEB, _API),
    instead=_route(_WEB),
)

WEIGHT_ZERO: Final = stricter(
    "weight-zero",
    what="One of several services of a rule has the weight 0, or none.",
    why="It gets no traffic. Until Consul 1.22.5, that meant 1.",
    source=_CHAIN,
    fix="set a Weight of at least 1, or remove the service",
    example=_route(_WEB, {"Name": "api"}),
    instead=_route(_WEB),
)

WEIGHT_NEGATIVE: Final = refused(
    "weight-negative",
    what="The weight of a service is negative.",
    why="Consul makes it 1, which shows as a difference in every plan.",
    source="consul@1.22.7 agent/structs/config_entry_routes.go, normalizeHTTPService",
    fix="set a Weight of at least 1",
    example=_route({"Name": "web", "Weight": -1}),
    instead=_route({"Name": "web", "Weight": 1}),
)

SERVICE_FILTER_IGNORED: Final = stricter(
    "service-filter-ignored",
    what="A service of a rule has retries or time limits of its own.",
    why="Consul stores them and only looks at those of the rule.",
    source=_CHAIN,
    fix="move them to the rule's Filters; a service that needs others needs a rule of its own",
    example=_route({**_WEB, "Filters": {"TimeoutFilter": {"RequestTimeout": "5s"}}}),
    instead=_route(Rules=[{"Services": [_WEB], "Filters": {"TimeoutFilter": {"RequestTimeout": "5s"}}}]),
)


class Parent(Part):
    """The gateway that a route attaches to.

    Attributes:
        kind: Always ``api-gateway``. The server always says it, so it is said.
        name: Of the gateway.
        section_name: The name of its listener; every listener of the route's protocol when left out.
        namespace: Enterprise only.
        partition: Enterprise only.
    """

    kind: Literal["api-gateway"] = "api-gateway"
    name: Annotated[str, Mark.LAX]
    section_name: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None


def judge_parents(route: ConfigEntry, parents: Sequence[Parent], at: At) -> Iterator[Problem]:
    """Parents that are there twice."""
    seen: set[tuple[str, str | None, str | None, str | None]] = set()
    for index, each in enumerate(parents):
        key = (each.name, each.section_name, each.partition or route.partition, each.namespace or route.namespace)
        if key in seen:
            gateway = show(each.name)
            listener = f"{gateway}, listener {show(each.section_name)}," if each.section_name else gateway
            yield PARENT_TWICE((at / "parents")[index], f"{listener} is there before")
        seen.add(key)


class UrlRewrite(Part):
    """Replaces what matched of the path: the prefix, or the whole path."""

    path: Annotated[str, Mark.LAX]


class RetryFilter(Part):
    """How failed requests are repeated.

    Attributes:
        num_retries: At most; 1 when left out.
        retry_on: What counts as failed.
        retry_on_status_codes: Answers that count as failed.
        retry_on_connect_failure: Whether a failed connection counts, too.
    """

    num_retries: Unsigned | None = None
    retry_on: Sequence[Annotated[RetryCondition, Mark.UNCHECKED]] = ()
    retry_on_status_codes: Sequence[Status] = ()
    retry_on_connect_failure: bool | None = None


class TimeoutFilter(Part):
    """Time limits of a request.

    Attributes:
        request_timeout: Until the whole answer is there; 15 s when left out.
        idle_timeout: Without any byte; Envoy's default when left out.
    """

    request_timeout: Duration | None = None
    idle_timeout: Duration | None = None


class Filters(Part):
    """What is changed in a request. Consul does not look at retries and time limits of a single service."""

    DROPPED: ClassVar[Mapping[str, str]] = dict.fromkeys(("ExtProc", "ExtAuthz"), "it is newer than Consul 1.22")

    headers: Sequence[HttpHeaderModifiers] = ()
    url_rewrite: UrlRewrite | None = None
    retry_filter: RetryFilter | None = None
    timeout_filter: TimeoutFilter | None = None
    jwt: GatewayJwt | None = None


class ResponseFilters(Part):
    """What is changed in an answer."""

    headers: Sequence[HttpHeaderModifiers] = ()


class PathMatch(Part):
    """A condition on the path: ``value`` starts with ``/``, or is a regular expression (RE2) for the whole path."""

    match: Literal["exact", "prefix", "regex"]
    value: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The path."""
        value = self.value or ""
        if self.match in _PLAIN and not value.startswith("/"):
            yield PATH_SLASH(at / "value", f"{show(value)} does not start with a slash")
        elif self.match == "regex" and not value:
            yield FIELD_EXPECTED(at / "value", "Value is missing")
        elif self.match == "regex":
            yield from judge_regex(value, at / "value")


_PLAIN: Final = frozenset({"exact", "prefix"})


def _judge_match(match: str, value: str | None, at: At) -> Iterator[Problem]:
    """Problems of a condition on a header or query parameter."""
    if match == "present":
        if value:
            message = f"nothing is compared with {show(value)}"
            yield MATCH_VALUE(at / "value", message, "remove it, or use another Match")
    elif not value:
        yield MATCH_VALUE(at / "value", "there is nothing to compare with")
    elif match == "regex":
        yield from judge_regex(value, at / "value")


class RouteHeaderMatch(Part):
    """A condition on a header; of ``present``, without a value."""

    match: Literal["exact", "prefix", "present", "regex", "suffix"]
    name: str
    value: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The value."""
        yield from _judge_match(self.match, self.value, at)


class RouteQueryMatch(Part):
    """A condition on a query parameter; of ``present``, without a value."""

    match: Literal["exact", "present", "regex"]
    name: str
    value: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The value."""
        yield from _judge_match(self.match, self.value, at)


class RouteMatch(Part):
    """Conditions that must all hold. The server adds the path ``/`` to one without a path, so it is said."""

    headers: Sequence[RouteHeaderMatch] = ()
    method: Method | None = None
    path: PathMatch = PathMatch(match="prefix", value="/")
    query: Sequence[RouteQueryMatch] = ()


class RouteService(Part):
    """A service behind a rule.

    Attributes:
        name: The service.
        weight: Its share of the requests, in relation to those of the rule's other services. In JSON, a missing one is
            0, which is no traffic (since Consul 1.22.6); in Python, it is 1. It is always said.
        filters: Headers and path of requests; the rule's come first.
        response_filters: Headers of answers. Consul only looks at them where it is the only service of the rule.
        namespace: Enterprise only.
        partition: Enterprise only.
    """

    DROPPED: ClassVar[Mapping[str, str]] = dict.fromkeys(("TLS", "Limits"), "it is newer than Consul 1.22")

    name: Annotated[ServiceName, Mark.LAX]
    weight: Annotated[int, Mark.ZERO, Check(WEIGHT_NEGATIVE, lambda weight: weight >= 0, "a number from 0")] = 1
    filters: Annotated[Filters | None, Mark.VALUE] = None
    response_filters: Annotated[ResponseFilters | None, Mark.VALUE] = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Filters that have no effect here."""
        for field in ("retry_filter", "timeout_filter"):
            if self.filters and getattr(self.filters, field):
                message = f"those of {show(self.name)} alone are not looked at"
                yield SERVICE_FILTER_IGNORED(at / "filters" / field, message)


class RouteRule(Part):
    """Conditions, of which one must hold, and the services that answer; without conditions it takes every request."""

    filters: Annotated[Filters | None, Mark.VALUE] = None
    response_filters: Annotated[ResponseFilters | None, Mark.VALUE] = None
    matches: Sequence[RouteMatch] = ()
    services: Annotated[Sequence[RouteService], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Weights. Consul does not look at that of an only service."""
        if len(self.services) > 1:
            for index, service in enumerate(self.services):
                if service.weight == 0:
                    place = (at / "services")[index] / "weight"
                    yield WEIGHT_ZERO(place, f"{show(service.name)} gets no traffic")


class HttpRoute(ConfigEntry):
    """An ``http-route`` entry.

    Consul reports a route that does not bind only in the entry's status, after the write.

    Attributes:
        parents: Gateways and their listeners.
        hostnames: Hosts without wildcards; every host of the listener when left out.
        rules: The first that matches wins, the longer path before the shorter.
    """

    KIND: ClassVar[str] = "http-route"

    parents: Annotated[Sequence[Parent], Mark.LAX]
    hostnames: Sequence[str] = ()
    rules: Annotated[Sequence[RouteRule], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Parents, services and hosts."""
        yield from judge_parents(self, self.parents, at)
        named = [service.name for rule in self.rules for service in rule.services]
        if len(named) > 1:
            yield SERVICES_SEVERAL(at / "rules", f"{show(named[1])} is named, too, after {show(named[0])}")
        for index, host in enumerate(self.hostnames):
            place = (at / "hostnames")[index]
            if not is_domain_name(host):
                yield HOST_NAME(place, f"{show(host)} is no name that DNS can carry")
            elif ANY in host:
                yield ROUTE_HOST_WILDCARD(place, f"{show(host)} has a *")
            else:
                yield from judge_host_form(host, place)

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
