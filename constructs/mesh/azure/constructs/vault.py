"""The Key Vault, the machines' identities and who reads what as Terraform resources. No secret is among them."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from cdktf import TerraformResource, TerraformResourceLifecycle
from constructs import Construct

from imports.azurerm import (
    DataAzurermClientConfig,
    KeyVault,
    KeyVaultNetworkAcls,
    ResourceGroup,
    RoleAssignment,
    UserAssignedIdentity,
)
from mesh.azure.vault import Secret
from mesh.boot.cloud_init import Role
from mesh.terraform import HIDDEN_ID


class Vault(Construct):
    """The vault and its readers.

    Machines get identities of their own making, not of Azure's: an identity that comes with a machine has no rights yet
    when the machine boots.

    Args:
        name: Name of the vault.
        resource_group: Where it is put.
        protect: Whether a deleted vault cannot be purged. Cannot be taken back.
        subnet_ids: Subnets that reach it.
        operator_networks: Public ranges that reach it as well.
        secrets: Which roles read which secret.
        identity_names: Names of the roles' identities.
        deployer: Who deploys; may write secrets. Owning a vault does not include that.

    Attributes:
        name: Name of the vault.
        uri: Its address.
        identity_ids: Ids of the roles' identities.
        grants: The rights of each role's identity, which have to exist before a machine boots.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        resource_group: ResourceGroup,
        protect: bool,
        subnet_ids: Sequence[str],
        operator_networks: Sequence[IPv4Network],
        secrets: Sequence[Secret],
        identity_names: Mapping[Role, str],
        deployer: DataAzurermClientConfig,
    ) -> None:
        super().__init__(scope, id_)
        vault = KeyVault(
            self,
            HIDDEN_ID,
            name=name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            tenant_id=deployer.tenant_id,
            sku_name="standard",
            rbac_authorization_enabled=True,
            purge_protection_enabled=protect,
            soft_delete_retention_days=90,  # fixed when the vault is made, so the same for all
            public_network_access_enabled=True,  # to those whom network_acls names
            network_acls=KeyVaultNetworkAcls(
                bypass="None",
                default_action="Deny",
                # A single address is written without its length.
                ip_rules=[str(network).removesuffix("/32") for network in operator_networks],
                virtual_network_subnet_ids=list(subnet_ids),
            ),
        )
        self.name, self.uri = vault.name, vault.vault_uri
        RoleAssignment(
            self,
            "deployer",
            scope=vault.id,
            role_definition_name="Key Vault Secrets Officer",
            principal_id=deployer.object_id,
            # A plan by somebody else must not take the right away from who deployed.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["principal_id"]),
        )
        self.identity_ids: dict[Role, str] = {}
        self.grants: dict[Role, tuple[TerraformResource, ...]] = {}
        for role, identity_name in identity_names.items():
            identity = UserAssignedIdentity(
                self,
                role,
                name=identity_name,
                location=resource_group.location,
                resource_group_name=resource_group.name,
            )
            self.identity_ids[role] = identity.id
            self.grants[role] = tuple(
                RoleAssignment(
                    self,
                    f"{role}-reads-{secret.name}",
                    scope=f"{vault.id}/secrets/{secret.name}",
                    role_definition_name="Key Vault Secrets User",
                    principal_id=identity.principal_id,
                    principal_type="ServicePrincipal",
                    skip_service_principal_aad_check=True,  # Entra learns of a new identity after a while
                )
                for secret in secrets
                if role in secret.readers
            )
