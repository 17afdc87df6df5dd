"""api-gateway: listeners of an API gateway.

Source: ``consul@1.22.7 agent/structs/config_entry_gateways.go``, ``APIGatewayConfigEntry``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import ServiceName, TlsVersion
from mesh.consul.entries.hosts import judge_unchecked_host
from mesh.consul.entries.service_intentions import JwtRequirementProvider
from mesh.consul.entries.tls import CipherSuite, judge_tls
from mesh.consul.parts import Check, Edition, Enterprise, Fold, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.model.gateway import ApiGateway as ApiGatewayDeclaration
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.showing import show
from mesh.topology import Place

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_gateways.go, APIGatewayConfigEntry"


def _gateway(*listeners: JsonObject) -> Example:
    return [{"Kind": "api-gateway", "Name": "gateway", "Listeners": list(listeners)}]


def _listener(name: str, port: int = 8080, protocol: str = "http", **fields: object) -> JsonObject:
    return {"Name": name, "Port": port, "Protocol": protocol, **fields}


LISTENER_NAME: Final = refused(
    "listener-name",
    what="The name of a listener is none: small letters, digits, and dashes and dots between them.",
    why='Consul refuses it: listener name "Http" is invalid, must be at least 1 character and contain only letters, '
    "numbers, or dashes.",
    source=f"{_SOURCE}.validateListenerNames",
    fix="use small letters, digits and dashes, and begin and end with a letter or digit",
    example=_gateway(_listener("Http")),
    instead=_gateway(_listener("http")),
)

LISTENER_NAME_TWICE: Final = refused(
    "listener-name-twice",
    what="Two listeners have the same name.",
    why='Consul refuses it: found multiple listeners with the name "http".',
    source=f"{_SOURCE}.validateListenerNames",
    fix="give each its own name; routes refer to it",
    example=_gateway(_listener("http", 8080), _listener("http", 8081)),
    instead=_gateway(_listener("http", 8080), _listener("admin", 8081)),
)

LISTENER_PORT: Final = refused(
    "listener-port",
    what="The port of a listener is not from 1 to 65535.",
    why="Consul refuses it: listener port 70000 not in the range 1-65535.",
    source=f"{_SOURCE}.validateListeners",
    fix="use a port from 1 to 65535",
    example=_gateway(_listener("http", 70000)),
    instead=_gateway(_listener("http", 8080)),
)

LISTENERS_APART: Final = refused(
    "listeners-apart",
    what="Listeners of one port have different protocols or hosts.",
    why='Consul refuses it: listeners "a" and "b" cannot be merged.',
    source=f"{_SOURCE}.validateMergedListeners",
    fix="use another port; or one listener without Hostname, and the hosts in its routes",
    example=_gateway(_listener("a", Hostname="a.example.com"), _listener("b", Hostname="b.example.com")),
    instead=_gateway(_listener("a", Hostname="a.example.com"), _listener("b", 8081, Hostname="b.example.com")),
)

TCP_HOSTNAME: Final = refused(
    "tcp-hostname",
    what="A tcp listener has a host.",
    why="Consul refuses it: hostname specification is not supported when using TCP.",
    source=f"{_SOURCE}.validateListeners",
    fix="remove Hostname",
    example=_gateway(_listener("tcp", protocol="tcp", Hostname="db.example.com")),
    instead=_gateway(_listener("tcp", protocol="tcp")),
)

TLS_WITHOUT_CERTIFICATE: Final = stricter(
    "listener-tls-without-certificate",
    what="A listener has TLS settings and no certificate.",
    why="Consul accepts it, and the listener shows the gateway's certificate of the mesh, which no client outside "
    "trusts.",
    source="consul@1.22.7 agent/xds/listeners_apigateway.go, makeDownstreamTLSContextFromSnapshotAPIListenerConfig",
    fix="refer to a certificate, or remove TLS",
    example=_gateway(_listener("https", TLS={"MinVersion": "TLSv1_2"})),
    instead=[
        {
            "Kind": "file-system-certificate",
            "Name": "shop",
            "Certificate": "/tls/crt.pem",
            "PrivateKey": "/tls/key.pem",
        },
        *_gateway(
            _listener(
                "https",
                TLS={
                    "MinVersion": "TLSv1_2",
                    "Certificates": [{"Kind": "file-system-certificate", "Name": "shop"}],
                },
            )
        ),
    ],
)

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class Certificate(Part):
    """A certificate entry that a listener presents."""

    kind: Literal["inline-certificate", "file-system-certificate"] = "inline-certificate"
    name: str
    section_name: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None


class ListenerTls(Part):
    """TLS of a listener.

    Attributes:
        certificates: What it presents; the first whose name is asked for.
        min_version: The lowest version; Envoy's default is TLS 1.2.
        max_version: The highest version.
        cipher_suites: Of TLS 1.2 and earlier; all when left out.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {"SDS": "it is newer than Consul 1.22"}

    certificates: Sequence[Certificate] = ()
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None
    cipher_suites: Sequence[CipherSuite] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Versions and cipher suites, and what is presented."""
        yield from judge_tls(
            at,
            min_version=self.min_version,
            max_version=self.max_version,
            cipher_suites=self.cipher_suites,
            prefix="",
        )
        if not self.certificates and (self.min_version or self.max_version or self.cipher_suites):
            yield TLS_WITHOUT_CERTIFICATE(at, "there is no certificate to present")


class GatewayJwt(Part):
    """What token every request must carry: one that one of the providers accepts. Enterprise only."""

    providers: Annotated[Sequence[JwtRequirementProvider], Enterprise(ENTERPRISE_ONLY), Mark.LAX]


class ListenerPolicy(Part):
    """What holds for requests to a listener. Enterprise only."""

    jwt: GatewayJwt | None = None


class ApiGatewayListener(Part):
    """A port of the gateway, to which routes attach by the listener's name.

    Attributes:
        name: Unique in the gateway.
        hostname: The host, or ``*.`` and a domain; every host when left out. Only of ``http``.
        port: From 1 to 65535; listeners of one port have the same protocol and host.
        protocol: ``http`` or ``tcp``.
        tls: TLS that the listener ends.
        override: A policy against which no route can do anything. Enterprise only.
        default: A policy of routes that have none. Enterprise only.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {"MaxRequestHeadersKB": "it is newer than the provider"}

    name: Annotated[str, Check(LISTENER_NAME, lambda name: bool(_NAME.fullmatch(name)), "a name of a listener")]
    hostname: str | None = None
    port: Annotated[int, Check(LISTENER_PORT, lambda port: 0 < port <= 65535, "a port from 1 to 65535")]  # noqa: PLR2004
    protocol: Annotated[Literal["http", "tcp"], Fold.LOWER]
    tls: Annotated[ListenerTls | None, Mark.VALUE] = None
    override: ListenerPolicy | None = None
    default: ListenerPolicy | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The host."""
        if self.hostname and self.protocol == "tcp":
            yield TCP_HOSTNAME(at / "hostname", f"tcp has no hosts such as {show(self.hostname)}")
        elif self.hostname:
            yield from judge_unchecked_host(self.hostname, at / "hostname")


class ApiGateway(ConfigEntry):
    """The ``api-gateway`` entry of a gateway."""

    KIND: ClassVar[str] = "api-gateway"
    DROPPED: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("TLS", "Defaults", "ExtAuthz"), "it is newer than Consul 1.22"
    )

    name: ServiceName
    listeners: Sequence[ApiGatewayListener]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Listeners that have a name or a port in common."""
        names: set[str] = set()
        by_port: dict[int, ApiGatewayListener] = {}
        for index, listener in enumerate(self.listeners):
            place = (at / "listeners")[index]
            if listener.name in names:
                yield LISTENER_NAME_TWICE(place / "name", f"another listener is called {show(listener.name)}, too")
            names.add(listener.name)
            before = by_port.get(listener.port, listener)
            if (before.hostname, before.protocol) != (listener.hostname, listener.protocol):
                message = f"{show(before.name)}, of another protocol or host, has port {listener.port}, too"
                yield LISTENERS_APART(place / "port", message)
            by_port[listener.port] = listener


def listener_name(protocol: str, port: int) -> str:
    """Name of the listener of a port; routes refer to it."""
    return f"{protocol}-{port}"


def derive(gateway: ApiGatewayDeclaration, where: Place) -> ApiGateway:
    """The entry of one gateway, a listener for each of its ports."""
    by_port = {listener.port: listener for listener in gateway.listeners}
    return ApiGateway(
        name=gateway.name,
        partition=where.partition,
        namespace=where.namespace,
        listeners=[
            ApiGatewayListener(name=listener_name(listener.protocol, port), port=port, protocol=listener.protocol)
            for port, listener in by_port.items()
        ],
    )
