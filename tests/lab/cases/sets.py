"""Strategies of sets: entries that refer to one another, in the order in which they depend on one another."""

from tests.lab.cases import access, chains, gateways, services
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.world import PROTOCOLS, World

MOST_ENTRIES = 12
_SUBSETS: tuple[tuple[str, ...], ...] = (("v1", "v2"), ("v1",), ("blue", "green", "v1"))


class _Plan:
    """Who has what, decided first: an entry may refer to what is written after it in the code, not in the set."""

    def __init__(self, c: Choices) -> None:
        names = ("a", "b", "c", "d")[: 2 + c.below(3)]
        self.default = c.pick((None, "http", "http2", "grpc", "tcp")) if c.maybe(60) else None
        self.has_proxy_defaults = self.default is not None or c.maybe(20)
        own = c.pick(PROTOCOLS)  # one protocol for most: chains need equal ones
        self.defaults: dict[str, str | None] = {}
        protocols = {}
        for name in names:
            if c.maybe(65):
                self.defaults[name] = c.pick((*PROTOCOLS, None)) if c.maybe(25) else own
            protocols[name] = self.defaults.get(name) or ("tcp" if name in self.defaults else self.default or "tcp")
        self.redirected = [name for name in names[:-1] if c.maybe(15)]
        external = [name for name in self.defaults if c.maybe(8)]
        subsets = {
            name: c.pick(_SUBSETS)
            for name in names
            if name not in self.redirected and name not in external and c.maybe(35)
        }
        self.resolvers = [
            name
            for name in names
            if name in subsets or (name not in external and (name in self.redirected or c.maybe(15)))
        ]
        careful = c.maybe(40)
        self.world = World(
            services=names,
            protocols=protocols,
            subsets=subsets,
            providers=c.distinct(("okta", "entra"), 2) if c.maybe(35) else (),
            permissive=c.maybe(20),
            external=external,
            exported=c.maybe(35),
            careful=careful,
            loops=not careful and c.maybe(40),
        )

    def advanced(self, c: Choices, percent: int) -> list[str]:
        """Services that may have a router or a splitter, last first: a chain leads from earlier ones to later ones."""
        return [
            name
            for name in reversed(self.world.services)
            if (self.world.http_like(name) or self.world.slips(c)) and c.maybe(percent)
        ]


def entry_set(c: Choices) -> list[Json]:
    """One to twelve entries, unique by kind and name."""
    plan = _Plan(c)
    world = plan.world
    found: list[Json] = []
    if world.permissive or c.maybe(10):
        found.append(services.mesh(c, world))
    if plan.has_proxy_defaults:
        found.append(services.proxy_defaults(c, world, plan.default))
    found += [services.service_defaults(c, world, name, protocol) for name, protocol in plan.defaults.items()]
    found += [access.jwt_provider(c, name) for name in world.providers]
    found += [
        chains.service_resolver(c, world, name, redirected=name in plan.redirected) for name in reversed(plan.resolvers)
    ]
    split = plan.advanced(c, 25)
    found += [chains.service_splitter(c, world, name, nested=len(split) > 1) for name in split]
    found += [chains.service_router(c, world, name) for name in plan.advanced(c, 25)]
    found += _edges(c, world)
    return found[:MOST_ENTRIES] or [access.service_intentions(c, world, "a")]


def _edges(c: Choices, world: World) -> list[Json]:
    """What leads into the mesh and out of it, and who may call whom."""
    found: list[Json] = []
    if world.exported:
        found.append(access.exported_services(c, world))
    chosen = c.below(64)
    if chosen & 1:
        found.append(gateways.ingress_gateway(c, world))
    if chosen & 2:
        same = world.slips(c)
        found.append(gateways.terminating_gateway(c, world, gateways.INGRESS if same else gateways.TERMINATING))
    if chosen & 4 and chosen & 8:
        found += [gateways.inline_certificate(c), gateways.api_gateway(c), gateways.http_route(c, world, "route")]
        found += [gateways.tcp_route(c, world, "route")] if c.maybe() else []
        found += [gateways.file_system_certificate(c)] if c.maybe() else []
    if chosen & 16:
        found += [access.service_intentions(c, world, name) for name in c.distinct((*world.services, "*"), 2)]
    return found
