"""Labs for tests: what they run, how a test looks into them, and what is kept of them when it fails."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from mesh.lab.ground import Ground
from mesh.lab.lab import Lab
from mesh.lab.node import Node, Process
from mesh.lab.probes import expected
from mesh.lab.requests import Load, Request, Target
from mesh.model import Environment
from tests.lab import ROOT
from tests.lab.shop import DOOR

T = TypeVar("T")

PREFIX: Final = "test-"
"""Beginning of the names of environments that tests run."""

KEPT: Final = ROOT / "build" / "lab-logs"
"""Where logs of failed tests are."""

CALM_SECONDS: Final = 3.0
"""How long it takes, beside the answer to a request, until proxies have every endpoint again after a change of entries.

When anything of a discovery chain changes, Consul watches all of its targets anew (consul@1.22.7
agent/proxycfg/upstreams.go, resetWatchesFromChain), so that a target may have no endpoint for a moment.
"""

_SETTLE_SECONDS: Final = 20.0

_RECONNECTED_SECONDS: Final = 60.0
"""More than Envoy waits, at most, before it tries to reach an agent again that was away (30 s, at random)."""

_SHOWN: Final = 10
_COMPLAINTS: Final = 15
_WIDTH: Final = 240


def silent(_: str) -> None:
    """Says nothing."""


@contextmanager
def running(environment: Environment, clients: int = 0) -> Iterator[Lab]:
    """A lab that runs and is as declared; nothing is left of it afterwards."""
    lab = Lab(environment, ROOT)
    with lab.locked():
        lab.stop()
        try:
            lab.start(clients, silent)
            lab.apply(silent)
            answered(door(lab), Request())
            yield lab
        except BaseException as error:
            for folder in keep_logs(environment.name):
                error.add_note(complaints(folder))
            raise
        finally:
            lab.stop()


@contextmanager
def changed(lab: Lab, environment: Environment, told_by: Request) -> Iterator[Lab]:
    """The same lab with another declaration, as long as it lasts.

    Args:
        lab: The lab.
        environment: The other declaration.
        told_by: A request to ``api`` that tells them apart: some answers to it are possible with the one declaration
            only, some with the other only. The first of those shows that proxies have heard of all entries of ``api``,
            which Consul gives to them as one discovery chain.
    """
    assert environment.name == lab.environment.name
    other = Lab(environment, lab.root)
    before, after = (expected(each.service("api"), told_by).keys() for each in (lab.environment, environment))
    try:
        other.apply(silent)
        answered_by(after - before, other, told_by)
        time.sleep(CALM_SECONDS)
        yield other
    finally:
        lab.apply(silent)
        answered_by(before - after, lab, told_by)
        time.sleep(CALM_SECONDS)


def answered_by(versions: AbstractSet[str], lab: Lab, request: Request) -> None:
    """Waits until one of these versions answers a request."""
    assert versions, f"no answer to {request} would tell anything"
    eventually(
        f"{request} is answered by {' or '.join(sorted(versions))}",
        lambda: door(lab).send(request).who,
        well=lambda who: version(who) in versions,
        seconds=_RECONNECTED_SECONDS,
    )


def keep_logs(test: str) -> Sequence[Path]:
    """Copies the logs of every lab of tests to a folder that is kept; returns the folders."""
    folders = []
    for name in Ground.names(ROOT):
        if name.startswith(PREFIX):
            folder = KEPT / test.replace("/", ".").replace("::", ".") / name
            shutil.rmtree(folder, ignore_errors=True)
            for log, path in Ground(name, ROOT).logs().items():
                copy = folder / f"{log}.log"
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            if folder.exists():
                folders.append(folder)
    return folders


def complaints(folder: Path) -> str:
    """Where logs were kept, and the last warnings and errors of the agents among them."""
    lines = [
        f"{log.relative_to(folder)}: {line.strip()[:_WIDTH]}"
        for log in sorted((*folder.glob("*/consul.log"), *folder.glob("*/nomad.log")))
        for line in [
            line
            for line in log.read_text(errors="replace").splitlines()
            # Nomad asks that over and over; Consul without ACLs refuses it.
            if ("[WARN]" in line or "[ERROR]" in line) and "/v1/acl/token/self" not in line
        ][-_COMPLAINTS:]
    ]
    return "\n".join([f"logs kept in {folder.relative_to(ROOT)}; the agents' last warnings and errors:", *lines])


def door(lab: Lab, port: int = DOOR) -> Target:
    """Where the gateway of the test's declaration listens."""
    return lab.gateway("api-gateway", port)


def eventually(
    what: str, ask: Callable[[], T], *, well: Callable[[T], bool] = bool, seconds: float = _SETTLE_SECONDS
) -> T:
    """Asks until the answer is well; proxies hear of a change a moment after Consul.

    Raises:
        AssertionError: it was not in time; with the last answer.
    """
    deadline = time.monotonic() + seconds
    while not well(answer := ask()):
        assert time.monotonic() < deadline, f"{what}: still {answer!r} after {seconds} s"
        time.sleep(0.05)
    return answer


def answered(target: Target, request: Request) -> None:
    """Waits until a request is answered with success."""
    eventually(f"{request} is answered", lambda: target.send(request), well=lambda answer: answer.well)


def lost(load: Load) -> list[str]:
    """The requests that failed, each in a line, the first ones of many; with the time since the load began."""
    begin = min((sent for sent, _, _ in load.answers), default=0.0)
    lines = [f"{sent - begin:.1f} s: {request}: {answer.who}" for sent, request, answer in load.failures()]
    return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more of {len(load.answers)}"] if lines[_SHOWN:] else lines


def version(who: str) -> str:
    """The service and version that answered, whichever of its instances it was."""
    return "-".join(who.split("-")[:2])


def instances(lab: Lab, job: str, cluster: int = 0) -> list[dict[str, Any]]:
    """The running allocations of a job."""
    found = lab.clusters()[cluster].nomad.get(f"/v1/job/{job}/allocations")
    return [each for each in found if each["ClientStatus"] == "running" and each["DesiredStatus"] == "run"]


def deployments(lab: Lab, job: str) -> list[dict[str, Any]]:
    """The deployments of a job, the latest first."""
    found = lab.clusters()[0].nomad.get(f"/v1/job/{job}/deployments")
    return sorted(found, key=lambda deployment: -int(deployment["CreateIndex"]))


def folder_of(lab: Lab, allocation: dict[str, Any]) -> Path:
    """The shared folder of an allocation."""
    return lab.folder / str(allocation["NodeName"]) / "nomad" / "alloc" / str(allocation["ID"]) / "alloc"


def envoy_of(node: Node, allocation: dict[str, Any]) -> Process:
    """The Envoy of an allocation."""
    [found] = [process for process in _envoys(node) if allocation["ID"] in " ".join(process.command)]
    return found


def stats_of(node: Node, envoy: Process, containing: str) -> dict[str, int]:
    """Figures of an Envoy whose names contain a text."""
    [file] = (argument for argument in envoy.command if argument.endswith("envoy_bootstrap.json"))
    admin = json.loads(Path(f"/proc/{envoy.pid}/root{file}").read_text())["admin"]["address"]["socket_address"]
    inside = Target(Node(node.name, node.folder, envoy.pid), admin["address"], admin["port_value"])
    answer = inside.send(Request("/stats", {"format": "json", "usedonly": ""}))
    return {
        each["name"]: each["value"] for each in answer.json().get("stats", ()) if containing in each.get("name", "")
    }


def wait_until_proxies_hear(lab: Lab) -> None:
    """Waits until every Envoy is connected to Consul; one that has lost it tries again after up to half a minute."""
    nodes = [lab.node(machine.name) for cluster in lab.clusters() for machine in cluster.machines]
    stat = "control_plane.connected_state"
    for node in nodes:
        for envoy in _envoys(node):
            eventually(
                f"{' '.join(envoy.command)} is connected",
                lambda: stats_of(node, envoy, stat),  # noqa: B023  asked at once
                well=lambda found: found == {stat: 1},
                seconds=_RECONNECTED_SECONDS,
            )


def _envoys(node: Node) -> list[Process]:
    return [process for process in node.processes() if Path(process.command[0]).name == "envoy"]
