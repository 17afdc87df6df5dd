"""Every Nomad job of an environment."""

from mesh.model.environment import Environment
from mesh.nomad.gateways import api_gateway_jobs, mesh_gateway_jobs
from mesh.nomad.job import Job
from mesh.nomad.services import service_jobs
from mesh.once import once


@once
def jobs(environment: Environment) -> tuple[Job, ...]:
    """The mesh gateways, the services, the API gateways."""
    return (*mesh_gateway_jobs(environment), *service_jobs(environment), *api_gateway_jobs(environment))
