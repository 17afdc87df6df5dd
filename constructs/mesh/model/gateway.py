"""What lets traffic into the mesh."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from ipaddress import IPv4Network
from typing import ClassVar, Literal

from pydantic import ConfigDict

from mesh.model.service import Kubernetes, Nomad
from mesh.model.types import STRICT, ServiceName
from mesh.scalars import Hostname, Port


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of a gateway and the service behind it.

    The gateway's config entry, the Service or job in front of it and the firewall all use this one port.

    Attributes:
        port: Port that clients dial.
        protocol: Must be what the service speaks.
        to: The service behind it.
        hosts: Host names that are answered; every host when empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    port: Port
    protocol: Literal["http", "tcp"]
    _: KW_ONLY
    to: ServiceName
    hosts: Sequence[Hostname] = ()


@dataclass(frozen=True, slots=True)
class IngressGateway:
    """An ingress gateway on AKS, run by the Consul chart.

    Consul has deprecated this kind since 1.16; prefer :class:`ApiGateway`.

    Attributes:
        name: Name of the gateway's service and config entry.
        listeners: At least one.
        runs_on: Kubernetes settings; only ``count`` matters.
        open_to: Source ranges outside the virtual network that may reach it. Internal when empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: ServiceName
    _: KW_ONLY
    listeners: Sequence[Listener]
    runs_on: Kubernetes = field(default_factory=Kubernetes)
    open_to: Sequence[IPv4Network] = ()


@dataclass(frozen=True, slots=True)
class ApiGateway:
    """An API gateway on the VMs, run as a Nomad job in the host's network.

    Attributes:
        name: Name of the gateway's service and config entry.
        listeners: At least one.
        runs_on: Nomad settings. More than one instance means one per client.
        open_to: Further private ranges (peered networks, a VPN) that may reach its ports. The virtual network always
            may.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: ServiceName
    _: KW_ONLY
    listeners: Sequence[Listener]
    runs_on: Nomad = field(default_factory=lambda: Nomad(cpu=200, memory=128))
    open_to: Sequence[IPv4Network] = ()


Gateway = IngressGateway | ApiGateway
