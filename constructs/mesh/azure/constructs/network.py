"""The virtual network as Terraform resources: subnets, their security groups, the way out, private names."""

from collections.abc import Sequence

from cdktf import TerraformResource
from constructs import Construct

from imports.azurerm import (
    NatGateway,
    NatGatewayPublicIpAssociation,
    NetworkSecurityGroup,
    NetworkSecurityRule,
    PrivateDnsARecord,
    PrivateDnsZone,
    PrivateDnsZoneVirtualNetworkLink,
    PublicIp,
    ResourceGroup,
    Subnet,
    SubnetDelegation,
    SubnetDelegationServiceDelegation,
    SubnetNatGatewayAssociation,
    SubnetNetworkSecurityGroupAssociation,
    VirtualNetwork,
)
from mesh.azure import network as values
from mesh.azure.firewall import PortRule
from mesh.terraform import HIDDEN_ID


class Network(Construct):
    """The virtual network and everything in it that is no machine.

    Args:
        network: What to create.
        rules: The port matrix.
        resource_group: Where everything is put.

    Attributes:
        subnet_ids: Azure's ids of the subnets by role.
        ready: What has to exist before anything boots in a subnet, by role: its firewall and its way out. Nothing in
            Terraform's graph makes a machine wait for them.
        egress_address: The address under which everything is seen outside.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        network: values.VirtualNetwork,
        rules: Sequence[PortRule],
        resource_group: ResourceGroup,
    ) -> None:
        super().__init__(scope, id_)
        virtual_network = VirtualNetwork(
            self,
            "network",
            name=network.name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            address_space=[str(network.range)],
        )
        egress = _Egress(self, "egress", network=network, resource_group=resource_group)
        self.egress_address = egress.address
        self.subnet_ids: dict[values.Role, str] = {}
        self.ready: dict[values.Role, tuple[TerraformResource, ...]] = {}
        for value in network.subnets:
            subnet = _Subnet(
                self,
                value.role,
                subnet=value,
                rules=[rule for rule in rules if rule.destination == value.role],
                virtual_network=virtual_network,
                resource_group=resource_group,
                egress=egress,
            )
            self.subnet_ids[value.role] = subnet.id
            self.ready[value.role] = tuple(subnet.ready)
        if network.server_names:
            _PrivateNames(
                self,
                "names",
                server_names=network.server_names,
                virtual_network=virtual_network,
                resource_group=resource_group,
            )


class _Egress(Construct):
    """The NAT gateway: the one way out, under one address."""

    def __init__(
        self, scope: Construct, id_: str, *, network: values.VirtualNetwork, resource_group: ResourceGroup
    ) -> None:
        super().__init__(scope, id_)
        address = PublicIp(
            self,
            "address",
            name=network.nat_address,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            allocation_method="Static",
            sku="Standard",
            zones=list(network.zones) or None,
        )
        self.gateway = NatGateway(
            self,
            HIDDEN_ID,
            name=network.nat_gateway,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            sku_name="Standard",
            idle_timeout_in_minutes=10,
            zones=list(network.zones[:1]) or None,  # a gateway of this SKU is in one zone, or in one that Azure chooses
        )
        self.association = NatGatewayPublicIpAssociation(
            self, "association", nat_gateway_id=self.gateway.id, public_ip_address_id=address.id
        )
        self.address = address.ip_address


class _Subnet(Construct):
    """A subnet with its security group and its way out."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        subnet: values.Subnet,
        rules: Sequence[PortRule],
        virtual_network: VirtualNetwork,
        resource_group: ResourceGroup,
        egress: _Egress,
    ) -> None:
        super().__init__(scope, id_)
        resource = Subnet(
            self,
            HIDDEN_ID,
            name=subnet.name,
            resource_group_name=resource_group.name,
            virtual_network_name=virtual_network.name,
            address_prefixes=[str(subnet.range)],
            default_outbound_access_enabled=False if subnet.private else None,
            service_endpoints=list(subnet.service_endpoints) or None,
            delegation=[_delegation(subnet.delegated_to)] if subnet.delegated_to else None,
        )
        self.id = resource.id
        self.ready: list[TerraformResource] = []
        if subnet.security_group:
            firewall = _Firewall(
                self, "firewall", name=subnet.security_group, rules=rules, resource_group=resource_group
            )
            self.ready.append(
                SubnetNetworkSecurityGroupAssociation(
                    self,
                    "firewall-association",
                    subnet_id=self.id,
                    network_security_group_id=firewall.id,
                    depends_on=firewall.rules,  # what waits for the association finds the whole firewall
                )
            )
        if subnet.nat:
            self.ready.append(
                SubnetNatGatewayAssociation(
                    self,
                    "egress-association",
                    subnet_id=self.id,
                    nat_gateway_id=egress.gateway.id,
                    depends_on=[egress.association],
                )
            )


class _Firewall(Construct):
    """A security group, each rule a resource of its own.

    As a part of the group, every rule would need every attribute in JSON, or differ in each plan
    (hashicorp/terraform-provider-azurerm#14550).
    """

    def __init__(
        self, scope: Construct, id_: str, *, name: str, rules: Sequence[PortRule], resource_group: ResourceGroup
    ) -> None:
        super().__init__(scope, id_)
        group = NetworkSecurityGroup(
            self, HIDDEN_ID, name=name, location=resource_group.location, resource_group_name=resource_group.name
        )
        self.id = group.id
        self.rules = [
            NetworkSecurityRule(
                self,
                rule.name,
                name=rule.name,
                description=rule.why,
                network_security_group_name=group.name,
                resource_group_name=resource_group.name,
                priority=rule.priority,
                direction="Inbound",
                access=rule.access,
                protocol=rule.protocol,
                source_address_prefix=rule.tag,
                source_address_prefixes=[str(addresses) for addresses in rule.source_ranges] or None,
                source_port_range="*",
                # The group guards one subnet, and a load balancer's address need not be one of the subnet's.
                destination_address_prefix="*",
                destination_port_range=None if rule.ports else "*",
                destination_port_ranges=list(rule.port_texts) or None,
            )
            for rule in rules
        ]


class _PrivateNames(Construct):
    """A private DNS zone in which each name means all servers."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        server_names: values.ServerNames,
        virtual_network: VirtualNetwork,
        resource_group: ResourceGroup,
    ) -> None:
        super().__init__(scope, id_)
        zone = PrivateDnsZone(self, HIDDEN_ID, name=server_names.zone, resource_group_name=resource_group.name)
        PrivateDnsZoneVirtualNetworkLink(
            self,
            "link",
            name="virtual-network",
            resource_group_name=resource_group.name,
            private_dns_zone_name=zone.name,
            virtual_network_id=virtual_network.id,
            registration_enabled=False,
        )
        for name in server_names.names:
            PrivateDnsARecord(
                self,
                name,
                name=name,
                resource_group_name=resource_group.name,
                zone_name=zone.name,
                ttl=60,
                records=[str(address) for address in server_names.addresses],
            )


def _delegation(service: str) -> SubnetDelegation:
    return SubnetDelegation(
        name="delegation",
        service_delegation=SubnetDelegationServiceDelegation(
            name=service, actions=["Microsoft.Network/virtualNetworks/subnets/join/action"]
        ),
    )
