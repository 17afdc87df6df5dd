"""What local agents change in a job: exactly what the module says, and nothing in what it was given."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import pytest

from mesh.nomad.gateways import api_gateway_jobs, mesh_gateway_jobs
from mesh.nomad.job import Job
from mesh.nomad.jobs import jobs, specification
from mesh.nomad.services import service_jobs
from mesh.nomad.swaps import BOOTSTRAP, ECHO, ENVOY, ENVOY_ARGUMENTS, PYTHON, XDS_SOCKET, swapped
from mesh.shapes import JsonObject
from mesh.topology import clusters
from tests.declared import DECLARED
from tests.variations import VARIATIONS

MESHES: Final = {**DECLARED, **VARIATIONS}

TASK: Final = "TaskGroups[].Tasks[]"
SIDECAR_TASK: Final = "TaskGroups[].Services[].Connect.SidecarTask"
SIDECAR: Final = frozenset({f"{SIDECAR_TASK}.{field}" for field in ("Driver", "Config", "Env")})

OF_SERVICES: Final = SIDECAR | {f"{TASK}.Driver", *(f"{TASK}.Config.{key}" for key in ("image", "command", "args"))}
"""The echo service in place of an image, and a process in place of the sidecar's container."""

OF_API_GATEWAYS: Final = {f"{TASK}.Driver", *(f"{TASK}.Config.{key}" for key in ("image", "network_mode", "command"))}
"""Envoy in place of its image, and no settings of containers; ``command`` is Envoy's, the setup keeps its own."""

OF_MESH_GATEWAYS: Final = SIDECAR

KINDS: Final = {
    "services": (service_jobs, OF_SERVICES),
    "API gateways": (api_gateway_jobs, OF_API_GATEWAYS),
    "mesh gateways": (mesh_gateway_jobs, OF_MESH_GATEWAYS),
}


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """The paths at which two JSON values differ: of what only one of them has, or what is another value."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            below = f"{path}.{key}" if path else str(key)
            if key in before and key in after:
                yield from differences(before[key], after[key], below)
            else:
                yield below
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differences(one, other, f"{path}[]")
    elif type(before) is not type(after) or before != after:
        yield path


@pytest.mark.parametrize(
    ("after", "paths"),
    [
        ({"a": 1, "b": [{"c": 1}, {"c": 2}]}, set()),
        ({"a": 2, "b": [{"c": 1}, {"c": 3, "d": None}]}, {"a", "b[].c", "b[].d"}),
        ({"a": True, "b": [{"c": 1}, {}]}, {"a", "b[].c"}),
        ({"b": [{"c": 1}]}, {"a", "b"}),
        ([], {""}),
    ],
)
def test_a_difference_is_found_wherever_it_is(after: object, paths: set[str]) -> None:
    before = {"a": 1, "b": [{"c": 1}, {"c": 2}]}
    assert set(differences(before, after)) == set(differences(after, before)) == paths


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mesh", MESHES)
def test_nothing_else_is_changed(mesh: str, kind: str) -> None:
    derived, listed = KINDS[kind]
    for job in derived(MESHES[mesh]):
        before = job.api_json()
        assert set(differences(before, swapped(before))) == listed


def test_only_local_agents_are_without_docker() -> None:
    for mesh in MESHES.values():
        for cluster in clusters(mesh.platform):
            for job in jobs(mesh, cluster):
                written = job.api_json()
                local = mesh.platform.azure is None
                assert specification(mesh, job) == (swapped(written) if local else written)
                assert swapped(written) != written, "nothing to tell them apart by"


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_jobs_of_every_kind(kind: str) -> None:
    assert any(KINDS[kind][0](mesh) for mesh in MESHES.values())
    assert DECLARED.keys() >= {"demo", "community", "production", "lab"}


def all_jobs() -> list[Job]:
    return [job for mesh in MESHES.values() for jobs, _ in KINDS.values() for job in jobs(mesh)]


def test_what_it_was_given_stays() -> None:
    for job in all_jobs():
        given = job.api_json()
        before = deepcopy(given)
        changed = swapped(given)
        for group in changed["TaskGroups"]:
            group["Meta"] = {"changed": "later"}
            for task in group.get("Tasks", ()):
                task["Config"]["args"].append("more")
        assert given == before


def test_a_second_time_changes_nothing() -> None:
    for job in all_jobs():
        once = swapped(job.api_json())
        assert swapped(once) == once


def test_nothing_is_left_that_needs_docker() -> None:
    for job in all_jobs():
        for group in swapped(job.api_json())["TaskGroups"]:
            sidecars = [service.get("Connect", {}).get("SidecarTask") for service in group["Services"]]
            tasks = [*group.get("Tasks", ()), *filter(None, sidecars)]
            assert tasks
            for task in tasks:
                assert task["Driver"] == "raw_exec"
                assert task["Config"].keys() == {"command", "args"}


def process(**container: Any) -> JsonObject:
    """What takes the place of a container."""
    group = {"Tasks": [{"Name": "app", "Driver": "docker", "Config": container}]}
    (task,) = swapped({"ID": "job", "TaskGroups": [group]})["TaskGroups"][0]["Tasks"]
    assert task["Driver"] == "raw_exec"
    return dict(task["Config"])


DIGEST: Final = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "image",
    [
        "envoy",
        "envoyproxy/envoy:v1.35.9",
        "docker.io/envoyproxy/envoy:v1.35.9",
        "registry.example.com:5000/envoyproxy/envoy:v1.35.9",
        "registry.example.com:5000/envoy",
        f"envoyproxy/envoy@{DIGEST}",
        f"registry.example.com:5000/envoyproxy/envoy:v1.35.9@{DIGEST}",
    ],
)
def test_the_image_of_envoy_is_the_envoy_of_this_machine(image: str) -> None:
    assert process(image=image, args=["--log-level", "info"], network_mode="host") == {
        "command": ENVOY,
        "args": ["--log-level", "info"],
    }
    assert process(image=image) == {"command": ENVOY}


@pytest.mark.parametrize(
    "image",
    [
        "example/app:1.0",
        "envoy.example.com:5000/app:1.0",
        "envoy/app",
        "example/app:envoy",
        "example/envoy-demo:1.0",
        "example/my-envoy",
        f"registry.example.com:5000/app@{DIGEST}",
    ],
)
def test_any_other_image_is_the_echo_service(image: str) -> None:
    assert process(image=image, ports=["http"]) == {"command": PYTHON, "args": ["-I", ECHO]}


@pytest.mark.parametrize("image", ["hashicorp/consul:1.22.7", "envoyproxy/envoy:v1.35.9", "example/app:1.0"])
def test_a_container_with_a_command_keeps_it(image: str) -> None:
    container = {"image": image, "command": "/bin/sh", "args": ["-c", "true"], "network_mode": "host"}
    assert process(**container) == {"command": "/bin/sh", "args": ["-c", "true"]}
    assert process(image=image, command="/bin/true") == {"command": "/bin/true"}


def test_another_driver_stays() -> None:
    task = {"Name": "app", "Driver": "exec", "Config": {"command": "/bin/true", "image": "envoy"}}
    job = {"ID": "job", "TaskGroups": [{"Tasks": [task]}]}
    assert swapped(job) == job


def test_a_job_may_have_next_to_nothing() -> None:
    for job in ({"ID": "job"}, {"ID": "job", "TaskGroups": None}, {"ID": "job", "TaskGroups": [{"Tasks": None}]}):
        assert swapped(job) == job


def sidecar(connect: JsonObject, *modes: str) -> Any:
    """The sidecar's task of a service in a group with networks of the modes."""
    group = {"Networks": [{"Mode": mode} for mode in modes], "Services": [{"Name": "app", "Connect": connect}]}
    return swapped({"ID": "job", "TaskGroups": [group]})["TaskGroups"][0]["Services"][0]["Connect"]


MEMBERS: Final = [{"SidecarService": {}}, {"Gateway": {"Mesh": {}}}]


@pytest.mark.parametrize("connect", MEMBERS)
def test_the_sidecar_is_the_envoy_of_this_machine(connect: JsonObject) -> None:
    task = sidecar({**connect, "SidecarTask": {"Driver": "docker", "Config": {"image": "x"}, "User": "u"}}, "bridge")
    assert task["SidecarTask"] == {
        "Driver": "raw_exec",
        "Config": {"command": ENVOY, "args": list(ENVOY_ARGUMENTS)},
        "User": "u",
        "Env": {"CONSUL_GRPC_ADDR": XDS_SOCKET},
    }
    assert ENVOY_ARGUMENTS[:2] == ("-c", BOOTSTRAP)


@pytest.mark.parametrize("connect", MEMBERS)
def test_only_a_bridged_sidecar_is_told_where_its_socket_is(connect: JsonObject) -> None:
    assert sidecar(connect, "bridge")["SidecarTask"]["Env"] == {"CONSUL_GRPC_ADDR": XDS_SOCKET}
    assert sidecar(connect, "cni/own")["SidecarTask"]["Env"] == {"CONSUL_GRPC_ADDR": XDS_SOCKET}
    assert "Env" not in sidecar(connect, "host")["SidecarTask"]
    assert "Env" not in sidecar(connect)["SidecarTask"]


def test_a_declared_environment_wins() -> None:
    env = {"CONSUL_GRPC_ADDR": "unix:///elsewhere", "OTHER": "1"}
    connect = {"SidecarService": {}, "SidecarTask": {"Env": env}}
    assert sidecar(connect, "bridge")["SidecarTask"]["Env"] == env
    assert sidecar(connect, "host")["SidecarTask"]["Env"] == env
    other = {"SidecarService": {}, "SidecarTask": {"Env": {"OTHER": "1"}}}
    assert sidecar(other, "bridge")["SidecarTask"]["Env"] == {"CONSUL_GRPC_ADDR": XDS_SOCKET, "OTHER": "1"}


@pytest.mark.parametrize("connect", [{}, {"Native": True}, {"SidecarService": None, "Gateway": None}])
def test_a_service_without_a_sidecar_gets_none(connect: JsonObject) -> None:
    assert sidecar(connect, "bridge") == connect
