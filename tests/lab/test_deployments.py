"""A changed version takes over without a failed request, and so does another client."""

import pytest

from mesh.lab.lab import Lab
from mesh.lab.requests import Load, Request
from tests.lab.deployments import declared, said
from tests.lab.running import door, eventually, instances, running, silent

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("reverted")]  # which begins here and ends in test_reverts.py

NAME = "test-deployments"

RATE = 50.0
"""Requests each second."""


def test_a_changed_version_takes_over_as_a_canary_without_a_failed_request() -> None:
    with running(declared("old", NAME)) as lab:
        old = {job: {each["ID"] for each in instances(lab, job)} for job in ("api-v1", "web")}
        with Load(door(lab), [Request()], RATE) as load:
            Lab(declared("new", NAME), lab.root).apply(silent)
            nomad = lab.clusters()[0].nomad
            eventually("the new ones answer", lambda: said(door(lab).send(Request())), well=lambda it: it == {"new"})
            eventually(
                "the old ones have ended",
                lambda: {each["ID"] for job in old for each in instances(lab, job)},
                well=lambda running_now: not running_now & set().union(*old.values()),
                seconds=60,
            )
        for job in old:
            [state] = nomad.get(f"/v1/job/{job}/deployments")[0]["TaskGroups"].values()
            assert (state["DesiredCanaries"], state["Promoted"]) == (1, True)
        assert load.failures() == []
        assert len(load.answers) > RATE * 15
        assert set().union(*(said(answer) for _, _, answer in load.answers)) == {"old", "new"}


def test_a_client_is_drained_without_a_failed_request() -> None:
    with running(declared("stays", "test-drain", count=2), clients=2) as lab:
        nomad = lab.clusters()[0].nomad
        [gateway] = instances(lab, "api-gateway")
        drained = next(node for node in nomad.get("/v1/nodes") if node["ID"] != gateway["NodeID"])
        ours = [each for job in ("api-v1", "web") for each in instances(lab, job)]
        assert len(ours) == 4
        assert {each["NodeID"] for each in ours} == {drained["ID"], gateway["NodeID"]}, "not on both clients"
        with Load(door(lab), [Request()], RATE) as load:
            nomad.request("PUT", f"/v1/node/{drained['ID']}/drain", {"DrainSpec": {"Deadline": 300_000_000_000}})
            eventually(
                "nothing is left on the client",
                lambda: [each for job in ("api-v1", "web") for each in instances(lab, job)],
                well=lambda found: len(found) == 4 and {each["NodeID"] for each in found} == {gateway["NodeID"]},
                seconds=180,
            )
        assert load.failures() == []
        assert {frozenset(said(answer)) for _, _, answer in load.answers} == {frozenset({"stays"})}
