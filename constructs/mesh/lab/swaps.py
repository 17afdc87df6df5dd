"""What a lab changes in a job, and all that it changes: there is no Docker, so processes take the place of containers.

| in production | in a lab |
|---|---|
| a task in a container | the same as a process (``raw_exec``), with its command, arguments and environment |
| the image of Envoy | the Envoy of this machine |
| an image without a command, that of a service | the echo service, which reads the same environment |
| the sidecar's container, also a mesh gateway's | the Envoy of this machine, told where its socket is |

Counts, checks, updates, restarts, delays, networks and resources are what production gets.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from mesh.shapes import JsonObject

CONTAINER: Final = "docker"
PROCESS: Final = "raw_exec"

ENVOY_IMAGE: Final = "envoy"
"""Last part of the name of Envoy's images, whose entry point takes arguments for Envoy."""

XDS_SOCKET: Final = "unix://${NOMAD_ALLOC_DIR}/tmp/consul_grpc.sock"
"""Where Nomad leads a sidecar to its agent. The injected path is relative to a container's root."""

BOOTSTRAP: Final = "${NOMAD_SECRETS_DIR}/envoy_bootstrap.json"

_LEVEL, _CONCURRENCY = "${meta.connect.log_level}", "${meta.connect.proxy_concurrency}"

ENVOY_ARGUMENTS: Final = ("-c", BOOTSTRAP, "-l", _LEVEL, "--concurrency", _CONCURRENCY, "--disable-hot-restart")
"""Those that Nomad injects (nomad@1.11.3 ``nomad/job_endpoint_hook_connect.go``)."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What runs instead of images, as absolute paths.

    Attributes:
        envoy: Envoy.
        python: A Python for the echo service.
        echo: The echo service (:mod:`mesh.lab.echo`).
    """

    envoy: str
    python: str
    echo: str


def swapped(job: JsonObject, programs: Programs) -> JsonObject:
    """A job of Nomad's API as a lab runs it; see the module for the whole list of changes."""
    changed: dict[str, Any] = deepcopy(dict(job))
    for group in changed.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            if task["Driver"] == CONTAINER:
                task["Driver"] = PROCESS
                task["Config"] = _process(task.get("Config") or {}, programs)
        bridged = any((network.get("Mode") or "host") != "host" for network in group.get("Networks") or ())
        for connect in _in_mesh(group):
            sidecar = connect["SidecarTask"] = dict(connect.get("SidecarTask") or {})
            sidecar["Driver"] = PROCESS
            sidecar["Config"] = {"command": programs.envoy, "args": list(ENVOY_ARGUMENTS)}
            if bridged:
                sidecar["Env"] = {"CONSUL_GRPC_ADDR": XDS_SOCKET, **(sidecar.get("Env") or {})}
    return changed


def _process(container: JsonObject, programs: Programs) -> JsonObject:
    args = {"args": container["args"]} if container.get("args") else {}
    if command := container.get("command"):
        return {"command": command, **args}
    image = str(container.get("image", "")).partition("@")[0].rpartition("/")[2].partition(":")[0]
    if image == ENVOY_IMAGE:
        return {"command": programs.envoy, **args}
    return {"command": programs.python, "args": ["-I", programs.echo]}


def _in_mesh(group: JsonObject) -> Iterator[dict[str, Any]]:
    for service in group.get("Services") or ():
        connect = service.get("Connect") or {}
        if connect.get("SidecarService") is not None or connect.get("Gateway") is not None:
            yield connect
