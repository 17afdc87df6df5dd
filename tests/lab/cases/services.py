"""Valid mesh, proxy-defaults and service-defaults entries."""

from tests.lab.cases import values
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.values import true
from tests.lab.cases.world import PEERS, PROTOCOLS, World

ESCAPED_SLASHES = (
    "IMPLEMENTATION_SPECIFIC_DEFAULT",
    "KEEP_UNCHANGED",
    "REJECT_REQUEST",
    "UNESCAPE_AND_REDIRECT",
    "UNESCAPE_AND_FORWARD",
)
UNDERSCORES = ("ALLOW", "REJECT_REQUEST", "DROP_HEADER")


def mesh(c: Choices, world: World) -> Json:
    def tls() -> Json:
        return values.tls(c) or {"TLSMinVersion": "TLSv1_2"}

    def normalization() -> Json:
        return c.any_of(
            InsecureDisablePathNormalization=true,
            MergeSlashes=true,
            PathWithEscapedSlashesAction=lambda: c.pick(ESCAPED_SLASHES),
            HeadersWithUnderscoresAction=lambda: c.pick(UNDERSCORES),
        )

    body = {"Kind": "mesh", "Name": "mesh"} | c.some(
        TransparentProxy=lambda: {"MeshDestinationsOnly": values.flag(c)},
        ValidateClusters=true,
        TLS=lambda: c.any_of(Incoming=tls, Outgoing=tls),
        HTTP=lambda: c.any_of(
            SanitizeXForwardedClientCert=true, Incoming=lambda: {"RequestNormalization": normalization()}
        ),
        Peering=lambda: {"PeerThroughMeshGateways": values.flag(c)},
        Meta=lambda: values.meta(c),
    )
    return body | ({"AllowEnablingPermissiveMutualTLS": True} if world.permissive else {})


def _mutual_tls(c: Choices, world: World) -> str:
    return "permissive" if (world.permissive and c.maybe()) or (world.slips(c) and c.maybe(25)) else "strict"


def proxy_defaults(c: Choices, world: World, protocol: str | None) -> Json:
    config: Json = {"protocol": protocol} if protocol else {}
    config |= c.some(
        local_connect_timeout_ms=lambda: values.count(c),
        envoy_prometheus_bind_addr=lambda: "0.0.0.0:9102",
        nested=lambda: {"list": [1, 2.5], "flag": True},
    )
    log_format = c.one_of(
        JSONFormat=lambda: c.pick(('{"start": "%START_TIME%"}', '"text"')), TextFormat=lambda: "%START_TIME% ${x} %{y}"
    )
    logs = c.some(Enabled=true, DisableListenerLogs=true)
    match c.below(4):
        case 1:
            logs |= {"Type": "file", "Path": "/var/log/a.log"}
        case 2:
            logs |= {"Type": c.pick(("stdout", "stderr"))}
        case 3:
            logs |= log_format
        case _:
            pass
    body = {"Kind": "proxy-defaults", "Name": "global", "TransparentProxy": {}, "AccessLogs": logs} | c.some(
        TransparentProxy=lambda: values.transparent_proxy(c),
        Mode=lambda: c.pick(("direct", "transparent")),
        MutualTLSMode=lambda: _mutual_tls(c, world),
        MeshGateway=lambda: values.mesh_gateway(c),
        Expose=lambda: values.expose(c),
        EnvoyExtensions=lambda: values.envoy_extensions(c),
        Meta=lambda: values.meta(c),
    )
    return body | ({"Config": config} if config else {})


def _upstream(c: Choices) -> Json:
    return c.any_of(
        EnvoyListenerJSON=lambda: '{"a": 1}',
        EnvoyClusterJSON=lambda: '{"b": 1}',
        Protocol=lambda: c.pick(PROTOCOLS),
        ConnectTimeoutMs=lambda: values.count(c),
        Limits=lambda: values.limits(c),
        PassiveHealthCheck=lambda: values.passive_health_check(c),
        MeshGateway=lambda: values.mesh_gateway(c),
        BalanceOutboundConnections=lambda: "exact_balance",
    )


def service_defaults(c: Choices, world: World, name: str, protocol: str | None) -> Json:
    def override() -> Json:
        return {"Name": c.pick((*world.services, "elsewhere"))} | c.some(Peer=lambda: c.pick(PEERS)) | _upstream(c)

    upstreams = {
        "UpstreamConfig": lambda: c.any_of(Defaults=lambda: _upstream(c), Overrides=lambda: c.many(override, 2))
    }
    destination = {
        "Destination": lambda: {
            "Addresses": c.distinct(("a.example.com", "10.0.0.1", "2001:db8::1", "b")),
            "Port": values.port(c),
        }
    }
    body = {"Kind": "service-defaults", "Name": name, "TransparentProxy": {}} | c.some(
        TransparentProxy=lambda: values.transparent_proxy(c),
        Mode=lambda: c.pick(("direct", "transparent")),
        MutualTLSMode=lambda: _mutual_tls(c, world),
        MeshGateway=lambda: values.mesh_gateway(c),
        Expose=lambda: values.expose(c),
        MaxInboundConnections=lambda: values.count(c),
        LocalConnectTimeoutMs=lambda: values.count(c),
        LocalRequestTimeoutMs=lambda: values.count(c),
        BalanceInboundConnections=lambda: "exact_balance",
        EnvoyExtensions=lambda: values.envoy_extensions(c),
        Meta=lambda: values.meta(c),
        **(destination if c.maybe(25) else upstreams),
    )
    if protocol:
        body["Protocol"] = protocol
    if name in world.external or (world.slips(c) and c.maybe(30)):
        body["ExternalSNI"] = "external.example.com"
    return body
