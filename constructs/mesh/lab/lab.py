"""The lab of an environment: its machines, agents and what runs on them."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from mesh import ports, topology
from mesh.config_entry import ConfigEntry
from mesh.consul import policy
from mesh.consul.hazards import Hazard, hazards
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.lab import agents, apply, forwarding, node, requirements
from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.ground import Ground, text_of
from mesh.lab.machines import CONSUL, INTERFACE, NOMAD, SWITCH, Machine, Tools, machines, of_cluster, with_clients
from mesh.lab.peering import Peer, are_peers, become_peers
from mesh.lab.programs import find_consul, find_nomad
from mesh.lab.requests import Target
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway
from mesh.model.job import HclJob
from mesh.nomad.jobs import jobs, specification
from mesh.nomad.swaps import swapped
from mesh.shapes import JsonObject

DEPLOYED_SECONDS: Final = 600.0
HEALTHY_SECONDS: Final = 60.0
RUNNING_SECONDS: Final = 120.0

MOMENT_SECONDS: Final = 1.0
"""A wait of which nothing needs to be said."""

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
        consul: The server's API.
        nomad: The server's API.
    """

    name: str | None
    datacenter: str
    machines: tuple[Machine, ...]
    entries: tuple[ConfigEntry, ...]
    derived_jobs: tuple[JsonObject, ...]
    extra_jobs: tuple[HclJob, ...]
    consul: Api
    nomad: Api

    @cached_property
    def jobs(self) -> tuple[JsonObject, ...]:
        """The jobs as the lab runs them; Nomad itself reads those in HCL.

        Raises:
            LabError: Nomad cannot read one, or does not answer.
        """
        extra = (swapped(apply.parsed_job(self.nomad, job)) for job in self.extra_jobs)
        return (*self.derived_jobs, *extra)


class Lab(Ground):
    """The lab of an environment, whether it runs or not.

    Attributes:
        environment: What it runs.
        made: Whether its machines were made by `start` of this object, or begun to be.
    """

    def __init__(self, environment: Environment, root: Path) -> None:
        super().__init__(environment.name, root)
        self.environment = environment
        self.made = False

    @property
    def clients(self) -> int:
        """Client machines that the lab was started with; 0 if the server's machine is the client.

        Raises:
            LabError: it was not started.
        """
        try:
            return int(json.loads(self._made_of.read_text(encoding="utf-8"))["clients"])
        except (OSError, ValueError, KeyError) as error:
            raise self.is_down() from error

    @property
    def _made_of(self) -> Path:
        """The file with what the machines were made of; without it, the lab is not whole."""
        return self.folder / "lab.json"

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
                derived_jobs=tuple(specification(environment, job) for job in jobs(environment, cluster)),
                extra_jobs=() if cluster else tuple(environment.extra_jobs),
                consul=Api(self.node(found[0].name), ports.LOOPBACK_HTTP),
                nomad=Api(self.node(found[0].name), ports.NOMAD_HTTP),
            )
            for cluster, found in self._machines(clients).items()
        )

    def _machines(self, clients: int) -> dict[str | None, tuple[Machine, ...]]:
        environment = with_clients(self.environment, clients)
        envoy = requirements.envoy()
        if envoy is None:
            raise LabError(str(requirements.NO_ENVOY))
        tools = Tools(cni=requirements.cni_folder() or "", envoy=envoy, python=sys.executable, echo=_ECHO)
        return {
            cluster: machines(of_cluster(environment, cluster), clients, tools)
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
        programs = {CONSUL: find_consul(self.root).resolve(), NOMAD: find_nomad(self.root).resolve()}
        if clients is None:
            clients = self._clients_there()
        found = [machine for each in self._machines(clients).values() for machine in each]
        made_of = {"clients": clients, **{name: str(program) for name, program in programs.items()}}
        if not self._is_whole(found, made_of):
            self.stop()
        elif changed := self._changed(found):
            say(f"declared otherwise since, so the machines are made anew: {', '.join(changed)}")
            self.stop()
        if not self.is_there():
            self.made = True
            self._make(found, programs)
            self._made_of.write_text(json.dumps(made_of), encoding="utf-8")
            say(f"machines: {', '.join(machine.name for machine in found)}")
        agents.start_all(self, found, say)
        clusters = self.clusters()
        for cluster in clusters:
            self._forward(cluster, say)
        if len(clusters) > 1:
            become_peers(*map(_peer, clusters))
            say(f"{clusters[0].datacenter} and {clusters[1].datacenter} are peers")

    def _clients_there(self) -> int:
        with suppress(LabError):
            return self.clients
        return 0

    def _is_whole(self, wanted: Sequence[Machine], made_of: JsonObject) -> bool:
        with suppress(OSError, ValueError):
            written = json.loads(self._made_of.read_text(encoding="utf-8"))
            return self.nodes().keys() == {SWITCH, *(each.name for each in wanted)} and bool(written == made_of)
        return False

    def _changed(self, wanted: Sequence[Machine]) -> list[str]:
        """The agents that were told something else than is declared now."""
        return [
            f"{machine.name}/{agent}"
            for machine in wanted
            for agent, configuration in machine.configurations.items()
            if text_of(self._agent_file(machine, agent)) != _written(configuration)
        ]

    def _outdated(self, clusters: Sequence[Cluster]) -> str | None:
        """What to do when agents are declared otherwise than they run."""
        changed = self._changed([machine for cluster in clusters for machine in cluster.machines])
        if not changed:
            return None
        return f"declared otherwise since: {', '.join(changed)}; mesh lab up {self.name} makes the machines anew"

    def _agent_file(self, machine: Machine, agent: str) -> Path:
        return self.folder / machine.name / f"{agent}.json"

    def _make(self, wanted: Sequence[Machine], programs: Mapping[str, Path]) -> None:
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
                (folder / "bin" / name).symlink_to(program)
            for agent, configuration in machine.configurations.items():
                self._agent_file(machine, agent).write_text(_written(configuration), encoding="utf-8")

    def _forward(self, cluster: Cluster, say: Say) -> None:
        """Lets this machine's loopback lead to the agents and the gateways of a cluster."""
        host = topology.consul_host(self.environment, cluster.name)
        server = self.node(cluster.machines[0].name)
        forwarding.forward(server, host, self._targets(cluster), self._of(cluster, say))

    def _targets(self, cluster: Cluster) -> dict[int, list[str]]:
        """By the port, the hosts that this machine's loopback leads to."""
        clients = [str(machine.address) for machine in cluster.machines if machine.client]
        listeners = (listener for gateway in self.gateways(cluster) for listener in gateway.listeners)
        return {
            ports.LOOPBACK_HTTP: [topology.LOOPBACK],
            ports.NOMAD_HTTP: [topology.LOOPBACK],
            **{listener.port: clients for listener in listeners},
        }

    def gateways(self, cluster: Cluster) -> tuple[ApiGateway, ...]:
        """The gateways of a cluster."""
        found = topology.gateways_on(self.environment, ApiGateway)
        return tuple(gateway for gateway in found if gateway.runs_on.peer == cluster.name)

    def addresses(self, cluster: Cluster) -> dict[int, str]:
        """Where this machine's loopback leads into a cluster: by the port inside, the address here.

        Raises:
            LabError: the lab does not run.
        """
        return forwarding.forwarded(self.node(cluster.machines[0].name))

    def end_agent(self, machine: str, agent: str) -> None:
        """Ends an agent of a running machine at once, as a crash would; what it runs goes on.

        Raises:
            LabError: the machine does not run.
        """
        agents.end(self, machine, agent)

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
            LabError: a step fails, a job does not become healthy, or the agents themselves are declared otherwise.
        """
        count = 0
        clusters = self.clusters()
        if outdated := self._outdated(clusters):
            raise LabError(outdated)
        for cluster in clusters:
            self._forward(cluster, say)
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
        self._wait_until_heard(say)
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
        nodes = self._machine_nodes()
        _wait_for_none("not healthy", lambda: [*agents.failing_checks(nodes), *agents.unheard(nodes)], say)

    def _wait_until_heard(self, say: Say) -> None:
        """Waits until Consul's catalog, and so every proxy, has what the agents know of their machines.

        Raises:
            LabError: it has not, in time; with what is lacking.
        """
        nodes = self._machine_nodes()
        _wait_for_none("not in Consul's catalog", lambda: list(agents.unheard(nodes)), say)

    def _machine_nodes(self) -> list[node.Node]:
        return [self.node(machine.name) for found in self._machines(self.clients).values() for machine in found]

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
            raise LabError(f"no instance of {name} is healthy; see mesh lab status {self.name}")
        return Target(cluster.consul.node, instances[0]["Service"]["Address"], port)

    def status(self) -> Iterator[tuple[str, bool]]:
        """What runs, line by line, each with whether it is as it should be.

        Raises:
            LabError: the lab does not run.
        """
        clusters = self.clusters()
        whole = True
        for cluster in clusters:
            for machine in cluster.machines:
                running = self.node(machine.name)
                for agent in machine.configurations:
                    there = running.process(agent, "agent")
                    whole &= there is not None
                    yield f"{machine.name}  {agent}: {'runs' if there else 'does not run'}", there is not None
        if not whole:
            yield f"what runs is not known: mesh lab up {self.name} starts the agents again", False
            return
        if outdated := self._outdated(clusters):
            yield outdated, False
        for cluster in clusters:
            yield from self._status_of(cluster)
        if len(clusters) > 1:
            yield "peers: " + ("connected" if (well := are_peers(*map(_peer, clusters))) else "not connected"), well

    def _status_of(self, cluster: Cluster) -> Iterator[tuple[str, bool]]:
        if lacking := self._targets(cluster).keys() - self.addresses(cluster).keys():
            ports_ = ", ".join(map(str, sorted(lacking)))
            yield f"this machine's loopback does not lead to {ports_}: mesh lab apply {self.name}", False
        for what, declared, steps in (
            ("config entries", cluster.entries, apply.policy_steps(cluster.consul, cluster.entries)),
            ("jobs", cluster.jobs, apply.workload_steps(cluster.nomad, cluster.jobs)),
        ):
            steps_ = "1 step" if len(steps) == 1 else f"{len(steps)} steps"
            away = f"{steps_} away: mesh lab apply {self.name}" if steps else "as declared"
            yield f"{what}: {len(declared)} declared, {away}", not steps
        for job, running_now, wanted in _instances(cluster):
            yield f"job {job}: {running_now} of {wanted} run", running_now >= wanted
        nodes = [self.node(machine.name) for machine in cluster.machines]
        for check in agents.failing_checks(nodes):
            yield f"check {check}", False
        for what in agents.unheard(nodes):
            yield what, False

    @property
    def module(self) -> str:
        """Name of the environment's module."""
        return self.name.replace("-", "_")


def _wait_for_none(what: str, lacking: Callable[[], Sequence[str]], say: Say) -> None:
    """Waits until nothing is lacking, and says so when it takes more than a moment.

    Raises:
        LabError: something is, after `HEALTHY_SECONDS`; with all of it.
    """
    begin = time.monotonic()
    said = False
    while found := lacking():
        lasted = time.monotonic() - begin
        if lasted > HEALTHY_SECONDS:
            raise LabError("\n  ".join([f"{what}:", *found]))
        if not said and lasted > MOMENT_SECONDS:
            say(f"{what}: {len(found)}; waiting")
            said = True
        time.sleep(0.1)


_ECHO: Final = str(Path(__file__).resolve().with_name("echo.py"))


def _written(configuration: JsonObject) -> str:
    return json.dumps(configuration, indent=2)


def _peer(cluster: Cluster) -> Peer:
    return Peer(cluster.consul, cluster.datacenter)


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
