"""Requests that show what a declaration says about traffic, and what the answers have to be."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import exp, lgamma, log
from typing import Final

from mesh.lab.requests import Request, Target, share
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway, Gateway, Listener
from mesh.model.service import Route, Service
from mesh.topology import gateways_on
from mesh.workload import workload_name

CHANCE: Final = 1e-6
"""How often a share that is as declared may be taken for a wrong one."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request through a gateway, and who has to answer it.

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
    """For each HTTP listener of an API gateway, a request by the split and one for each route of the last service."""
    services = environment.services_by_name()
    for gateway in gateways_on(environment, ApiGateway):
        for listener in gateway.listeners:
            if listener.protocol != "http":
                continue
            chain = tuple(_chain(services, listener.to))
            last = chain[-1]
            host = {"Host": listener.hosts[0].replace("*", "any")} if listener.hosts else {}
            requests = [Request(), *filter(None, map(_example, last.routes))]
            for request in {str(each): each for each in requests}.values():
                sent = replace(request, headers={**host, **request.headers})
                yield Probe(gateway, listener, chain, sent, expected(last, request))


def _chain(services: Mapping[str, Service], name: str) -> Iterator[Service]:
    seen: set[str] = set()
    while name in services and name not in seen:
        seen.add(name)
        service = services[name]
        yield service
        if not service.upstreams:
            return
        name = service.upstreams[0].service


def _example(route: Route) -> Request | None:
    """A request that a route matches; none for a pattern."""
    if route.path_regex:
        return None
    path = route.path_exact or (f"{route.path_prefix.rstrip('/')}/x" if route.path_prefix else "/")
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
