"""Strategies of single entries, for each kind that the Community Edition knows.

All but those that need an http protocol (service-router, service-splitter) are valid alone on an empty Consul.
"""

from collections.abc import Callable

from tests.lab.cases import access, chains, gateways, services
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.world import PROTOCOLS, World


def _protocol(c: Choices) -> str | None:
    return c.pick(PROTOCOLS) if c.maybe(85) else None


def _proxy_defaults(c: Choices) -> Json:
    return services.proxy_defaults(c, World(), _protocol(c))


def _service_defaults(c: Choices) -> Json:
    return services.service_defaults(c, World(external=("b",)), c.pick(("a", "b", "api-1")), _protocol(c))


def _resolver(c: Choices) -> Json:
    subsets = tuple(c.distinct(("v1", "v2", "v3-x"))) if c.maybe(75) else ()
    return chains.service_resolver(c, World(subsets={"a": subsets}), "a", redirected=c.maybe(25))


def _mesh(c: Choices) -> Json:
    return services.mesh(c, World(permissive=c.maybe()))


ALONE: dict[str, Callable[[Choices], Json]] = {
    "mesh": _mesh,
    "proxy-defaults": _proxy_defaults,
    "service-defaults": _service_defaults,
    "jwt-provider": lambda c: access.jwt_provider(c, "okta"),
    "inline-certificate": gateways.inline_certificate,
    "file-system-certificate": gateways.file_system_certificate,
    "service-resolver": _resolver,
    "service-splitter": lambda c: chains.service_splitter(c, World(), "a"),
    "service-router": lambda c: chains.service_router(c, World(), "a"),
    "exported-services": lambda c: access.exported_services(c, World()),
    "ingress-gateway": lambda c: gateways.ingress_gateway(c, World()),
    "terminating-gateway": lambda c: gateways.terminating_gateway(c, World()),
    "api-gateway": gateways.api_gateway,
    "http-route": lambda c: gateways.http_route(c, World(), "route"),
    "tcp-route": lambda c: gateways.tcp_route(c, World(), "route"),
    "service-intentions": lambda c: access.service_intentions(c, World(), c.pick(("a", "*", "b"))),
}
NEEDS_HTTP = ("service-splitter", "service-router")
"""Kinds that an empty Consul refuses."""


def alone(c: Choices, kind: str | None = None) -> Json:
    """One entry, of any kind or of this one."""
    return ALONE[kind or c.pick(tuple(ALONE))](c)
