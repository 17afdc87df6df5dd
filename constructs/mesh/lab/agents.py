"""The agents on a lab's machines: starts them, ends them, waits until they are ready."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from mesh import ports
from mesh.lab import requirements
from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.ground import Ground, text_of
from mesh.lab.init import HERE
from mesh.lab.machines import CONSUL, NOMAD, Machine
from mesh.lab.node import Node, kill
from mesh.lab.waiting import within

READY_SECONDS: Final = 60.0
_NAMED_SECONDS: Final = 5.0

_CONSUL_ITSELF: Final = "consul"
"""The service of a server, which its agent does not list."""


def start_all(lab: Ground, machines: Sequence[Machine], say: Callable[[str], None]) -> None:
    """Starts the agents that do not run, and waits until all are ready.

    Raises:
        LabError: one ends, or is not ready in time; with the end of its log.
    """
    started = [machine.name for machine in machines if start(lab, machine.name, CONSUL)]
    for machine in machines:
        _wait(lab, machine.name, CONSUL, _consul_is_ready)
    if started:
        say("Consul is ready")
    # A client that registers before the servers have a key is not asked again for half a minute.
    read = {machine.name: len(text_of(_log(lab, machine.name, NOMAD))) for machine in machines}
    servers = [machine.name for machine in machines if machine.server]
    started = [name for name in servers if start(lab, name, NOMAD)]
    for name in servers:
        _wait(lab, name, NOMAD, _nomad_server_is_ready)
    started += [machine.name for machine in machines if start(lab, machine.name, NOMAD)]
    for machine in machines:
        if machine.client:
            _wait(lab, machine.name, NOMAD, _registering(lab, machine.name, read[machine.name]))
    if started:
        say("Nomad is ready")


def start(lab: Ground, machine: str, agent: str) -> bool:
    """Starts an agent of a running machine; returns whether it did not run yet.

    Raises:
        LabError: the machine does not run.
    """
    running = lab.node(machine)
    if running.process(agent, "agent"):
        return False
    environment = {"PATH": f"{HERE / 'bin'}:{requirements.PATH}", "HOME": "/root", "TMPDIR": "/tmp"}  # noqa: S108  the agents' own affair
    option = {CONSUL: "-config-file", NOMAD: "-config"}[agent]
    command = (str(HERE / "bin" / agent), "agent", f"{option}={HERE / agent}.json")
    running.start(*command, log=f"{agent}.log", environment=environment)
    # It takes a moment until it bears its name; one that ends at once never does.
    within(_NAMED_SECONDS, lambda: running.process(agent, "agent"), pause=0.01)
    return True


def end(lab: Ground, machine: str, agent: str) -> None:
    """Ends an agent of a running machine at once, as a crash would; what it runs goes on.

    Raises:
        LabError: the machine does not run.
    """
    running = lab.node(machine)
    kill(lambda: running.process(agent, "agent"))


def failing_checks(nodes: Sequence[Node]) -> Iterator[str]:
    """The checks of Consul's agents that do not pass, with what they say."""
    for node in nodes:
        for check in Api(node, ports.LOOPBACK_HTTP).get("/v1/agent/checks").values():
            if check["Status"] != "passing":
                where = check["ServiceName"] or node.name
                yield f"{where}: {check['Name']}: {check['Output'].strip()[:200]}"


def unheard(nodes: Sequence[Node]) -> Iterator[str]:
    """What the agents know of their machines and Consul's catalog does not say yet, so that no proxy knows it either.

    An agent tells every change at once. But when it is about to compare everything while a service is being registered,
    it tries again after 15 to 30 seconds, and tells nothing before (consul@1.22.7 agent/ae/ae.go, nextFSMState).
    """
    for node in nodes:
        api = Api(node, ports.LOOPBACK_HTTP)
        checks = {check["CheckID"]: check["Status"] for check in api.get(f"/v1/health/node/{node.name}")}
        for id_, check in api.get("/v1/agent/checks").items():
            if checks.get(id_) != check["Status"]:
                where = check["ServiceName"] or node.name
                yield f"{where}: {check['Name']}: {check['Status']}, but the catalog does not say so yet"
        there = api.get(f"/v1/catalog/node-services/{node.name}")
        services = {service["ID"]: service["Service"] for service in (there or {}).get("Services", ())}
        own = {id_: service["Service"] for id_, service in api.get("/v1/agent/services").items()}
        for id_ in own.keys() - services.keys():
            yield f"{own[id_]}: registered, but the catalog does not have it yet"
        for id_ in services.keys() - own.keys() - {_CONSUL_ITSELF}:
            yield f"{services[id_]}: no longer registered, but the catalog still has it"


def end_of(log: Path) -> str:
    """The last lines of a log; nothing if there is none."""
    return "\n".join(text_of(log).splitlines()[-20:])


def _consul_is_ready(node: Node) -> bool:
    api = Api(node, ports.LOOPBACK_HTTP)
    return bool(api.get("/v1/status/leader") and api.get("/v1/connect/ca/roots")["ActiveRootID"])


def _nomad_server_is_ready(node: Node) -> bool:
    api = Api(node, ports.NOMAD_HTTP)
    return bool(api.get("/v1/status/leader") and api.get("/.well-known/jwks.json")["keys"])


def _nomad_client_is_ready(node: Node) -> bool:
    api = Api(node, ports.NOMAD_HTTP)
    own = api.get("/v1/agent/self")["stats"].get("client", {}).get("node_id")
    found = own and api.find(f"/v1/node/{own}")
    return bool(
        found
        and found["Status"] == "ready"
        and found["Drivers"].get("raw_exec", {}).get("Healthy")
        and "consul.version" in found["Attributes"]
    )


def _registering(lab: Ground, machine: str, read: int) -> Callable[[Node], bool]:
    """Whether a client of Nomad is ready; one that was refused, as its log says from ``read`` on, is started again.

    One that is a server, too, often registers a moment before it has a key. It tries again after 15 to 30 seconds
    (nomad@1.11.3 client/client.go, retryRegisterNode), but at once when it is started again.
    """

    def ready(node: Node) -> bool:
        nonlocal read
        if _nomad_client_is_ready(node):
            return True
        if "client: error registering: " in text_of(_log(lab, machine, NOMAD))[read:]:
            end(lab, machine, NOMAD)
            read = len(text_of(_log(lab, machine, NOMAD)))
            start(lab, machine, NOMAD)
        return False

    return ready


def _wait(lab: Ground, machine: str, agent: str, ready: Callable[[Node], bool]) -> None:
    """Waits until an agent is ready.

    Raises:
        LabError: it ends, or is not ready in time; with the end of its log.
    """
    what, log = f"{agent.capitalize()} on {machine}", _log(lab, machine, agent)
    node = lab.node(machine)
    deadline = time.monotonic() + READY_SECONDS
    last = ""
    while time.monotonic() < deadline:
        try:
            if ready(node):
                return
        except LabError as error:
            last = str(error)
        if node.process(agent, "agent") is None:
            raise LabError(f"{what} has ended:\n{end_of(log)}")
        time.sleep(0.05)
    raise LabError(f"{what} is not ready: {last}\n{end_of(log)}")


def _log(lab: Ground, machine: str, agent: str) -> Path:
    return lab.folder / machine / f"{agent}.log"
