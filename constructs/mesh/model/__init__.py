"""The vocabulary of an environment: everything a team writes, and nothing else."""

from mesh.model.acknowledged import Acknowledged
from mesh.model.backend import AzureStorage, Backend, HcpTerraform, LocalState
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway, Gateway, IngressGateway, Listener
from mesh.model.job import HclJob
from mesh.model.platform import (
    Azure,
    Cluster,
    Community,
    Edition,
    Enterprise,
    Flat,
    Machine,
    NetworkPlan,
    Partition,
    Peering,
    Platform,
    Security,
    Topology,
    Versions,
)
from mesh.model.service import (
    CircuitBreaker,
    Health,
    Kubernetes,
    Nomad,
    Retry,
    Route,
    Runtime,
    Service,
    Upstream,
    Version,
)

__all__ = [
    "Acknowledged",
    "ApiGateway",
    "Azure",
    "AzureStorage",
    "Backend",
    "CircuitBreaker",
    "Cluster",
    "Community",
    "Edition",
    "Enterprise",
    "Environment",
    "Flat",
    "Gateway",
    "HclJob",
    "HcpTerraform",
    "Health",
    "IngressGateway",
    "Kubernetes",
    "Listener",
    "LocalState",
    "Machine",
    "NetworkPlan",
    "Nomad",
    "Partition",
    "Peering",
    "Platform",
    "Retry",
    "Route",
    "Runtime",
    "Security",
    "Service",
    "Topology",
    "Upstream",
    "Version",
    "Versions",
]
