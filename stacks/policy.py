"""The policy stack: every config entry, in order. Needs nothing but the Consul servers."""

from typing import Final

from cdktf import TerraformStack
from constructs import Construct

from mesh.consul import policy
from mesh.consul.constructs.config_entries import ConfigEntries
from mesh.model import Environment
from mesh.terraform import HIDDEN_ID
from mesh.topology import clusters
from stacks.providers import PEER
from stacks.providers.consul import consul_provider

STACK_ID: Final = "policy"


class PolicyStack(TerraformStack):
    """Config entries of all services and gateways."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        for cluster in clusters(environment.platform):
            provider = consul_provider(self, environment, cluster)
            ConfigEntries(
                self,
                PEER if cluster else HIDDEN_ID,
                entries=policy.entries(environment, cluster),
                provider=provider if cluster else None,
            )
