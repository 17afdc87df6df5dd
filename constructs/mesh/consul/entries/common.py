"""Objects and types that several kinds of config entries share (``consul@1.22.7 agent/structs/config_entry*.go``)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, ClassVar, Final, Literal

from mesh.consul.examples import HTTP
from mesh.consul.parts import Check, Edition, Fold, Mark, Part
from mesh.consul.value_rules import NUMBER_RANGE, NUMBER_WRAPS
from mesh.rules import At, Problem, refused, stricter
from mesh.showing import show

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

SERVICE_NAME: Final = stricter(
    "service-name",
    what="A service's name is no lower-case DNS label of at most 63 characters.",
    why="Consul stores it, but DNS, SNI and Kubernetes cannot carry it, and names are compared by letter.",
    source="consul@1.22.7 agent/structs/config_entry*.go, Validate (not checked there)",
    fix="use lower-case letters, digits and dashes, as the service is registered",
    example=[{"Kind": "service-defaults", "Name": "Web_X", "Protocol": "http"}],
    instead=[{"Kind": "service-defaults", "Name": "web-x", "Protocol": "http"}],
)

_A_LABEL: Final = "a lower-case DNS label"
_IS_LABEL: Final = Check(SERVICE_NAME, lambda name: bool(_LABEL.fullmatch(name)), _A_LABEL)

ServiceName = Annotated[str, _IS_LABEL]
"""The name of a service."""

SERVICE_WILDCARD: Final = refused(
    "service-wildcard",
    what="Settings are for every service, and can only be for one.",
    why="Consul refuses it: service-defaults name must be the name of a service, and not a wildcard.",
    source="consul@1.22.7 agent/structs/config_entry.go, ServiceConfigEntry.Validate, UpstreamConfig.validate",
    fix="name one service; for all, use proxy-defaults, or the Defaults of UpstreamConfig",
    example=[{"Kind": "service-defaults", "Name": "*", "Protocol": "http"}],
    instead=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}],
)

OneServiceName = Annotated[str, Check(SERVICE_WILDCARD, lambda name: name != "*", "one service"), _IS_LABEL]
"""The name of a service, where Consul refuses ``*``."""

NAME_FIXED: Final = refused(
    "name-fixed",
    what="The entry of a kind of which there is one has another name than it must have.",
    why='Consul refuses a proxy-defaults: invalid name ("x"), only "global" is supported. The provider writes a mesh '
    "as mesh, looks for it under its own name, and loses it.",
    source="consul@1.22.7 agent/structs/config_entry.go, ProxyConfigEntry.Normalize; consul/api@1.32.1 "
    "MeshConfigEntry.GetName",
    fix="use the name that the kind must have",
    example=[{"Kind": "proxy-defaults", "Name": "web", "Config": {"protocol": "http"}}],
    instead=[HTTP],
)


def only(name: str, *, in_any_case: bool = False) -> Check:
    """The one name that an entry can have; ``in_any_case`` if Consul does not look at its capitals."""
    return Check(NAME_FIXED, lambda given: (given.lower() if in_any_case else given) == name, f'"{name}"')


IS_LABEL_OR_ALL: Final = Check(
    SERVICE_NAME, lambda name: name == "*" or bool(_LABEL.fullmatch(name)), f"{_A_LABEL}, or *"
)

ServiceNames = Annotated[str, IS_LABEL_OR_ALL]
"""The name of a service, or ``*`` for every service."""

Duration = Annotated[str, Mark.DURATION]
"""A length of time as Go writes it: ``"30s"``, ``"1m30s"``, ``"500ms"``."""

CheckedDuration = Annotated[str, Mark.DURATION, Mark.SIGN_CHECKED]
"""A length of time of which Consul refuses a negative one."""


def between(low: int, high: int, says: str | None = None) -> Check:
    """A number of which Consul does not check the range."""
    return Check(NUMBER_RANGE, lambda number: low <= number <= high, says or f"a number from {low} to {high}")


_MOST: Final = 2**31 - 1

Count = Annotated[int, between(0, _MOST, "a number from 0")]
"""How many of something. Consul keeps it in a signed number and does not check its sign."""


def fits(bits: int) -> Check:
    """A number that fits into bits without a sign."""
    return Check(NUMBER_WRAPS, lambda number: 0 <= number < 2**bits, f"a number from 0 to {2**bits - 1}")


Unsigned = Annotated[int, fits(32)]
"""How many of something, in 32 bits without a sign."""

UncheckedPort = Annotated[int, between(1, 65535)]
"""A port of which Consul does not check the range."""

Protocol = Annotated[Literal["tcp", "http", "http2", "grpc"], Fold.LOWER]
"""A protocol that Consul checks, and folds to lower case."""

UncheckedProtocol = Annotated[Literal["tcp", "http", "http2", "grpc"], Fold.LOWER, Mark.UNCHECKED]
"""A protocol that Consul folds to lower case, and takes anything else for tcp."""

Method = Annotated[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"], Fold.UPPER]
"""An HTTP method; Consul folds it to upper case."""

Status = Annotated[int, fits(32), between(100, 599)]

RetryCondition = Literal[
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
]
"""What counts as failed, so that a request is repeated."""

ProxyMode = Annotated[Literal["direct", "transparent"], Mark.UNCHECKED]

MutualTlsMode = Literal["strict", "permissive"]

TlsVersion = Literal["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]


class MeshGateway(Part):
    """How the mesh gateway is used on the way to other partitions, datacenters and peers.

    Attributes:
        mode: ``local`` goes out through the own side's gateway, ``remote`` straight to the destination's, ``none``
            through none.
    """

    mode: Annotated[Literal["none", "local", "remote"] | None, Mark.UNCHECKED] = None


class TransparentProxy(Part):
    """Transparent proxy settings. Emitted even when empty: the server always returns the object.

    Attributes:
        outbound_listener_port: Port to which outgoing connections are redirected; 15001 when left out.
        dialed_directly: Whether single instances can be called by their own addresses.
    """

    outbound_listener_port: UncheckedPort | None = None
    dialed_directly: bool | None = None


EXPOSE_SLASH: Final = stricter(
    "expose-path-slash",
    what="An exposed path does not start with a slash.",
    why="Consul stores it, and no request has such a path.",
    source="consul@1.22.7 agent/structs/config_entry.go, Validate (not checked there)",
    fix="start it with /",
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "Expose": {"Paths": [{"Path": "metrics", "ListenerPort": 21500, "LocalPathPort": 8080}]},
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "Expose": {"Paths": [{"Path": "/metrics", "ListenerPort": 21500, "LocalPathPort": 8080}]},
        }
    ],
)

EXPOSE_PARSED: Final = stricter(
    "expose-parsed",
    what="An exposed path says that it was taken from a health check.",
    why="ParsedFromCheck is Consul's own, for paths that agents add; in an entry it has no meaning.",
    source="consul@1.22.7 agent/structs/connect_proxy_config.go, ExposePath",
    fix="remove ParsedFromCheck",
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "Expose": {
                "Paths": [{"Path": "/metrics", "ListenerPort": 21500, "LocalPathPort": 8080, "ParsedFromCheck": True}]
            },
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "Expose": {"Paths": [{"Path": "/metrics", "ListenerPort": 21500, "LocalPathPort": 8080}]},
        }
    ],
)


class ExposePath(Part):
    """A path that the sidecar serves without mutual TLS.

    Attributes:
        listener_port: Port of the sidecar at which it is served.
        path: The path.
        local_path_port: Port of the service.
        protocol: How the service speaks there; ``http`` when left out.
        parsed_from_check: Consul's own.
    """

    listener_port: Annotated[UncheckedPort, Mark.LAX]
    path: Annotated[str, Mark.LAX]
    local_path_port: Annotated[UncheckedPort, Mark.LAX]
    protocol: Annotated[Literal["http", "http2"] | None, Mark.UNCHECKED] = None
    parsed_from_check: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The path, and what is Consul's own."""
        if self.path and not self.path.startswith("/"):
            yield EXPOSE_SLASH(at / "path", f"{show(self.path)} does not start with a slash")
        if self.parsed_from_check:
            yield EXPOSE_PARSED(at / "parsed_from_check", "ParsedFromCheck is Consul's own")


class Expose(Part):
    """Paths that sidecars serve without mutual TLS.

    Attributes:
        checks: Whether the paths of HTTP and gRPC health checks are among them.
        paths: Others.
    """

    checks: bool | None = None
    paths: Sequence[ExposePath] = ()


PERCENT: Final = refused(
    "percent-range",
    what="A percentage is not from 0 to 100.",
    why="Consul refuses it: passive health check enforcing_consecutive_5xx must be a percentage between 0 and 100.",
    source="consul@1.22.7 agent/structs/config_entry.go, PassiveHealthCheck.Validate",
    fix="write a number from 0 to 100",
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {"EnforcingConsecutive5xx": 101}}},
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {"EnforcingConsecutive5xx": 100}}},
        }
    ],
)

Percent = Annotated[int, Check(PERCENT, lambda number: number in range(101), "a percentage from 0 to 100")]


class PassiveHealthCheck(Part):
    """Outlier detection: ``max_failures`` consecutive 5xx answers eject an instance.

    Attributes:
        interval: Between two looks; 10 s when left out.
        max_failures: Consecutive failures; 5 when left out (Envoy's ``consecutive_5xx``).
        enforcing_consecutive_5xx: Percent of ejections that really happen; 100 when left out.
        max_ejection_percent: Of the instances, that may be out; 10 when left out, but at least one.
        base_ejection_time: Times the number of ejections; 30 s when left out.
    """

    DROPPED: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("Consecutive5xx", "ConsecutiveGatewayFailure", "EnforcingConsecutiveGatewayFailure"), "it is of Consul 2.0"
    )

    interval: CheckedDuration | None = None
    max_failures: Annotated[int, fits(32), between(1, 2**32 - 1, "a number from 1")] | None = None
    enforcing_consecutive_5xx: Annotated[Percent | None, Mark.POINTER] = None
    max_ejection_percent: Annotated[Percent | None, Mark.POINTER] = None
    base_ejection_time: Annotated[CheckedDuration | None, Mark.POINTER] = None


LIMIT_NEGATIVE: Final = refused(
    "limit-negative",
    what="An upper bound of connections or requests is negative.",
    why="Consul refuses it: max connections cannot be negative.",
    source="consul@1.22.7 agent/structs/config_entry.go, UpstreamLimits.Validate",
    fix="write a number from 0, or leave it out",
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"Limits": {"MaxConnections": -1}}},
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "UpstreamConfig": {"Defaults": {"Limits": {"MaxConnections": 1}}},
        }
    ],
)

_Limit = Annotated[
    int,
    Check(LIMIT_NEGATIVE, lambda number: number >= 0, "a number from 0"),
    between(0, 2**32 - 1, "a number from 0 to 4294967295"),
]


class UpstreamLimits(Part):
    """Upper bounds of what a sidecar has under way to one upstream. Zero allows nothing; left out, Envoy's 1024 hold.

    Attributes:
        max_connections: Of connections.
        max_pending_requests: Of requests that wait for a connection.
        max_concurrent_requests: Of requests under way; of HTTP/2.
    """

    max_connections: Annotated[_Limit | None, Mark.POINTER] = None
    max_pending_requests: Annotated[_Limit | None, Mark.POINTER] = None
    max_concurrent_requests: Annotated[_Limit | None, Mark.POINTER] = None


class HttpHeaderModifiers(Part):
    """Headers to add, to set and to remove."""

    add: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, str] = field(default_factory=dict)
    remove: Sequence[str] = ()
