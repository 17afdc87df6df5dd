"""Jobs of services: what is in them, and that everything in them agrees."""

from typing import Any

import pytest

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.model import Environment, Health, Kubernetes, Nomad, Upstream, Version
from mesh.nomad.services import service_jobs
from tests.unit.examples import ENTERPRISE, caller, environment, service, versioned

API_V1 = {
    "ID": "api-v1",
    "Name": "api-v1",
    "Type": "service",
    "Datacenters": ["dc1"],
    "Update": {
        "MaxParallel": 1,
        "HealthCheck": "checks",
        "MinHealthyTime": 10_000_000_000,
        "HealthyDeadline": 180_000_000_000,
        "ProgressDeadline": 300_000_000_000,
        "Canary": 1,
        "AutoRevert": True,
        "AutoPromote": True,
    },
    "TaskGroups": [
        {
            "Name": "api-v1",
            "Count": 1,
            "Networks": [{"Mode": "bridge"}],
            "ShutdownDelay": 10_000_000_000,
            "RestartPolicy": {"Interval": 1_800_000_000_000, "Attempts": 2, "Delay": 15_000_000_000, "Mode": "fail"},
            "ReschedulePolicy": {
                "Delay": 30_000_000_000,
                "DelayFunction": "exponential",
                "MaxDelay": 3_600_000_000_000,
                "Unlimited": True,
            },
            "Services": [
                {
                    "Name": "api",
                    "PortLabel": "9091",
                    "Tags": ["v1"],
                    "Meta": {"version": "v1"},
                    "Checks": [
                        {
                            "Name": "api-health",
                            "Type": "http",
                            "Path": "/health",
                            "Expose": True,
                            "Interval": 10_000_000_000,
                            "Timeout": 3_000_000_000,
                            "CheckRestart": {"Limit": 3, "Grace": 30_000_000_000},
                        }
                    ],
                    "Connect": {
                        "SidecarService": {"Proxy": {"LocalServicePort": 9091}},
                        "SidecarTask": {"Resources": {"CPU": 100, "MemoryMB": 96}},
                    },
                }
            ],
            "Tasks": [
                {
                    "Name": "api",
                    "Driver": "docker",
                    "Config": {"image": "nicholasjackson/fake-service:v0.26.2"},
                    "Env": {
                        "LISTEN_ADDR": "127.0.0.1:9091",
                        "NAME": "api-v1",
                        "MESSAGE": "Response from API v1",
                    },
                    "Resources": {"CPU": 100, "MemoryMB": 64},
                    "KillTimeout": 10_000_000_000,
                }
            ],
        }
    ],
}


def bodies(mesh: Environment) -> dict[str, Any]:
    return {job.id: job.api_json() for job in service_jobs(mesh)}


def group_of(mesh: Environment, job: str) -> Any:
    return bodies(mesh)[job]["TaskGroups"][0]


def keys(value: Any) -> set[str]:
    """Every key in a JSON value."""
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in keys(item)}
    return {key for item in value for key in keys(item)} if isinstance(value, list) else set()


@pytest.mark.parametrize("mesh", [DEMO, COMMUNITY_DEMO, PRODUCTION], ids=lambda mesh: mesh.name)
def test_api_v1_in_full(mesh: Environment) -> None:
    assert bodies(mesh)["api-v1"] == API_V1


def test_versions_differ_wherever_they_must() -> None:
    first, second = bodies(DEMO).values()
    assert (first["ID"], second["ID"]) == ("api-v1", "api-v2")
    one, two = first["TaskGroups"][0], second["TaskGroups"][0]
    assert (one["Name"], two["Name"]) == ("api-v1", "api-v2")
    assert (one["Services"][0]["Tags"], two["Services"][0]["Tags"]) == (["v1"], ["v2"])
    assert (one["Services"][0]["Meta"], two["Services"][0]["Meta"]) == ({"version": "v1"}, {"version": "v2"})
    assert [group["Tasks"][0]["Env"]["NAME"] for group in (one, two)] == ["api-v1", "api-v2"]
    assert [group["Tasks"][0]["Env"]["MESSAGE"] for group in (one, two)] == [
        "Response from API v1",
        "Response from API v2",
    ]
    assert one["Services"][0]["Name"] == two["Services"][0]["Name"] == "api"


def test_a_service_without_versions_is_one_nameless_job() -> None:
    group = group_of(environment(service()), "api")
    assert group["Name"] == "api"
    assert group["Services"][0].keys() & {"Tags", "Meta"} == set()
    assert group["Tasks"][0]["Env"]["NAME"] == "api"


def test_only_services_on_nomad_have_jobs() -> None:
    assert list(bodies(environment(versioned(), caller()))) == ["api-v1", "api-v2"]


def test_a_version_has_its_own_image_count_and_variables() -> None:
    api = versioned(
        runs_on=Nomad(count=2, cpu=300, memory=512),
        env={"A": "service", "B": "service"},
        versions={"v1": Version(), "v2": Version(image="example/app:2.0", count=5, env={"B": "version"})},
    )
    one, two = (group_of(environment(api), job) for job in ("api-v1", "api-v2"))
    assert (one["Count"], two["Count"]) == (2, 5)
    assert [group["Tasks"][0]["Config"] for group in (one, two)] == [
        {"image": "example/app:1.0"},
        {"image": "example/app:2.0"},
    ]
    assert [group["Tasks"][0]["Env"]["B"] for group in (one, two)] == ["service", "version"]
    assert two["Tasks"][0]["Env"]["A"] == "service"
    assert one["Tasks"][0]["Resources"] == {"CPU": 300, "MemoryMB": 512}


def test_the_application_is_told_the_ports_that_its_sidecar_listens_on() -> None:
    web = service("web", port=9090, upstreams=[Upstream("api", local_port=9191), Upstream("db", local_port=5432)])
    group = group_of(environment(web, service(), service("db", port=5432, protocol="tcp")), "web")
    upstreams = group["Services"][0]["Connect"]["SidecarService"]["Proxy"]["Upstreams"]
    assert upstreams == [
        {"DestinationName": "api", "LocalBindPort": 9191},
        {"DestinationName": "db", "LocalBindPort": 5432},
    ]
    assert group["Tasks"][0]["Env"]["UPSTREAM_URIS"] == "http://localhost:9191,tcp://localhost:5432"


def test_what_the_declaration_says_wins() -> None:
    api = service(env={"LISTEN_ADDR": "0.0.0.0:9091", "NAME": "mine"})
    env = group_of(environment(api), "api")["Tasks"][0]["Env"]
    assert env == {"LISTEN_ADDR": "0.0.0.0:9091", "NAME": "mine"}


def test_the_community_edition_hears_nothing_of_partitions() -> None:
    web = service("web", port=9090, upstreams=[Upstream("api", local_port=9191)])
    jobs = bodies(environment(web, service(runs_on=Kubernetes())))
    assert not keys(jobs) & {"DestinationPartition", "DestinationNamespace", "MeshGateway", "Consul", "Partition"}


def test_a_call_into_another_partition_goes_through_the_local_mesh_gateway() -> None:
    web = service("web", port=9090, upstreams=[Upstream("api", local_port=9191), Upstream("db", local_port=9192)])
    mesh = environment(web, service(runs_on=Kubernetes()), service("db"), platform=ENTERPRISE)
    group = group_of(mesh, "web")
    assert group["Services"][0]["Connect"]["SidecarService"]["Proxy"]["Upstreams"] == [
        {
            "DestinationName": "api",
            "LocalBindPort": 9191,
            "DestinationPartition": "k8s",
            "DestinationNamespace": "default",
            "MeshGateway": {"Mode": "local"},
        },
        {"DestinationName": "db", "LocalBindPort": 9192},
    ]
    assert "Consul" not in group


def test_health_is_checked_as_declared() -> None:
    api = service(health=Health(path="/live", interval="30s", timeout="5s"))
    (check,) = group_of(environment(api), "api")["Services"][0]["Checks"]
    assert (check["Path"], check["Interval"], check["Timeout"]) == ("/live", 30_000_000_000, 5_000_000_000)


def test_grpc_is_asked_by_its_own_health_protocol() -> None:
    (check,) = group_of(environment(service(protocol="grpc")), "api")["Services"][0]["Checks"]
    assert check["Type"] == "grpc"
    assert (check["Path"], check["Protocol"], check["Expose"]) == ("/grpc.health.v1.Health/Check", "http2", True)


def test_http2_is_asked_in_http() -> None:
    plain, http2 = (group_of(environment(service(protocol=protocol)), "api") for protocol in ("http", "http2"))
    assert http2["Services"][0]["Checks"] == plain["Services"][0]["Checks"]


def test_tcp_has_no_check_of_its_own() -> None:
    (registration,) = group_of(environment(service(protocol="tcp")), "api")["Services"]
    assert "Checks" not in registration
