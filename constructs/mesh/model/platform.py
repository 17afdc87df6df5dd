"""The ground the mesh stands on: edition, topology, network, machines, versions, security."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mesh.matching import matching
from mesh.model.types import STRICT, DnsLabel, Zone
from mesh.scalars import Port

MachineSize = Annotated[str, matching(r"Standard_[A-Za-z0-9_]+", "a size of Azure VMs", example="Standard_D2s_v5")]

Release = Annotated[str, matching(r"\d+\.\d+\.\d+", "a full version", example="1.22.7")]


@dataclass(frozen=True, slots=True)
class Community:
    """Consul Community Edition: no licence, no partitions, no namespaces."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Enterprise:
    """Consul Enterprise. The licence is the secret ``consul-license`` of the environment's Key Vault."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


Edition = Community | Enterprise


@dataclass(frozen=True, slots=True)
class Flat:
    """One cluster, one partition: pods and VMs reach each other directly, without mesh gateways."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class Partition:
    """AKS is an admin partition of the VMs' cluster; mesh gateways on both sides carry what crosses.

    Needs :class:`Enterprise`.

    Attributes:
        name: Name of the partition; ``default`` is the VMs'.
        gateway_port: Port of the VMs' mesh gateway.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: DnsLabel
    _: KW_ONLY
    gateway_port: Port = 8443


@dataclass(frozen=True, slots=True)
class Peering:
    """Two clusters, each with servers of its own, are peered; mesh gateways on both sides carry what crosses.

    What has ``Nomad(peer=...)`` is in the other cluster. Not on Azure.

    Attributes:
        peer: The other cluster, by the name of its datacenter. Each knows the other by that name.
        gateway_port: Port of the mesh gateways.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    peer: DnsLabel
    _: KW_ONLY
    gateway_port: Port = 8443


Topology = Flat | Partition | Peering


class Security(StrEnum):
    """How the agents protect themselves. Gossip is always encrypted, and every call between services is mutual TLS."""

    PRIVATE_NETWORK = "private-network"
    """Plain HTTP and gRPC inside the virtual network, no ACLs: the guide's demo."""

    ZERO_TRUST = "zero-trust"
    """TLS for every agent API, RPC and xDS; ACLs deny by default, in Consul and in Nomad."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The address ranges. Azure keeps the first four addresses and the last of every subnet for itself.

    Attributes:
        virtual_network: Holds every subnet below.
        servers: Consul and Nomad servers; the first has address 4.
        clients: Nomad clients; the first has address 4.
        runner: For the machine that runs Terraform after the first stack, and for operators.
        bastion: Azure Bastion, if any; at least a /26.
        cluster_nodes: AKS nodes, and the front ends of internal load balancers.
        cluster_pods: AKS pods: Azure CNI with a pod subnet, so that pods and VMs reach each other without translation.
        cluster_services: Virtual addresses of Kubernetes Services; outside the virtual network.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    virtual_network: IPv4Network = IPv4Network("10.0.0.0/16")
    servers: IPv4Network = IPv4Network("10.0.0.0/26")
    clients: IPv4Network = IPv4Network("10.0.1.0/24")
    bastion: IPv4Network = IPv4Network("10.0.2.0/26")
    runner: IPv4Network = IPv4Network("10.0.3.0/27")
    cluster_nodes: IPv4Network = IPv4Network("10.0.4.0/24")
    cluster_pods: IPv4Network = IPv4Network("10.0.8.0/22")
    cluster_services: IPv4Network = IPv4Network("10.96.0.0/16")

    def server_addresses(self, count: int) -> tuple[IPv4Address, ...]:
        """Addresses of the first ``count`` servers."""
        return tuple(self.servers[4 + index] for index in range(count))

    def client_addresses(self, count: int) -> tuple[IPv4Address, ...]:
        """Addresses of the first ``count`` clients."""
        return tuple(self.clients[4 + index] for index in range(count))


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of VM.

    Attributes:
        size: Azure VM size.
        os_disk_gb: Size of the system disk in GB.
        data_disk_gb: Size of the disk that holds the agents' data and outlives the VM; none when 0.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    size: MachineSize = "Standard_D2s_v5"
    os_disk_gb: Annotated[int, Field(ge=30, le=4095)] = 64
    data_disk_gb: Annotated[int, Field(ge=0, le=32767)] = 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """The AKS cluster.

    Attributes:
        nodes: Nodes of the pool.
        size: Azure VM size of a node; a system pool needs at least 4 vCPU.
        version: Kubernetes minor version.
        max_pods: Pods of one node; decides how many addresses the pod subnet needs.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    nodes: Annotated[int, Field(ge=1, le=100)] = 2
    size: MachineSize = "Standard_D4s_v5"
    version: Annotated[str, matching(r"1\.[0-9]{2}", "a minor version of Kubernetes", example="1.33")] = "1.33"
    max_pods: Annotated[int, Field(ge=10, le=250)] = 50


@dataclass(frozen=True, slots=True)
class Versions:
    """The tested set of software; one table for VMs, chart and images.

    Attributes:
        consul: Consul servers and agents.
        chart: consul-k8s chart; its minor version belongs to Consul's.
        nomad: Nomad servers and clients.
        cni: CNI reference plugins on the clients.
        cni_sha256: Checksum of their linux-amd64 archive.
        envoy: Envoy of the API gateway task; sidecars ask Consul.
        ubuntu: Version of the VM image ``Canonical/ubuntu-24_04-lts/server``. Pinned, so that a replaced VM equals
            its neighbours.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    consul: Release = "1.22.7"
    chart: Release = "1.9.11"
    nomad: Release = "1.11.3"
    cni: Release = "1.9.1"
    cni_sha256: Annotated[str, matching(r"[0-9a-f]{64}", "a SHA-256 checksum", example="b98f74…")] = (
        "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"
    )
    envoy: Release = "1.35.9"
    ubuntu: Annotated[
        str, matching(r"24\.04\.\d{9}", "a version of Ubuntu 24.04's image", example="24.04.202509010")
    ] = "24.04.202509010"


@dataclass(frozen=True, slots=True)
class Azure:
    """Where on Azure, and how carefully.

    The subscription comes from ``ARM_SUBSCRIPTION_ID`` of whoever runs Terraform.

    Attributes:
        region: Azure region.
        zones: Availability zones over which machines are spread; none when empty.
        vault_name: Name of the Key Vault, unique in all of Azure; ``kv-<project>-<environment>`` when not given.
        operator_networks: Public ranges of people and pipelines outside the virtual network that reach the Key Vault
            and the Kubernetes API. Nobody outside may reach the vault when empty.
        bastion: Whether people reach the VMs by Azure Bastion.
        protect: Whether the Key Vault cannot be purged and data disks cannot be destroyed.
        tags: Added to the tags ``project``, ``environment`` and ``stack`` of every resource.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    region: Annotated[str, matching(r"[a-z]+[a-z0-9]*", "a region of Azure", example="koreacentral")]
    zones: Sequence[Zone] = ()
    vault_name: (
        Annotated[
            str,
            matching(
                r"(?=.{3,24}$)[a-zA-Z](-?[a-zA-Z0-9])+",
                "a name of a Key Vault: 3 to 24 letters, digits and single dashes, starting with a letter",
                example="kv-mesh-demo",
            ),
        ]
        | None
    ) = None
    operator_networks: Sequence[IPv4Network] = ()
    bastion: bool = False
    protect: bool = False
    tags: Mapping[Annotated[str, Field(min_length=1, max_length=512)], Annotated[str, Field(max_length=256)]] = field(
        default_factory=dict
    )


def _whole_number(value: object) -> object:
    # A literal compares by equality: 1.0 and True are 1 for it.
    if type(value) is not int:
        raise PydanticCustomError("int_type", "input should be a whole number")
    return value


ServerCount = Annotated[Literal[1, 3, 5], BeforeValidator(_whole_number)]
"""An even number of servers tolerates no more failures than one fewer, and splits its votes."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The ground the mesh stands on.

    Attributes:
        edition: Edition of Consul.
        topology: How VMs and AKS, or two clusters, are joined. ``Partition`` needs Enterprise.
        azure: Where on Azure. ``None``: nowhere, on agents that this machine's loopback leads to; see ``mesh lab``.
        datacenter: The one datacenter name of agents, chart, provider and jobs; a peered cluster has its own.
        servers: VMs that run the Consul and Nomad servers.
        clients: VMs that run services under Nomad.
        server_machine: Their kind.
        client_machine: Their kind.
        cluster: The AKS cluster.
        network: Address ranges.
        security: How agents protect themselves.
        access_logs: Whether every proxy writes a line of JSON about each request to its standard output.
        versions: Software versions.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    edition: Edition
    topology: Topology
    azure: Azure | None
    datacenter: DnsLabel = "dc1"
    servers: ServerCount = 1
    clients: Annotated[int, Field(ge=1, le=100)] = 1
    server_machine: Machine = field(default_factory=lambda: Machine(data_disk_gb=32))
    client_machine: Machine = field(default_factory=Machine)
    cluster: Cluster = field(default_factory=Cluster)
    network: NetworkPlan = field(default_factory=NetworkPlan)
    security: Security = Security.PRIVATE_NETWORK
    access_logs: bool = False
    versions: Versions = field(default_factory=Versions)

    @property
    def cloud(self) -> Azure:
        """Where on Azure.

        Raises:
            LookupError: it is not on Azure.
        """
        if self.azure is None:
            raise LookupError("the platform is not on Azure")
        return self.azure

    @property
    def enterprise(self) -> bool:
        """Whether Consul is the Enterprise edition."""
        return isinstance(self.edition, Enterprise)

    @property
    def tls(self) -> bool:
        """Whether agent APIs, RPC and xDS use TLS."""
        return self.security is Security.ZERO_TRUST

    @property
    def acl(self) -> bool:
        """Whether ACLs are on and deny by default."""
        return self.security is Security.ZERO_TRUST

    @property
    def server_addresses(self) -> tuple[IPv4Address, ...]:
        """Addresses of the servers, in order."""
        return self.network.server_addresses(self.servers)

    @property
    def client_addresses(self) -> tuple[IPv4Address, ...]:
        """Addresses of the clients, in order."""
        return self.network.client_addresses(self.clients)
