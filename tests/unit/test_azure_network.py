"""Subnets and names of the virtual network."""

from dataclasses import replace

from mesh import names
from mesh.azure.network import KEY_VAULT, MANAGED_CLUSTERS, Subnet, subnets, virtual_network
from mesh.model import Azure, Environment
from mesh.topology import consul_host, nomad_host
from tests.unit.examples import COMMUNITY, environment, service

WITH_BASTION = environment(service(), platform=replace(COMMUNITY, azure=Azure(region="koreacentral", bastion=True)))


def by_role(mesh: Environment) -> dict[str, Subnet]:
    return {subnet.role: subnet for subnet in subnets(mesh)}


def test_every_subnet_is_inside_the_virtual_network_and_overlaps_no_other() -> None:
    network = virtual_network(WITH_BASTION)
    ranges = [subnet.range for subnet in network.subnets]
    assert all(addresses.subnet_of(network.range) for addresses in ranges)
    assert not [pair for pair in zip(sorted(ranges), sorted(ranges)[1:], strict=False) if pair[0].overlaps(pair[1])]


def test_bastion_has_a_subnet_under_its_own_name_and_only_where_it_is_used() -> None:
    assert "bastion" not in by_role(environment(service()))
    bastion = by_role(WITH_BASTION)["bastion"]
    assert (bastion.name, bastion.nat, bastion.security_group) == ("AzureBastionSubnet", False, None)


def test_everything_else_is_guarded_and_leaves_by_the_nat_gateway() -> None:
    for role, subnet in by_role(WITH_BASTION).items():
        assert role == "bastion" or (subnet.nat and subnet.security_group), role


def test_only_the_pods_subnet_is_delegated() -> None:
    delegated = {role: subnet.delegated_to for role, subnet in by_role(WITH_BASTION).items() if subnet.delegated_to}
    assert delegated == {"cluster-pods": MANAGED_CLUSTERS}


def test_machines_reach_the_vault_and_the_cluster_does_not() -> None:
    assert {role for role, subnet in by_role(WITH_BASTION).items() if KEY_VAULT in subnet.service_endpoints} == {
        "servers",
        "clients",
        "runner",
    }


def test_several_servers_have_the_names_that_are_dialled() -> None:
    mesh = environment(service(), platform=replace(COMMUNITY, servers=3))
    server_names = virtual_network(mesh).server_names
    assert server_names is not None
    assert {f"{name}.{server_names.zone}" for name in server_names.names} == {consul_host(mesh), nomad_host(mesh)}
    assert server_names.zone == names.dns_zone(mesh)
    assert [str(address) for address in server_names.addresses] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]


def test_one_server_needs_no_name() -> None:
    assert virtual_network(environment(service())).server_names is None
