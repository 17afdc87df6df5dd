"""The Consul provider."""

from constructs import Construct

from imports.consul import ConsulProvider
from mesh import ports
from mesh.model import Environment
from mesh.topology import consul_host, datacenter
from stacks.providers import PEER


def consul_provider(scope: Construct, environment: Environment, cluster: str | None = None) -> ConsulProvider:
    """Consul's servers in a cluster. Terraform reads ``CONSUL_HTTP_TOKEN`` and, with TLS, ``CONSUL_CACERT``."""
    api = ports.server_api(environment.platform)
    return ConsulProvider(
        scope,
        f"{PEER}_consul_provider" if cluster else "consul_provider",
        alias=PEER if cluster else None,
        address=f"{consul_host(environment, cluster)}:{api.http}",
        scheme=api.scheme,
        datacenter=datacenter(environment.platform, cluster),
    )
