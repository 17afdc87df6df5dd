"""Brings running agents to what a declaration says, as Terraform would: the policy first, then the workloads.

What there is, is asked of the agents themselves; nothing is remembered. So an apply that was interrupted is simply
repeated, and a second one has nothing to do. Everything that the agents have belongs to the lab: what is not declared
(any more) goes.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.entries import KINDS
from mesh.consul.ordering import in_order
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.lab.api import Api, RefusedError
from mesh.lab.errors import LabError
from mesh.model.job import HclJob
from mesh.shapes import JsonObject

POLL_SECONDS: Final = 0.25


class Verb(StrEnum):
    """What is done to an entry or a job."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True)
class Step:
    """A request that brings an agent nearer to the declaration.

    Attributes:
        verb: What it does.
        what: To which entry or job.
        run: Does it.
    """

    verb: Verb
    what: str
    run: Callable[[], object] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.verb} {self.what}"


class StoppedError(LabError):
    """A step failed.

    Attributes:
        done: The steps before it.
        failed: The step.
        left: The steps after it.
    """

    def __init__(self, done: Sequence[Step], failed: Step, left: Sequence[Step], reason: str) -> None:
        lines = [f"cannot {failed}: {reason}"]
        lines += [f"  done before: {', '.join(map(str, done)) or 'nothing'}"]
        lines += [f"  not done: {', '.join(map(str, left))}"] if left else []
        super().__init__("\n".join([*lines, "  correct the cause and apply again: it goes on from here"]))
        self.done, self.failed, self.left = tuple(done), failed, tuple(left)


def run(steps: Sequence[Step], say: Callable[[str], None]) -> None:
    """Runs steps in their order, up to the first that fails.

    Raises:
        StoppedError: with what was done and what was not.
    """
    for index, step in enumerate(steps):
        try:
            step.run()
        except LabError as error:
            raise StoppedError(steps[:index], step, steps[index + 1 :], str(error)) from error
        say(str(step))


def written_entries(consul: Api) -> dict[EntryId, ConfigEntry | None]:
    """Every config entry that Consul has; ``None`` for one that the project has no words for."""
    found: dict[EntryId, ConfigEntry | None] = {}
    for kind in KINDS:
        for value in consul.get(f"/v1/config/{kind}"):
            entry = read(value, Form.API, Edition.COMMUNITY).entry
            found[entry.id if entry else EntryId(kind, value.get("Name", kind))] = entry
    return found


def policy_steps(consul: Api, declared: Sequence[ConfigEntry]) -> list[Step]:
    """From the config entries that Consul has to the declared ones, in Terraform's order.

    That is removals first, in the reverse order, then each entry after those that it reads.
    """
    there = written_entries(consul)
    wanted = {entry.id for entry in declared}
    gone = [id_ for id_ in there if id_ not in wanted]
    known = reversed(in_order(entry for id_ in gone if (entry := there[id_])))
    unknown = [id_ for id_ in gone if there[id_] is None]
    steps = [
        Step(Verb.REMOVE, str(id_), partial(consul.request, "DELETE", f"/v1/config/{id_.kind}/{quote(id_.name)}"))
        for id_ in (*unknown, *(entry.id for entry in known))
    ]
    for entry in in_order(declared):
        before = there.get(entry.id)
        if before is None or before.written() != entry.written():
            verb = Verb.CHANGE if entry.id in there else Verb.ADD
            steps.append(Step(verb, str(entry.id), partial(_write, consul, entry)))
    return steps


def _write(consul: Api, entry: ConfigEntry) -> None:
    body = json.loads(json.dumps(entry.written(), default=float))
    if entry.KIND == "mesh":  # the one kind without a name (consul@1.22.7 agent/structs/config_entry_mesh.go)
        del body["Name"]
    if consul.request("PUT", "/v1/config", body) is not True:
        raise LabError("Consul did not write it, because someone else did at the same time")


def workload_steps(nomad: Api, declared: Sequence[JsonObject]) -> list[Step]:
    """From the jobs that Nomad has to the declared ones: those that are not declared go first."""
    there = {job["ID"] for job in nomad.get("/v1/jobs") if not job.get("ParentID")}  # a run goes with its job
    wanted = {job["ID"] for job in declared}
    steps = [
        Step(Verb.REMOVE, f"job {name}", partial(nomad.request, "DELETE", f"/v1/job/{quote(name, '')}?purge=true"))
        for name in sorted(there - wanted)
    ]
    for job in declared:
        if job["ID"] not in there:
            steps.append(Step(Verb.ADD, f"job {job['ID']}", partial(_post, nomad, job)))
        elif differs(nomad, job):
            steps.append(Step(Verb.CHANGE, f"job {job['ID']}", partial(_post, nomad, job)))
    return steps


def parsed_job(nomad: Api, job: HclJob) -> JsonObject:
    """A job that is written in HCL, as Nomad reads it.

    Raises:
        LabError: it cannot; with where it stands.
    """
    try:
        return dict(nomad.request("POST", "/v1/jobs/parse", {"JobHCL": job.text, "Canonicalize": False}))
    except RefusedError as error:
        raise LabError(f"extra job {job.name}: Nomad cannot read it: {error.answer}") from error


def differs(nomad: Api, job: JsonObject) -> bool:
    """Whether Nomad would change anything about a job that it has."""
    plan = nomad.request("POST", f"/v1/job/{quote(job['ID'], '')}/plan", {"Job": job, "Diff": True})
    return bool(plan["Diff"]["Type"] != "None")


def _post(nomad: Api, job: JsonObject) -> None:
    submission = {"Source": json.dumps(job), "Format": "json"}
    nomad.request("POST", "/v1/jobs", {"Job": job, "Submission": submission})


def wait_until_deployed(nomad: Api, jobs: Sequence[JsonObject], say: Callable[[str], None], seconds: float) -> None:
    """Waits until every job has become healthy, as Terraform does.

    Args:
        nomad: Nomad's API.
        jobs: The jobs, in the form in which Nomad has them.
        say: Told whenever something has changed.
        seconds: How long to wait, at most.

    Raises:
        LabError: jobs do not become healthy; with the reason of each.
    """
    pending = {job["ID"]: nomad.get(f"/v1/job/{quote(job['ID'], '')}")["JobModifyIndex"] for job in jobs}
    failed: list[str] = []
    said: dict[str, str] = {}
    hints: dict[str, str] = {}
    deadline = time.monotonic() + seconds
    while pending:
        for name, index in list(pending.items()):
            state = _deployment(nomad, name, index)
            if said.get(name) != str(state) and (name in said or not state.well):  # news only
                say(f"job {name}: {state}")
            said[name] = str(state)
            if not state.over and (why := _why(nomad, name)) and why != hints.get(name):
                say(f"job {name}:{why}")
                hints[name] = why
            if state.over:
                del pending[name]
                if not state.well:
                    failed.append(f"job {name} {state}{_why(nomad, name) or hints.get(name, '')}")
        if pending and time.monotonic() > deadline:
            failed += [f"job {name} is not healthy in time: {said[name]}{_why(nomad, name)}" for name in pending]
            break
        if pending:
            time.sleep(POLL_SECONDS)
    if failed:
        raise LabError("\n".join(failed))


@dataclass(frozen=True, slots=True)
class _State:
    text: str
    over: bool
    well: bool

    def __str__(self) -> str:
        return self.text


def _deployment(nomad: Api, name: str, index: int) -> _State:
    """How far the deployment of a job's version is that was written at ``index``."""
    path = f"/v1/job/{quote(name, '')}"
    evaluated = _is_evaluated(nomad, path, index)  # asked first: the deployment is made before that ends
    found = next((one for one in nomad.get(f"{path}/deployments") or () if one["JobSpecModifyIndex"] == index), None)
    if found is None:
        job = nomad.get(path)
        if job["JobModifyIndex"] != index:
            return _State("replaced by another version", over=True, well=False)
        # No deployment has what runs to its end or at times, has no instances, or has max_parallel = 0.
        over = job["Status"] != "pending" and evaluated
        return _State(str(job["Status"]), over=over, well=over)
    status = found["Status"]
    groups: Mapping[str, Any] = found["TaskGroups"] or {}
    healthy = sum(group["HealthyAllocs"] for group in groups.values())
    wanted = sum(max(group["DesiredTotal"], group["DesiredCanaries"]) for group in groups.values())
    if status == "successful":
        return _State("healthy", over=True, well=True)
    if status in {"running", "pending", "initializing", "blocked", "unblocking", "paused"}:
        return _State(f"{healthy} of {wanted} healthy", over=False, well=False)
    return _State(f"{status}: {found['StatusDescription']}", over=True, well=False)


def _is_evaluated(nomad: Api, path: str, index: int) -> bool:
    """Whether Nomad has placed all instances of a job's version that was written at ``index``."""
    # Not every evaluation says for which version it is: one for what fails later does not.
    found = [each["Status"] for each in nomad.get(f"{path}/evaluations") if each.get("JobModifyIndex") == index]
    return all(status == "complete" for status in found)


def _why(nomad: Api, name: str) -> str:
    """What Nomad says about a job that does not become healthy."""
    with suppress(LabError, LookupError, TypeError):
        reasons = dict.fromkeys([*_unplaced(nomad, name), *_events(nomad, name)])
        return "".join(f"\n    {reason}" for reason in reasons)
    return ""


def _unplaced(nomad: Api, name: str) -> Iterator[str]:
    for evaluation in nomad.get(f"/v1/job/{quote(name, '')}/evaluations"):
        for group, metric in (evaluation.get("FailedTGAllocs") or {}).items():
            for why in (metric.get("ConstraintFiltered"), metric.get("DimensionExhausted")):
                yield from (f"no place for {group}: {reason}" for reason in why or ())


_FAILURES: Final = frozenset({"Driver Failure", "Terminated", "Setup Failure", "Alloc Unhealthy"})


def _events(nomad: Api, name: str) -> Iterator[str]:
    allocations = nomad.get(f"/v1/job/{quote(name, '')}/allocations")
    latest = max((allocation["JobVersion"] for allocation in allocations), default=0)
    for allocation in allocations:
        if allocation["JobVersion"] != latest:
            continue
        for task, state in (allocation.get("TaskStates") or {}).items():
            for event in state["Events"]:
                ended_well = event["Type"] == "Terminated" and not event["ExitCode"]
                if event["Type"] in _FAILURES and not ended_well:
                    log = f"{task}/{allocation['ID'][:8]}"
                    yield f"{task}: {event['Type'].lower()}: {event['DisplayMessage']} (log {log})"
