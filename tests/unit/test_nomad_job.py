"""The typed job: exact JSON, nanoseconds, nothing unknown, meaningful emptiness."""

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.nomad.job import (
    Check,
    Connect,
    Consul,
    Gateway,
    Job,
    MeshGateway,
    Network,
    Resources,
    RestartPolicy,
    Service,
    SidecarService,
    Task,
    TaskGroup,
    Update,
)

UPDATE = Update(min_healthy_time="10s", healthy_deadline="3m", progress_deadline="10m")


def job(group: TaskGroup | None = None, **changes: Any) -> Job:
    groups = (group or TaskGroup(name="a"),)
    return Job.model_validate({"id": "a", "datacenters": ("dc1",), "update": UPDATE, "task_groups": groups, **changes})


def group_json(**fields: Any) -> Any:
    return job(TaskGroup(name="a", **fields)).api_json()["TaskGroups"][0]


def test_the_job_object_itself_and_its_name() -> None:
    body = job().api_json()
    assert "Job" not in body
    assert body["ID"] == body["Name"] == "a"
    assert body["Type"] == "service"


def test_durations_are_nanoseconds() -> None:
    assert job().api_json()["Update"] == {
        "MaxParallel": 1,
        "HealthCheck": "checks",
        "MinHealthyTime": 10_000_000_000,
        "HealthyDeadline": 180_000_000_000,
        "ProgressDeadline": 600_000_000_000,
    }
    policy = RestartPolicy(attempts=2, interval="30m", delay="1500ms", mode="fail")
    assert group_json(restart_policy=policy)["RestartPolicy"] == {
        "Attempts": 2,
        "Interval": 1_800_000_000_000,
        "Delay": 1_500_000_000,
        "Mode": "fail",
    }
    assert group_json(shutdown_delay="10s")["ShutdownDelay"] == 10_000_000_000


def test_values_of_free_maps_stay_as_they_are() -> None:
    task = Task(
        name="t",
        driver="docker",
        config={"image": "a:1", "args": ["${NOMAD_ALLOC_DIR}/x"], "Interval": "10s"},
        env={"TIMEOUT": "10s"},
    )
    assert group_json(tasks=(task,))["Tasks"] == [
        {
            "Name": "t",
            "Driver": "docker",
            "Config": {"image": "a:1", "args": ["${NOMAD_ALLOC_DIR}/x"], "Interval": "10s"},
            "Env": {"TIMEOUT": "10s"},
        }
    ]


def test_empty_objects_carry_meaning() -> None:
    gateway = Connect(gateway=Gateway(mesh=MeshGateway()))
    sidecar = Connect(sidecar_service=SidecarService())
    body = group_json(
        consul=Consul(), services=(Service(name="g", connect=gateway), Service(name="s", connect=sidecar))
    )
    assert body["Consul"] == {}
    assert [service["Connect"] for service in body["Services"]] == [
        {"Gateway": {"Mesh": {}}},
        {"SidecarService": {}},
    ]


def test_empty_collections_are_left_out() -> None:
    assert group_json() == {"Name": "a", "Count": 1}


def test_names_of_go() -> None:
    check = Check(name="c", type="grpc", interval="10s", timeout="3s", grpc_service="x")
    service = Service(
        name="s", checks=(check,), connect=Connect(sidecar_service=SidecarService(disable_default_tcp_check=True))
    )
    task = Task(name="t", driver="docker", resources=Resources(cpu=1, memory_mb=10))
    body = group_json(services=(service,), tasks=(task,))
    assert body["Services"][0]["Checks"][0]["GRPCService"] == "x"
    assert body["Services"][0]["Connect"]["SidecarService"] == {"DisableDefaultTCPCheck": True}
    assert body["Tasks"][0]["Resources"] == {"CPU": 1, "MemoryMB": 10}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Network, {"mode": "bridge", "ports": []}),
        (Network, {"mode": "Bridge"}),
        (SidecarService, {"meta": {"version": "v1"}}),
        (Gateway, {"ingress": {}}),
        (Check, {"name": "c", "type": "http", "interval": "10", "timeout": "3s"}),
        (Check, {"name": "c", "type": "http", "interval": 10, "timeout": "3s"}),
        (TaskGroup, {"name": "a", "networks": [{"mode": "bridge"}, {"mode": "bridge"}]}),
        (Job, {"id": "a", "datacenters": ["dc1"], "update": UPDATE, "task_groups": []}),
    ],
    ids=[
        "unknown key",
        "unknown mode",
        "meta of a sidecar",
        "gateway owned by Nomad",
        "number as text",
        "number",
        "two networks",
        "no group",
    ],
)
def test_what_cannot_be_written(model: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**fields)


@pytest.mark.parametrize(
    ("count", "max_parallel", "canary", "expected"),
    [(1, 1, None, 600 + 180), (1, 1, 1, 600 + 2 * 180), (5, 2, None, 600 + 3 * 180)],
)
def test_a_deployment_has_time_for_every_round(
    count: int, max_parallel: int, canary: int | None, expected: int
) -> None:
    update = UPDATE.model_copy(update={"max_parallel": max_parallel, "canary": canary})
    assert job(TaskGroup(name="a", count=count), update=update).deployment_seconds() == expected
