"""Real agents of Consul and Nomad on the loopback interface, without anything in them."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

from mesh.lab.programs import find_consul, find_nomad
from tests.lab import ROOT

_ATTEMPTS: Final = 5
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_REQUEST_SECONDS: Final = 10.0
_LAST_LINES: Final = 50
_RACE: Final = "fatal error: concurrent map iteration and map write"


class AgentError(Exception):
    """The agent does not start, or did not run to the end; the text ends with its log."""


class Agent(ABC):
    """A context in which a server runs, with free ports and an empty folder.

    Attributes:
        address: Where its HTTP API listens, as ``host:port``; another one after each `restart`.
        process: The server itself.
    """

    address: str
    process: subprocess.Popen[bytes]
    _folder: Path

    def __init__(self, executable: Path | None = None) -> None:
        self._executable = executable
        self._resources = ExitStack()

    @staticmethod
    @abstractmethod
    def _find() -> Path:
        """The program to run when none is given."""

    @staticmethod
    @abstractmethod
    def _arguments(folder: Path) -> tuple[str, list[str]]:
        """Where the agent's HTTP API will listen, and its command line but for the program."""

    @staticmethod
    @abstractmethod
    def _probe(address: str) -> None:
        """Writes something, and deletes it; raises an error of requests as long as that cannot be done."""

    def __enter__(self) -> Self:
        """Start the agent, and wait until one can write to it.

        Raises:
            UnavailableError: there is no such program.
            AgentError: it ended by itself or was not ready in time.
        """
        self._executable = self._executable or self._find()
        with ExitStack() as resources:
            self._folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="agent-")))
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
            self.address, arguments = self._arguments(Path(tempfile.mkdtemp(dir=self._folder)))
            self.process = self._start([str(executable), *arguments])
            if self._ready():
                return
            _stop(self.process)
            # Someone else can take a port after it was found free.
            if "address already in use" not in self._last_words():
                break
        raise AgentError(f"{self} does not start: {self._last_words()}")

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.defpath}  # CONSUL_*, NOMAD_* and the like are the caller's affair
        with self._log.open("wb") as stream:
            return subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )

    def _ready(self) -> bool:
        """Whether something could be written before the agent ended and in time."""
        deadline = time.monotonic() + _START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self._probe(self.address)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return True
        return False

    def _end(self) -> None:
        if self.process.poll() is not None:
            raise AgentError(f"{self} ended by itself: {self._last_words()}")
        _stop(self.process)

    def __str__(self) -> str:
        return type(self).__name__.removesuffix("Agent")

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


class ConsulAgent(Agent):
    """A development server of Consul, with everything in memory."""

    @staticmethod
    def _find() -> Path:
        return find_consul(ROOT)

    @staticmethod
    def _arguments(folder: Path) -> tuple[str, list[str]]:
        del folder  # it writes nothing
        http_port, server, serf = _free_ports(3)
        settings = (
            "disable_update_check = true",
            "limits { http_max_conns_per_client = -1 }",
            "ports { dns = -1, grpc = -1, grpc_tls = -1, serf_wan = -1 }",
            f"ports {{ http = {http_port}, server = {server}, serf_lan = {serf} }}",
        )
        arguments = ["agent", "-dev", "-node=lab", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=warn"]
        return f"127.0.0.1:{http_port}", [*arguments, *(f"-hcl={setting}" for setting in settings)]

    def ended_by_accident(self) -> bool:
        """Whether it ends by a fault of Consul's that no entry causes for certain.

        It is the race in the controller of API gateways, which every route can cause that names several services
        (hashicorp/consul#23522; see the rule ``route-services-several``).
        """
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)  # a server that ends still writes what it did
        text = self._log.read_text(errors="replace")
        return _RACE in text and "agent/consul/controller." in text.partition(_RACE)[2]

    @staticmethod
    def _probe(address: str) -> None:
        _request(address, "PUT", "/v1/config", '{"Kind":"service-defaults","Name":"probe"}')
        _request(address, "DELETE", "/v1/config/service-defaults/probe")


class NomadAgent(Agent):
    """A server of Nomad without clients: it judges and keeps jobs, and runs none."""

    @staticmethod
    def _find() -> Path:
        return find_nomad(ROOT)

    @staticmethod
    def _arguments(folder: Path) -> tuple[str, list[str]]:
        http_port, rpc, serf = _free_ports(3)
        unused = {"auto_advertise": False, "client_auto_join": False, "server_auto_join": False}
        configuration = {
            "advertise": dict.fromkeys(("http", "rpc", "serf"), "127.0.0.1"),
            "bind_addr": "127.0.0.1",
            "consul": unused,
            "data_dir": str(folder),
            "disable_update_check": True,
            "limits": {"http_max_conns_per_client": 0},
            "log_level": "WARN",
            "name": "lab",
            "ports": {"http": http_port, "rpc": rpc, "serf": serf},
            # Without schedulers, too: to purge a job that is being scheduled can be the end of a server (nomad@1.11.3
            # nomad/plan_apply.go, applyPlan).
            "server": {"enabled": True, "bootstrap_expect": 1, "num_schedulers": 0},
        }
        file = folder / "agent.json"
        file.write_text(json.dumps(configuration))
        return f"127.0.0.1:{http_port}", ["agent", f"-config={file}"]

    @staticmethod
    def _probe(address: str) -> None:
        task = {"Name": "probe", "Driver": "raw_exec"}
        job = {"ID": "probe", "Datacenters": ["dc1"], "TaskGroups": [{"Name": "probe", "Tasks": [task]}]}
        _request(address, "POST", "/v1/jobs", json.dumps({"Job": job}))
        _request(address, "DELETE", "/v1/job/probe?purge=true")


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
