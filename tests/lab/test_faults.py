"""What is lost while something is broken, and that all is as declared afterwards; the end shows the figures."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mesh.consul.entries import ServiceDefaults, ServiceSplitter
from mesh.consul.entries.service_splitter import Split
from mesh.lab.api import UnreachableError
from mesh.lab.apply import StoppedError, written_entries
from mesh.lab.errors import LabError
from mesh.lab.lab import Lab
from mesh.lab.machines import CONSUL, NOMAD
from mesh.lab.requests import Load, Request, share
from mesh.model import Environment, HclJob
from tests.lab import shop
from tests.lab.running import (
    CALM_SECONDS,
    answered_by,
    door,
    envoy_of,
    eventually,
    instances,
    lost,
    running,
    silent,
    version,
    wait_until_proxies_hear,
)

pytestmark = pytest.mark.lab

NAME = "test-faults"

RATE = 50.0

REQUESTS = [Request("/v1/x"), Request("/v2/x"), Request("/", {"version": "v1"})]

WHO = {"/v1/x": "api-v1", "/v2/x": "api-v2", "/?version=v1": "api-v1"}
"""The version that has to answer each of them."""

BASE = shop.shop(
    NAME, api=shop.api(versions={**shop.VERSIONS, "v1": replace(shop.VERSIONS["v1"], failover=None)}), access_logs=False
)


@pytest.fixture(scope="module")
def lab(lab_ready: None) -> Iterator[Lab]:  # noqa: ARG001  or there is none
    with running(BASE) as started:
        yield started


@pytest.fixture(autouse=True)
def whole(lab: Lab) -> Iterator[None]:
    """Whatever a test has done, the next one finds the lab as it is declared."""
    yield
    lab.start(None, silent)
    lab.apply(silent)
    lab.wait_until_running(silent)
    lab.wait_until_healthy(silent)
    wait_until_proxies_hear(lab)
    time.sleep(CALM_SECONDS)
    for request in REQUESTS:
        answered_by({WHO[str(request)]}, lab, request)


@contextmanager
def steady(lab: Lab, fault: str, report: Callable[..., None]) -> Iterator[Load]:
    """Sends requests as long as it lasts, and reports what was lost; fails if anyone wrong has answered."""
    with Load(door(lab), REQUESTS, RATE, workers=16) as load:
        yield load
    failed = [(sent, request, answer) for sent, request, answer in load.answers if not answer.well]
    wrong = [
        (str(request), answer.who)
        for _, request, answer in load.answers
        if answer.well and version(answer.who) != WHO[str(request)]
    ]
    lasted = max((sent for sent, _, _ in failed), default=0.0) - min((sent for sent, _, _ in failed), default=0.0)
    report(fault, len(load.answers), len(failed), len(wrong), lasted)
    assert wrong == []


def machine(lab: Lab) -> str:
    return lab.clusters()[0].machines[0].name


def test_traffic_goes_on_without_consul_and_a_change_arrives_when_it_is_back(
    lab: Lab, report: Callable[..., None]
) -> None:
    changed = Lab(shop.shop(NAME, api=shop.api(split={"v1": 100, "v2": 0}), access_logs=False), lab.root)
    with steady(lab, "Consul killed for 30 s", report) as load:
        lab.end_agent(machine(lab), CONSUL)
        with pytest.raises(UnreachableError, match="refused"):
            changed.apply(silent)
        time.sleep(30)
        lost_without = lost(load)
        lab.start(None, silent)
        # An agent that comes back takes what is on its machine out until every check has run again, because it begins
        # with checks that fail (consul@1.22.7 agent/agent.go, loadChecks). Only another machine helps.
        lab.wait_until_healthy(silent)
        eventually("all is well again", lambda: [a.well for _, _, a in load.answers[-100:]], well=all, seconds=60)
    assert lost_without == []
    changed.apply(silent)
    answered_by({"api-v1"}, changed, Request("/other"))


SAVED_SECONDS = 65.0
"""Until Nomad's client has saved what it has started (nomad@1.11.3 client/client.go, stateSnapshotIntv)."""


def started(allocation: dict[str, Any]) -> float:
    """When the last task of an allocation was started, as `time.time` says it."""
    texts = [state["StartedAt"] for state in allocation["TaskStates"].values()]
    return max(datetime.fromisoformat(f"{text[:19]}Z").timestamp() + 1 for text in texts)


def test_services_go_on_without_nomad(lab: Lab, report: Callable[..., None]) -> None:
    jobs = [job["ID"] for job in lab.clusters()[0].jobs]
    # What runs has a network; when an allocation was made, it had none yet.
    latest = max(started(each) for job in jobs for each in instances(lab, job))
    time.sleep(max(0.0, latest + SAVED_SECONDS - time.time()))
    before = {each["ID"] for job in jobs for each in instances(lab, job)}
    with steady(lab, "Nomad killed for 15 s", report) as load:
        lab.end_agent(machine(lab), NOMAD)
        time.sleep(15)
        lab.start(None, silent)
        wait_until_proxies_hear(lab)  # they speak to Consul through Nomad
        time.sleep(5)
    assert lost(load) == []
    assert {each["ID"] for job in jobs for each in instances(lab, job)} == before
    assert lab.apply(silent) == 0


def test_a_killed_envoy_is_started_again(lab: Lab, report: Callable[..., None]) -> None:
    [web] = instances(lab, "web")
    with steady(lab, "Envoy of the only web killed", report) as load:
        time.sleep(2)
        envoy_of(lab.node(machine(lab)), web).signal(signal.SIGKILL)
        eventually("requests fail", load.failures)
        eventually("all is well again", lambda: [a.well for _, _, a in load.answers[-100:]], well=all, seconds=150)


def test_one_of_two_killed_envoys_is_replaced(lab: Lab, report: Callable[..., None]) -> None:
    first, _ = instances(lab, "api-v1")
    with steady(lab, "Envoy of one of two api-v1 killed", report) as load:
        time.sleep(2)
        envoy_of(lab.node(machine(lab)), first).signal(signal.SIGKILL)
        time.sleep(10)
        eventually("all is well again", lambda: [a.well for _, _, a in load.answers[-100:]], well=all, seconds=150)
        both = {"api-v1-0", "api-v1-1"}
        eventually(
            "both answer", lambda: set(share(door(lab), Request("/v1/x"), 20)), well=lambda it: it == both, seconds=60
        )


# An apply that does not end


class Interruption(Exception):  # noqa: N818  nothing is wrong
    """Somebody stops an apply."""


def state(lab: Lab) -> tuple[dict[str, Any], list[str]]:
    """All that is in Consul and Nomad, but for what tells when it was written."""
    cluster = lab.clusters()[0]
    found = {str(id_): entry.written() if entry else None for id_, entry in written_entries(cluster.consul).items()}
    return json.loads(json.dumps(found, default=str)), sorted(job["ID"] for job in cluster.nomad.get("/v1/jobs"))


def interrupted_after(count: int) -> Callable[[str], None]:
    """What is told of steps, and stops after so many."""
    left = count

    def say(_: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Interruption

    return say


def other() -> Environment:
    """A declaration that differs in entries of several kinds: some change, one comes, one goes; and in jobs."""
    api = shop.api(
        versions={**BASE.service("api").versions},
        split={"v1": 20, "v2": 80},
        routes=[*shop.ROUTES[:4], *shop.ROUTES[5:]],
    )
    legacy = ServiceDefaults(name="legacy", protocol="tcp")
    jobs = [*BASE.extra_jobs, batch("second"), batch("third")]
    return shop.shop(NAME, api=api, extra_entries=[legacy], extra_jobs=jobs, access_logs=True)


def batch(name: str) -> HclJob:
    """A job that does nothing and may end."""
    return idle(name, 'type = "batch"')


def idle(name: str, settings: str, count: int = 1) -> HclJob:
    """A job that does nothing."""
    return HclJob(
        name,
        f"""
        job "{name}" {{
          datacenters = ["dc1"]
          {settings}
          group "one" {{
            count = {count}
            task "wait" {{
              driver = "docker"
              config {{
                image   = "busybox:1.37"
                command = "/bin/sleep"
                args    = ["3600"]
              }}
              resources {{
                cpu    = 10
                memory = 10
              }}
            }}
          }}
        }}
        """,
    )


def test_an_apply_that_is_interrupted_at_any_step_is_simply_repeated(lab: Lab) -> None:
    base = Lab(replace(BASE, extra_jobs=[*BASE.extra_jobs, batch("first")]), lab.root)
    base.apply(silent)
    changed = Lab(other(), lab.root)
    steps: list[str] = []
    changed.apply(steps.append)
    wanted = state(lab)
    steps = [step for step in steps if step.split()[0] in {"add", "change", "remove"}]
    assert {step.split()[0] for step in steps} == {"add", "change", "remove"}
    assert {"remove job first", "add job second", "add job third"} <= set(steps)
    for count in range(1, len(steps) + 1):
        base.apply(silent)
        with pytest.raises(Interruption):
            changed.apply(interrupted_after(count))
        changed.apply(silent)
        assert state(lab) == wanted, f"interrupted after {steps[count - 1]}"
        assert changed.apply(silent) == 0


def test_a_job_that_is_not_deployed_is_not_waited_for(lab: Lab) -> None:
    at_once = "update {\n max_parallel = 0\n }"
    first = [idle("at-once", at_once), idle("none", "", count=0), idle("everywhere", 'type = "system"')]
    second = [idle("at-once", at_once, count=2), idle("none", ""), first[-1]]
    for jobs, wanted in ((first, {"at-once": 1, "none": 0, "everywhere": 1}), (second, {"at-once": 2, "none": 1})):
        Lab(replace(BASE, extra_jobs=[*BASE.extra_jobs, *jobs]), lab.root).apply(silent)
        for job, count in wanted.items():
            eventually(job, lambda: len(instances(lab, job)), well=lambda found: found == count)  # noqa: B023


def test_an_entry_that_consul_refuses_is_named_and_the_rest_follows_when_it_is_right(lab: Lab) -> None:
    readers = BASE.extra_entries
    # Past the judge, who would not let it through.
    refused = ServiceSplitter(name="legacy", splits=[Split(weight=90, service="stock")])
    defaults = ServiceDefaults(name="legacy", protocol="http")
    broken = Lab(replace(BASE, extra_entries=[*readers, defaults, refused]), lab.root)
    with pytest.raises(StoppedError) as stopped:
        broken.apply(silent)
    text = str(stopped.value)
    assert text.startswith("cannot add service-splitter/legacy: PUT /v1/config: ")
    assert "the sum of all split weights must be 100, not 90" in text
    assert "done before: add service-defaults/legacy" in text
    right = ServiceSplitter(name="legacy", splits=[Split(weight=100, service="stock")])
    said: list[str] = []
    Lab(replace(BASE, extra_entries=[*readers, defaults, right]), lab.root).apply(said.append)
    assert said == ["add service-splitter/legacy"]


def test_a_job_that_nomad_cannot_read_is_named(lab: Lab) -> None:
    [caller] = BASE.extra_jobs
    broken = replace(caller, text=caller.text.replace("resources", "resuorces"))
    with pytest.raises(LabError, match=r"(?s)extra job caller: Nomad cannot read it.*resuorces"):
        Lab(replace(BASE, extra_jobs=[broken]), lab.root).apply(silent)
