"""api-gateway: listeners of an API gateway (``agent/structs/config_entry_gateways.go``, ``APIGatewayConfigEntry``)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import NonEmpty, TlsVersion
from mesh.model.gateway import ApiGateway as ApiGatewayDeclaration
from mesh.scalars import Hostname, Port
from mesh.shapes import Many, Shape
from mesh.topology import Place

ListenerName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
]


class Certificate(Shape):
    """A certificate entry that a listener presents."""

    kind: Literal["inline-certificate", "file-system-certificate"]
    name: NonEmpty
    section_name: NonEmpty | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None


class ListenerTls(Shape):
    """TLS of a listener."""

    certificates: Many[Certificate] = ()
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None
    cipher_suites: Many[NonEmpty] = ()


class ApiGatewayListener(Shape):
    """A port of the gateway, to which routes attach by the listener's name."""

    name: ListenerName
    hostname: Hostname | None = None
    port: Port
    protocol: Literal["http", "tcp"]
    tls: ListenerTls | None = None


class ApiGateway(ConfigEntry):
    """The ``api-gateway`` entry of a gateway."""

    KIND: ClassVar[str] = "api-gateway"

    listeners: Annotated[Many[ApiGatewayListener], Field(min_length=1)]


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
