"""Rules about a mesh that is not on Azure: everything runs on the agents that are there."""

from collections.abc import Iterator

from mesh.check.services import gateway_path, service_path
from mesh.findings import Finding
from mesh.model.backend import LocalState
from mesh.model.environment import Environment
from mesh.model.gateway import IngressGateway
from mesh.model.platform import Partition, Security
from mesh.model.service import Kubernetes

_FIX = "or say where on Azure the mesh is: platform.azure=Azure(...)"


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about what only a mesh on Azure can have."""
    platform = environment.platform
    if platform.azure is not None:
        return
    if platform.enterprise or isinstance(platform.topology, Partition):
        yield Finding(
            "platform.edition",
            "local-enterprise",
            "the agents of a local mesh are Consul's Community Edition, which has no partitions",
            f"use Community() and Flat() or Peering(...), {_FIX}",
        )
    if platform.security is not Security.PRIVATE_NETWORK:
        yield Finding(
            "platform.security",
            "local-security",
            "the agents of a local mesh have neither TLS nor ACLs",
            f"use Security.PRIVATE_NETWORK, {_FIX}",
        )
    if platform.servers != 1:
        yield Finding("platform.servers", "local-servers", "a local mesh has one server", f"use servers=1, {_FIX}")
    if not isinstance(environment.backend, LocalState):
        yield Finding(
            "backend",
            "local-backend",
            "agents that only this machine reaches cannot be in a state that others share",
            f"use LocalState(), {_FIX}",
        )
    for service in environment.services:
        if isinstance(service.runs_on, Kubernetes):
            yield Finding(
                f"{service_path(service.name)}.runs_on",
                "local-kubernetes",
                "there is no Kubernetes in a local mesh",
                f"use Nomad(...), {_FIX}",
            )
    for gateway in environment.gateways:
        if isinstance(gateway, IngressGateway):
            yield Finding(
                gateway_path(gateway.name),
                "local-kubernetes",
                "an ingress gateway runs on Kubernetes, and there is none in a local mesh",
                f"use ApiGateway(...), {_FIX}",
            )
