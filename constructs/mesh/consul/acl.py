"""ACL objects that let Nomad's workloads into Consul by their own identity, least privilege.

Agents' tokens are not among them: they exist before any stack but ``infra``, made by the first server's boot from
secrets in the Key Vault, so no token ever passes through Terraform. Nomad signs a JWT for each service and task;
Consul trades it for a token by the auth method and the binding rules below (nomad@1.11.3
``client/allocrunner/consul_hook.go``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh import ports
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway
from mesh.topology import gateways_on, nomad_host

AUTH_METHOD: Final = "nomad-workloads"
"""Name that Nomad asks for by default."""

AUDIENCE: Final = "consul.io"

_CLAIMS: Final = ("nomad_namespace", "nomad_job_id", "nomad_task", "nomad_service")

_READ: Final = 'node_prefix "" {\n  policy = "read"\n}\nservice_prefix "" {\n  policy = "read"\n}\n'


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy and the role of the same name that carries it."""

    name: str
    description: str
    rules: str


@dataclass(frozen=True, slots=True)
class BindingRule:
    """Which identity gets what: a service identity, or a role."""

    name: str
    description: str
    bind_type: str
    bind_name: str
    selector: str


@dataclass(frozen=True, slots=True)
class WorkloadAcl:
    """Everything that workloads under Nomad need in Consul.

    Attributes:
        jwks_url: Where Consul's servers fetch the keys that Nomad signs with.
        policies: Policies, each with a role of the same name.
        binding_rules: Rules of the auth method.
    """

    jwks_url: str
    policies: Sequence[Policy]
    binding_rules: Sequence[BindingRule]

    def auth_method_config(self) -> dict[str, object]:
        """Configuration of the auth method, less the CA certificate.

        It sets no lifetime: Nomad cannot renew an expired token.
        """
        return {
            "JWKSURL": self.jwks_url,
            "JWTSupportedAlgs": ["RS256"],
            "BoundAudiences": [AUDIENCE],
            "ClaimMappings": {claim: claim for claim in _CLAIMS},
        }


def workload_acl(environment: Environment) -> WorkloadAcl | None:
    """The ACL objects of an environment; none where ACLs are off."""
    if not environment.platform.acl:
        return None
    gateways = gateways_on(environment, ApiGateway)
    tasks = Policy(
        name="nomad-tasks-default",
        description="Tasks of jobs in Nomad's default namespace: discovery only",
        rules=_READ,
    )
    return WorkloadAcl(
        jwks_url=f"https://{nomad_host(environment)}:{ports.NOMAD_HTTP}/.well-known/jwks.json",
        policies=(tasks, *(_gateway_policy(gateway.name) for gateway in gateways)),
        binding_rules=(
            BindingRule(
                name="nomad-services",
                description="A service registered by Nomad acts as itself",
                bind_type="service",
                bind_name="${value.nomad_service}",
                selector='"nomad_service" in value',
            ),
            BindingRule(
                name="nomad-tasks",
                description="A task gets the role of its Nomad namespace",
                bind_type="role",
                bind_name="nomad-tasks-${value.nomad_namespace}",
                selector='"nomad_service" not in value',
            ),
            *(
                BindingRule(
                    name=gateway.name,
                    # The registration too: with its token the agent reads the routes, which takes mesh:read
                    # (consul@1.22.7 agent/proxycfg-sources/local/sync.go, agent/structs/config_entry_routes.go).
                    description=f"The registration and the tasks of the job {gateway.name} are the gateway",
                    bind_type="role",
                    bind_name=gateway.name,
                    selector=f'value.nomad_job_id == "{gateway.name}"',
                )
                for gateway in gateways
            ),
        ),
    )


def _gateway_policy(name: str) -> Policy:
    return Policy(
        name=name,
        description=f"The API gateway {name} registers itself and discovers what it routes to",
        rules=f'service "{name}" {{\n  policy = "write"\n}}\nmesh = "read"\n{_READ}',
    )
