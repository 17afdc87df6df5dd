"""Requests that show what a declaration says about traffic, and what the answers have to be."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, lgamma, log
from typing import Final

from mesh.durations import seconds
from mesh.lab import echo
from mesh.lab.requests import Request, Target, share
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway, Gateway, Listener
from mesh.model.service import Route, Service
from mesh.topology import gateways_on
from mesh.workload import workload_name

_BODIES: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods whose answers have a body, and that every part of a lab knows."""

CHANCE: Final = 1e-6
"""How often a share that is as declared may be taken for a wrong one."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request through a gateway, and who of the last service has to answer it; of the others, whoever is asked.

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
            chain = tuple(_chain(services, listener.to))
            if why := next(_mute(listener, chain), None):
                yield Door(gateway, listener, chain, (), (why,))
                continue
            last = chain[-1]
            routes = [(_example(route), next(_unjudged(last, route), None)) for route in last.routes]
            requests = [Request(), *(request for request, why in routes if why is None)]
            host = {"Host": listener.hosts[0].replace("*", "any")} if listener.hosts else {}
            asked = tuple(
                Probe(
                    gateway,
                    listener,
                    chain,
                    replace(request, headers={**host, **request.headers}),
                    expected(last, request),
                )
                for request in {str(each): each for each in requests}.values()
            )
            not_asked = tuple(f"{request}: {why}" for request, why in routes if why)
            yield Door(gateway, listener, chain, asked, not_asked)


def _mute(listener: Listener, chain: Sequence[Service]) -> Iterator[str]:
    """Why nothing can be asked through a listener."""
    if listener.protocol != "http":
        yield f"a listener for {listener.protocol} tells nothing of who answers"
    last = chain[-1]
    if last.upstreams and last.upstreams[0].service in {service.name for service in chain}:
        yield f"{' and '.join(service.name for service in chain)} call each other without end"
    for service in chain:
        if service.protocol in {"http2", "grpc"}:
            yield f"{service.name} speaks {service.protocol}, and the echo service in its place only HTTP/1.1"
        for env in _environments(service):
            if env.get("ERROR_RATE", "0").strip("0."):
                yield f"{service.name} fails on purpose (ERROR_RATE={env['ERROR_RATE']})"


def _unjudged(service: Service, route: Route) -> Iterator[str]:
    """Why a route of the last service cannot be asked for."""
    if route.path_regex:
        yield "no example is known of what a pattern matches"
    if _example(route).method not in _BODIES:
        yield "an answer without a body does not say whose it is"
    if route.path_exact and (route.prefix_rewrite or route.path_exact) in {"/health", "/ready"}:
        yield "every echo service answers that itself"
    version = service.versions.get(route.to)
    late = {**service.env, **(version.env if version else {})}.get("TIMING_50_PERCENTILE", "0s")
    if route.timeout and echo.seconds(late) >= seconds(route.timeout):
        yield f"{workload_name(service, route.to)} takes {late}, and the route gives it {route.timeout}"


def _environments(service: Service) -> Iterator[Mapping[str, str]]:
    """What each version of a service is told."""
    for version in service.versions.values() or (None,):
        yield {**service.env, **(version.env if version else {})}


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
    """A request that a route matches; of a pattern, the pattern itself."""
    path = route.path_exact or route.path_regex or (f"{route.path_prefix.rstrip('/')}/x" if route.path_prefix else "/")
    method = "GET" if not route.methods or "GET" in route.methods else str(route.methods[0])
    return Request(path, dict(route.query), dict(route.headers), method)


def expected(service: Service, request: Request) -> dict[str, float]:
    """The share of each instance's name when a request reaches a service: by the first route that matches, or split."""
    for route in service.routes:
        if _matches(route, request):
            return {workload_name(service, route.to): 1.0}
    if not service.versions:
        return {workload_name(service, None): 1.0}
    split = service.split or dict.fromkeys(service.versions, 100)
    return {workload_name(service, name): weight / 100 for name, weight in split.items() if weight}


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
