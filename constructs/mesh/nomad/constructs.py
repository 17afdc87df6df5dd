"""Nomad jobs as Terraform resources."""

from typing import Final

from cdktf import TerraformProvider
from constructs import Construct

from imports.nomad import Job as JobResource
from mesh.nomad.job import Job
from mesh.shapes import JsonObject
from mesh.terraform import HIDDEN_ID, json_literal, literal

LONGEST: Final = "30m"
"""How long the deployment of an unknown job may take; one that fails ends earlier, by its own progress deadline."""


class NomadJob(Construct):
    """A job that Terraform waits for: an apply succeeds when the deployment does; a job that goes leaves no trace."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        job: Job,
        specification: JsonObject,
        provider: TerraformProvider | None = None,
    ) -> None:
        """A resource for a job.

        Args:
            scope: The stack.
            id_: Its name there.
            job: The job.
            specification: The job as Nomad's API takes it; see :func:`mesh.nomad.jobs.specification`.
            provider: The provider of another cluster's Nomad.
        """
        super().__init__(scope, id_)
        longest = f"{job.deployment_seconds()}s"
        self.resource = _resource(self, json_literal(specification), longest, json=True, provider=provider)


class HclNomadJob(Construct):
    """As :class:`NomadJob`, of a job as a text of HCL."""

    def __init__(self, scope: Construct, id_: str, *, text: str) -> None:
        super().__init__(scope, id_)
        self.resource = _resource(self, literal(text), LONGEST)


def _resource(
    scope: Construct,
    jobspec: str,
    longest: str,
    *,
    json: bool | None = None,
    provider: TerraformProvider | None = None,
) -> JobResource:
    return JobResource(
        scope,
        HIDDEN_ID,
        jobspec=jobspec,
        json=json,
        provider=provider,
        detach=False,
        purge_on_destroy=True,
        timeouts={"create": longest, "update": longest},
    )
