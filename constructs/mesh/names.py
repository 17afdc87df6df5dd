"""Names of everything, as pure functions of the declaration, so that two stacks never have to pass them to each other.

Azure's rules: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules.
"""

from mesh.model.environment import Environment

STACKS = ("infra", "consul-cluster", "policy", "workloads")
"""Ids of the stacks, in the order in which they are deployed."""

LOCAL_STACKS = ("policy", "workloads")
"""Those of a mesh that is not on Azure: its agents are there already."""

CONSUL_NAMESPACE = "consul"
"""Kubernetes namespace of the Consul chart's release."""


def stacks(environment: Environment) -> tuple[str, ...]:
    """Ids of the stacks of an environment, in the order in which they are deployed."""
    return LOCAL_STACKS if environment.platform.azure is None else STACKS


def base(environment: Environment) -> str:
    """First part of every Azure name."""
    return f"{environment.project}-{environment.name}"


def resource_group(environment: Environment) -> str:
    """The resource group that holds everything."""
    return f"rg-{base(environment)}"


def virtual_network(environment: Environment) -> str:
    """The virtual network."""
    return f"vnet-{base(environment)}"


def subnet(role: str) -> str:
    """A subnet by its role. Azure Bastion insists on its own name."""
    return "AzureBastionSubnet" if role == "bastion" else f"snet-{role}"


def security_group(environment: Environment, role: str) -> str:
    """The network security group of a subnet."""
    return f"nsg-{base(environment)}-{role}"


def nat_gateway(environment: Environment) -> str:
    """The NAT gateway that all machines go out through."""
    return f"ng-{base(environment)}"


def public_ip(environment: Environment, role: str) -> str:
    """A public address, by what it is for."""
    return f"pip-{base(environment)}-{role}"


def bastion(environment: Environment) -> str:
    """The Azure Bastion host."""
    return f"bas-{base(environment)}"


def identity(environment: Environment, role: str) -> str:
    """The managed identity of a role."""
    return f"id-{base(environment)}-{role}"


def vault(environment: Environment) -> str:
    """The Key Vault: unique in all of Azure and at most 24 characters, so it can be set in the declaration."""
    return environment.platform.cloud.vault_name or f"kv-{base(environment)}"


def vault_uri(environment: Environment) -> str:
    """Address of the Key Vault, known before it exists, so that cloud-init can hold it as a literal."""
    return f"https://{vault(environment).lower()}.vault.azure.net"


def machine(environment: Environment, role: str, index: int) -> str:
    """A VM; also its host name and its node name in Consul and Nomad."""
    return f"{base(environment)}-{role}-{index}"


def cluster(environment: Environment) -> str:
    """The AKS cluster."""
    return f"aks-{base(environment)}"


def dns_zone(environment: Environment) -> str:
    """Private DNS zone of the environment."""
    return f"{base(environment)}.internal"


def workspace(environment: Environment, stack: str) -> str:
    """Workspace of a stack on HCP Terraform."""
    return f"{base(environment)}-{stack}"


def tags(environment: Environment, stack: str) -> dict[str, str]:
    """Tags of every resource that can have some."""
    return {
        **(azure.tags if (azure := environment.platform.azure) else {}),
        "project": environment.project,
        "environment": environment.name,
        "stack": stack,
    }
