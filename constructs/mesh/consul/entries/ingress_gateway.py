"""ingress-gateway: listeners of an ingress gateway. Deprecated by Consul since 1.16.

Source: ``consul@1.22.7 agent/structs/config_entry_gateways.go``.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import HttpHeaderModifiers, NonEmpty, PassiveHealthCheck, TlsVersion, Unsigned
from mesh.model.gateway import IngressGateway as IngressGatewayDeclaration
from mesh.scalars import Hostname, Port, Protocol
from mesh.shapes import Many, Shape
from mesh.topology import Place


class Sds(Shape):
    """Where a certificate comes from."""

    cluster_name: NonEmpty | None = None
    cert_resource: NonEmpty | None = None


class GatewayTls(Shape):
    """TLS of a gateway or listener."""

    enabled: bool | None = None
    sds: Sds | None = None
    tls_min_version: TlsVersion | None = None
    tls_max_version: TlsVersion | None = None
    cipher_suites: Many[NonEmpty] = ()


class ServiceTls(Shape):
    """TLS of one service behind a listener."""

    sds: Sds | None = None


class IngressService(Shape):
    """A service behind a listener."""

    name: NonEmpty
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    hosts: Many[Hostname] = ()
    tls: ServiceTls | None = None
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None
    max_connections: Unsigned | None = None
    max_pending_requests: Unsigned | None = None
    max_concurrent_requests: Unsigned | None = None
    passive_health_check: PassiveHealthCheck | None = None


class IngressListener(Shape):
    """A port of the gateway. Consul demands that its protocol is exactly the service's."""

    port: Port
    protocol: Protocol
    tls: GatewayTls | None = None
    services: Annotated[Many[IngressService], Field(min_length=1)]


class IngressDefaults(Shape):
    """Limits of every service. The server returns all three, so all three are said."""

    max_connections: Unsigned = 0
    max_pending_requests: Unsigned = 0
    max_concurrent_requests: Unsigned = 0
    passive_health_check: PassiveHealthCheck | None = None


class IngressGateway(ConfigEntry):
    """The ``ingress-gateway`` entry of a gateway."""

    KIND: ClassVar[str] = "ingress-gateway"

    tls: GatewayTls | None = None
    listeners: Annotated[Many[IngressListener], Field(min_length=1)]
    defaults: IngressDefaults | None = None

    def reads(self) -> Iterator[ServiceRef]:
        """Every service behind a listener."""
        for listener in self.listeners:
            for service in listener.services:
                yield ServiceRef(service.name, service.partition or self.partition, service.namespace or self.namespace)


def derive(gateway: IngressGatewayDeclaration, where: Place, places: Mapping[str, Place]) -> IngressGateway:
    """The entry of one gateway; listeners of one port are one listener with several services.

    Args:
        gateway: The gateway.
        where: Where the gateway lives.
        places: Where the services behind it live.
    """
    ports: dict[int, IngressListener] = {}
    for listener in gateway.listeners:
        there = places[listener.to]
        # An HTTP service without hosts is served only under "<service>.ingress.*"; the declaration means every host.
        hosts = tuple(listener.hosts) or (("*",) if listener.protocol == "http" else ())
        service = IngressService(name=listener.to, namespace=there.namespace, partition=there.partition, hosts=hosts)
        before = ports.get(listener.port)
        ports[listener.port] = IngressListener(
            port=listener.port,
            protocol=listener.protocol,
            services=[*(before.services if before else ()), service],
        )
    return IngressGateway(
        name=gateway.name,
        partition=where.partition,
        namespace=where.namespace,
        listeners=list(ports.values()),
    )
