"""A changed version takes over without a failed request, and so does another client."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mesh.lab.lab import Lab
from mesh.lab.machines import CONSUL
from mesh.lab.requests import Load, Request
from tests.lab.deployments import declared, said
from tests.lab.running import (
    deployments,
    door,
    eventually,
    instances,
    lost,
    running,
    silent,
    wait_until_proxies_hear,
)

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("reverted")]  # which begins here and ends in test_reverts.py

NAME = "test-deployments"

RATE = 50.0
"""Requests each second."""


def test_a_changed_version_takes_over_as_a_canary_without_a_failed_request() -> None:
    with running(declared("old", NAME)) as lab:
        old = {job: {each["ID"] for each in instances(lab, job)} for job in ("api-v1", "web")}
        with Load(door(lab), [Request()], RATE) as load:
            Lab(declared("new", NAME), lab.root).apply(silent)
            eventually("the new ones answer", lambda: said(door(lab).send(Request())), well=lambda it: it == {"new"})
            eventually(
                "the old ones have ended",
                lambda: {each["ID"] for job in old for each in instances(lab, job)},
                well=lambda running_now: not running_now & set().union(*old.values()),
                seconds=60,
            )
        for job in old:
            [state] = deployments(lab, job)[0]["TaskGroups"].values()
            assert (state["DesiredCanaries"], state["Promoted"]) == (1, True)
        assert lost(load) == []
        assert len(load.answers) > RATE * 15
        assert set().union(*(said(answer) for _, _, answer in load.answers)) == {"old", "new"}


@pytest.fixture(scope="module")
def spread() -> Iterator[Lab]:
    """A lab with an instance of everything on each of two clients, and the gateway on one of them."""
    with running(declared("stays", "test-clients", count=2), clients=2) as lab:
        yield lab


def the_other_client(lab: Lab) -> dict[str, Any]:
    """The client without the gateway."""
    [gateway] = instances(lab, "api-gateway")
    found = next(node for node in lab.clusters()[0].nomad.get("/v1/nodes") if node["ID"] != gateway["NodeID"])
    both = {each["NodeID"] for job in ("api-v1", "web") for each in instances(lab, job)}
    assert both == {found["ID"], gateway["NodeID"]}, "not on both clients"
    return dict(found)


def test_nothing_is_lost_while_one_of_two_clients_has_no_consul(
    spread: Lab, report: Callable[[str, int, int, int, float], None]
) -> None:
    machine = the_other_client(spread)["Name"]
    with Load(door(spread), [Request()], RATE) as load:
        spread.end_agent(machine, CONSUL)
        time.sleep(30)
        spread.start(None, silent)
        spread.wait_until_healthy(silent)
        wait_until_proxies_hear(spread)
        time.sleep(5)  # what they have heard shows in the answers
    report("Consul of one of two clients killed", len(load.answers), len(load.failures()), 0, 0.0)
    assert lost(load) == []
    assert {frozenset(said(answer)) for _, _, answer in load.answers} == {frozenset({"stays"})}


def test_a_client_is_drained_without_a_failed_request(spread: Lab) -> None:
    nomad = spread.clusters()[0].nomad
    drained = the_other_client(spread)["ID"]
    with Load(door(spread), [Request()], RATE) as load:
        nomad.request("PUT", f"/v1/node/{drained}/drain", {"DrainSpec": {"Deadline": 300_000_000_000}})
        eventually(
            "nothing is left on the client",
            lambda: [each for job in ("api-v1", "web") for each in instances(spread, job)],
            well=lambda found: len(found) == 4 and drained not in {each["NodeID"] for each in found},
            seconds=180,
        )
    assert lost(load) == []
    assert {frozenset(said(answer)) for _, _, answer in load.answers} == {frozenset({"stays"})}
