"""The virtual machines of an environment as plain values."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from mesh import names
from mesh.azure.network import Role as SubnetRole
from mesh.boot.cloud_init import Role, user_data
from mesh.model import Environment, Machine

ROLES: Final[tuple[Role, ...]] = ("server", "client")
"""What a machine runs: the servers of Consul and Nomad, or an agent of each and the services. Also its identity."""


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A VM.

    Attributes:
        id: Its name within the environment, e.g. ``server-0``.
        name: Its name on Azure; also its host name, and its node name in Consul and Nomad.
        role: What it runs.
        subnet: Role of its subnet.
        address: Its fixed address.
        size: Azure's name of the size.
        zone: Availability zone, if zones are in use.
        image_version: Version of the Ubuntu image.
        os_disk_gb: Size of the system disk in GB.
        data_disk_gb: Size in GB of the disk that outlives the machine; none when 0.
        keep_data: Whether that disk cannot be destroyed.
        custom_data: The cloud-config, in base64.
        config_hash: Tells configurations apart. A machine keeps the one it was made with until it is replaced, and its
            tag shows the one it should have.
    """

    id: str
    name: str
    role: Role
    subnet: SubnetRole
    address: IPv4Address
    size: str
    zone: str | None
    image_version: str
    os_disk_gb: int
    data_disk_gb: int
    keep_data: bool
    custom_data: str
    config_hash: str


def machines(environment: Environment) -> tuple[VirtualMachine, ...]:
    """Every VM, servers first."""
    platform = environment.platform
    return (
        *_of_role(environment, "server", "servers", platform.server_addresses, platform.server_machine),
        *_of_role(environment, "client", "clients", platform.client_addresses, platform.client_machine),
    )


def _of_role(
    environment: Environment, role: Role, subnet: SubnetRole, addresses: tuple[IPv4Address, ...], kind: Machine
) -> Iterator[VirtualMachine]:
    platform = environment.platform
    zones = platform.cloud.zones
    for index, address in enumerate(addresses):
        boot = user_data(environment, role, index)
        yield VirtualMachine(
            id=f"{role}-{index}",
            name=names.machine(environment, role, index),
            role=role,
            subnet=subnet,
            address=address,
            size=kind.size,
            zone=zones[index % len(zones)] if zones else None,
            image_version=platform.versions.ubuntu,
            os_disk_gb=kind.os_disk_gb,
            data_disk_gb=kind.data_disk_gb,
            keep_data=platform.cloud.protect,
            custom_data=boot.custom_data,
            config_hash=boot.config_hash,
        )
