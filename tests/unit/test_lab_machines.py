"""The machines of a lab, and that their agents are told what production's are, but for what is listed here."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

import pytest

from mesh.consul import agent as consul
from mesh.lab.init import HERE
from mesh.lab.machines import CONSUL, NOMAD, Machine, Tools, machines, of_cluster, with_clients
from mesh.model import Community, Environment, Flat, NetworkPlan, Peering, Platform
from mesh.nomad import agent as nomad
from mesh.shapes import JsonObject
from tests.unit.examples import environment, service
from tests.unit.test_nomad_swaps import differences

LOCAL: Final = environment(service(), platform=Platform(edition=Community(), topology=Flat(), azure=None))

TOOLS: Final = Tools(cni="/opt/cni/bin", envoy="/bin/envoy", python="/bin/python3", echo="/lab/echo.py")

DATA: Final = "data_dir"
"""Where data lies: in the machine's folder."""

RUNS: Final = frozenset(
    {"client.cni_path", "client.network_interface", "client.options", "client.meta", "plugin.raw_exec"}
)
"""What Nomad may run, how it finds the network and CNI's plugins, and where a job finds its programs."""

QUICK: Final = {CONSUL: "performance", NOMAD: "server.raft_multiplier"}
"""A single server need not give others the time to answer."""

AS_CLIENT: Final = frozenset({"client.enabled", "client.server_join", "consul.grpc_address", "plugin"})
"""What a client of Nomad has and a server has not."""


def lab(clients: int, mesh: Environment = LOCAL) -> tuple[Machine, ...]:
    return machines(with_clients(mesh, clients), clients, TOOLS)


def test_without_clients_one_machine_is_everything() -> None:
    (machine,) = lab(0)
    assert (machine.name, machine.address) == ("mesh-test-server-0", IPv4Address("10.0.0.4"))
    assert (machine.server, machine.client) == (True, True)


def test_with_clients_each_machine_has_one_role_and_servers_come_first() -> None:
    found = [(machine.name, str(machine.address), machine.server, machine.client) for machine in lab(2)]
    assert found == [
        ("mesh-test-server-0", "10.0.0.4", True, False),
        ("mesh-test-client-0", "10.0.1.4", False, True),
        ("mesh-test-client-1", "10.0.1.5", False, True),
    ]


def test_names_and_addresses_follow_the_declaration() -> None:
    network = NetworkPlan(
        virtual_network=IPv4Network("10.9.0.0/16"),
        servers=IPv4Network("10.9.0.0/26"),
        clients=IPv4Network("10.9.1.0/24"),
    )
    mesh = replace(LOCAL, name="own", project="shop", platform=replace(LOCAL.platform, network=network))
    assert [(machine.name, str(machine.address)) for machine in lab(1, mesh)] == [
        ("shop-own-server-0", "10.9.0.4"),
        ("shop-own-client-0", "10.9.1.4"),
    ]


@pytest.mark.parametrize(("clients", "expected"), [(0, 1), (1, 1), (2, 2)])
def test_without_client_machines_there_is_still_one_client(clients: int, expected: int) -> None:
    changed = with_clients(LOCAL, clients)
    assert changed.platform.clients == expected
    assert replace(changed, platform=replace(changed.platform, clients=LOCAL.platform.clients)) == LOCAL


def changes(before: JsonObject, after: JsonObject) -> set[str]:
    return set(differences(before, after))


def test_a_server_is_told_what_productions_is() -> None:
    server, *_ = lab(2)
    mesh = with_clients(LOCAL, 2)
    assert changes(consul.server_config(mesh, 0), server.configurations[CONSUL]) == {DATA, QUICK[CONSUL]}
    assert changes(nomad.server_config(mesh, 0), server.configurations[NOMAD]) == {DATA, QUICK[NOMAD]}


def test_each_client_is_told_what_productions_is() -> None:
    _, *clients = lab(2)
    mesh = with_clients(LOCAL, 2)
    for index, client in enumerate(clients):
        assert changes(consul.client_config(mesh, index), client.configurations[CONSUL]) == {DATA}
        assert changes(nomad.client_config(mesh, index), client.configurations[NOMAD]) == {DATA, *RUNS}


def test_a_server_that_is_its_own_client_is_told_what_both_of_productions_are() -> None:
    (machine,) = lab(0)
    mesh = with_clients(LOCAL, 0)
    assert changes(consul.server_config(mesh, 0), machine.configurations[CONSUL]) == {DATA, QUICK[CONSUL]}
    client, told = nomad.client_config(mesh, 0), machine.configurations[NOMAD]
    as_client = AS_CLIENT | RUNS - {"plugin.raw_exec"}
    assert changes(nomad.server_config(mesh, 0), told) == {DATA, QUICK[NOMAD], *as_client}
    blocks = {path.partition(".")[0] for path in as_client}
    assert changes({block: client[block] for block in blocks}, {block: told[block] for block in blocks}) == RUNS


def test_what_is_changed_is_what_a_lab_has_to_have() -> None:
    (both,) = lab(0)
    server, client, _ = lab(2)
    for machine in (both, server, client):
        for agent in (CONSUL, NOMAD):
            assert machine.configurations[agent][DATA] == str(HERE / agent)
    for machine in (both, server):
        assert machine.configurations[CONSUL]["performance"] == {"raft_multiplier": 1}
        assert machine.configurations[NOMAD]["server"]["raft_multiplier"] == 1
        assert machine.configurations[NOMAD]["server"]["enabled"] is True
    for machine in (both, client):
        told: Any = machine.configurations[NOMAD]
        assert told["client"]["enabled"] is True
        assert (told["client"]["cni_path"], told["client"]["network_interface"]) == (TOOLS.cni, "eth0")
        assert told["client"]["options"]["driver.allowlist"] == "raw_exec"
        assert told["plugin"]["raw_exec"] == {"config": {"enabled": True}}


def test_agents_call_themselves_by_the_names_of_their_machines() -> None:
    for machine in (*lab(0), *lab(2)):
        assert machine.configurations[CONSUL]["node_name"] == machine.configurations[NOMAD]["name"] == machine.name
        assert machine.configurations[CONSUL]["advertise_addr"] == str(machine.address)
        assert set(machine.configurations[NOMAD]["advertise"].values()) == {str(machine.address)}


def test_making_machines_changes_nothing_that_the_next_ones_are_made_of() -> None:
    assert lab(0) == lab(0)
    assert lab(2) == lab(2)


def test_a_peered_cluster_is_next_to_ours_and_both_listen_for_each_other() -> None:
    peered = replace(LOCAL, platform=replace(LOCAL.platform, topology=Peering("dc2")))
    [ours] = lab(0, peered)
    [theirs] = lab(0, of_cluster(peered, "dc2"))
    assert [(each.name, str(each.address)) for each in (ours, theirs)] == [
        ("mesh-test-server-0", "10.0.0.4"),
        ("mesh-test-dc2-server-0", "10.1.0.4"),
    ]
    assert [each.configurations[CONSUL]["datacenter"] for each in (ours, theirs)] == ["dc1", "dc2"]
    assert [each.configurations[NOMAD]["datacenter"] for each in (ours, theirs)] == ["dc1", "dc2"]
    assert theirs.configurations[CONSUL]["retry_join"] == ["10.1.0.4"]
    for each in (ours, theirs):
        assert each.configurations[CONSUL]["ports"]["grpc_tls"] == 8503
        assert each.configurations[CONSUL]["addresses"]["grpc_tls"] == "0.0.0.0"


def test_our_own_cluster_is_the_declaration_itself() -> None:
    assert of_cluster(LOCAL, None) is LOCAL
