"""The Nomad provider."""

from constructs import Construct

from imports.nomad import NomadProvider
from mesh import ports
from mesh.model import Environment
from mesh.topology import nomad_host
from stacks.providers import PEER


def nomad_provider(scope: Construct, environment: Environment, cluster: str | None = None) -> NomadProvider:
    """Nomad's servers in a cluster. Terraform reads ``NOMAD_TOKEN`` and, with TLS, ``NOMAD_CACERT``."""
    scheme = "https" if environment.platform.tls else "http"
    return NomadProvider(
        scope,
        f"{PEER}_nomad_provider" if cluster else "nomad_provider",
        alias=PEER if cluster else None,
        address=f"{scheme}://{nomad_host(environment, cluster)}:{ports.NOMAD_HTTP}",
    )
