"""Valid service-router, service-splitter and service-resolver entries."""

from collections.abc import Callable
from typing import Any

from tests.lab.cases import values
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.values import true
from tests.lab.cases.world import PEERS, World

DATACENTERS = ("dc1", "dc2", "dc3")
FILTERS = (
    'Service.Meta.version == "v1"',
    "Service.Meta.version == v2",
    '"blue" in Service.Tags',
    'Service.ID matches "^a" and not Node.Node is empty',
    'Node.Meta["zone"] != "1" or (Service.Port == 80)',
    "`x` not in Service.Tags",
)
WEIGHTS = ((100,), (90, 10), (50, 50), (0, 100), (33.33, 33.33, 33.34), (99.99, 0.01), (12.5, 37.5, 50.0))


def _headers(c: Choices) -> list[Json]:
    def header() -> Json:
        how = c.one_of(
            Exact=lambda: c.pick(values.TEXTS),
            Present=true,
            Prefix=lambda: c.pick(values.TEXTS),
            Suffix=lambda: c.pick(values.TEXTS),
            Regex=lambda: c.pick(values.REGEXES),
        )
        return {"Name": c.pick(values.HEADER_NAMES)} | how | c.some(Invert=true)

    return c.many(header, 2)


def _queries(c: Choices) -> list[Json]:
    return c.many(
        lambda: (
            {"Name": c.pick(("version", "q"))}
            | c.one_of(Exact=lambda: c.pick(values.TEXTS), Present=true, Regex=lambda: c.pick(values.REGEXES))
        ),
        2,
    )


def path(c: Choices) -> Json:
    """One of the three ways to match a path."""
    return c.one_of(
        PathPrefix=lambda: c.pick(values.PATHS),
        PathExact=lambda: c.pick(values.PATHS),
        PathRegex=lambda: c.pick(values.REGEXES),
    )


def _match(c: Choices) -> Json:
    found = path(c) if c.maybe(75) else {}
    found |= c.some(
        CaseInsensitive=true,
        Header=lambda: _headers(c),
        QueryParam=lambda: _queries(c),
        Methods=lambda: c.distinct(values.METHODS),
    )
    return found or {"PathPrefix": "/"}


def _target(c: Choices, world: World, service: str, *, later: bool = False) -> Json:
    found: Json = {}
    if others := world.like(c, service, later=later):
        found["Service"] = c.pick(others)
    if subset := world.subset(c, found.get("Service", service)):
        found["ServiceSubset"] = subset
    return found


def service_router(c: Choices, world: World, name: str) -> Json:
    def route() -> Json:
        matched = _match(c)
        destination = _target(c, world, name) or {"NumRetries": 1}
        destination |= c.some(
            RequestTimeout=lambda: values.duration(c),
            IdleTimeout=lambda: values.duration(c),
            NumRetries=lambda: values.count(c),
            RetryOnConnectFailure=lambda: values.flag(c),
            RetryOnStatusCodes=lambda: c.distinct((503, 500, 429)),
            RetryOn=lambda: c.distinct(values.RETRY_ON),
            RequestHeaders=lambda: values.header_modifiers(c),
            ResponseHeaders=lambda: values.header_modifiers(c),
        )
        if ("PathExact" in matched or "PathPrefix" in matched) and c.maybe():
            destination["PrefixRewrite"] = c.pick(values.PATHS)
        return {"Match": {"HTTP": matched}, "Destination": destination}

    body: Json = {"Kind": "service-router", "Name": name, "Routes": c.many(route)}
    return body | c.some(Meta=lambda: values.meta(c))


def service_splitter(c: Choices, world: World, name: str, *, nested: bool = False) -> Json:
    """A splitter.

    Args:
        c: Chooses.
        world: What it may refer to.
        name: Of the service.
        nested: Whether there are others. Consul dies when it merges header modifiers of nested splits of which one
            lacks an Add or a Set that the other has (``agent/structs/config_entry_discoverychain.go``,
            ``MergeHTTPHeaderModifiers``), and dies again at each start: then each has both.
    """

    def headers() -> Json:
        found = values.header_modifiers(c)
        return {"Add": {"x-a": "1"}, "Set": {"x-b": "2"}} | found if nested else found

    places: list[Json] = [{}, {"Service": name}][c.below(2) :][:1]
    places += [{"ServiceSubset": subset} for subset in world.subsets.get(name, ())]
    places += [{"Service": other} for other in world.like(c, name, later=True) if other != name]
    if world.slips(c):
        places = [{"ServiceSubset": "v9"}, {"Service": "b"}, {"Service": "c"}]
    fitting = [weights for weights in WEIGHTS if len(weights) <= len(places)]
    weights = c.pick(fitting)
    first = c.below(len(places))
    splits = [
        {"Weight": weight}
        | places[(first + step) % len(places)]
        | c.some(RequestHeaders=headers, ResponseHeaders=headers)
        for step, weight in enumerate(weights)
    ]
    body: Json = {"Kind": "service-splitter", "Name": name, "Splits": splits}
    return body | c.some(Meta=lambda: values.meta(c))


def _load_balancer(c: Choices) -> Json:
    def cookie() -> Json:
        lasting: dict[str, Callable[[], Any]] = {"TTL": lambda: values.duration(c)} if c.maybe() else {"Session": true}
        return c.any_of(Path=lambda: "/", **lasting)

    def hash_policy() -> Json:
        found: Json
        match c.below(3):
            case 0:
                found = {"Field": c.pick(("header", "query_parameter")), "FieldValue": "x-user"}
            case 1:
                found = {"Field": "cookie", "FieldValue": "session"} | c.some(CookieConfig=cookie)
            case _:
                found = {"SourceIP": True}
        return found | c.some(Terminal=true)

    policy = c.pick(("ring_hash", "maglev", "least_request", "random", "round_robin"))
    found: Json = {"Policy": policy}
    if policy in {"ring_hash", "maglev"}:
        found |= c.some(HashPolicies=lambda: c.many(hash_policy))
    if policy == "ring_hash":
        found |= c.some(
            RingHashConfig=lambda: c.any_of(
                MinimumRingSize=lambda: values.count(c), MaximumRingSize=lambda: 1024 + c.below(1024)
            )
        )
    if policy == "least_request":
        found |= c.some(LeastRequestConfig=lambda: {"ChoiceCount": 2 + c.below(10)})
    return found


def _redirect(c: Choices, world: World, name: str) -> Json:
    found = _target(c, world, name, later=True)
    away = c.below(4)
    if "Service" not in found:
        found = {"Service": f"{name}-elsewhere"} if world.protocol(name) == "tcp" else {"Datacenter": "dc2"}
    if away == 1 and not world.exported and "ServiceSubset" not in found:
        return {"Service": found.get("Service", name), "Peer": c.pick(PEERS)}
    if away == 2 and not world.exported:
        found["Datacenter"] = c.pick(DATACENTERS[1:])
    return found


def _failover(c: Choices, world: World, name: str) -> Json:
    def target() -> Json:
        if c.maybe(30):
            return {"Peer": c.pick(PEERS)} | c.some(Service=lambda: name)
        found = _target(c, world, name, later=True)
        if (c.maybe(30) or not found) and not world.exported:
            found["Datacenter"] = c.pick(DATACENTERS[1:])
        return found or {"Peer": "east"}

    if c.maybe():
        return {"Targets": c.many(target)}
    found = _target(c, world, name, later=True)
    if (c.maybe(30) or not found) and not world.exported:
        found["Datacenters"] = c.distinct(DATACENTERS, 2)
    return found or {"Targets": [{"Peer": "east"}]}


def service_resolver(c: Choices, world: World, name: str, *, redirected: bool) -> Json:
    body: Json = {"Kind": "service-resolver", "Name": name}
    subsets = world.subsets.get(name, ())
    if subsets:
        body["Subsets"] = {
            subset: {"Filter": c.pick(FILTERS)} | c.some(OnlyPassing=lambda: values.flag(c)) for subset in subsets
        }
        body |= c.some(DefaultSubset=lambda: c.pick(subsets))
    if name not in world.external or world.slips(c):
        if redirected:
            body["Redirect"] = _redirect(c, world, name)
        elif c.maybe():
            places = c.distinct(("*", *subsets), 2)
            body["Failover"] = {place: _failover(c, world, name) for place in places}
    return body | c.some(
        ConnectTimeout=lambda: values.duration(c),
        RequestTimeout=lambda: values.duration(c),
        LoadBalancer=lambda: _load_balancer(c),
        Meta=lambda: values.meta(c),
    )
