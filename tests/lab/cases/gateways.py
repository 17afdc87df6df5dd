"""Valid gateway, route and certificate entries."""

from tests.lab.cases import values
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.pems import pems
from tests.lab.cases.values import true
from tests.lab.cases.world import HTTP_LIKE, World

INGRESS = "ingress"
TERMINATING = "egress"
API_GATEWAY = "front"
LISTENERS = ("http", "tcp", "admin", "x.y-1")
CERTIFICATES = (("inline-certificate", "inline"), ("file-system-certificate", "files"))


def _ingress_limits(c: Choices) -> Json:
    return c.some(
        MaxConnections=lambda: values.count(c),
        MaxPendingRequests=lambda: values.count(c),
        MaxConcurrentRequests=lambda: values.count(c),
        PassiveHealthCheck=lambda: values.passive_health_check(c),
    )


def _sds(c: Choices) -> Json:
    return {"SDS": {"ClusterName": "sds", "CertResource": c.pick(("cert", "other"))}}


def _ingress_services(c: Choices, world: World, protocol: str, *, tls: bool) -> list[Json]:
    fitting = [name for name in world.services if world.protocol(name) == protocol or world.slips(c)]
    if protocol == "tcp":
        return [{"Name": c.pick(fitting or [f"{world.services[0]}-elsewhere"])} | _ingress_limits(c)]
    if not fitting or c.maybe(20):
        return [{"Name": "*"} | _ingress_limits(c)]
    services: list[Json] = []
    for name in c.distinct(fitting):
        found: Json = {"Name": name} | c.some(
            RequestHeaders=lambda: values.header_modifiers(c),
            ResponseHeaders=lambda: values.header_modifiers(c),
        )
        if c.maybe():
            found["Hosts"] = [f"{name}.example.com", f"*.{name}.example.org"]
            found |= c.some(TLS=lambda: _sds(c))
            if not tls and not services and c.maybe(20):
                found["Hosts"] = ["*"]
        services.append(found | _ingress_limits(c))
    return services


def ingress_gateway(c: Choices, world: World, name: str = INGRESS) -> Json:
    tls = c.maybe()
    known = sorted({world.protocol(service) for service in world.services})

    def listener(port: int) -> Json:
        protocol = c.pick((*HTTP_LIKE, "tcp") if c.maybe(20) else known)
        found: Json = {"Port": port, "Protocol": protocol}
        found["Services"] = _ingress_services(c, world, protocol, tls=tls)
        return found | c.some(
            TLS=lambda: c.some(Enabled=true, SDS=lambda: _sds(c)["SDS"]) | values.tls(c) or {"Enabled": True}
        )

    body: Json = {"Kind": "ingress-gateway", "Name": name}
    body["Listeners"] = [listener(8080 + number) for number in range(1 + c.below(3))]
    if tls:
        body["TLS"] = {"Enabled": True} | c.some(SDS=lambda: _sds(c)["SDS"]) | values.tls(c)
    if c.maybe(40):
        limits = {"MaxConnections": 0, "MaxPendingRequests": 0, "MaxConcurrentRequests": 0}
        body["Defaults"] = limits | _ingress_limits(c)
    return body | c.some(Meta=lambda: values.meta(c))


def terminating_gateway(c: Choices, world: World, name: str = TERMINATING) -> Json:
    def service(linked: str) -> Json:
        found = {"Name": linked} | c.some(
            CAFile=lambda: "/ca.pem", SNI=lambda: "db.example.com", DisableAutoHostRewrite=true
        )
        if "CAFile" in found and c.maybe():
            found |= {"CertFile": "/crt.pem", "KeyFile": "/key.pem"}
        return found

    body: Json = {"Kind": "terminating-gateway", "Name": name}
    if c.maybe(90):
        body["Services"] = [service(linked) for linked in c.distinct((*world.services, "*"))]
    return body | c.some(Meta=lambda: values.meta(c))


def api_gateway(c: Choices, name: str = API_GATEWAY) -> Json:
    def certificate() -> Json:
        kind, certificate_name = c.pick(CERTIFICATES)
        return {"Kind": kind, "Name": certificate_name} | c.some(SectionName=lambda: "s")

    def tls() -> Json:
        found = values.tls(c, "MinVersion", "MaxVersion") | c.some(Certificates=lambda: c.many(certificate, 2))
        return found or {"MinVersion": "TLSv1_2"}

    def listener(number: int, listener_name: str) -> Json:
        found: Json = {"Name": listener_name, "Port": 8080 + number, "Protocol": c.pick(("http", "tcp"))}
        if found["Protocol"] == "http":
            found |= c.some(Hostname=lambda: c.pick(("*.example.com", "a.example.com", "localhost")))
        return found | c.some(TLS=tls)

    body: Json = {"Kind": "api-gateway", "Name": name}
    body["Listeners"] = [listener(number, called) for number, called in enumerate(c.distinct(LISTENERS))]
    return body | c.some(Meta=lambda: values.meta(c))


def _parents(c: Choices) -> list[Json]:
    return [
        {"Kind": "api-gateway", "Name": name} | c.some(SectionName=lambda: c.pick(LISTENERS))
        for name in c.distinct((API_GATEWAY, "other"), 2)
    ]


def _response_filters(c: Choices) -> Json:
    return {"Headers": [values.header_modifiers(c)]}


def _filters(c: Choices) -> Json:
    return c.any_of(
        Headers=lambda: [values.header_modifiers(c)],
        URLRewrite=lambda: {"Path": c.pick(values.PATHS)},
        RetryFilter=lambda: c.any_of(
            NumRetries=lambda: values.count(c),
            RetryOn=lambda: c.distinct(values.RETRY_ON),
            RetryOnStatusCodes=lambda: c.distinct((503, 500, 429)),
            RetryOnConnectFailure=lambda: values.flag(c),
        ),
        TimeoutFilter=lambda: c.any_of(
            RequestTimeout=lambda: values.duration(c), IdleTimeout=lambda: values.duration(c)
        ),
    )


def http_route(c: Choices, world: World, name: str) -> Json:
    def headers() -> list[Json]:
        return c.many(
            lambda: {
                "Match": c.pick(("exact", "prefix", "present", "regex", "suffix")),
                "Name": c.pick(values.HEADER_NAMES),
                "Value": c.pick(values.TEXTS),
            },
            2,
        )

    def matched() -> Json:
        found = c.some(
            Headers=headers,
            Method=lambda: c.pick(values.METHODS),
            Query=lambda: [{"Match": c.pick(("exact", "present", "regex")), "Name": "q", "Value": "x"}],
        )
        if c.maybe(90):
            how = c.pick(("prefix", "exact", "regex"))
            found["Path"] = {"Match": how, "Value": c.pick(values.REGEXES if how == "regex" else values.PATHS)}
        return found or {"Path": {"Match": "prefix", "Value": "/"}}

    def service(target: str) -> Json:
        found = {"Name": target} | c.some(Filters=lambda: _filters(c), ResponseFilters=lambda: _response_filters(c))
        return found | ({"Weight": c.pick((1, 90, 10, 0))} if c.maybe(90) else {})

    def rule() -> Json:
        return {"Services": [service(target) for target in c.distinct(world.services, 2)]} | c.some(
            Filters=lambda: _filters(c),
            ResponseFilters=lambda: _response_filters(c),
            Matches=lambda: c.many(matched, 2),
        )

    body: Json = {"Kind": "http-route", "Name": name, "Parents": _parents(c), "Rules": c.many(rule, 2)}
    return body | c.some(Hostnames=lambda: c.distinct(values.HOSTS, 2), Meta=lambda: values.meta(c))


def tcp_route(c: Choices, world: World, name: str) -> Json:
    body: Json = {"Kind": "tcp-route", "Name": name, "Parents": _parents(c)}
    return body | c.some(Services=lambda: [{"Name": c.pick(world.services)}], Meta=lambda: values.meta(c))


def inline_certificate(c: Choices, name: str = "inline") -> Json:
    known = pems()
    certificate, key = c.pick(((known.certificate, known.key), (known.certificate, known.key_pkcs1), known.elliptic))
    body: Json = {"Kind": "inline-certificate", "Name": name, "Certificate": certificate, "PrivateKey": key}
    return body | c.some(Meta=lambda: values.meta(c))


def file_system_certificate(c: Choices, name: str = "files") -> Json:
    body: Json = {"Kind": "file-system-certificate", "Name": name, "Certificate": "/crt.pem", "PrivateKey": "/key.pem"}
    return body | c.some(Meta=lambda: values.meta(c))
