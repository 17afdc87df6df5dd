"""The infra stack alone: order, firewall, identities, machines, cluster."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from cdktf import TerraformResource

from mesh import names
from mesh.azure.firewall import rules
from mesh.azure.vault import secrets
from mesh.boot.cloud_init import DATA_LUN
from mesh.model import Environment
from mesh.project import load
from stacks.application import compose
from tests.declared import ON_AZURE, ROOT
from tests.output import unescaped

OPERATORS = IPv4Network("198.51.100.0/24")


@dataclass(frozen=True)
class Infra:
    """The synthesized stack.

    Attributes:
        environment: The declaration.
        content: Parsed JSON.
        elements: Number of resources in the construct tree.
    """

    environment: Environment
    content: dict[str, Any]
    elements: int

    def __getitem__(self, kind: str) -> dict[str, Any]:
        """Resources of one type (without ``azurerm_``) by name."""
        return dict(self.content["resource"].get(f"azurerm_{kind}", {}))

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of a type."""
        (resource,) = self[kind].values()
        return dict(resource)

    def addresses(self, kind: str, **arguments: object) -> set[str]:
        """Addresses of the resources of a type that have the given arguments."""
        return {
            f"azurerm_{kind}.{name}"
            for name, resource in self[kind].items()
            if all(resource.get(argument) == value for argument, value in arguments.items())
        }

    def machines(self, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """VMs of a role by name."""
        return ((name, vm) for name, vm in self["linux_virtual_machine"].items() if name.startswith(f"{role}-"))

    def subnet_id(self, vm: dict[str, Any]) -> str:
        """Id of the subnet of a VM."""
        (interface_id,) = vm["network_interface_ids"]
        (configuration,) = self["network_interface"][named(interface_id)]["ip_configuration"]
        return str(configuration["subnet_id"])

    def ready(self, subnet_id: str) -> set[str]:
        """Addresses of what makes a subnet ready."""
        firewall = self.addresses("subnet_network_security_group_association", subnet_id=subnet_id)
        way_out = self.addresses("subnet_nat_gateway_association", subnet_id=subnet_id)
        assert len(firewall) == len(way_out) == 1
        return firewall | way_out


def named(reference: str) -> str:
    """Name of the resource that a reference means."""
    found = re.fullmatch(r"\$\{azurerm_\w+\.([\w-]+)\.\w+\}", reference)
    assert found, reference
    return found[1]


def synthesize(environment: Environment, outdir: Path) -> Infra:
    app = compose(environment, outdir=outdir, stacks=("infra",))
    elements = sum(isinstance(node, TerraformResource) for node in app.node.find_all())
    app.synth()
    return Infra(environment, json.loads((outdir / "stacks" / "infra" / "cdk.tf.json").read_text()), elements)


@pytest.fixture(scope="module", params=ON_AZURE)
def infra(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """The stack of each environment of the project."""
    return synthesize(load(request.param, ROOT), tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """The stack of ``production``, opened to operators."""
    environment = load("production", ROOT)
    azure = replace(environment.platform.cloud, operator_networks=[OPERATORS])
    platform = replace(environment.platform, azure=azure)
    return synthesize(replace(environment, platform=platform), tmp_path_factory.mktemp("production"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """The stack of ``demo``."""
    return synthesize(load("demo", ROOT), tmp_path_factory.mktemp("demo"))


class TestOrder:
    def test_machines_boot_behind_their_firewall_with_a_way_out_and_their_rights(self, infra: Infra) -> None:
        platform = infra.environment.platform
        assert len(infra["linux_virtual_machine"]) == platform.servers + platform.clients
        for name, vm in infra["linux_virtual_machine"].items():
            (identity,) = vm["identity"]["identity_ids"]
            principal = f"${{azurerm_user_assigned_identity.{named(identity)}.principal_id}}"
            rights = infra.addresses("role_assignment", principal_id=principal)
            assert rights, name
            assert infra.ready(infra.subnet_id(vm)) | rights <= set(vm["depends_on"]), name

    def test_the_cluster_starts_in_ready_subnets_that_it_may_use(self, infra: Infra) -> None:
        cluster = infra.one("kubernetes_cluster")
        pool = cluster["default_node_pool"]
        for subnet_id in (pool["vnet_subnet_id"], pool["pod_subnet_id"]):
            rights = infra.addresses("role_assignment", scope=subnet_id, role_definition_name="Network Contributor")
            assert rights
            assert infra.ready(subnet_id) | rights <= set(cluster["depends_on"])

    def test_clients_wait_for_every_server_and_servers_for_none(self, infra: Infra) -> None:
        gates = {
            address
            for name, _ in infra.machines("server")
            for address in infra.addresses("virtual_machine_run_command", virtual_machine_id=vm_id(name))
        }
        assert len(gates) == infra.environment.platform.servers
        for name, vm in infra.machines("client"):
            assert gates <= set(vm["depends_on"]), name
        for name, vm in infra.machines("server"):
            assert not [address for address in vm["depends_on"] if "run_command" in address], name

    def test_every_machine_has_a_gate_that_waits_for_its_disk(self, infra: Infra) -> None:
        for name in infra["linux_virtual_machine"]:
            (gate,) = infra.addresses("virtual_machine_run_command", virtual_machine_id=vm_id(name))
            disks = infra.addresses("virtual_machine_data_disk_attachment", virtual_machine_id=vm_id(name))
            waits_for = set(infra["virtual_machine_run_command"][gate.partition(".")[2]].get("depends_on", ()))
            assert disks == waits_for, name

    def test_gates_say_what_is_wrong_before_azure_gives_them_up(self, infra: Infra) -> None:
        for gate in infra["virtual_machine_run_command"].values():
            script = unescaped(gate["source"]["script"])
            tries, interval = (re.findall(rf"{name}:=(\d+)", script)[0] for name in ("GATE_TRIES", "GATE_INTERVAL"))
            for limit in ("create", "update"):
                assert int(tries) * int(interval) < int(gate["timeouts"][limit].removesuffix("m")) * 60

    def test_servers_keep_their_data_on_a_disk_of_its_own(self, infra: Infra) -> None:
        for name, _ in infra.machines("server"):
            assert infra.addresses("virtual_machine_data_disk_attachment", virtual_machine_id=vm_id(name), lun=DATA_LUN)

    def test_whoever_finds_a_firewall_finds_all_its_rules(self, infra: Infra) -> None:
        for association in infra["subnet_network_security_group_association"].values():
            group = f"${{azurerm_network_security_group.{named(association['network_security_group_id'])}.name}}"
            own = infra.addresses("network_security_rule", network_security_group_name=group)
            assert own == set(association["depends_on"])

    def test_the_way_out_has_an_address_before_a_subnet_uses_it(self, infra: Infra) -> None:
        address = infra.addresses("nat_gateway_public_ip_association")
        assert len(address) == 1
        for association in infra["subnet_nat_gateway_association"].values():
            assert set(association["depends_on"]) == address


class TestNetwork:
    def test_every_subnet_but_bastions_is_guarded_and_has_a_way_out(self, infra: Infra) -> None:
        for name, subnet in infra["subnet"].items():
            if subnet["name"] != "AzureBastionSubnet":
                assert infra.ready(f"${{azurerm_subnet.{name}.id}}")

    def test_no_security_group_is_left_unused(self, infra: Infra) -> None:
        used = {
            named(association["network_security_group_id"])
            for association in infra["subnet_network_security_group_association"].values()
        }
        assert used == set(infra["network_security_group"])

    def test_the_firewall_is_the_port_matrix(self, infra: Infra) -> None:
        written = sorted(
            (
                infra["network_security_group"][named(rule["network_security_group_name"])]["name"],
                rule["priority"],
                rule["name"],
                rule["protocol"],
                rule["access"],
                rule.get("source_address_prefixes", rule.get("source_address_prefix")),
                rule.get("destination_port_ranges", rule.get("destination_port_range")),
            )
            for rule in infra["network_security_rule"].values()
        )
        meant = sorted(
            (
                names.security_group(infra.environment, rule.destination),
                rule.priority,
                rule.name,
                rule.protocol,
                rule.access,
                [str(source) for source in rule.source_ranges] or rule.tag,
                list(rule.port_texts) or "*",
            )
            for rule in rules(infra.environment)
        )
        assert written == meant

    def test_rules_match_every_source_port_and_come_in(self, infra: Infra) -> None:
        for rule in infra["network_security_rule"].values():
            assert (rule["source_port_range"], rule["direction"]) == ("*", "Inbound")

    def test_machines_have_their_declared_address_and_no_public_one(self, infra: Infra) -> None:
        platform = infra.environment.platform
        for role, addresses in (("server", platform.server_addresses), ("client", platform.client_addresses)):
            for index, address in enumerate(addresses):
                (interface_id,) = infra["linux_virtual_machine"][f"{role}-{index}"]["network_interface_ids"]
                (configuration,) = infra["network_interface"][named(interface_id)]["ip_configuration"]
                assert configuration["private_ip_address"] == str(address)
                assert configuration["private_ip_address_allocation"] == "Static"
                assert "public_ip_address_id" not in configuration

    def test_only_several_servers_get_a_name(self, production: Infra, demo: Infra) -> None:
        assert {record["name"]: record["records"] for record in production["private_dns_a_record"].values()} == {
            "consul": ["10.0.0.4", "10.0.0.5", "10.0.0.6"],
            "nomad": ["10.0.0.4", "10.0.0.5", "10.0.0.6"],
        }
        assert production["private_dns_zone_virtual_network_link"]
        assert demo["private_dns_zone"] == {}

    def test_bastion_is_made_where_it_is_wanted(self, production: Infra, demo: Infra) -> None:
        assert production.one("bastion_host")["tunneling_enabled"]
        assert demo["bastion_host"] == {}


class TestVault:
    def test_each_identity_reads_its_own_secrets_one_by_one(self, infra: Infra) -> None:
        granted = {
            (assignment["scope"].rpartition("/")[2], named(assignment["principal_id"]))
            for assignment in infra["role_assignment"].values()
            if assignment["role_definition_name"] == "Key Vault Secrets User"
        }
        identities = {
            role: named(vm["identity"]["identity_ids"][0])
            for role in ("server", "client")
            for _, vm in infra.machines(role)
        }
        meant = {
            (secret.name, identity)
            for secret in secrets(infra.environment)
            for role, identity in identities.items()
            if role in secret.readers
        }
        assert granted == meant
        assert len(set(identities.values())) == 2

    def test_nobody_but_who_deploys_may_read_the_whole_vault(self, infra: Infra) -> None:
        whole = [
            assignment
            for assignment in infra["role_assignment"].values()
            if assignment["scope"] == "${azurerm_key_vault.vault.id}"
        ]
        assert [assignment["principal_id"] for assignment in whole] == [
            "${data.azurerm_client_config.deployer.object_id}"
        ]

    def test_the_vault_is_closed_to_the_outside(self, infra: Infra) -> None:
        acls = infra.one("key_vault")["network_acls"]
        assert acls["default_action"] == "Deny"
        assert acls["ip_rules"] == [str(network) for network in infra.environment.platform.cloud.operator_networks]
        assert {named(subnet) for subnet in acls["virtual_network_subnet_ids"]} == {"servers", "clients", "runner"}

    def test_operators_are_let_in(self, production: Infra) -> None:
        assert production.one("key_vault")["network_acls"]["ip_rules"] == [str(OPERATORS)]

    def test_protection_is_an_option(self, production: Infra, demo: Infra) -> None:
        assert production.one("key_vault")["purge_protection_enabled"] is True
        assert demo.one("key_vault")["purge_protection_enabled"] is False
        assert all(disk["lifecycle"]["prevent_destroy"] for disk in production["managed_disk"].values())
        assert not any("lifecycle" in disk for disk in demo["managed_disk"].values())


class TestMachines:
    def test_a_new_configuration_replaces_no_machine_but_shows(self, infra: Infra) -> None:
        for name, vm in infra["linux_virtual_machine"].items():
            assert vm["lifecycle"]["ignore_changes"] == ["custom_data", "source_image_reference", "admin_ssh_key"], name
            assert vm["tags"]["config-hash"] in base64.b64decode(vm["custom_data"]).decode(), name

    def test_people_log_in_with_a_key_that_the_stack_does_not_know(self, infra: Infra) -> None:
        assert "default" not in infra.content["variable"]["admin_ssh_public_key"]
        for vm in infra["linux_virtual_machine"].values():
            (key,) = vm["admin_ssh_key"]
            assert (key["username"], key["public_key"]) == (vm["admin_username"], "${var.admin_ssh_public_key}")
            assert vm["disable_password_authentication"]

    def test_machines_and_their_disks_share_a_zone(self, production: Infra) -> None:
        zones = [vm["zone"] for _, vm in production.machines("server")]
        assert zones == ["1", "2", "3"]
        for attachment in production["virtual_machine_data_disk_attachment"].values():
            vm = production["linux_virtual_machine"][named(attachment["virtual_machine_id"])]
            assert production["managed_disk"][named(attachment["managed_disk_id"])]["zone"] == vm["zone"]

    def test_without_zones_none_is_named(self, demo: Infra) -> None:
        for kind in ("linux_virtual_machine", "managed_disk", "nat_gateway", "public_ip"):
            for resource in demo[kind].values():
                assert not {"zone", "zones"} & resource.keys(), kind


class TestCluster:
    def test_it_has_no_accounts_of_its_own(self, infra: Infra) -> None:
        cluster = infra.one("kubernetes_cluster")
        assert cluster["local_account_disabled"]
        assert cluster["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"]

    def test_who_deploys_may_use_it(self, infra: Infra) -> None:
        (assignment,) = [
            assignment
            for assignment in infra["role_assignment"].values()
            if assignment["scope"] == "${azurerm_kubernetes_cluster.cluster.id}"
        ]
        assert assignment["principal_id"] == "${data.azurerm_client_config.deployer.object_id}"

    def test_what_aks_changes_by_itself_is_no_difference(self, infra: Infra) -> None:
        cluster = infra.one("kubernetes_cluster")
        assert cluster["default_node_pool"]["upgrade_settings"]["max_surge"]
        assert cluster["lifecycle"]["ignore_changes"] == ["kubernetes_version"]
        (condition,) = cluster["lifecycle"]["postcondition"]
        assert f'"{infra.environment.platform.cluster.version}."' in condition["condition"]

    def test_its_services_have_addresses_of_the_plan(self, infra: Infra) -> None:
        profile = infra.one("kubernetes_cluster")["network_profile"]
        services = infra.environment.platform.network.cluster_services
        assert (profile["service_cidr"], profile["dns_service_ip"]) == (str(services), str(services[10]))
        assert profile["outbound_type"] == "userAssignedNATGateway"

    def test_an_api_server_that_is_closed_still_hears_nodes_and_servers(self, production: Infra) -> None:
        ranges = production.one("kubernetes_cluster")["api_server_access_profile"]["authorized_ip_ranges"]
        (address,) = [
            named(association["public_ip_address_id"])
            for association in production["nat_gateway_public_ip_association"].values()
        ]
        assert ranges == [f"${{azurerm_public_ip.{address}.ip_address}}/32", str(OPERATORS)]

    def test_without_operator_networks_its_api_server_is_not_limited(self, demo: Infra) -> None:
        assert "api_server_access_profile" not in demo.one("kubernetes_cluster")


class TestStack:
    def test_no_resource_vanishes(self, infra: Infra) -> None:
        assert sum(len(named_) for named_ in infra.content["resource"].values()) == infra.elements

    def test_it_holds_no_path_of_this_machine(self, infra: Infra) -> None:
        assert str(ROOT) not in json.dumps(infra.content)

    def test_outputs_keep_their_names_and_tell_no_secret(self, infra: Infra) -> None:
        outputs = infra.content["output"]
        assert set(outputs) == {"resource_group", "vault_name", "vault_uri", "server_addresses", "cluster_name"}
        assert not any(output.get("sensitive") for output in outputs.values())

    def test_nothing_is_destroyed_for_good(self, infra: Infra) -> None:
        (provider,) = infra.content["provider"]["azurerm"]
        (features,) = provider["features"]
        assert features["key_vault"][0]["purge_soft_delete_on_destroy"] is False
        assert features["resource_group"][0]["prevent_deletion_if_contains_resources"] is True

    def test_names_that_the_next_provider_version_removes_are_not_used(self, infra: Infra) -> None:
        text = json.dumps(infra.content)
        for name in ("enable_rbac_authorization", "storage_account_name", '"security_rule"', '"access_policy"'):
            assert name not in text


def vm_id(name: str) -> str:
    """Reference to a VM's id."""
    return f"${{azurerm_linux_virtual_machine.{name}.id}}"
