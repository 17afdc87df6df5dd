"""A real Consul agent on the loopback interface, without anything in it."""

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from tests.lab.tools import UnavailableError, build

VERSION: Final = "1.22.7"
"""The release whose rules the project knows; another one may judge otherwise."""

_ATTEMPTS: Final = 5
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_REQUEST_SECONDS: Final = 10.0
_LAST_LINES: Final = 50
_PROBE: Final = ("service-defaults", "probe")


class AgentError(Exception):
    """The agent does not start, or did not run to the end; the text ends with its log."""


def find_consul() -> Path:
    """The Consul to run: ``CONSUL_BIN``, or ``consul`` of `VERSION` on ``PATH``, or one that this repository builds.

    Raises:
        UnavailableError: there is none.
    """
    if chosen := os.environ.get("CONSUL_BIN"):
        if _is_right(chosen):
            return Path(chosen)
        raise UnavailableError(f"CONSUL_BIN ({chosen}) is no Consul {VERSION}")
    if (found := shutil.which("consul")) and _is_right(found):
        return Path(found)
    try:
        return build("consul")
    except UnavailableError as error:
        raise UnavailableError(f"there is no Consul {VERSION} on PATH, and none can be built: {error}") from error


def _is_right(executable: str) -> bool:
    try:
        answer = subprocess.run([executable, "version"], check=False, capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.split("\n", 1)[0] == f"Consul v{VERSION}"


class ConsulAgent:
    """A context in which a development server runs, with free ports and everything in memory.

    Attributes:
        address: Where its HTTP API listens, as ``host:port``; another one after each `restart`.
        process: The server itself.
    """

    address: str
    process: subprocess.Popen[bytes]
    _log: Path

    def __init__(self, executable: Path | None = None) -> None:
        self._executable = executable
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Start the agent, and wait until it takes config entries.

        Raises:
            UnavailableError: there is no Consul.
            AgentError: it ended by itself or was not ready in time.
        """
        self._executable = self._executable or find_consul()
        with ExitStack() as resources:
            self._log = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="consul-")), "log")
            self._run(self._executable)
            resources.callback(self._end)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the agent.

        Raises:
            AgentError: it had ended by itself.
        """
        self._resources.close()

    def restart(self) -> str:
        """Put a new, empty agent in the place of one that may have crashed, and return its address.

        Raises:
            AgentError: as on entry.
        """
        assert self._executable is not None
        _stop(self.process)
        self._run(self._executable)
        return self.address

    def _run(self, executable: Path) -> None:
        for _ in range(_ATTEMPTS):
            self.address, self.process = _start(executable, self._log)
            if _ready(self.address, self.process):
                return
            _stop(self.process)
            # Someone else can take a port after it was found free.
            if "address already in use" not in self._last_words():
                break
        raise AgentError(f"Consul does not start: {self._last_words()}")

    def _end(self) -> None:
        if self.process.poll() is not None:
            raise AgentError(f"Consul ended by itself: {self._last_words()}")
        _stop(self.process)

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


def _start(executable: Path, log: Path) -> tuple[str, subprocess.Popen[bytes]]:
    http_port, server, serf = _free_ports(3)
    settings = (
        "disable_update_check = true",
        "limits { http_max_conns_per_client = -1 }",
        "ports { dns = -1, grpc = -1, grpc_tls = -1, serf_wan = -1 }",
        f"ports {{ http = {http_port}, server = {server}, serf_lan = {serf} }}",
    )
    command = [str(executable), "agent", "-dev", "-node=lab", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=warn"]
    command += [f"-hcl={setting}" for setting in settings]
    environment = {"PATH": os.defpath}  # CONSUL_* and the like are the caller's affair
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    return f"127.0.0.1:{http_port}", process


def _free_ports(count: int) -> list[int]:
    """Ports that are free for TCP and UDP; gossip needs both."""
    ports: list[int] = []
    with ExitStack() as resources:
        while len(ports) < count:
            stream = resources.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            datagram = resources.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            stream.bind(("127.0.0.1", 0))
            try:
                datagram.bind(stream.getsockname())
            except OSError:
                continue
            ports.append(stream.getsockname()[1])
    return ports


def _ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether a config entry could be written before the agent ended and in time."""
    kind, name = _PROBE
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            _request(address, "PUT", "/v1/config", f'{{"Kind":"{kind}","Name":"{name}"}}')
            _request(address, "DELETE", f"/v1/config/{kind}/{name}")
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return True
    return False


def _request(address: str, method: str, path: str, body: str | None = None) -> None:
    connection = http.client.HTTPConnection(address, timeout=_REQUEST_SECONDS)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read()
        if response.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"{response.status} {text!r}")
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
