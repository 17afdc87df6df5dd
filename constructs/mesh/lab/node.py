"""Nodes: "machines" made of Linux namespaces, each with a network, processes, mounts and a host name of its own.

A node is what its process 1 holds (:mod:`mesh.lab.init`): it is found by that process's command line, and ends with it,
whatever runs in it and however the command that made it ended. Nothing has to be remembered.
"""

import ctypes
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.lab import init
from mesh.lab.errors import LabError
from mesh.lab.requirements import PATH
from mesh.lab.waiting import within

_INIT: Final = str(Path(init.__file__).resolve())
_NAMESPACES: Final = ("--net", "--mount", "--uts", "--ipc", "--pid")
_END_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Process:
    """A process of a node.

    Attributes:
        pid: Its id as the host sees it.
        command: Its command line.
    """

    pid: int
    command: tuple[str, ...]

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal; one that has ended needs none."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return


@dataclass(frozen=True)
class Node:
    """A running node.

    Attributes:
        name: Its host name.
        folder: What it keeps; its processes see that as :data:`mesh.lab.init.HERE`.
        pid: Its process 1, as the host sees it.
    """

    name: str
    folder: Path
    pid: int

    def run(self, *command: str) -> str:
        """Runs a command in the node and returns what it printed.

        Raises:
            LabError: it fails; with what it said.
        """
        return _run(*self._entered(), *command)

    def start(self, *command: str, log: str, environment: Mapping[str, str]) -> None:
        """Starts a command in the node that goes on after this process; its output goes to the file ``log``."""
        clean = [f"{name}={value}" for name, value in environment.items()]
        script = 'log=$1; shift; exec setsid "$@" >>"$log" 2>&1 </dev/null &'
        self.run("/usr/bin/env", "-i", *clean, "/bin/sh", "-c", script, "sh", str(init.HERE / log), *command)

    def start_outside(self, *command: str, log: str) -> None:
        """Starts a command that ends with the node, but is in this machine's network."""
        script = 'log=$1; shift; exec setsid "$@" >>"$log" 2>&1 </dev/null &'
        entered = ("nsenter", f"--target={self.pid}", "--pid", "--mount", "--")
        _run(*entered, "/bin/sh", "-c", script, "sh", str(init.HERE / log), *command)

    def processes(self) -> Iterator[Process]:
        """Every process of the node but its first."""
        own = _namespace(self.pid, "pid")
        for pid, command in _processes():
            if pid != self.pid and _namespace(pid, "pid") == own:
                yield Process(pid, command)

    def process(self, *beginning: str) -> Process | None:
        """The oldest process whose command begins so: the name of the program, then arguments."""
        for process in sorted(self.processes(), key=lambda each: each.pid):
            program, *arguments = process.command
            if (Path(program).name, *arguments)[: len(beginning)] == beginning:
                return process
        return None

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """A TCP connection from inside of the node's network.

        Raises:
            OSError: nobody answers there.
        """
        connection = _socket_in(self.pid)
        try:
            connection.settimeout(timeout)
            connection.connect((host, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            connection.close()
            raise
        return connection

    def end(self) -> None:
        """Ends everything in the node."""
        Process(self.pid, ()).signal(signal.SIGKILL)
        if not within(_END_SECONDS, lambda: not Path(f"/proc/{self.pid}").exists(), pause=0.01):
            raise LabError(f"process {self.pid} of the node {self.name} does not end")

    def _entered(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self.pid}", *_NAMESPACES, "--")


def kill(find: Callable[[], Process | None]) -> None:
    """Ends a process at once, as a crash would, and returns when it is not found any more."""
    while (process := find()) is not None:
        process.signal(signal.SIGKILL)
        time.sleep(0.01)


def create(name: str, folder: Path) -> Node:
    """Makes a node, without any network interface but its loopback.

    Raises:
        LabError: it cannot be made; with the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unshare = ("unshare", *_NAMESPACES, "--fork", "--kill-child", "--mount-proc")
    log = folder / "init.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*unshare, sys.executable, "-I", _INIT, str(folder), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"PATH": PATH},
            start_new_session=True,  # Ctrl-C is the command's; it decides what ends
        )
    with process.stdout or nullcontext(io.BytesIO()) as output:
        ready = output.readline()
    process.returncode = 0  # it goes on; nobody waits for it
    found = next((node for node in running(folder.parent) if node.name == name), None)
    if ready != b"ready\n" or found is None:
        raise LabError(f"the node {name} cannot be made: {log.read_text(errors='replace').strip()}")
    found.run("ip", "link", "set", "lo", "up")
    return found


def running(folder: Path) -> tuple[Node, ...]:
    """The nodes whose folders are in ``folder``."""
    nodes = []
    for pid, command in _processes():
        if len(command) > 4 and command[-3] == _INIT and "-I" in command[:2]:  # noqa: PLR2004  as `create` starts it
            path = Path(command[-2])
            if path.parent == folder:
                nodes.append(Node(command[-1], path, pid))
    return tuple(sorted(nodes, key=lambda node: node.name))


def join(one: Node, interface: str, other: Node, other_interface: str) -> None:
    """Connects two nodes by a cable."""
    end = ("type", "veth", "peer", "name", other_interface, "netns", str(other.pid))
    _run("ip", "link", "add", interface, "netns", str(one.pid), *end)


def _socket_in(pid: int) -> socket.socket:
    """A TCP socket of another process's network: only opening it decides in which network it is.

    Raises:
        OSError: the process has ended, or may not be entered.
    """
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def opened() -> socket.socket:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, 0):  # Python has setns since 3.12
            raise OSError(ctypes.get_errno(), "cannot enter the node's network")
        return socket.socket()

    try:
        # In a thread that ends with it, because it is the thread that enters.
        with ThreadPoolExecutor(1, "network") as thread:
            return thread.submit(opened).result()
    finally:
        os.close(namespace)


def _processes() -> Iterator[tuple[int, tuple[str, ...]]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if command:  # a thread of the kernel has none, and neither has a zombie
            yield int(entry.name), tuple(os.fsdecode(part) for part in command.rstrip(b"\0").split(b"\0"))


def _namespace(pid: int, kind: str) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return None


def _run(*command: str) -> str:
    environment = {**os.environ, "PATH": PATH}
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment
    )
    if result.returncode:
        shown = " ".join(command[-6:])
        raise LabError(f"{shown}: {result.stderr.strip() or result.stdout.strip() or result.returncode}")
    return result.stdout


__all__ = ["Node", "Process", "create", "join", "kill", "running"]
