"""Azure Bastion: how people reach machines that have no public address."""

from constructs import Construct

from imports.azurerm import BastionHost, BastionHostIpConfiguration, PublicIp, ResourceGroup
from mesh.terraform import HIDDEN_ID


class Bastion(Construct):
    """A bastion host. Its SKU can also tunnel to an API: ``az network bastion tunnel``.

    Args:
        name: Its name on Azure.
        address_name: Name of its public address.
        resource_group: Where both are put.
        subnet_id: Id of the subnet ``AzureBastionSubnet``.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        address_name: str,
        resource_group: ResourceGroup,
        subnet_id: str,
    ) -> None:
        super().__init__(scope, id_)
        address = PublicIp(
            self,
            "address",
            name=address_name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            allocation_method="Static",
            sku="Standard",
        )
        BastionHost(
            self,
            HIDDEN_ID,
            name=name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            sku="Standard",
            tunneling_enabled=True,
            ip_configuration=BastionHostIpConfiguration(
                name="primary", subnet_id=subnet_id, public_ip_address_id=address.id
            ),
        )
