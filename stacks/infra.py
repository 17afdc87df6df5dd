"""The infra stack: network, firewall, Key Vault, virtual machines, AKS. Needs nothing but Azure."""

from typing import Final

from cdktf import TerraformOutput, TerraformResource, TerraformStack, TerraformVariable
from constructs import Construct

from imports.azurerm import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesResourceGroup,
    DataAzurermClientConfig,
    ResourceGroup,
)
from mesh import names
from mesh.azure import firewall
from mesh.azure.cluster import managed_cluster
from mesh.azure.constructs.bastion import Bastion
from mesh.azure.constructs.cluster import Cluster
from mesh.azure.constructs.machine import Machine
from mesh.azure.constructs.network import Network
from mesh.azure.constructs.vault import Vault
from mesh.azure.machines import ROLES, machines
from mesh.azure.network import KEY_VAULT, subnets, virtual_network
from mesh.azure.vault import secrets
from mesh.boot.cloud_init import GATE_TIMEOUT_MINUTES, gate_script
from mesh.model import Environment
from mesh.terraform import HIDDEN_ID

STACK_ID: Final = "infra"

RESOURCE_PROVIDERS: Final = (
    "Microsoft.Compute",
    "Microsoft.ContainerService",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
)
"""Parts of Azure that the stack uses. Terraform registers those that the subscription has not, and no others."""


class InfraStack(TerraformStack):
    """Everything that the mesh stands on."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        _provider(self)
        deployer = DataAzurermClientConfig(self, "deployer")
        group = ResourceGroup(
            self, "group", name=names.resource_group(environment), location=environment.platform.cloud.region
        )
        network = Network(
            self,
            HIDDEN_ID,
            network=virtual_network(environment),
            rules=firewall.rules(environment),
            resource_group=group,
        )
        vault = self._vault(environment, group, network, deployer)
        self._machines(environment, group, network, vault)
        cluster = Cluster(
            self,
            "cluster",
            cluster=managed_cluster(environment),
            identity_name=names.identity(environment, "cluster"),
            resource_group=group,
            nodes_subnet_id=network.subnet_ids["cluster-nodes"],
            pods_subnet_id=network.subnet_ids["cluster-pods"],
            egress_address=network.egress_address,
            deployer=deployer,
            depends_on=[*network.ready["cluster-nodes"], *network.ready["cluster-pods"]],
        )
        if "bastion" in network.subnet_ids:
            Bastion(
                self,
                "bastion",
                name=names.bastion(environment),
                address_name=names.public_ip(environment, "bastion"),
                resource_group=group,
                subnet_id=network.subnet_ids["bastion"],
            )
        addresses = [str(address) for address in environment.platform.server_addresses]
        for name, value in {
            "resource_group": group.name,
            "vault_name": vault.name,
            "vault_uri": vault.uri,
            "server_addresses": addresses,
            "cluster_name": cluster.name,
        }.items():
            TerraformOutput(self, name, value=value, static_id=True)

    def _vault(
        self, environment: Environment, group: ResourceGroup, network: Network, deployer: DataAzurermClientConfig
    ) -> Vault:
        azure = environment.platform.cloud
        return Vault(
            self,
            "vault",
            name=names.vault(environment),
            resource_group=group,
            protect=azure.protect,
            subnet_ids=[
                network.subnet_ids[subnet.role]
                for subnet in subnets(environment)
                if KEY_VAULT in subnet.service_endpoints
            ],
            operator_networks=azure.operator_networks,
            secrets=secrets(environment),
            identity_names={role: names.identity(environment, role) for role in ROLES},
            deployer=deployer,
        )

    def _machines(self, environment: Environment, group: ResourceGroup, network: Network, vault: Vault) -> None:
        ssh_public_key = TerraformVariable(
            self,
            "admin_ssh_public_key",
            type="string",
            description="Public SSH key of the people who may log in to the virtual machines",
            nullable=False,
        )
        script = gate_script()
        server_gates: list[TerraformResource] = []
        for machine in machines(environment):
            created = Machine(
                self,
                machine.id,
                machine=machine,
                resource_group=group,
                subnet_id=network.subnet_ids[machine.subnet],
                identity_id=vault.identity_ids[machine.role],
                ssh_public_key=ssh_public_key.string_value,
                gate_script=script,
                gate_timeout_minutes=GATE_TIMEOUT_MINUTES,
                depends_on=[
                    *network.ready[machine.subnet],
                    *vault.grants[machine.role],
                    *(server_gates if machine.role == "client" else ()),
                ],
            )
            if machine.role == "server":
                server_gates.append(created.gate)


def _provider(stack: TerraformStack) -> None:
    """Azure, with the credentials and the subscription of whoever runs Terraform."""
    AzurermProvider(
        stack,
        "azurerm",
        resource_provider_registrations="none",
        resource_providers_to_register=list(RESOURCE_PROVIDERS),
        features=[
            AzurermProviderFeatures(
                key_vault=[
                    # A destroyed vault is kept as long as it says, and comes back with its secrets when made again.
                    AzurermProviderFeaturesKeyVault(
                        purge_soft_delete_on_destroy=False, recover_soft_deleted_key_vaults=True
                    )
                ],
                resource_group=[AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=True)],
            )
        ],
    )
