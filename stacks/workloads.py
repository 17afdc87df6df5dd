"""The workloads stack: gateways and services on Nomad, services on Kubernetes."""

from typing import Final

from cdktf import TerraformStack
from constructs import Construct

from mesh.kubernetes import services as kubernetes
from mesh.kubernetes.constructs import Chart, MeshedService
from mesh.model import Environment
from mesh.nomad.constructs import HclNomadJob, NomadJob
from mesh.nomad.jobs import jobs, specification
from mesh.terraform import resource_name
from mesh.topology import clusters
from stacks.providers import PEER
from stacks.providers.cluster import cluster_and_helm_provider
from stacks.providers.nomad import nomad_provider

STACK_ID: Final = "workloads"


class WorkloadsStack(TerraformStack):
    """Everything that runs in the mesh."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        for cluster in clusters(environment.platform):
            provider = nomad_provider(self, environment, cluster)
            for job in jobs(environment, cluster):
                id_ = f"{PEER}_{job.id}" if cluster else resource_name(job.id)
                NomadJob(
                    self,
                    id_,
                    job=job,
                    specification=specification(environment, job),
                    provider=provider if cluster else None,
                )
        for extra in environment.extra_jobs:
            # An extra job may be called as a service is; no name of a service has an underscore.
            HclNomadJob(self, f"extra_{extra.name}", text=extra.text)
        if on_kubernetes := environment.on_kubernetes():
            cluster_and_helm_provider(self, environment)
            chart = Chart(self, "meshed_service_chart", folder="meshed-service")
            for service in on_kubernetes:
                MeshedService(
                    self,
                    resource_name(service.name),
                    chart=chart,
                    namespace=kubernetes.namespace(service),
                    values=kubernetes.release_values(environment, service),
                )
