"""Requests that show what a declaration says about traffic, and what the answers have to be."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, lgamma, log
from re import fullmatch
from typing import Final, NamedTuple

from mesh.durations import seconds
from mesh.lab import echo
from mesh.lab.requests import Request, Target, share
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway, Gateway, Listener
from mesh.model.service import Route, Service
from mesh.topology import gateways_on
from mesh.workload import versions_of, workload_name

_BODIES: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods whose answers have a body, and that every part of a lab knows."""

_HARMLESS: Final = {"ERROR_RATE": r"[0.]*", "HEALTH_CHECK_RESPONSE_CODE": r"(2..)?"}
"""Variables by which a service fails on purpose (:mod:`mesh.lab.echo`), and their values with which it does not."""

CHANCE: Final = 1e-6
"""How often a share that is as declared may be taken for a wrong one."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request through a gateway, and who of the last service has to answer it.

    Who passes it on of the services before is not judged.

    Attributes:
        gateway: The gateway.
        listener: Its listener.
        chain: The services that the request goes through, each the first upstream of the one before.
        request: The request.
        expected: The share of each instance's name of the last service; together 1.
    """

    gateway: Gateway
    listener: Listener
    chain: tuple[Service, ...]
    request: Request
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Door:
    """What can be asked through a listener of an API gateway.

    Attributes:
        gateway: The gateway.
        listener: Its listener.
        chain: The services that a request goes through, each the first upstream of the one before.
        probes: A request by the split, and one for each route of the last service.
        not_asked: What cannot be asked, or whose answer could not be judged, and why.
    """

    gateway: Gateway
    listener: Listener
    chain: tuple[Service, ...]
    probes: tuple[Probe, ...]
    not_asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a probe.

    Attributes:
        probe: The probe.
        answered: How many requests each has answered.
    """

    probe: Probe
    answered: Counter[str]

    @property
    def well(self) -> bool:
        """Whether everyone's share is as declared."""
        expected, total = self.probe.expected, self.answered.total()
        return self.answered.keys() <= expected.keys() and all(
            plausible(self.answered[name], total, part) for name, part in expected.items()
        )


def probes(environment: Environment) -> Iterator[Probe]:
    """Every request that can be asked."""
    for door in doors(environment):
        yield from door.probes


def doors(environment: Environment) -> Iterator[Door]:
    """Each listener of an API gateway."""
    services = environment.services_by_name()
    for gateway in gateways_on(environment, ApiGateway):
        for listener in gateway.listeners:
            yield _door(services, gateway, listener)


def _door(services: Mapping[str, Service], gateway: Gateway, listener: Listener) -> Door:
    chain = tuple(_chain(services, listener.to))
    if why := next(_mute(listener, services), None):
        return Door(gateway, listener, chain, (), (why,))
    last = chain[-1]
    host = {"Host": listener.hosts[0].replace("*", "any")} if listener.hosts else {}
    examples = [Request(), *(_example(route) for route in last.routes if not route.path_regex)]
    asked: list[Probe] = []
    not_asked = [
        f"{route.path_regex}: no example is known of what a pattern matches"
        for route in last.routes
        if route.path_regex
    ]
    for request in {str(each): each for each in examples}.values():
        hops = tuple(_hops(chain, request))
        if why := next(_unjudged(hops), None):
            not_asked.append(f"{request}: {why}")
        else:
            sent = replace(request, headers={**host, **request.headers})
            asked.append(Probe(gateway, listener, chain, sent, _answering(last, hops[-1].route)))
    return Door(gateway, listener, chain, tuple(asked), tuple(not_asked))


def _mute(listener: Listener, services: Mapping[str, Service]) -> Iterator[str]:
    """Why nothing can be asked through a listener."""
    if listener.protocol != "http":
        yield f"a listener for {listener.protocol} tells nothing of who answers"
    called = _called(services, services[listener.to])
    reached = {listener.to, *called}
    if circle := sorted(name for name in reached if name in _called(services, services[name])):
        yield f"calls go round without end: {', '.join(circle)}"
    for service in (services[name] for name in sorted(reached)):
        if service.protocol in {"http2", "grpc"}:
            yield f"{service.name} speaks {service.protocol}, and the echo service in its place only HTTP/1.1"
        for env in _environments(service).values():
            for name, harmless in _HARMLESS.items():
                if not fullmatch(harmless, env.get(name, "")):
                    yield f"{service.name} fails on purpose ({name}={env[name]})"


def _called(services: Mapping[str, Service], caller: Service) -> set[str]:
    """The services that a service calls, and those that they call; an echo service calls all its upstreams."""
    found: set[str] = set()
    todo = [caller]
    while todo:
        new = {upstream.service for upstream in todo.pop().upstreams} & services.keys() - found
        found |= new
        todo += [services[name] for name in new]
    return found


class _Hop(NamedTuple):
    """A service that a request comes to.

    Attributes:
        service: The service.
        route: Its route that the request takes, if any.
        request: What its instances receive.
    """

    service: Service
    route: Route | None
    request: Request


def _hops(chain: Iterable[Service], request: Request) -> Iterator[_Hop]:
    """The way of a request; each service passes on what it has received."""
    for service in chain:
        route = _route(service, request)
        if route and route.prefix_rewrite:
            matched = route.path_exact or route.path_prefix or ""
            request = replace(request, path=route.prefix_rewrite + request.path.removeprefix(matched))
        yield _Hop(service, route, request)


def _unjudged(hops: Sequence[_Hop]) -> Iterator[str]:
    """Why the answer to a request would not show who gave it."""
    if hops[-1].request.method not in _BODIES:
        yield "an answer without a body does not say whose it is"
    late = 0.0
    for service, route, request in reversed(hops):
        if request.path in {"/health", "/ready"}:
            yield f"the echo service in place of {service.name} answers {request.path} without its name"
        told = _environments(service)
        late += max(echo.seconds(told[version].get("TIMING_50_PERCENTILE", "")) for version in _shares(service, route))
        if route and route.timeout and late >= seconds(route.timeout):
            yield f"{service.name} takes at least {late:g}s, and its route gives it {route.timeout}"


def _environments(service: Service) -> dict[str | None, Mapping[str, str]]:
    """What the instances of each version are told."""
    return {name: {**service.env, **version.env} for name, version in versions_of(service)}


def _chain(services: Mapping[str, Service], name: str) -> Iterator[Service]:
    seen: set[str] = set()
    while name in services and name not in seen:
        seen.add(name)
        service = services[name]
        yield service
        if not service.upstreams:
            return
        name = service.upstreams[0].service


def _example(route: Route) -> Request:
    """A request that a route without a pattern matches."""
    path = route.path_exact or (f"{route.path_prefix.rstrip('/')}/x" if route.path_prefix else "/")
    method = "GET" if not route.methods or "GET" in route.methods else str(route.methods[0])
    return Request(path, dict(route.query), dict(route.headers), method)


def expected(service: Service, request: Request) -> dict[str, float]:
    """The share of each instance's name when a request reaches a service: by the first route that matches, or split."""
    return _answering(service, _route(service, request))


def _answering(service: Service, route: Route | None) -> dict[str, float]:
    return {workload_name(service, version): share for version, share in _shares(service, route).items()}


def _route(service: Service, request: Request) -> Route | None:
    return next((route for route in service.routes if _matches(route, request)), None)


def _shares(service: Service, route: Route | None) -> dict[str | None, float]:
    """The share of each version of requests that take a route, or none."""
    if route:
        return {route.to: 1.0}
    if not service.versions:
        return {None: 1.0}
    split = service.split or dict.fromkeys(service.versions, 100)
    return {name: weight / 100 for name, weight in split.items() if weight}


def _matches(route: Route, request: Request) -> bool:
    path = request.path
    return (
        (route.path_prefix is None or path.startswith(route.path_prefix))
        and (route.path_exact is None or path == route.path_exact)
        and (route.path_regex is None or _fits(route.path_regex, path))
        and route.query.items() <= request.query.items()
        and route.headers.items() <= request.headers.items()
        and (not route.methods or request.method in route.methods)
    )


def _fits(expression: str, path: str) -> bool:
    import re2  # only where there is an expression

    return re2.fullmatch(expression, path) is not None


def ask(probe: Probe, target: Target, count: int) -> Outcome:
    """Sends a probe ``count`` times."""
    return Outcome(probe, share(target, probe.request, count))


def plausible(count: int, total: int, part: float, chance: float = CHANCE) -> bool:
    """Whether ``count`` of ``total`` requests, or something as unlikely, comes from a share of ``part``.

    The exact test of a binomial: false about once in ``1 / chance`` when the share is ``part``.
    """
    if part <= 0 or part >= 1:
        return count == round(part) * total
    fewer = sum(_binomial(other, total, part) for other in range(count + 1))
    more = sum(_binomial(other, total, part) for other in range(count, total + 1))
    return min(fewer, more) > chance / 2


@cache
def _binomial(count: int, total: int, part: float) -> float:
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(part) + (total - count) * log(1 - part))
