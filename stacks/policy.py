"""The policy stack: every config entry, in order. Needs nothing but the Consul servers."""

from typing import Final

from cdktf import TerraformStack
from constructs import Construct

from mesh.consul import policy
from mesh.consul.constructs.config_entries import ConfigEntries
from mesh.model import Environment, Peering
from mesh.terraform import HIDDEN_ID
from stacks.providers import PEER
from stacks.providers.consul import consul_provider

STACK_ID: Final = "policy"


class PolicyStack(TerraformStack):
    """Config entries of all services and gateways."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        consul_provider(self, environment)
        ConfigEntries(self, HIDDEN_ID, entries=policy.entries(environment))
        if isinstance(topology := environment.platform.topology, Peering):
            provider = consul_provider(self, environment, topology.peer)
            ConfigEntries(self, PEER, entries=policy.entries(environment, topology.peer), provider=provider)
