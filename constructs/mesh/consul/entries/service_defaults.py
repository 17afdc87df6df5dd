"""service-defaults: protocol of a service, and how it calls its upstreams.

Source: ``consul@1.22.7 agent/structs/config_entry.go``, ``ServiceConfigEntry``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Final, Literal

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.domain_names import is_domain_name
from mesh.consul.entries.common import (
    SERVICE_WILDCARD,
    Count,
    Expose,
    MeshGateway,
    MutualTlsMode,
    OneServiceName,
    PassiveHealthCheck,
    Protocol,
    ProxyMode,
    TransparentProxy,
    UncheckedProtocol,
    UpstreamLimits,
    between,
)
from mesh.consul.entries.envoy_extensions import EnvoyExtension
from mesh.consul.parts import Check, Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.model.service import CircuitBreaker, Service
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.showing import show
from mesh.topology import Place

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry.go, ServiceConfigEntry.Validate"
_UPSTREAM: Final = "consul@1.22.7 agent/structs/config_entry.go, UpstreamConfig"


def _web(**fields: object) -> Example:
    return [{"Kind": "service-defaults", "Name": "web", "Protocol": "tcp", **fields}]


def _upstreams(*overrides: object, **defaults: object) -> Example:
    config = {"Overrides": list(overrides), "Defaults": defaults}
    return _web(UpstreamConfig={key: value for key, value in config.items() if value})


def _outside(*addresses: str, port: int = 5432) -> Example:
    return _web(Destination={"Addresses": list(addresses), "Port": port})


DESTINATION_WITH_UPSTREAMS: Final = refused(
    "destination-with-upstreams",
    what="A service outside the mesh has settings for upstreams.",
    why="Consul refuses it: UpstreamConfig and Destination are mutually exclusive for service defaults.",
    source=_VALIDATE,
    fix="remove UpstreamConfig or Destination",
    example=_web(
        UpstreamConfig={"Defaults": {"ConnectTimeoutMs": 500}},
        Destination={"Addresses": ["db.example.com"], "Port": 5432},
    ),
    instead=_outside("db.example.com"),
)

ADDRESS_INVALID: Final = refused(
    "destination-address",
    what="An address of a service outside the mesh is no IP address and no host name.",
    why="Consul refuses it: Could not validate address *.example.com as an IP or Hostname.",
    source="consul@1.22.7 agent/structs/config_entry.go, validateEndpointAddress",
    fix="write an IP address, or a host name without *",
    example=_outside("*.example.com"),
    instead=_outside("db.example.com"),
)

ADDRESS_TWICE: Final = refused(
    "destination-address-twice",
    what="An address of a service outside the mesh is listed twice.",
    why="Consul refuses it: Duplicate address 'db.example.com' is not allowed.",
    source=_VALIDATE,
    fix="list it once",
    example=_outside("db.example.com", "db.example.com"),
    instead=_outside("db.example.com"),
)

ADDRESS_FORM: Final = stricter(
    "destination-address-form",
    what="An address of a service outside the mesh is no host name that one can look up.",
    why="Consul takes nearly every text for a host name, also one with a port or a scheme; no connection matches it.",
    source="consul@1.22.7 agent/structs/config_entry.go, validateEndpointAddress (not checked there)",
    fix="write an IP address, or a host name, without port and scheme",
    example=_outside("db.example.com:5432"),
    instead=_outside("db.example.com"),
)

DESTINATION_PORT: Final = refused(
    "destination-port",
    what="The port of a service outside the mesh is none.",
    why="Consul refuses it: Invalid Port number 70000.",
    source=_VALIDATE,
    fix="write a port from 1 to 65535",
    example=_outside("db.example.com", port=70000),
    instead=_outside("db.example.com", port=5432),
)

DEFAULTS_NAMED: Final = refused(
    "upstream-defaults-named",
    what="The settings for every upstream name one.",
    why="Consul refuses it: error in upstream defaults: Name must be empty.",
    source=f"{_UPSTREAM}.validate",
    fix="move them to Overrides, or remove the name",
    example=_upstreams(Name="api", ConnectTimeoutMs=500),
    instead=_upstreams(ConnectTimeoutMs=500),
)

DEFAULTS_PEER: Final = stricter(
    "upstream-defaults-peer",
    what="The settings for every upstream name a peer.",
    why="Consul stores it and uses the settings for all upstreams, of whatever peer.",
    source=f"{_UPSTREAM}.validate (not checked there)",
    fix="move them to Overrides with the name of a service, or remove Peer",
    example=_upstreams(Peer="aks", ConnectTimeoutMs=500),
    instead=_upstreams({"Name": "api", "Peer": "aks", "ConnectTimeoutMs": 500}),
)

UPSTREAM_TWICE: Final = stricter(
    "upstream-twice",
    what="Two overrides are for the same upstream.",
    why="Consul stores both, and only one of them decides.",
    source=f"{_VALIDATE} (not checked there); agent/configentry/resolve.go, ComputeResolvedServiceConfig",
    fix="make one of them",
    example=_upstreams({"Name": "api", "ConnectTimeoutMs": 500}, {"Name": "api", "Protocol": "http"}),
    instead=_upstreams({"Name": "api", "ConnectTimeoutMs": 500, "Protocol": "http"}),
)

PEER_WITHOUT_GATEWAY: Final = stricter(
    "peer-without-gateway",
    what="An upstream of a peer is called through no mesh gateway.",
    why="There is no other way to a peer: Consul logs invalid mesh gateway mode 'none' and takes remote.",
    source="consul@1.22.7 agent/xds/endpoints.go, makeUpstreamLoadAssignmentForPeerService",
    fix="use local or remote",
    example=_upstreams({"Name": "api", "Peer": "aks", "MeshGateway": {"Mode": "none"}}),
    instead=_upstreams({"Name": "api", "Peer": "aks", "MeshGateway": {"Mode": "local"}}),
)

CONNECT_TIMEOUT_NEGATIVE: Final = refused(
    "connect-timeout-negative",
    what="The timeout for connecting to an upstream is negative.",
    why="Consul stores 0 instead, which shows as a difference in every plan.",
    source=f"{_UPSTREAM}.normalize",
    fix="write a number of milliseconds from 0; 0 means 5000",
    example=_upstreams(ConnectTimeoutMs=-5),
    instead=_upstreams(ConnectTimeoutMs=5),
)

ENVOY_JSON: Final = stricter(
    "envoy-json",
    what="Configuration for Envoy is no JSON object with an @type.",
    why="Consul stores it, and cannot make a listener or cluster of it for any proxy.",
    source="consul@1.22.7 agent/xds/listeners.go, makeListenerFromUserConfig; agent/xds/clusters.go, "
    "makeClusterFromUserConfig",
    fix='write a JSON object as text, with "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster" or the like',
    example=_upstreams(EnvoyClusterJSON="name: api"),
    instead=_upstreams(EnvoyClusterJSON='{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster"}'),
)


def _is_envoy_json(text: str) -> bool:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("@type"), str)


_EnvoyJson = Annotated[str, Check(ENVOY_JSON, _is_envoy_json, "a JSON object with an @type")]

_ConnectTimeout = Annotated[
    int,
    Check(CONNECT_TIMEOUT_NEGATIVE, lambda number: number >= 0, "a number from 0"),
    between(0, 2**31 - 1, "a number from 0"),
]


class _UpstreamSettings(Part):
    """How the service calls an upstream.

    Attributes:
        envoy_listener_json: Envoy's listener as JSON; not used where there is a discovery chain.
        envoy_cluster_json: Envoy's cluster as JSON; not used where there is a discovery chain.
        protocol: Of the upstream, where there is no discovery chain.
        connect_timeout_ms: Milliseconds; 5000 when left out or 0.
        limits: Upper bounds.
        passive_health_check: Outlier detection.
        mesh_gateway: Through which mesh gateway.
        balance_outbound_connections: Whether Envoy's threads share connections evenly.
    """

    envoy_listener_json: _EnvoyJson | None = None
    envoy_cluster_json: _EnvoyJson | None = None
    protocol: UncheckedProtocol | None = None
    connect_timeout_ms: _ConnectTimeout | None = None
    limits: UpstreamLimits | None = None
    passive_health_check: PassiveHealthCheck | None = None
    mesh_gateway: Annotated[MeshGateway | None, Mark.VALUE] = None
    balance_outbound_connections: Literal["exact_balance"] | None = None


class UpstreamDefaults(_UpstreamSettings):
    """How the service calls every upstream.

    Attributes:
        name: None: Consul knows the field, and refuses it here.
        namespace: None: likewise.
        partition: None: likewise.
        peer: None: it has no meaning here.
    """

    name: str | None = None
    namespace: str | None = None
    partition: str | None = None
    peer: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """What names one upstream."""
        named = {"name": self.name, "namespace": self.namespace, "partition": self.partition}
        for field, value in named.items():
            if value:
                yield DEFAULTS_NAMED(at / field, f"{show(value)} is one upstream, and these settings are for every")
        if self.peer:
            yield DEFAULTS_PEER(at / "peer", f"{show(self.peer)} is one peer, and these settings are for every")


class UpstreamOverride(_UpstreamSettings):
    """How the service calls one upstream.

    Attributes:
        name: The upstream.
        namespace: Its namespace, Enterprise only; the entry's own when left out.
        partition: Its partition, Enterprise only; the entry's own when left out.
        peer: The peer that exports it.
    """

    name: OneServiceName
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    peer: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """A namespace that is every namespace; the Community Edition has none anyway. And the way to a peer."""
        if self.peer and self.mesh_gateway and self.mesh_gateway.mode == "none":
            message = f"there is no way to {show(self.peer)} but gateways"
            yield PEER_WITHOUT_GATEWAY(at / "mesh_gateway" / "mode", message)
        if self.namespace == "*" and edition is Edition.ENTERPRISE:
            yield SERVICE_WILDCARD(at / "namespace", "* is every namespace", "name one namespace")


class UpstreamConfig(Part):
    """Settings of the service's *own* upstreams, never of its callers.

    Attributes:
        overrides: For one upstream each.
        defaults: For every upstream.
    """

    overrides: Sequence[UpstreamOverride] = ()
    defaults: UpstreamDefaults | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Overrides of the same upstream."""
        seen: set[tuple[str | None, ...]] = set()
        for index, upstream in enumerate(self.overrides):
            key = (upstream.name, upstream.namespace, upstream.partition, upstream.peer)
            if key in seen:
                yield UPSTREAM_TWICE((at / "overrides")[index], f"{show(upstream.name)} has an override before")
            seen.add(key)


_HOST_NAME: Final = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)


class Destination(Part):
    """A service outside the mesh, reached through a terminating gateway.

    Attributes:
        addresses: IP addresses and host names, without ports.
        port: At all of them.
    """

    addresses: Sequence[str]
    port: Annotated[int, Check(DESTINATION_PORT, lambda port: port in range(1, 65536), "a port from 1 to 65535")]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The addresses."""
        seen: set[str] = set()
        for index, address in enumerate(self.addresses):
            here = (at / "addresses")[index]
            if address in seen:
                yield ADDRESS_TWICE(here, f"{show(address)} is listed twice")
            elif not is_domain_name(address) or "*" in address:  # an IP address passes for a name
                yield ADDRESS_INVALID(here, f"{show(address)} is neither")
            elif not _HOST_NAME.fullmatch(address) and not _is_ip_address(address):
                yield ADDRESS_FORM(here, f"{show(address)} is no name of a host")
            seen.add(address)


def _is_ip_address(text: str) -> bool:
    """As Go's ``net.ParseIP``: without a zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


class RateLimitRoute(Part):
    """Rate limit of one path (Enterprise).

    Attributes:
        path_exact: The path.
        path_prefix: What the path starts with.
        path_regex: What the path matches.
        requests_per_second: On average.
        requests_max_burst: At once; as many as per second when left out.
    """

    path_exact: str | None = None
    path_prefix: str | None = None
    path_regex: str | None = None
    requests_per_second: Count | None = None
    requests_max_burst: Count | None = None


class InstanceLevelRateLimits(Part):
    """Rate limits of one instance (Enterprise).

    Attributes:
        requests_per_second: On average, to every path that is none of ``routes``.
        requests_max_burst: At once; as many as per second when left out.
        routes: For some paths; the first that matches holds.
    """

    requests_per_second: Count | None = None
    requests_max_burst: Count | None = None
    routes: Sequence[RateLimitRoute] = ()


class RateLimits(Part):
    """Rate limits (Enterprise)."""

    instance_level: InstanceLevelRateLimits


class ServiceDefaults(ConfigEntry):
    """The ``service-defaults`` entry of a service.

    ``protocol`` is required: an entry without it means tcp and hides what proxy-defaults says.

    Attributes:
        protocol: What the service speaks.
        mode: Whether its sidecars catch connections (``transparent``) or are called (``direct``).
        transparent_proxy: Transparent proxies.
        mutual_tls_mode: ``permissive`` takes connections without TLS, too.
        mesh_gateway: Through which mesh gateway it is called from elsewhere.
        expose: Paths without mutual TLS.
        external_sni: Name in TLS of a service outside the mesh; excludes redirects, subsets and failover.
        upstream_config: How it calls its upstreams.
        destination: Where it is, outside the mesh.
        max_inbound_connections: To each sidecar; no limit when left out or 0.
        local_connect_timeout_ms: From the sidecar to the service, in milliseconds; 5000 when left out or 0.
        local_request_timeout_ms: Of a request to the service, in milliseconds; Envoy's 15 s when left out or 0.
        balance_inbound_connections: Whether Envoy's threads share connections evenly.
        rate_limits: Rate limits, Enterprise only.
        envoy_extensions: Extensions of its sidecars, in their order.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {"MaxRequestHeadersKB": "it is newer"}

    KIND: ClassVar[str] = "service-defaults"

    name: OneServiceName
    protocol: Annotated[Protocol, Mark.LAX]
    mode: ProxyMode | None = None
    transparent_proxy: Annotated[TransparentProxy, Mark.POINTER] = TransparentProxy()
    mutual_tls_mode: MutualTlsMode | None = None
    mesh_gateway: Annotated[MeshGateway | None, Mark.VALUE] = None
    expose: Annotated[Expose | None, Mark.VALUE] = None
    external_sni: str | None = None
    upstream_config: UpstreamConfig | None = None
    destination: Destination | None = None
    max_inbound_connections: Count | None = None
    local_connect_timeout_ms: Count | None = None
    local_request_timeout_ms: Count | None = None
    balance_inbound_connections: Literal["exact_balance"] | None = None
    rate_limits: Annotated[RateLimits | None, Enterprise(ENTERPRISE_ONLY)] = None
    envoy_extensions: Sequence[EnvoyExtension] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """A destination with settings for upstreams."""
        if self.destination is not None and self.upstream_config is not None:
            yield DESTINATION_WITH_UPSTREAMS(at / "upstream_config", "a service outside the mesh has no upstreams")

    def reads(self) -> Iterator[ServiceRef]:
        """Only its own chain, which has nothing before this entry."""
        yield from ()


def derive(
    service: Service, where: Place, places: Mapping[str, Place], mesh_gateway: MeshGateway | None
) -> ServiceDefaults:
    """The entry of one service.

    Args:
        service: The service.
        where: Where it lives.
        places: Where every service lives.
        mesh_gateway: How its callers reach it, if through mesh gateways.
    """
    return ServiceDefaults(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        protocol=service.protocol,
        mesh_gateway=mesh_gateway,
        upstream_config=_upstream_config(service, places),
    )


def _upstream_config(service: Service, places: Mapping[str, Place]) -> UpstreamConfig | None:
    overrides = [
        UpstreamOverride(
            name=upstream.service,
            namespace=places[upstream.service].namespace,
            partition=places[upstream.service].partition,
            peer=places[upstream.service].peer,
            passive_health_check=_passive_health_check(upstream.circuit_breaker),
        )
        for upstream in service.upstreams
        if upstream.circuit_breaker
    ]
    return UpstreamConfig(overrides=overrides) if overrides else None


def _passive_health_check(breaker: CircuitBreaker) -> PassiveHealthCheck:
    return PassiveHealthCheck(
        interval=breaker.interval,
        max_failures=breaker.max_failures,
        enforcing_consecutive_5xx=breaker.enforcing,
        max_ejection_percent=breaker.max_ejection,
        base_ejection_time=breaker.base_ejection,
    )
