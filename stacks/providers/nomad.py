"""The Nomad provider."""

from constructs import Construct

from imports.nomad import NomadProvider
from mesh import ports
from mesh.model import Environment
from mesh.topology import nomad_host


def nomad_provider(scope: Construct, environment: Environment) -> NomadProvider:
    """Nomad's servers. Terraform reads ``NOMAD_TOKEN`` and, with TLS, ``NOMAD_CACERT``."""
    scheme = "https" if environment.platform.tls else "http"
    return NomadProvider(scope, "nomad_provider", address=f"{scheme}://{nomad_host(environment)}:{ports.NOMAD_HTTP}")
