"""Jobs of gateways: ports, networks, runtime expressions."""

from dataclasses import replace
from typing import Any

import pytest

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.model import ApiGateway, Listener, Nomad, Partition, Platform
from mesh.nomad.gateways import api_gateway_jobs, mesh_gateway_jobs
from mesh.nomad.jobs import jobs
from tests.unit.examples import COMMUNITY, ENTERPRISE, caller, environment, service


def mesh_group(platform: Platform) -> Any:
    (job,) = mesh_gateway_jobs(environment(platform=platform))
    return job.api_json()["TaskGroups"][0]


def api_group(*listeners: Listener, platform: Platform = COMMUNITY, **changes: Any) -> Any:
    gateway = replace(ApiGateway("gw", listeners=listeners or [Listener(5000, "http", to="web")]), **changes)
    (job,) = api_gateway_jobs(environment(service(), caller(), gateways=[gateway], platform=platform))
    return job.api_json()["TaskGroups"][0]


def task(group: Any, name: str) -> Any:
    return next(task for task in group["Tasks"] if task["Name"] == name)


def test_all_jobs_in_order() -> None:
    assert [job.id for job in jobs(DEMO)] == ["mesh-gateway", "api-v1", "api-v2"]
    assert [job.id for job in jobs(COMMUNITY_DEMO)] == ["api-v1", "api-v2", "api-gateway"]


def test_mesh_gateway_in_full() -> None:
    assert mesh_group(ENTERPRISE) == {
        "Name": "mesh-gateway",
        "Count": 1,
        "Networks": [{"Mode": "bridge", "ReservedPorts": [{"Label": "mesh_wan", "Value": 8443, "To": 8443}]}],
        "RestartPolicy": {
            "Attempts": 3,
            "Interval": 300_000_000_000,
            "Delay": 15_000_000_000,
            "Mode": "delay",
        },
        "ReschedulePolicy": {
            "Delay": 30_000_000_000,
            "DelayFunction": "exponential",
            "MaxDelay": 600_000_000_000,
            "Unlimited": True,
        },
        "ShutdownDelay": 10_000_000_000,
        "Services": [
            {
                "Name": "mesh-gateway",
                "PortLabel": "mesh_wan",
                "Checks": [
                    {
                        "Name": "mesh-gateway-mesh_wan",
                        "Type": "tcp",
                        "PortLabel": "mesh_wan",
                        "Interval": 10_000_000_000,
                        "Timeout": 3_000_000_000,
                    }
                ],
                "Connect": {
                    "Gateway": {"Mesh": {}},
                    "SidecarTask": {
                        "Resources": {"CPU": 200, "MemoryMB": 128},
                        "ShutdownDelay": 5_000_000_000,
                    },
                },
            }
        ],
    }


def test_the_mesh_gateways_port_is_the_declared_one_on_both_sides() -> None:
    group = mesh_group(replace(ENTERPRISE, topology=Partition("k8s", gateway_port=9443)))
    assert group["Networks"][0]["ReservedPorts"] == [{"Label": "mesh_wan", "Value": 9443, "To": 9443}]


def test_a_flat_network_has_no_mesh_gateway() -> None:
    assert mesh_gateway_jobs(environment()) == ()


@pytest.mark.parametrize(("clients", "count"), [(1, 1), (2, 2), (3, 3), (50, 3)])
def test_one_mesh_gateway_for_each_client_up_to_three(clients: int, count: int) -> None:
    group = mesh_group(replace(ENTERPRISE, clients=clients))
    assert group["Count"] == count
    assert group.get("Constraints") == ([{"Operand": "distinct_hosts"}] if count > 1 else None)


def test_gateways_are_updated_in_place() -> None:
    for job in (*mesh_gateway_jobs(DEMO), *api_gateway_jobs(COMMUNITY_DEMO)):
        assert "Canary" not in job.api_json()["Update"]


def test_an_api_gateway_is_in_the_hosts_network_and_so_are_its_containers() -> None:
    group = api_group()
    assert group["Networks"] == [
        {
            "Mode": "host",
            "ReservedPorts": [{"Label": "listener_5000", "Value": 5000}],
            "DynamicPorts": [{"Label": "admin"}],
        }
    ]
    assert [task["Config"]["network_mode"] for task in group["Tasks"]] == ["host", "host"]


def test_nomad_registers_the_api_gateway_and_checks_every_port() -> None:
    group = api_group(
        Listener(5000, "http", to="web", hosts=["a.io"]),
        Listener(5000, "http", to="api", hosts=["b.io"]),
        Listener(5001, "tcp", to="db"),
    )
    (registration,) = group["Services"]
    assert (registration["Name"], registration["Kind"]) == ("gw", "api-gateway")
    assert registration["PortLabel"] == "listener_5000"
    assert "Connect" not in registration
    assert [check["PortLabel"] for check in registration["Checks"]] == ["listener_5000", "listener_5001"]
    assert {check["Type"] for check in registration["Checks"]} == {"tcp"}
    assert [port["Value"] for port in group["Networks"][0]["ReservedPorts"]] == [5000, 5001]


def test_the_bootstrap_is_asked_of_the_nodes_own_agent_for_this_registration() -> None:
    setup = task(api_group(), "setup")
    assert setup["Lifecycle"] == {"Hook": "prestart", "Sidecar": False}
    assert setup["Env"] == {"CONSUL_HTTP_ADDR": "http://127.0.0.1:8500", "CONSUL_GRPC_ADDR": "127.0.0.1:8502"}
    assert setup["Config"]["image"] == "hashicorp/consul:1.22.7"
    assert setup["Config"]["command"] == "/bin/sh"
    script = (
        "until consul connect envoy -gateway api -service gw"
        " -proxy-id _nomad-task-${NOMAD_ALLOC_ID}-group-gw-gw-listener_5000"
        " -admin-bind 127.0.0.1:${NOMAD_PORT_admin} -bootstrap > ${NOMAD_ALLOC_DIR}/envoy_bootstrap.json;"
        " do sleep 1; done"
    )
    assert setup["Config"]["args"] == ["-c", script]


def test_envoy_starts_from_that_bootstrap() -> None:
    envoy = task(api_group(runs_on=Nomad(cpu=500, memory=256)), "envoy")
    assert envoy["Config"] == {
        "image": "envoyproxy/envoy:v1.35.9",
        "network_mode": "host",
        "args": [
            "--config-path",
            "${NOMAD_ALLOC_DIR}/envoy_bootstrap.json",
            "--log-level",
            "${meta.connect.log_level}",
            "--concurrency",
            "${meta.connect.proxy_concurrency}",
            "--disable-hot-restart",
        ],
    }
    assert envoy["Resources"] == {"CPU": 500, "MemoryMB": 256}


@pytest.mark.parametrize(("port", "env"), [(443, {"ENVOY_UID": "0"}), (1024, None)])
def test_only_a_privileged_port_needs_root(port: int, env: dict[str, str] | None) -> None:
    assert task(api_group(Listener(port, "http", to="web")), "envoy").get("Env") == env


def test_the_image_is_of_the_edition() -> None:
    assert task(api_group(platform=ENTERPRISE), "setup")["Config"]["image"] == "hashicorp/consul-enterprise:1.22.7-ent"


def test_tasks_have_a_consul_token_where_there_are_acls() -> None:
    (secured,) = api_gateway_jobs(PRODUCTION)
    assert secured.api_json()["TaskGroups"][0]["Consul"] == {}
    assert "Consul" not in api_group()


def test_a_gateway_without_listeners_is_left_to_the_judge() -> None:
    assert api_gateway_jobs(environment(gateways=[ApiGateway("gw", listeners=[])])) == ()


def test_several_instances_are_on_several_clients() -> None:
    assert "Constraints" not in api_group()
    group = api_group(runs_on=Nomad(count=2))
    assert group["Count"] == 2
    assert group["Constraints"] == [{"Operand": "distinct_hosts"}]
