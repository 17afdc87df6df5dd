"""Virtual machines: which there are, where they stand, what they carry."""

import base64
from dataclasses import replace

from mesh.azure.machines import machines
from mesh.azure.network import subnets
from mesh.boot import cloud_init
from mesh.model import Azure, Machine
from tests.unit.examples import COMMUNITY, environment, service

ZONED = replace(COMMUNITY, servers=5, clients=2, azure=Azure(region="koreacentral", zones=["1", "3"]))


def test_servers_come_first_each_at_its_address() -> None:
    found = machines(environment(service(), platform=replace(COMMUNITY, servers=3, clients=2)))
    assert [(machine.id, machine.name, str(machine.address)) for machine in found] == [
        ("server-0", "mesh-test-server-0", "10.0.0.4"),
        ("server-1", "mesh-test-server-1", "10.0.0.5"),
        ("server-2", "mesh-test-server-2", "10.0.0.6"),
        ("client-0", "mesh-test-client-0", "10.0.1.4"),
        ("client-1", "mesh-test-client-1", "10.0.1.5"),
    ]


def test_every_address_is_in_the_machines_subnet() -> None:
    mesh = environment(service(), platform=ZONED)
    ranges = {subnet.role: subnet.range for subnet in subnets(mesh)}
    assert all(machine.address in ranges[machine.subnet] for machine in machines(mesh))


def test_machines_go_round_the_zones_in_use() -> None:
    found = machines(environment(service(), platform=ZONED))
    assert [machine.zone for machine in found] == ["1", "3", "1", "3", "1", "1", "3"]


def test_without_zones_a_machine_is_in_none() -> None:
    assert {machine.zone for machine in machines(environment(service()))} == {None}


def test_each_role_has_its_own_kind_of_machine() -> None:
    platform = replace(
        COMMUNITY,
        server_machine=Machine(size="Standard_B2ms", os_disk_gb=40, data_disk_gb=10),
        client_machine=Machine(size="Standard_D8s_v5", os_disk_gb=80),
    )
    found = machines(environment(service(), platform=platform))
    assert [(machine.size, machine.os_disk_gb, machine.data_disk_gb) for machine in found] == [
        ("Standard_B2ms", 40, 10),
        ("Standard_D8s_v5", 80, 0),
    ]


def test_protection_keeps_the_data() -> None:
    protected = replace(COMMUNITY, azure=replace(COMMUNITY.cloud, protect=True))
    assert [machine.keep_data for machine in machines(environment(service(), platform=protected))] == [True, True]
    assert [machine.keep_data for machine in machines(environment(service()))] == [False, False]


def test_each_boots_with_its_own_user_data() -> None:
    mesh = environment(service(), platform=ZONED)
    found = machines(mesh)
    assert len({machine.config_hash for machine in found}) == len(found)
    for machine in found:
        index = int(machine.id.rpartition("-")[2])
        assert base64.b64decode(machine.custom_data).decode() == cloud_init.user_data(mesh, machine.role, index).text
