"""Valid values that several kinds share."""

from typing import Any

from tests.lab.cases.choices import Choices, Json

DURATIONS = ("15s", "250ms", "1m0s", "1h30m0s", "1ns")
OTHER_SPELLINGS_OF_DURATIONS = ("90s", "1h", "0.5s", "1m", "1h30m", "1000ms", "2us")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")
PATHS = ("/", "/v1", "/v1/", "/a b", "/x.y-z_~")
REGEXES = ("/v[0-9]+", ".*", "^a$", "(a|b)", "[a-z]{2,}")
HEADER_NAMES = ("x-version", "X-Debug", "user-agent", ":authority")
TEXTS = ("v1", "x", "true", "1", "é")
HOSTS = ("a.example.com", "b.example.com", "c", "x-y.z")
RETRY_ON = (
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
)
METAS = ({"owner": "team-a"}, {"a": "1", "b": "2"}, {"k" * 128: "v" * 512}, {f"k{n}": "" for n in range(64)})
CIPHERS = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
)
VERSIONS = ("TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3")
TRUE = True


def true() -> bool:
    return TRUE


def meta(c: Choices) -> dict[str, str]:
    return dict(c.pick(METAS))


def flag(c: Choices) -> bool:
    return c.below(4) != 3


def duration(c: Choices) -> str:
    return c.pick(OTHER_SPELLINGS_OF_DURATIONS if c.maybe(12) else DURATIONS)


def count(c: Choices, most: int = 1024) -> int:
    return 1 + c.below(most)


def port(c: Choices) -> int:
    return 1 + c.below(65535)


def header_modifiers(c: Choices) -> Json:
    def named() -> dict[str, str]:
        return {name: c.pick(TEXTS) for name in c.distinct(HEADER_NAMES, 2)}

    return c.any_of(Add=named, Set=named, Remove=lambda: c.distinct(HEADER_NAMES, 2))


def passive_health_check(c: Choices) -> Json:
    return c.any_of(
        Interval=lambda: duration(c),
        MaxFailures=lambda: count(c),
        EnforcingConsecutive5xx=lambda: c.below(101),
        MaxEjectionPercent=lambda: c.below(101),
        BaseEjectionTime=lambda: duration(c),
    )


def limits(c: Choices) -> Json:
    return c.any_of(
        MaxConnections=lambda: c.below(1024),
        MaxPendingRequests=lambda: c.below(1024),
        MaxConcurrentRequests=lambda: c.below(1024),
    )


def tls(c: Choices, minimum: str = "TLSMinVersion", maximum: str = "TLSMaxVersion") -> Json:
    """Versions and cipher suites that fit together; perhaps none."""
    lowest = c.below(len(VERSIONS))
    found: Json = c.some(**{maximum: lambda: VERSIONS[lowest + c.below(len(VERSIONS) - lowest)]})
    if c.maybe():
        found[minimum] = VERSIONS[lowest]
        if VERSIONS[lowest] != "TLSv1_3" and c.maybe():
            found["CipherSuites"] = c.distinct(CIPHERS)
    elif c.maybe(10):
        found = {minimum: "TLS_AUTO", maximum: "TLS_AUTO"}
    return found


def mesh_gateway(c: Choices) -> Json:
    return {"Mode": c.pick(("local", "remote", "none"))}


def transparent_proxy(c: Choices) -> Json:
    return c.some(OutboundListenerPort=lambda: port(c), DialedDirectly=true)


def expose(c: Choices) -> Json:
    return c.any_of(
        Checks=true,
        Paths=lambda: c.many(
            lambda: {
                "ListenerPort": port(c),
                "Path": c.pick(PATHS),
                "LocalPathPort": port(c),
                "Protocol": c.pick(("http", "http2")),
            },
            2,
        ),
    )


PATCH = {
    "ResourceFilter": {"ResourceType": "cluster", "TrafficDirection": "outbound"},
    "Op": "add",
    "Path": "/outlier_detection/success_rate_minimum_hosts",
    "Value": 1234,
}
EXTENSIONS: tuple[tuple[str, Json], ...] = (
    (
        "builtin/lua",
        {"ProxyType": "connect-proxy", "Listener": "inbound", "Script": "function envoy_on_request(h) end"},
    ),
    (
        "builtin/aws/lambda",
        {
            "ARN": "arn:aws:lambda:eu-west-1:111111111111:function:f",
            "PayloadPassthrough": True,
            "InvocationMode": "asynchronous",
        },
    ),
    (
        "builtin/ext-authz",
        {
            "ProxyType": "connect-proxy",
            "ListenerType": "inbound",
            "Config": {"GrpcService": {"Target": {"URI": "localhost:9191"}}},
        },
    ),
    (
        "builtin/wasm",
        {
            "Protocol": "http",
            "ListenerType": "inbound",
            "PluginConfig": {"Name": "p", "VmConfig": {"Code": {"Local": {"Filename": "/p.wasm"}}}},
        },
    ),
    ("builtin/property-override", {"ProxyType": "connect-proxy", "Patches": PATCH}),
    ("builtin/property-override", {"ProxyType": "connect-proxy", "Patches": [PATCH, {**PATCH, "Value": 5}]}),
    (
        "builtin/otel-access-logging",
        {
            "ProxyType": "connect-proxy",
            "ListenerType": "inbound",
            "Config": {"LogName": "log", "GrpcService": {"Target": {"Service": {"Name": "otel"}}}},
        },
    ),
)


def envoy_extensions(c: Choices) -> list[Json]:
    def extension() -> Json:
        name, arguments = c.pick(EXTENSIONS)
        found: dict[str, Any] = {"Name": name, "Arguments": arguments}
        return found | c.some(
            Required=lambda: flag(c), ConsulVersion=lambda: ">= 1.20.0", EnvoyVersion=lambda: ">= 1.30.0, < 2.0"
        )

    return c.many(extension, 2)
