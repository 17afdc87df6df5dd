"""``mesh lab``: an environment on real agents on this machine."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Final

from mesh import ports
from mesh.check import check
from mesh.commands.codes import INTERRUPTED, UNREADABLE, UNSOUND
from mesh.commands.environments import sound
from mesh.findings import report
from mesh.lab import probes
from mesh.lab.api import Api
from mesh.lab.errors import LabError
from mesh.lab.ground import Ground
from mesh.lab.lab import Lab
from mesh.lab.machines import with_clients
from mesh.lab.probes import Door, Outcome
from mesh.lab.requirements import require
from mesh.project import find_root
from mesh.showing import suggest

DEFAULT: Final = "lab"
"""The environment that is meant when none is named."""

ANSWER_SECONDS: Final = 90.0
"""How long it may take until requests are answered once all is healthy: a proxy that has lost its agent asks again
after half a minute at the latest."""

QUICK_SECONDS: Final = 2.0
"""A wait of which nothing needs to be said."""


def up(options: argparse.Namespace) -> int:
    """``mesh lab up``."""
    lab = _lab(options.environment, options.clients)
    if lab is None:
        return UNSOUND
    require(lab.root)
    with lab.locked(), _cleaning_up(lab):
        say = _progress()
        lab.start(options.clients, say)  # none given: as it is
        _apply(lab, say)
        lab.wait_until_running(say)
        lab.wait_until_healthy(say)
        _wait_for_answers(lab, say)
        status = _test(lab, options.requests)
        print(_afterword(lab))
    return status


def apply(options: argparse.Namespace) -> int:
    """``mesh lab apply``."""
    _as_root()
    lab = _lab(options.environment)
    if lab is None:
        return UNSOUND
    with lab.locked():
        _apply(lab, _progress())
    return 0


def test(options: argparse.Namespace) -> int:
    """``mesh lab test``: exit code 1 when someone else answers than is declared."""
    _as_root()
    lab = _lab(options.environment)
    if lab is None:
        return UNSOUND
    if not lab.is_there():
        raise lab.is_down()
    return _test(lab, options.requests)


def status(options: argparse.Namespace) -> int:
    """``mesh lab status``: exit code 1 when something does not run."""
    _as_root()
    lab = _lab(options.environment)
    if lab is None:
        return UNSOUND
    whole = True
    for line, well in lab.status():
        print(line if well else f"{line}  <- not as it should be")
        whole &= well
    print(_addresses(lab))
    return 0 if whole else UNSOUND


def down(options: argparse.Namespace) -> int:
    """``mesh lab down``."""
    _as_root()
    root = find_root(Path.cwd())
    named: str | None = options.environment
    names = [named] if named else Ground.names(root)
    status = 0
    for name in names:
        lab = Ground(name, root)
        try:
            with lab.locked():
                there = lab.is_there()
                lab.stop()
        except LabError as error:
            print(f"error: {error}", file=sys.stderr)
            status = UNREADABLE
        else:
            print(f"the lab {lab.name} is gone" if there else f"the lab {lab.name} does not run")
            if named and not there:
                status = UNSOUND
    if not names:
        print("no lab runs")
    return status


def logs(options: argparse.Namespace) -> int:
    """``mesh lab logs``."""
    _as_root()
    lab = Ground(_name(options.environment), find_root(Path.cwd()))
    found = lab.logs()
    if not found:
        raise lab.is_down()
    if not options.of:
        print("\n".join(found))
        return 0
    wanted = _wanted(lab, list(found), options.of)
    if not wanted:
        close = suggest(options.of, {*_jobs(lab).values(), *(name for log in found for name in _names(log))})
        raise LabError("\n  ".join([f"there is no log {options.of}{close}\nthere are:", *found]))
    for log in wanted:
        lines = found[log].read_text(encoding="utf-8", errors="replace").splitlines()
        if lines:
            print(f"== {log} ({len(lines)} lines) ==", *lines[-options.lines :], sep="\n")
    return 0


def _wanted(lab: Ground, logs: Sequence[str], of: str) -> list[str]:
    """The logs that have that name; else those of that job; else those whose names begin so."""
    if named := [log for log in logs if of in _names(log)]:
        return named
    jobs = _jobs(lab)
    if of_job := [log for log in logs if of in {jobs.get(part) for part in log.split("/")}]:
        return of_job
    return [log for log in logs if any(name.startswith(of) for name in _names(log))]


def _names(log: str) -> set[str]:
    """What a log can be asked for by: each part of its name, and the first parts together."""
    parts = log.split("/")
    return {*parts, *accumulate(parts, "{}/{}".format)}


def _jobs(lab: Ground) -> dict[str, str]:
    """The names of jobs by their allocations, as logs name those; none if Nomad does not say."""
    found: dict[str, str] = {}
    for node in lab.nodes().values():
        if node.process("nomad", "agent"):
            with suppress(LabError):
                allocations = Api(node, ports.NOMAD_HTTP).get("/v1/allocations")
                found |= {each["ID"][:8]: each["JobID"] for each in allocations}
    return found


def _name(environment: str | None) -> str:
    return environment or os.environ.get("MESH_ENVIRONMENT") or DEFAULT


def _as_root() -> None:
    if os.geteuid() != 0:
        raise LabError("a lab is root's: sudo .venv/bin/mesh lab ...")


def _lab(environment: str | None, clients: int | None = None) -> Lab | None:
    declared = sound(_name(environment))
    if declared is None:
        return None
    if declared.platform.azure is not None:
        raise LabError(
            f'the environment "{declared.name}" is on Azure; a lab runs one with platform.azure=None, such as '
            f"environments/{DEFAULT}.py"
        )
    if clients is not None and (findings := check(with_clients(declared, clients))):
        print(report(f"{declared.name} with clients={clients}", findings), file=sys.stderr)
        return None
    return Lab(declared, find_root(Path.cwd()))


def _progress() -> Callable[[str], None]:
    begin = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begin:6.1f} s  {what}", flush=True)

    return say


@contextmanager
def _cleaning_up(lab: Lab) -> Iterator[None]:
    """Whoever interrupts it leaves nothing behind but a lab that ran before."""
    name = lab.name
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if lab.made:
            lab.stop()
        stays = f"stays: mesh lab up {name} goes on, mesh lab down {name} ends it"
        print(f"\ninterrupted: the lab {name} {stays if lab.is_there() else 'is gone'}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except LabError:
        if lab.is_there():
            print(
                f"the lab {name} stays, to look into: mesh lab logs -e {name}; then mesh lab down {name}",
                file=sys.stderr,
            )
        raise


def _apply(lab: Lab, say: Callable[[str], None]) -> None:
    for hazard in lab.hazards():
        print(f"hazard: {hazard}")
    steps = lab.apply(say)
    if not steps:
        say("nothing to do: all is as declared")


def _test(lab: Lab, count: int) -> int:
    doors = list(probes.doors(lab.environment))
    if not doors:
        print("no requests to send: there is no API gateway")
    well = True
    for door in doors:
        print(
            f"\nthrough {door.gateway.name}, port {door.listener.port}, to {' and '.join(s.name for s in door.chain)}:"
        )
        well &= _ask(lab, door, count)
        for what in door.not_asked:
            print(f"  not asked: {what}")
    print()
    if not well:
        print("not every request is answered as declared", file=sys.stderr)
    return 0 if well else UNSOUND


def _ask(lab: Lab, door: Door, count: int) -> bool:
    """Asks what can be asked through a listener, and says who answered; returns whether all is as declared."""
    if not door.probes:
        return True
    try:
        target = lab.gateway(door.gateway.name, door.listener.port)
    except LabError as error:
        print(f"  {error}")
        return False
    outcomes = [probes.ask(probe, target, count) for probe in door.probes]
    width = max(len(str(outcome.probe.request)) for outcome in outcomes)
    for outcome in outcomes:
        print(f"  {outcome.probe.request!s:<{width}}  {_shares(outcome)}")
    return all(outcome.well for outcome in outcomes)


def _wait_for_answers(lab: Lab, say: Callable[[str], None]) -> None:
    """Waits until each kind of request has been answered once as it should be.

    Raises:
        LabError: one is not, in time; with its last answer.
    """
    begin = time.monotonic()
    said = False
    for probe in probes.probes(lab.environment):
        target = lab.gateway(probe.gateway.name, probe.listener.port)
        while (answer := target.send(probe.request)).who not in probe.expected:
            if time.monotonic() > begin + ANSWER_SECONDS:
                raise LabError(f"{probe.gateway.name} does not answer {probe.request} as declared: {answer.who}")
            if not said and time.monotonic() > begin + QUICK_SECONDS:
                say("proxies have yet to hear of what is there")
                said = True
            lab.wait_until_running(say)  # it may only have come out now that something has failed
            time.sleep(0.1)


def _shares(outcome: Outcome) -> str:
    total = outcome.answered.total()
    found = ", ".join(f"{name} {100 * count / total:.4g} %" for name, count in outcome.answered.most_common())
    if outcome.well:
        return found
    declared = ", ".join(f"{name} {100 * part:.4g} %" for name, part in outcome.probe.expected.items())
    return f"{found}  <- declared: {declared}"


def _addresses(lab: Lab) -> str:
    rows: list[tuple[str, str]] = []
    clusters = lab.clusters()
    lacking = f"nothing leads there: mesh lab up {lab.name}"
    for cluster in clusters:
        of = f" of {cluster.datacenter}" if len(clusters) > 1 else ""
        shown = [("Consul", ports.LOOPBACK_HTTP, "http://{}/ui"), ("Nomad", ports.NOMAD_HTTP, "http://{}/ui")]
        shown += [
            (gateway.name, listener.port, "http://{}/" if listener.protocol == "http" else "{}")
            for gateway in lab.gateways(cluster)
            for listener in gateway.listeners
        ]
        there = lab.addresses(cluster)
        rows += [(name + of, form.format(there[port]) if port in there else lacking) for name, port, form in shown]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {address}" for name, address in rows)


def _afterword(lab: Lab) -> str:
    name = lab.environment.name
    return (
        f"{_addresses(lab)}\n\n"
        f"edit environments/{lab.module}.py, then: mesh lab apply {name}; stop it by: mesh lab down {name}"
    )
