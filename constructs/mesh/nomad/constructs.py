"""Nomad jobs as Terraform resources."""

from constructs import Construct

from imports.nomad import Job as JobResource
from mesh.nomad.job import Job
from mesh.terraform import HIDDEN_ID, json_literal


class NomadJob(Construct):
    """A job that Terraform waits for: an apply succeeds when the deployment does; a job that goes leaves no trace."""

    def __init__(self, scope: Construct, id_: str, *, job: Job) -> None:
        super().__init__(scope, id_)
        longest = f"{job.deployment_seconds()}s"
        self.resource = JobResource(
            self,
            HIDDEN_ID,
            jobspec=json_literal(job.api_json()),
            json=True,
            detach=False,
            purge_on_destroy=True,
            timeouts={"create": longest, "update": longest},
        )
