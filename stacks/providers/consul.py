"""The Consul provider."""

from constructs import Construct

from imports.consul import ConsulProvider
from mesh import ports
from mesh.model import Environment
from mesh.topology import consul_host


def consul_provider(scope: Construct, environment: Environment) -> ConsulProvider:
    """Consul's servers. Terraform reads ``CONSUL_HTTP_TOKEN`` and, with TLS, ``CONSUL_CACERT``."""
    api = ports.server_api(environment.platform)
    return ConsulProvider(
        scope,
        "consul_provider",
        address=f"{consul_host(environment)}:{api.http}",
        scheme=api.scheme,
        datacenter=environment.platform.datacenter,
    )
