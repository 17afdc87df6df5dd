"""What local agents change in a job, and all that they change: there is no Docker, so processes stand for containers.

| in production | on local agents |
|---|---|
| a task in a container | the same as a process (``raw_exec``), with its command, arguments and environment |
| the image of Envoy | the Envoy of this machine |
| an image without a command, that of a service | the echo service, which reads the same environment |
| the sidecar's container, also a mesh gateway's | the Envoy of this machine, told where its socket is |

Counts, checks, updates, restarts, delays, networks and resources are what production gets. Where the programs are,
Nomad's clients say themselves (:func:`programs`), so that a job is the same on every machine.
"""

from collections.abc import Iterator
from copy import deepcopy
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


ENVOY: Final = "${meta.local.envoy}"
PYTHON: Final = "${meta.local.python}"
ECHO: Final = "${meta.local.echo}"
"""What runs instead of images, as a client of Nomad knows it."""


def programs(*, envoy: str, python: str, echo: str) -> JsonObject:
    """What a local client of Nomad says of itself (the ``meta`` of its agent's file).

    Args:
        envoy: Absolute path of Envoy.
        python: Of a Python for the echo service.
        echo: Of the echo service (:mod:`mesh.lab.echo`).
    """
    return {"local.envoy": envoy, "local.python": python, "local.echo": echo}


def swapped(job: JsonObject) -> JsonObject:
    """A job of Nomad's API as local agents run it; see the module for the whole list of changes."""
    changed: dict[str, Any] = deepcopy(dict(job))
    for group in changed.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            if task["Driver"] == CONTAINER:
                task["Driver"] = PROCESS
                task["Config"] = _process(task.get("Config") or {})
        bridged = any((network.get("Mode") or "host") != "host" for network in group.get("Networks") or ())
        for connect in _in_mesh(group):
            sidecar = connect["SidecarTask"] = dict(connect.get("SidecarTask") or {})
            sidecar["Driver"] = PROCESS
            sidecar["Config"] = {"command": ENVOY, "args": list(ENVOY_ARGUMENTS)}
            if bridged:
                sidecar["Env"] = {"CONSUL_GRPC_ADDR": XDS_SOCKET, **(sidecar.get("Env") or {})}
    return changed


def _process(container: JsonObject) -> JsonObject:
    args = {"args": container["args"]} if container.get("args") else {}
    if command := container.get("command"):
        return {"command": command, **args}
    image = str(container.get("image", "")).partition("@")[0].rpartition("/")[2].partition(":")[0]
    if image == ENVOY_IMAGE:
        return {"command": ENVOY, **args}
    return {"command": PYTHON, "args": ["-I", ECHO]}


def _in_mesh(group: JsonObject) -> Iterator[dict[str, Any]]:
    for service in group.get("Services") or ():
        connect = service.get("Connect") or {}
        if connect.get("SidecarService") is not None or connect.get("Gateway") is not None:
            yield connect
