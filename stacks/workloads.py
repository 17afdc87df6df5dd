"""The workloads stack: gateways and services on Nomad, services on Kubernetes."""

from typing import Final

from cdktf import TerraformStack
from constructs import Construct

from mesh.kubernetes import services as kubernetes
from mesh.kubernetes.constructs import Chart, MeshedService
from mesh.model import Environment, Peering
from mesh.nomad.constructs import HclNomadJob, NomadJob
from mesh.nomad.jobs import jobs
from mesh.terraform import resource_name
from stacks.providers import PEER
from stacks.providers.cluster import cluster_and_helm_provider
from stacks.providers.nomad import nomad_provider

STACK_ID: Final = "workloads"


class WorkloadsStack(TerraformStack):
    """Everything that runs in the mesh."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        nomad_provider(self, environment)
        for job in jobs(environment):
            NomadJob(self, resource_name(job.id), job=job)
        if isinstance(topology := environment.platform.topology, Peering):
            provider = nomad_provider(self, environment, topology.peer)
            for job in jobs(environment, topology.peer):
                NomadJob(self, f"{PEER}_{job.id}", job=job, provider=provider)
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
