"""ingress-gateway: listeners of an ingress gateway. Deprecated by Consul since 1.16.

Source: ``consul@1.22.7 agent/structs/config_entry_gateways.go``, ``IngressGatewayConfigEntry``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, Protocol

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries import common
from mesh.consul.entries.common import (
    Duration,
    HttpHeaderModifiers,
    PassiveHealthCheck,
    ServiceName,
    ServiceNames,
    TlsVersion,
    UncheckedPort,
    Unsigned,
    between,
    fits,
)
from mesh.consul.entries.hosts import ANY, judge_host
from mesh.consul.entries.tls import CipherSuite, judge_tls
from mesh.consul.examples import HTTP
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.model.gateway import IngressGateway as IngressGatewayDeclaration
from mesh.rules import At, Example, Problem, refused
from mesh.shapes import JsonObject
from mesh.showing import show
from mesh.topology import Place

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry_gateways.go, IngressGatewayConfigEntry.Validate"
_SDS_SOURCE: Final = (
    "consul@1.22.7 agent/structs/config_entry_gateways.go, IngressGatewayConfigEntry.validateServiceSDS"
)

_TCP: Final[JsonObject] = {"Kind": "service-defaults", "Name": "db", "Protocol": "tcp"}


def _gateway(*listeners: JsonObject, **fields: object) -> Example:
    return [HTTP, _TCP, {"Kind": "ingress-gateway", "Name": "ingress", "Listeners": list(listeners), **fields}]


def _http(*services: JsonObject, **fields: object) -> JsonObject:
    return {"Port": 8080, "Protocol": "http", "Services": list(services), **fields}


def _tcp(port: int, *services: JsonObject) -> JsonObject:
    return {"Port": port, "Protocol": "tcp", "Services": list(services)}


_WEB: Final[JsonObject] = {"Name": "web"}
_CERTIFICATE: Final[JsonObject] = {"SDS": {"ClusterName": "sds", "CertResource": "web"}}

PORT_TWICE: Final = refused(
    "port-twice",
    what="Two listeners have the same port.",
    why="Consul refuses it: port 5000 declared on two listeners.",
    source=_VALIDATE,
    fix="put the services behind one listener, or use another port",
    example=_gateway(_tcp(5000, {"Name": "db"}), _tcp(5000, {"Name": "db"})),
    instead=_gateway(_tcp(5000, {"Name": "db"}), _tcp(5001, {"Name": "db"})),
)

LISTENER_NOT_HTTP: Final = refused(
    "listener-not-http",
    what="A tcp listener has what only HTTP can have: several services, every service (*), hosts or headers.",
    why="Consul refuses it: Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and "
    "'http2'.",
    source=_VALIDATE,
    fix="remove it, or make the listener and its services HTTP",
    example=_gateway(_tcp(5000, {"Name": "db", "Hosts": ["db.example.com"]})),
    instead=_gateway(_tcp(5000, {"Name": "db"})),
)

WILDCARD_WITH_HOSTS: Final = refused(
    "wildcard-with-hosts",
    what="Every service (*) has hosts.",
    why="Consul refuses it: Associating hosts to a wildcard service is not supported.",
    source=_VALIDATE,
    fix="remove the hosts, each service is served under its name; or write the services one by one",
    example=_gateway(_http({"Name": "*", "Hosts": ["a.example.com"]})),
    instead=_gateway(_http({"Name": "*"})),
)

SERVICE_TWICE: Final = refused(
    "gateway-service-twice",
    what="A service is twice behind a listener or a terminating gateway.",
    why="Consul refuses it: Service web cannot be added multiple times.",
    source=f"{_VALIDATE}; TerminatingGatewayConfigEntry.Validate",
    fix="write it once, with all of its hosts",
    example=_gateway(_http({"Name": "web", "Hosts": ["a.com"]}, {"Name": "web", "Hosts": ["b.com"]})),
    instead=_gateway(_http({"Name": "web", "Hosts": ["a.com", "b.com"]})),
)

HOST_TWICE: Final = refused(
    "host-twice",
    what="A host is twice at a listener.",
    why="Consul refuses it: Hosts must be unique within a specific listener.",
    source=_VALIDATE,
    fix="keep it at one service",
    example=_gateway(_http({"Name": "web", "Hosts": ["a.com"]}, {"Name": "api", "Hosts": ["a.com"]})),
    instead=_gateway(_http({"Name": "web", "Hosts": ["a.com"]}, {"Name": "api", "Hosts": ["b.com"]})),
)

HOST_ANY_WITH_TLS: Final = refused(
    "host-any-with-tls",
    what="A service has the host *, and the gateway has TLS.",
    why="Consul refuses it: Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as "
    "a DNSSAN.",
    source="consul@1.22.7 agent/structs/config_entry_gateways.go, validateHost",
    fix="write the names of the hosts, or *. and a domain",
    example=_gateway(_http({"Name": "web", "Hosts": ["*"]}), TLS={"Enabled": True}),
    instead=_gateway(_http({"Name": "web", "Hosts": ["*.example.com"]}), TLS={"Enabled": True}),
)

WILDCARD_NAMESPACE: Final = refused(
    "gateway-wildcard-namespace",
    what="A service behind an ingress or terminating gateway is in every namespace (*).",
    why="Consul refuses it: Wildcard namespace is not supported for ingress services.",
    source=f"{_VALIDATE}; TerminatingGatewayConfigEntry.Validate",
    fix="write the services of each namespace",
    example=_gateway(_http({"Name": "web", "Namespace": "*"}), Partition="default"),
    instead=_gateway(_http({"Name": "web", "Namespace": "shop"}), Partition="default"),
    judged=False,
)

SDS_CERTIFICATE_MISSING: Final = refused(
    "sds-certificate-missing",
    what="SDS has a cluster and no certificate, where no other level has one.",
    why="Consul refuses it: TLS.SDS.CertResource is required if ClusterName is set for gateway.",
    source=_SDS_SOURCE,
    fix="set CertResource, at the gateway or at each listener",
    example=_gateway(_http(_WEB), TLS={"SDS": {"ClusterName": "sds"}}),
    instead=_gateway(_http(_WEB), TLS=_CERTIFICATE),
)

SDS_CLUSTER_MISSING: Final = refused(
    "sds-cluster-missing",
    what="SDS has a certificate and no cluster, where no higher level has one.",
    why="Consul refuses it: TLS.SDS.ClusterName is required if CertResource is set.",
    source=_SDS_SOURCE,
    fix="set ClusterName",
    example=_gateway(_http(_WEB), TLS={"SDS": {"CertResource": "web"}}),
    instead=_gateway(_http(_WEB), TLS=_CERTIFICATE),
)

SDS_WITHOUT_HOSTS: Final = refused(
    "sds-without-hosts",
    what="A service has a certificate from SDS and no hosts.",
    why="Consul refuses it: A service specifying TLS.SDS.CertResource must have at least one item in Hosts.",
    source=_SDS_SOURCE,
    fix="write its hosts, or give the certificate to the listener",
    example=_gateway(_http({"Name": "web", "TLS": _CERTIFICATE})),
    instead=_gateway(_http({"Name": "web", "Hosts": ["a.com"], "TLS": _CERTIFICATE})),
)


class Sds(Part):
    """Where a certificate comes from: a cluster of Envoy's Secret Discovery Service, and its name there.

    Both are looked for at the listener, then at the gateway; a service's certificate is for its hosts alone.
    """

    cluster_name: str | None = None
    cert_resource: str | None = None


class GatewayTls(Part):
    """TLS of a gateway, or of a listener, which overrides its gateway's.

    Attributes:
        enabled: Whether Consul issues the certificate, for the hosts of every service. Of a listener: on if its
            gateway's is on.
        sds: A certificate of one's own instead.
        tls_min_version: The lowest version; Envoy's default is TLS 1.2.
        tls_max_version: The highest version.
        cipher_suites: Of TLS 1.2 and earlier; all when left out.
    """

    enabled: bool | None = None
    sds: Sds | None = None
    tls_min_version: TlsVersion | None = None
    tls_max_version: TlsVersion | None = None
    cipher_suites: Sequence[CipherSuite] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Versions and cipher suites."""
        yield from judge_tls(
            at,
            min_version=self.tls_min_version,
            max_version=self.tls_max_version,
            cipher_suites=self.cipher_suites,
        )


class ServiceTls(Part):
    """TLS of one service behind a listener."""

    sds: Sds | None = None


class UncheckedHealthCheck(PassiveHealthCheck):
    """Outlier detection that Consul stores as it is: it only looks at that of ``service-defaults``."""

    interval: Duration | None = None
    enforcing_consecutive_5xx: Annotated[int | None, Mark.POINTER, fits(32), between(0, 100)] = None
    max_ejection_percent: Annotated[int | None, Mark.POINTER, fits(32), between(0, 100)] = None
    base_ejection_time: Annotated[Duration | None, Mark.POINTER] = None


class IngressService(Part):
    """A service behind a listener.

    Attributes:
        name: The service, or ``*`` for every one, each under its own name; only of an HTTP listener.
        namespace: Enterprise only.
        partition: Enterprise only.
        hosts: Hosts of an HTTP listener; ``<service>.ingress.*`` when left out. ``*`` is every host.
        tls: A certificate of its own.
        request_headers: Changed in every request.
        response_headers: Changed in every answer.
        max_connections: At once to the service; the gateway's default when left out.
        max_pending_requests: At once waiting for a connection; as above.
        max_concurrent_requests: At once; as above.
        passive_health_check: When an instance is left out for a while; as above.
    """

    name: ServiceNames
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    hosts: Sequence[str] = ()
    tls: ServiceTls | None = None
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None
    max_connections: Annotated[Unsigned | None, Mark.ZERO_LEFT_OUT] = None
    max_pending_requests: Annotated[Unsigned | None, Mark.ZERO_LEFT_OUT] = None
    max_concurrent_requests: Annotated[Unsigned | None, Mark.ZERO_LEFT_OUT] = None
    passive_health_check: UncheckedHealthCheck | None = None


class IngressListener(Part):
    """A port of the gateway. Consul demands that its protocol is exactly that of its services.

    Attributes:
        port: From 1 to 65535, once per gateway.
        protocol: ``tcp`` has one service and nothing of HTTP. The server always says it, so it is said.
        tls: Instead of the gateway's.
        services: At least one.
    """

    port: Annotated[UncheckedPort, Mark.LAX]
    protocol: common.Protocol = "tcp"
    tls: GatewayTls | None = None
    services: Sequence[IngressService]


class IngressDefaults(Part):
    """Limits of every service. The server returns all three numbers, so all three are said; 0 is Envoy's default."""

    max_connections: Unsigned = 0
    max_pending_requests: Unsigned = 0
    max_concurrent_requests: Unsigned = 0
    passive_health_check: UncheckedHealthCheck | None = None


class IngressGateway(ConfigEntry):
    """The ``ingress-gateway`` entry of a gateway.

    Attributes:
        tls: TLS of every listener.
        listeners: The ports.
        defaults: Limits of every service.
    """

    KIND: ClassVar[str] = "ingress-gateway"

    name: ServiceName
    tls: Annotated[GatewayTls | None, Mark.VALUE] = None
    listeners: Annotated[Sequence[IngressListener], Mark.LAX]
    defaults: IngressDefaults | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Ports, services and hosts of the listeners, and where certificates come from."""
        sds = (self.tls and self.tls.sds) or Sds()
        if self.listeners and sds.cert_resource and not sds.cluster_name:
            yield SDS_CLUSTER_MISSING(at / "tls" / "sds", _no_cluster(sds))
        ports: set[int] = set()
        for index, listener in enumerate(self.listeners):
            place = (at / "listeners")[index]
            if listener.port in ports:
                yield PORT_TWICE(place / "port", f"another listener has port {listener.port}, too")
            ports.add(listener.port)
            yield from _judge_listener_sds(listener, sds, place)
            if listener.protocol == "tcp":
                yield from _judge_tcp(listener.services, place / "services")
            yield from self._judge_services(listener, place / "services")
            if edition is Edition.ENTERPRISE:
                yield from judge_namespaces(listener.services, place / "services")

    def _judge_services(self, listener: IngressListener, at: At) -> Iterator[Problem]:
        services: set[tuple[str, str | None, str | None]] = set()
        hosts: set[str] = set()
        for index, service in enumerate(listener.services):
            key = (service.name, service.partition or self.partition, service.namespace or self.namespace)
            if key in services:
                yield SERVICE_TWICE(at[index] / "name", f"{show(service.name)} is there before")
            services.add(key)
            if service.name == ANY and service.hosts and listener.protocol != "tcp":
                yield WILDCARD_WITH_HOSTS(at[index] / "hosts", "every service has hosts")
            for position, host in enumerate(service.hosts):
                place = (at[index] / "hosts")[position]
                if host in hosts:
                    yield HOST_TWICE(place, f"{show(host)} is there before")
                elif host != ANY:
                    yield from judge_host(host, place)
                elif self.tls and self.tls.enabled:
                    yield HOST_ANY_WITH_TLS(place, "there is no certificate for every host")
                hosts.add(host)

    def reads(self) -> Iterator[ServiceRef]:
        """Every service behind a listener."""
        for listener in self.listeners:
            for service in listener.services:
                yield ServiceRef(service.name, service.partition or self.partition, service.namespace or self.namespace)


class _Namespaced(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str | None: ...


def judge_namespaces(services: Sequence[_Namespaced], at: At) -> Iterator[Problem]:
    """Services of a gateway that are in every namespace."""
    for index, service in enumerate(services):
        if service.namespace == ANY:
            yield WILDCARD_NAMESPACE(at[index] / "namespace", f"{show(service.name)} is in every namespace")


def _judge_tcp(services: Sequence[IngressService], at: At) -> Iterator[Problem]:
    """What a tcp listener cannot have."""
    if len(services) > 1:
        yield LISTENER_NOT_HTTP(at, f"a tcp listener has one service, not {len(services)}")
    for index, service in enumerate(services):
        if service.name == ANY:
            yield LISTENER_NOT_HTTP(at[index] / "name", "a tcp listener is for one service, not for every one")
        if service.hosts:
            yield LISTENER_NOT_HTTP(at[index] / "hosts", "tcp has no hosts")
        for field in _HEADERS:
            headers: HttpHeaderModifiers | None = getattr(service, field)
            if headers and (headers.add or headers.set or headers.remove):
                yield LISTENER_NOT_HTTP(at[index] / field, "tcp has no headers")


_HEADERS: Final[tuple[Literal["request_headers", "response_headers"], ...]] = ("request_headers", "response_headers")


def _judge_listener_sds(listener: IngressListener, gateway: Sds, at: At) -> Iterator[Problem]:
    """Where the certificates of a listener and of its services come from."""
    if not listener.services:
        return
    sds = (listener.tls and listener.tls.sds) or Sds()
    place = at / "tls" / "sds"
    if not sds.cert_resource:
        if sds.cluster_name or (gateway.cluster_name and not gateway.cert_resource):
            cluster = sds.cluster_name or gateway.cluster_name
            yield SDS_CERTIFICATE_MISSING(place, f"nothing says which certificate of {show(cluster)} it is")
    elif not sds.cluster_name and not gateway.cluster_name:
        yield SDS_CLUSTER_MISSING(place, _no_cluster(sds))
    for index, service in enumerate(listener.services):
        own = (service.tls and service.tls.sds) or Sds()
        if not own.cert_resource:
            continue
        to = (at / "services")[index]
        if not service.hosts:
            yield SDS_WITHOUT_HOSTS(to / "hosts", f"nothing says for which hosts {show(own.cert_resource)} is")
        if not (own.cluster_name or sds.cluster_name or gateway.cluster_name):
            yield SDS_CLUSTER_MISSING(to / "tls" / "sds", _no_cluster(own))


def _no_cluster(sds: Sds) -> str:
    return f"there is no cluster to get {show(sds.cert_resource)} from"


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
