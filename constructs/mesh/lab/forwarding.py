"""Leads this machine's loopback into a lab's nodes: to the agents and the gateways; see :mod:`mesh.lab.forwarder`."""

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from mesh.lab.agents import end_of
from mesh.lab.errors import LabError
from mesh.lab.node import Node, Process, kill
from mesh.lab.waiting import within

_SECONDS: Final = 10.0
_LOG: Final = "forward.log"
_PROGRAM: Final = str(Path(__file__).resolve().with_name("forwarder.py"))
_ANY_PORT: Final = 0
"""A port that the kernel chooses."""


def forward(node: Node, host: str, targets: Mapping[int, Sequence[object]], say: Callable[[str], None]) -> None:
    """Lets ports of this machine lead into a node's network; what leads there already stays.

    Args:
        node: The node with whose end that ends, too.
        host: The address of this machine's loopback.
        targets: By the port, the hosts inside; the first that answers.
        say: Told of each port that someone else has here, and of the one in its place.

    Raises:
        LabError: nothing leads there in time.
    """
    inside = {",".join(f"{there}:{port}" for there in hosts): port for port, hosts in targets.items()}
    if (running := _forwarder(node)) and _pairs(running).keys() == inside.keys():
        return
    kill(lambda: _forwarder(node))
    here = {port: _free(host, port) for port in inside.values()}
    pairs = [f"{host}:{here[port]}={there}" for there, port in inside.items()]
    node.start_outside(sys.executable, "-I", _PROGRAM, *pairs, log=_LOG)
    if not within(_SECONDS, lambda: all(_listens(host, port) for port in here.values())):
        raise LabError(f"nothing leads into the lab:\n{end_of(node.folder / _LOG)}")
    for port, other in here.items():
        if other != port:
            say(f"{host}:{port} is somebody else's on this machine; {host}:{other} takes its place")


def forwarded(node: Node) -> dict[int, str]:
    """Where this machine leads into a node's network: by the port inside, the address here."""
    running = _forwarder(node)
    found = _pairs(running) if running else {}
    return {int(there.rpartition(":")[2]): here for there, here in found.items()}


def _forwarder(node: Node) -> Process | None:
    return next((process for process in node.processes() if _PROGRAM in process.command), None)


def _pairs(running: Process) -> dict[str, str]:
    """What a forwarder was told: by the addresses inside, the one here."""
    pairs: Iterator[tuple[str, str, str]] = (part.partition("=") for part in running.command if "=" in part)
    return {there: here for here, _, there in pairs}


def _free(host: str, port: int) -> int:
    """The port, or if someone on this machine has it, another one."""
    for candidate in (port, _ANY_PORT):
        with suppress(OSError), socket.create_server((host, candidate)) as found:
            return int(found.getsockname()[1])
    raise LabError(f"there is no free port on {host}")


def _listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False
