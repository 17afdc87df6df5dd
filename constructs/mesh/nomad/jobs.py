"""Every Nomad job of an environment. Each cluster has jobs of its own; see :func:`mesh.topology.clusters`."""

from collections.abc import Mapping

from mesh.model.environment import Environment
from mesh.nomad.gateways import api_gateway_jobs, mesh_gateway_jobs
from mesh.nomad.job import Job
from mesh.nomad.services import service_jobs
from mesh.nomad.swaps import swapped
from mesh.once import once
from mesh.shapes import JsonObject
from mesh.topology import clusters


def jobs(environment: Environment, cluster: str | None = None) -> tuple[Job, ...]:
    """The jobs of a cluster: the mesh gateways, the services, the API gateways.

    Raises:
        KeyError: the mesh has no such cluster.
    """
    return _jobs(environment)[cluster]


def specification(environment: Environment, job: Job) -> JsonObject:
    """A job as the environment's Nomad runs it: the same everywhere, but that local agents have no Docker."""
    written = job.api_json()
    return swapped(written) if environment.platform.azure is None else written


@once
def _jobs(environment: Environment) -> Mapping[str | None, tuple[Job, ...]]:
    return {
        cluster: (
            *mesh_gateway_jobs(environment, cluster),
            *service_jobs(environment, cluster),
            *api_gateway_jobs(environment, cluster),
        )
        for cluster in clusters(environment.platform)
    }
