"""The lab of an environment: its machines, agents and what runs on them."""

import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from mesh import ports, topology
from mesh.config_entry import ConfigEntry
from mesh.consul import policy
from mesh.consul.hazards import Hazard, hazards
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.lab import apply, node, requirements
from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.ground import Ground
from mesh.lab.init import HERE
from mesh.lab.machines import CONSUL, INTERFACE, NOMAD, SWITCH, Machine, machines, of_cluster, with_clients
from mesh.lab.node import Node, Process
from mesh.lab.peering import peer
from mesh.lab.programs import find_consul, find_nomad
from mesh.lab.requests import Target
from mesh.lab.swaps import Programs, swapped
from mesh.lab.waiting import within
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway
from mesh.model.job import HclJob
from mesh.nomad.job import Job
from mesh.nomad.jobs import jobs
from mesh.shapes import JsonObject

READY_SECONDS: Final = 60.0
_JOIN_SECONDS: Final = 3.0
_FORWARD_SECONDS: Final = 10.0
DEPLOYED_SECONDS: Final = 600.0
HEALTHY_SECONDS: Final = 60.0
RUNNING_SECONDS: Final = 120.0
ELSEWHERE: Final = 0
"""A port that the kernel chooses."""

BRIDGE: Final = "bridge0"

Say = Callable[[str], None]
"""Is told what happens."""


@dataclass(frozen=True)
class Cluster:
    """One Consul and one Nomad cluster, and what shall be there.

    Attributes:
        name: ``None`` for the mesh's own; see :func:`mesh.topology.clusters`.
        datacenter: Its datacenter.
        machines: The machines, a server first.
        entries: The config entries.
        derived_jobs: The jobs of the declaration.
        extra_jobs: The jobs that are written in HCL.
        programs: What runs in place of images.
        consul: The server's API.
        nomad: The server's API.
    """

    name: str | None
    datacenter: str
    machines: tuple[Machine, ...]
    entries: tuple[ConfigEntry, ...]
    derived_jobs: tuple[Job, ...]
    extra_jobs: tuple[HclJob, ...]
    programs: Programs
    consul: Api
    nomad: Api

    @cached_property
    def jobs(self) -> tuple[JsonObject, ...]:
        """The jobs as the lab runs them; Nomad itself reads those in HCL.

        Raises:
            LabError: Nomad cannot read one, or does not answer.
        """
        written = [job.api_json() for job in self.derived_jobs]
        written += [apply.parsed_job(self.nomad, job) for job in self.extra_jobs]
        return tuple(swapped(job, self.programs) for job in written)


class Lab(Ground):
    """The lab of an environment, whether it runs or not.

    Attributes:
        environment: What it runs.
    """

    def __init__(self, environment: Environment, root: Path) -> None:
        super().__init__(environment.name, root)
        self.environment = environment

    @property
    def clients(self) -> int:
        """Client machines that the lab was started with; 0 if the server's machine is the client.

        Raises:
            LabError: it was not started.
        """
        try:
            return int(json.loads((self.folder / "lab.json").read_text(encoding="utf-8"))["clients"])
        except (OSError, ValueError, KeyError) as error:
            raise self.is_down() from error

    @cached_property
    def programs(self) -> Programs:
        """What runs in place of images."""
        envoy = requirements.envoy()
        if envoy is None:
            raise LabError(str(requirements.NO_ENVOY))
        return Programs(envoy, sys.executable, _ECHO)

    def clusters(self) -> tuple[Cluster, ...]:
        """What the environment declares, and the agents of the running lab.

        Raises:
            LabError: the lab does not run.
        """
        clients = self.clients
        environment = with_clients(self.environment, clients)
        return tuple(
            Cluster(
                name=cluster,
                datacenter=topology.datacenter(environment.platform, cluster),
                machines=found,
                entries=policy.entries(environment, cluster),
                derived_jobs=jobs(environment, cluster),
                extra_jobs=() if cluster else tuple(environment.extra_jobs),
                programs=self.programs,
                consul=Api(self.node(found[0].name), ports.LOOPBACK_HTTP),
                nomad=Api(self.node(found[0].name), ports.NOMAD_HTTP),
            )
            for cluster, found in self._machines(clients).items()
        )

    def _machines(self, clients: int) -> dict[str | None, tuple[Machine, ...]]:
        environment = with_clients(self.environment, clients)
        cni = requirements.cni_folder() or ""
        return {
            cluster: machines(of_cluster(environment, cluster), clients, cni)
            for cluster in topology.clusters(environment.platform)
        }

    # Up and down

    def start(self, clients: int | None, say: Say) -> None:
        """Makes the machines and starts their agents; what is there and works stays.

        Args:
            clients: Client machines; with 0 the server's machine is the client. As many as there are, when not given.
            say: Told what happens.

        Raises:
            LabError: something cannot be made or does not start.
        """
        consul, nomad = find_consul(self.root), find_nomad(self.root)
        if clients is None:
            clients = self._clients_there()
        found = [machine for each in self._machines(clients).values() for machine in each]
        if not self._is_whole(found, clients):
            self.stop()
            self._make(found, clients, {CONSUL: consul, NOMAD: nomad})
            say(f"machines: {', '.join(machine.name for machine in found)}")
        self._start_agents(found, say)
        clusters = self.clusters()
        for cluster in clusters:
            self._forward(cluster)
        if len(clusters) > 1:
            peer(clusters[0].consul, clusters[0].datacenter, clusters[1].consul, clusters[1].datacenter)
            say(f"{clusters[0].datacenter} and {clusters[1].datacenter} are peers")

    def _clients_there(self) -> int:
        with suppress(LabError):
            return self.clients
        return 0

    def _is_whole(self, wanted: Sequence[Machine], clients: int) -> bool:
        with suppress(LabError):
            return self.nodes().keys() == {SWITCH, *(each.name for each in wanted)} and self.clients == clients
        return False

    def _make(self, wanted: Sequence[Machine], clients: int, programs: dict[str, Path]) -> None:
        self.folder.mkdir(parents=True)
        switch = node.create(SWITCH, self.folder / SWITCH)
        switch.run("ip", "link", "add", BRIDGE, "type", "bridge")
        switch.run("ip", "link", "set", BRIDGE, "up")
        prefix = self.environment.platform.network.virtual_network.prefixlen  # other clusters lie next to it
        for index, machine in enumerate(wanted):
            folder = self.folder / machine.name
            made = node.create(machine.name, folder)
            node.join(made, INTERFACE, switch, f"port{index}")
            switch.run("ip", "link", "set", f"port{index}", "master", BRIDGE, "up")
            made.run("ip", "address", "add", f"{machine.address}/{prefix}", "dev", INTERFACE)
            made.run("ip", "link", "set", INTERFACE, "up")
            made.run("ip", "route", "add", "default", "dev", INTERFACE)
            (folder / "bin").mkdir()
            for name, program in programs.items():
                (folder / "bin" / name).symlink_to(program.resolve())
            for agent, configuration in machine.configurations.items():
                (folder / f"{agent}.json").write_text(json.dumps(configuration, indent=2), encoding="utf-8")
        # Last: without it, the lab is not whole.
        (self.folder / "lab.json").write_text(json.dumps({"clients": clients}), encoding="utf-8")

    def _start_agents(self, wanted: Sequence[Machine], say: Say) -> None:
        started = [machine.name for machine in wanted if self.start_agent(machine.name, CONSUL)]
        for machine in wanted:
            _wait(f"Consul on {machine.name}", self, machine.name, CONSUL, self._consul_is_ready)
        if started:
            say("Consul is ready")
        # A client that registers before the servers have a key is not asked again for half a minute.
        servers = [machine.name for machine in wanted if machine.server]
        started = [name for name in servers if self.start_agent(name, NOMAD)]
        for name in servers:
            _wait(f"Nomad on {name}", self, name, NOMAD, self._nomad_server_is_ready)
        started += [machine.name for machine in wanted if self.start_agent(machine.name, NOMAD)]
        for machine in wanted:
            if machine.server and machine.client and not self._joins_itself(machine.name):
                self.end_agent(machine.name, NOMAD)
                self.start_agent(machine.name, NOMAD)
            if machine.client:
                _wait(f"Nomad on {machine.name}", self, machine.name, NOMAD, self._nomad_client_is_ready)
        if started:
            say("Nomad is ready")

    def _joins_itself(self, machine: str) -> bool:
        """Whether an agent that is server and client has become a client of itself.

        If it registers a moment before it has a key, it tries again after half a minute, but at once when it is started
        again.
        """
        return within(_JOIN_SECONDS, lambda: self._nomad_client_is_ready(machine), pause=0.1)

    def end_agent(self, machine: str, agent: str) -> None:
        """Ends an agent of a running machine at once, as a crash would; what it runs goes on.

        Raises:
            LabError: the machine does not run.
        """
        running = self.node(machine)
        while (process := running.process(agent, "agent")) is not None:
            process.signal(signal.SIGKILL)
            time.sleep(0.01)

    def start_agent(self, machine: str, agent: str) -> bool:
        """Starts an agent of a running machine; returns whether it did not run yet.

        Raises:
            LabError: the machine does not run.
        """
        running = self.node(machine)
        if running.process(agent, "agent"):
            return False
        environment = {"PATH": f"{HERE / 'bin'}:{requirements.PATH}", "HOME": "/root", "TMPDIR": "/tmp"}  # noqa: S108  the agents' own affair
        option = {CONSUL: "-config-file", NOMAD: "-config"}[agent]
        command = (str(HERE / "bin" / agent), "agent", f"{option}={HERE / agent}.json")
        running.start(*command, log=f"{agent}.log", environment=environment)
        return True

    def _consul_is_ready(self, machine: str) -> bool:
        api = Api(self.node(machine), ports.LOOPBACK_HTTP)
        return bool(api.get("/v1/status/leader") and api.get("/v1/connect/ca/roots")["ActiveRootID"])

    def _nomad_server_is_ready(self, machine: str) -> bool:
        api = Api(self.node(machine), ports.NOMAD_HTTP)
        return bool(api.get("/v1/status/leader") and api.get("/.well-known/jwks.json")["keys"])

    def _nomad_client_is_ready(self, machine: str) -> bool:
        api = Api(self.node(machine), ports.NOMAD_HTTP)
        own = api.get("/v1/agent/self")["stats"].get("client", {}).get("node_id")
        found = own and api.find(f"/v1/node/{own}")
        return bool(
            found
            and found["Status"] == "ready"
            and found["Drivers"].get("raw_exec", {}).get("Healthy")
            and "consul.version" in found["Attributes"]
        )

    def _forward(self, cluster: Cluster) -> None:
        """Lets this machine's loopback lead to the agents and the gateways of a cluster."""
        server = self.node(cluster.machines[0].name)
        clients = [machine.address for machine in cluster.machines if machine.client]
        targets = {port: [IPv4Address(topology.LOOPBACK)] for port in (ports.LOOPBACK_HTTP, ports.NOMAD_HTTP)}
        for gateway in self.gateways(cluster):
            targets |= {listener.port: clients for listener in gateway.listeners}
        here = topology.consul_host(self.environment, cluster.name)
        inside = {",".join(f"{host}:{port}" for host in hosts): port for port, hosts in targets.items()}
        while (forwarder := self._forwarder(server)) is not None:
            if _forwarded(forwarder).keys() == inside.keys():
                return
            forwarder.signal(signal.SIGKILL)
            time.sleep(0.01)
        pairs = [f"{here}:{_free(here, port)}={there}" for there, port in inside.items()]
        server.start_outside(sys.executable, "-I", _FORWARD, *pairs, log="forward.log")
        # It takes a moment until it bears its name.
        if not within(_FORWARD_SECONDS, lambda: self._forwarder(server), pause=0.01):
            raise LabError(f"nothing leads into the lab:\n{_end_of(server.folder / 'forward.log')}")

    @staticmethod
    def _forwarder(server: Node) -> Process | None:
        return next((process for process in server.processes() if _FORWARD in process.command), None)

    def gateways(self, cluster: Cluster) -> tuple[ApiGateway, ...]:
        """The gateways of a cluster."""
        found = topology.gateways_on(self.environment, ApiGateway)
        return tuple(gateway for gateway in found if gateway.runs_on.peer == cluster.name)

    def addresses(self, cluster: Cluster) -> dict[int, str]:
        """Where this machine's loopback leads into a cluster: by the port inside, the address here.

        Raises:
            LabError: the lab does not run.
        """
        forwarder = self._forwarder(self.node(cluster.machines[0].name))
        found = _forwarded(forwarder) if forwarder else {}
        return {int(there.rpartition(":")[2]): here for there, here in found.items()}

    # The declaration

    def hazards(self) -> tuple[Hazard, ...]:
        """What goes wrong when what is declared takes the place of what is there."""
        found: list[Hazard] = []
        for cluster in self.clusters():
            there = [entry for entry in apply.written_entries(cluster.consul).values() if entry]
            declared = [read(entry, Form.PYTHON, Edition.COMMUNITY).entry for entry in cluster.entries]
            found += hazards(there, [entry for entry in declared if entry])
        return tuple(found)

    def apply(self, say: Say) -> int:
        """Brings the agents to what is declared; returns the number of steps that took.

        Raises:
            LabError: a step fails, or a job does not become healthy.
        """
        count = 0
        clusters = self.clusters()
        for cluster in clusters:
            self._forward(cluster)
        for cluster in clusters:
            steps = apply.policy_steps(cluster.consul, cluster.entries)
            apply.run(steps, self._of(cluster, say))
            count += len(steps)
        for cluster in clusters:
            steps = apply.workload_steps(cluster.nomad, cluster.jobs)
            apply.run(steps, self._of(cluster, say))
            count += len(steps)
        for cluster in clusters:
            apply.wait_until_deployed(cluster.nomad, cluster.jobs, self._of(cluster, say), DEPLOYED_SECONDS)
        return count

    def _of(self, cluster: Cluster, say: Say) -> Say:
        """Says of which cluster it speaks, where there are several."""
        if len(topology.clusters(self.environment.platform)) == 1:
            return say
        return lambda what: say(f"{cluster.datacenter}: {what}")

    def wait_until_running(self, say: Say) -> None:
        """Waits until as many instances run as are declared; those that have failed are placed again, without delay.

        An agent of Nomad that ends within a minute has not yet saved the networks of what it started, and lets all of
        that fail when it is back (nomad@1.11.3 client/client.go, stateSnapshotIntv).

        Raises:
            LabError: some do not run in time.
        """
        deadline = time.monotonic() + RUNNING_SECONDS
        said: set[str] = set()
        clusters = self.clusters()
        while True:
            lacking = [
                (cluster, job, f"job {job}: {running} of {wanted} run")
                for cluster in clusters
                for job, running, wanted in _instances(cluster)
                if running < wanted
            ]
            if not lacking:
                return
            if time.monotonic() > deadline:
                raise LabError("\n".join(text for _, _, text in lacking))
            for cluster, job, text in lacking:
                if text not in said:
                    self._of(cluster, say)(text)
                    said.add(text)
                again = {"JobID": job, "EvalOptions": {"ForceReschedule": True}}
                cluster.nomad.request("POST", f"/v1/job/{job}/evaluate", again)
            time.sleep(1)

    def wait_until_healthy(self, say: Say) -> None:
        """Waits until every check passes; they begin anew with an agent that is started again.

        Raises:
            LabError: some do not pass in time; with what they say.
        """
        agents = [self.node(machine.name) for cluster in self.clusters() for machine in cluster.machines]
        deadline = time.monotonic() + HEALTHY_SECONDS
        failing = list(_failing(agents))
        if failing:
            say(f"{len(failing)} checks have yet to pass")
        while failing:
            if time.monotonic() > deadline:
                raise LabError("\n  ".join(["not healthy:", *failing]))
            time.sleep(0.1)
            failing = list(_failing(agents))

    def gateway(self, name: str, port: int) -> Target:
        """Where a gateway listens.

        Raises:
            LabError: the environment has no such gateway, or no instance of it is healthy.
        """
        cluster = next(
            (each for each in self.clusters() if name in {found.name for found in self.gateways(each)}), None
        )
        if cluster is None:
            raise LabError(f"the environment {self.name} has no API gateway {name}")
        instances = cluster.consul.get(f"/v1/health/service/{name}?passing")
        if not instances:
            raise LabError(f"no instance of {name} is healthy; see mesh lab status")
        return Target(cluster.consul.node, instances[0]["Service"]["Address"], port)

    def status(self) -> Iterator[tuple[str, bool]]:
        """What runs, line by line, each with whether it is as it should be.

        Raises:
            LabError: the lab does not run.
        """
        for cluster in self.clusters():
            whole = True
            for machine in cluster.machines:
                running = self.node(machine.name)
                for agent in machine.configurations:
                    there = running.process(agent, "agent")
                    whole &= there is not None
                    yield f"{machine.name}  {agent}: {'runs' if there else 'does not run'}", there is not None
            if not whole:
                yield f"what runs is not known: mesh lab up {self.name} starts the agents again", False
                continue
            steps = apply.policy_steps(cluster.consul, cluster.entries)
            missing = f", {len(steps)} steps away: mesh lab apply {self.name}" if steps else ", as declared"
            yield f"config entries: {len(cluster.entries)} declared{missing}", not steps
            for job, running_now, wanted in _instances(cluster):
                yield f"job {job}: {running_now} of {wanted} run", running_now >= wanted

    @property
    def module(self) -> str:
        """Name of the environment's module."""
        return self.name.replace("-", "_")


_ECHO: Final = str(Path(__file__).resolve().with_name("echo.py"))
_FORWARD: Final = str(Path(__file__).resolve().with_name("forward.py"))


def _failing(agents: Sequence[Node]) -> Iterator[str]:
    """The checks of Consul's agents that do not pass, with what they say."""
    for agent in agents:
        for check in Api(agent, ports.LOOPBACK_HTTP).get("/v1/agent/checks").values():
            if check["Status"] != "passing":
                where = check["ServiceName"] or agent.name
                yield f"{where}: {check['Name']}: {check['Output'].strip()[:200]}"


def _instances(cluster: Cluster) -> Iterator[tuple[str, int, int]]:
    """Of each declared job, how many instances run and how many shall."""
    there = {job["ID"]: job["JobSummary"]["Summary"] for job in cluster.nomad.get("/v1/jobs")}
    for job in cluster.jobs:
        if job.get("Periodic") or job.get("ParameterizedJob"):
            continue  # it waits
        counted = ("Running",) if job.get("Type") in {None, "service", "system"} else ("Running", "Complete")
        running = sum(group[state] for group in there.get(job["ID"], {}).values() for state in counted)
        wanted = sum(1 if group.get("Count") is None else group["Count"] for group in job["TaskGroups"])
        yield job["ID"], running, wanted


def _forwarded(forwarder: Process) -> dict[str, str]:
    """What a forwarder was told: by the addresses inside, the one here."""
    pairs = (argument.partition("=") for argument in forwarder.command if "=" in argument)
    return {there: here for here, _, there in pairs}


def _free(host: str, port: int) -> int:
    """The port, or if someone on this machine has it, another one."""
    for candidate in (port, ELSEWHERE):
        with suppress(OSError), socket.create_server((host, candidate)) as found:
            return int(found.getsockname()[1])
    raise LabError(f"there is no free port on {host}")


def _wait(what: str, lab: Lab, machine: str, agent: str, ready: Callable[[str], bool]) -> None:
    """Waits until an agent is ready.

    Raises:
        LabError: it ends, or is not ready in time; with the end of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    last, seen = "", False
    while time.monotonic() < deadline:
        try:
            if ready(machine):
                return
        except LabError as error:
            last = str(error)
        there = lab.node(machine).process(agent, "agent") is not None
        if seen and not there:
            raise LabError(f"{what} has ended:\n{_end_of(lab.folder / machine / f'{agent}.log')}")
        seen |= there  # it takes a moment from starting a program until it bears its name
        time.sleep(0.05)
    raise LabError(f"{what} is not ready: {last}\n{_end_of(lab.folder / machine / f'{agent}.log')}")


def _end_of(log: Path) -> str:
    with suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    return ""
