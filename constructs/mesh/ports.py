"""Every port of the mesh, once. Agents, chart, providers and firewall read them here."""

from dataclasses import dataclass
from typing import Final

from mesh.model.platform import Platform

CONSUL_RPC: Final = 8300
CONSUL_GOSSIP: Final = 8301
CONSUL_DNS: Final = 8600
LOOPBACK_HTTP: Final = 8500
"""Consul's plain HTTP API. On the network only without TLS, on servers; with TLS for the node itself alone."""
LOOPBACK_GRPC: Final = 8502
"""Plain xDS of a client agent, on its loopback: what Nomad's sidecars use.

Also with TLS: the certificate that ``auto_encrypt`` gives a client is signed by the mesh's CA, which Nomad does not
trust.
"""
NOMAD_HTTP: Final = 4646
NOMAD_RPC: Final = 4647
NOMAD_GOSSIP: Final = 4648
NOMAD_DYNAMIC: Final = (20000, 32000)
"""Where Nomad publishes sidecars and exposed checks."""
POD_SIDECAR: Final = 20000
"""Public listener of the sidecar in a pod."""
POD_MESH_GATEWAY: Final = 8443
"""Container port of the mesh gateway on AKS."""
CLUSTER_MESH_GATEWAY: Final = 443
"""Port of the Service in front of it."""
SSH: Final = 22


@dataclass(frozen=True, slots=True)
class ServerApi:
    """How the network reaches the Consul servers: one switch for agents, chart, providers and firewall.

    Attributes:
        scheme: ``http`` or ``https``.
        http: Port of the HTTP API.
        grpc: Port of xDS, for the sidecars in pods.
    """

    scheme: str
    http: int
    grpc: int


def server_api(platform: Platform) -> ServerApi:
    """The servers' API under the platform's security."""
    return ServerApi("https", 8501, 8503) if platform.tls else ServerApi("http", LOOPBACK_HTTP, 8502)
