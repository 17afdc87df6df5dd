"""service-router: which requests go where.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go``, ``ServiceRouterConfigEntry``.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import (
    Duration,
    HttpHeaderModifiers,
    Method,
    RetryCondition,
    ServiceName,
    Status,
    Unsigned,
)
from mesh.consul.entries.http_matching import judge_condition, judge_matchers
from mesh.consul.examples import HTTP
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_IGNORED
from mesh.model.service import Route as RouteDeclaration
from mesh.model.service import Service
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.showing import show
from mesh.topology import Place

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry_discoverychain.go, ServiceRouterConfigEntry.Validate"


def _router(*routes: JsonObject) -> Example:
    """A router, and what makes its service an HTTP service."""
    return [HTTP, {"Kind": "service-router", "Name": "web", "Routes": list(routes)}]


_TO_API: Final = {"Service": "api"}

ROUTE_MATCHES_ALL: Final = stricter(
    "route-without-condition",
    what="A route has no condition.",
    why="It takes every request. A misspelt condition is dropped by the provider and leaves just this.",
    source=f"{_VALIDATE} (not checked there)",
    fix='say what it matches; for every request, PathPrefix "/"',
    example=_router({"Destination": _TO_API}),
    instead=_router({"Match": {"HTTP": {"PathPrefix": "/"}}, "Destination": _TO_API}),
)

ROUTE_WITHOUT_DESTINATION: Final = stricter(
    "route-without-destination",
    what="A route has no destination.",
    why="Its requests go to the router's own service, as they would without it.",
    source="consul@1.22.7 agent/consul/discoverychain/compile.go, assembleChain",
    fix="say where it goes, or remove it",
    example=_router({"Match": {"HTTP": {"PathPrefix": "/a"}}}),
    instead=_router({"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": _TO_API}),
)

ROUTE_SHADOWED: Final = stricter(
    "route-shadowed",
    what="A route comes after one that already takes all of its requests.",
    why="The first route that matches wins, so no request reaches it.",
    source="consul@1.22.7 agent/consul/discoverychain/compile.go, assembleChain",
    fix="put it before the other route, or remove it",
    example=_router(
        {"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": _TO_API},
        {"Match": {"HTTP": {"PathPrefix": "/a/b"}}, "Destination": {"Service": "web"}},
    ),
    instead=_router(
        {"Match": {"HTTP": {"PathPrefix": "/a/b"}}, "Destination": {"Service": "web"}},
        {"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": _TO_API},
    ),
)

REWRITE_WITHOUT_PATH: Final = refused(
    "rewrite-without-path",
    what="A destination rewrites a path prefix, and its route matches none.",
    why="Consul refuses it: cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix.",
    source=_VALIDATE,
    fix="match a PathExact or PathPrefix, or remove PrefixRewrite",
    example=_router({"Match": {"HTTP": {"Methods": ["GET"]}}, "Destination": {"Service": "api", "PrefixRewrite": "/"}}),
    instead=_router({"Match": {"HTTP": {"PathPrefix": "/a"}}, "Destination": {"Service": "api", "PrefixRewrite": "/"}}),
)


class HeaderMatch(Part):
    """A condition on a request header; exactly one of the matchers."""

    name: str
    present: bool | None = None
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    regex: str | None = None
    invert: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The matchers."""
        matchers = {"present": self.present, "exact": self.exact, "prefix": self.prefix, "suffix": self.suffix}
        yield from judge_matchers(at, {**matchers, "regex": self.regex})


class QueryParamMatch(Part):
    """A condition on a query parameter; exactly one of the matchers."""

    name: str
    present: bool | None = None
    exact: str | None = None
    regex: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The matchers."""
        yield from judge_matchers(at, {"present": self.present, "exact": self.exact, "regex": self.regex})


class HttpMatch(Part):
    """Conditions that must all hold; an empty one matches everything."""

    path_exact: str | None = None
    path_prefix: str | None = None
    path_regex: str | None = None
    case_insensitive: bool | None = None
    header: Sequence[HeaderMatch] = ()
    query_param: Sequence[QueryParamMatch] = ()
    methods: Sequence[Method] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Paths and methods."""
        yield from judge_condition(self, at)


class Match(Part):
    """What a route matches."""

    http: HttpMatch | None = None


class Destination(Part):
    """Where a matching request goes. A subset goes past the splitter."""

    service: ServiceName | None = None
    service_subset: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_IGNORED, left_out=True), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_IGNORED, left_out=True), Mark.INHERITED] = None
    prefix_rewrite: str | None = None
    request_timeout: Duration | None = None
    idle_timeout: Duration | None = None
    num_retries: Unsigned | None = None
    retry_on_connect_failure: bool | None = None
    retry_on: Sequence[RetryCondition] = ()
    retry_on_status_codes: Sequence[Status] = ()
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None


class Route(Part):
    """One route; the first that matches wins."""

    match: Match | None = None
    destination: Destination | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """What is missing, and a rewrite without a prefix to rewrite."""
        http = self.match.http if self.match else None
        if self.match is None or http == HttpMatch(case_insensitive=True):
            yield ROUTE_MATCHES_ALL(at, "the route has no condition")
        if self.destination is None:
            yield ROUTE_WITHOUT_DESTINATION(at, "the route goes nowhere else than without it")
        elif self.destination.prefix_rewrite and not (http and (http.path_exact or http.path_prefix)):
            rewrite = self.destination.prefix_rewrite
            message = f"there is no path to make {show(rewrite)} of"
            yield REWRITE_WITHOUT_PATH(at / "destination" / "prefix_rewrite", message)


class ServiceRouter(ConfigEntry):
    """The ``service-router`` entry of a service.

    What no route matches goes to the service itself, hence to its splitter.
    """

    KIND: ClassVar[str] = "service-router"

    name: ServiceName
    routes: Annotated[Sequence[Route], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Routes that no request reaches."""
        for index, earlier in shadowed(self.routes):
            yield ROUTE_SHADOWED((at / "routes")[index], f"route {earlier} takes all of its requests before it")

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service and every service it routes to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        for route in self.routes:
            to = route.destination
            if to and (to.service or to.service_subset):
                where = (to.partition or self.partition, to.namespace or self.namespace)
                yield ServiceRef(to.service or self.name, *where, to.service_subset)


_Others = frozenset[HeaderMatch | QueryParamMatch]
"""Conditions besides path and methods."""

_Taken = dict[_Others, list[tuple[frozenset[str], int]]]
"""What earlier routes of one path take: by their other conditions, their methods (none: all) and index."""


def shadowed(routes: Sequence[Route]) -> Iterator[tuple[int, int]]:
    """Routes that no request reaches: the index of each, and of an earlier route that takes all of its requests."""
    prefixes: dict[str, _Taken] = defaultdict(dict)
    paths: dict[tuple[str | None, ...], _Taken] = defaultdict(dict)
    lengths: set[int] = set()
    for index, route in enumerate(routes):
        http = (route.match.http if route.match else None) or HttpMatch()
        others: _Others = frozenset((*http.header, *http.query_param))
        methods = frozenset(http.methods)
        prefix = "" if http.path_prefix == "/" else http.path_prefix or ""
        path = http.path_exact or prefix
        # Without regard to capitals, only a route for every path is sure to take the same.
        starts = [""] if http.case_insensitive else [path[:length] for length in lengths if length <= len(path)]
        same = (http.path_exact, http.path_prefix, http.path_regex, str(http.case_insensitive))
        taken = [prefixes[start] for start in starts if start in prefixes] + [paths[same]]
        earlier = next((number for each in taken if (number := _takes(each, others, methods)) is not None), None)
        if earlier is not None:
            yield index, earlier
            continue
        paths[same].setdefault(others, []).append((methods, index))
        if not (http.path_exact or http.path_regex or (http.case_insensitive and prefix)):
            prefixes[prefix].setdefault(others, []).append((methods, index))
            lengths.add(len(prefix))


_MOST_CONDITIONS: Final = 6
"""Of as many conditions, all combinations are looked up; of more, only none, each and all."""


def _takes(taken: _Taken, others: _Others, methods: frozenset[str]) -> int | None:
    """The index of an earlier route that takes every request with these conditions and methods."""
    sizes = range(len(others) + 1) if len(others) <= _MOST_CONDITIONS else (0, 1, len(others))
    for size in sizes:
        for some in combinations(others, size):
            for their_methods, index in taken.get(frozenset(some), ()):
                if not their_methods or (methods and methods <= their_methods):
                    return index
    return None


def derive(service: Service, where: Place) -> ServiceRouter | None:
    """The declared routes, in their order; no entry for a service without any."""
    if not service.routes:
        return None
    return ServiceRouter(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        routes=[Route(match=match(route), destination=_destination(service, route, where)) for route in service.routes],
    )


def match(route: RouteDeclaration) -> Match:
    """The conditions of a declared route."""
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
