"""The root of a declaration."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

from pydantic import ConfigDict, InstanceOf

from mesh.config_entry import ConfigEntry
from mesh.model.acknowledged import Acknowledged
from mesh.model.backend import Backend, LocalState
from mesh.model.gateway import Gateway
from mesh.model.job import HclJob
from mesh.model.platform import Platform
from mesh.model.service import Kubernetes, Service
from mesh.model.types import STRICT, EnvironmentName
from mesh.once import once


@dataclass(frozen=True, slots=True)
class Environment:
    """One mesh: everything that is deployed together.

    Attributes:
        name: Short name; part of every Azure name.
        platform: What the mesh stands on.
        services: The services.
        gateways: What lets traffic in.
        backend: Where Terraform keeps its state.
        project: First part of every Azure and workspace name.
        extra_entries: Config entries written directly. One that the services already imply is an error.
        acknowledged: Findings about them that are meant.
        extra_jobs: Nomad jobs that do not follow from a service.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: EnvironmentName
    _: KW_ONLY
    platform: Platform
    services: Sequence[Service]
    gateways: Sequence[Gateway] = ()
    backend: Backend = field(default_factory=LocalState)
    project: EnvironmentName = "mesh"
    extra_entries: Sequence[InstanceOf[ConfigEntry]] = ()
    acknowledged: Sequence[Acknowledged] = ()
    extra_jobs: Sequence[HclJob] = ()

    def service(self, name: str) -> Service:
        """The service called ``name``.

        Raises:
            KeyError: there is none.
        """
        return self.services_by_name()[name]

    def services_by_name(self) -> Mapping[str, Service]:
        """Services by their name."""
        return _by_name(self)

    def on_kubernetes(self) -> tuple[Service, ...]:
        """Services that run on AKS, in declaration order."""
        return tuple(service for service in self.services if isinstance(service.runs_on, Kubernetes))


@once
def _by_name(environment: Environment) -> Mapping[str, Service]:
    return {service.name: service for service in environment.services}
