"""service-defaults: protocol of a service, and how it calls its upstreams.

Source: ``consul@1.22.7 agent/structs/config_entry.go``, ``ServiceConfigEntry``.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import (
    EnvoyExtension,
    Expose,
    MeshGateway,
    NonEmpty,
    PassiveHealthCheck,
    ProxyMode,
    TransparentProxy,
    Unsigned,
    UpstreamLimits,
)
from mesh.model.service import CircuitBreaker, Service
from mesh.scalars import Port, Protocol
from mesh.shapes import Many, Shape
from mesh.topology import Place


class UpstreamDefaults(Shape):
    """How the service calls every upstream."""

    envoy_listener_json: NonEmpty | None = None
    envoy_cluster_json: NonEmpty | None = None
    protocol: Protocol | None = None
    connect_timeout_ms: Unsigned | None = None
    limits: UpstreamLimits | None = None
    passive_health_check: PassiveHealthCheck | None = None
    mesh_gateway: MeshGateway | None = None
    balance_outbound_connections: Literal["exact_balance"] | None = None


class UpstreamOverride(UpstreamDefaults):
    """How the service calls one upstream."""

    name: NonEmpty
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    peer: NonEmpty | None = None


class UpstreamConfig(Shape):
    """Settings of the service's *own* upstreams, never of its callers."""

    overrides: Many[UpstreamOverride] = ()
    defaults: UpstreamDefaults | None = None


class Destination(Shape):
    """A service outside the mesh, reached through a terminating gateway."""

    addresses: Annotated[Many[NonEmpty], Field(min_length=1)]
    port: Port


class RateLimitRoute(Shape):
    """Rate limit of one path (Enterprise)."""

    path_exact: NonEmpty | None = None
    path_prefix: NonEmpty | None = None
    path_regex: NonEmpty | None = None
    requests_per_second: Unsigned | None = None
    requests_max_burst: Unsigned | None = None


class InstanceLevelRateLimits(Shape):
    """Rate limits of one instance (Enterprise)."""

    requests_per_second: Unsigned | None = None
    requests_max_burst: Unsigned | None = None
    routes: Many[RateLimitRoute] = ()


class RateLimits(Shape):
    """Rate limits (Enterprise)."""

    instance_level: InstanceLevelRateLimits


class ServiceDefaults(ConfigEntry):
    """The ``service-defaults`` entry of a service.

    ``protocol`` is required: an entry without it means tcp and hides what proxy-defaults says.
    ``MaxRequestHeadersKB`` is not offered, because the pinned Terraform provider drops it.
    """

    KIND: ClassVar[str] = "service-defaults"

    protocol: Protocol
    mode: ProxyMode | None = None
    transparent_proxy: TransparentProxy = TransparentProxy()
    mutual_tls_mode: Literal["strict", "permissive"] | None = None
    mesh_gateway: MeshGateway | None = None
    expose: Expose | None = None
    external_sni: NonEmpty | None = None
    upstream_config: UpstreamConfig | None = None
    destination: Destination | None = None
    max_inbound_connections: Unsigned | None = None
    local_connect_timeout_ms: Unsigned | None = None
    local_request_timeout_ms: Unsigned | None = None
    balance_inbound_connections: Literal["exact_balance"] | None = None
    rate_limits: RateLimits | None = None
    envoy_extensions: Many[EnvoyExtension] = ()

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
