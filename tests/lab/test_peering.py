"""Two clusters that are peers: a service is called, routed and split from the other one, through both mesh gateways."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mesh.lab.lab import Lab
from mesh.lab.probes import plausible, probes
from mesh.lab.requests import Request, share
from mesh.model import Route
from mesh.project import load
from tests.lab import ROOT
from tests.lab.running import changed, door, envoy_of, eventually, instances, running, silent, stats_of

pytestmark = pytest.mark.lab

DECLARED = replace(load("lab_peering", ROOT), name="test-peering")


@pytest.fixture(scope="module")
def lab(lab_ready: None) -> Iterator[Lab]:  # noqa: ARG001  or there is none
    with running(DECLARED) as started:
        yield started


def test_each_route_works_from_the_other_side(lab: Lab) -> None:
    declared = list(probes(lab.environment))
    assert {str(probe.request) for probe in declared} >= {"/", "/v1/x", "/v2/x", "/?version=v1"}
    for probe in declared:
        [(who, part)] = probe.expected.items()
        assert (share(door(lab), probe.request, 40), part) == ({who: 40}, 1.0), probe.request


def test_the_split_works_from_the_other_side(lab: Lab) -> None:
    api = lab.environment.service("api")
    api = replace(api, split={"v1": 30, "v2": 70}, routes=[Route(path_exact="/arrived", to="v1"), *api.routes])
    with changed(lab, replace(lab.environment, services=[api, lab.environment.service("web")]), Request("/arrived")):
        found = share(door(lab), Request("/shared"), 500)
    assert found.keys() == {"api-v1", "api-v2"}
    assert plausible(found["api-v1"], 500, 0.3), found


def test_it_goes_through_the_mesh_gateways_of_both(lab: Lab) -> None:
    here, there = lab.clusters()

    assert door(lab).send(Request("/v1/x")).who == "api-v1"
    for number, cluster in enumerate((here, there)):
        [gateway] = instances(lab, "mesh-gateway", number)
        node = cluster.nomad.node
        connections = stats_of(node, envoy_of(node, gateway), "upstream_cx_total")
        assert sum(count for name, count in connections.items() if ".api." in name or "api.default" in name), (
            connections
        )
    imported = there.consul.get("/v1/peering/dc1")["StreamStatus"]["ImportedServices"]
    assert imported == ["api"]


def test_nobody_calls_across_who_is_not_declared(lab: Lab) -> None:
    here = lab.clusters()[0]
    intentions = here.consul.get("/v1/config/service-intentions/api")["Sources"]
    assert [(source["Name"], source["Peer"], source["Action"]) for source in intentions] == [("web", "dc2", "allow")]
    here.consul.request("DELETE", "/v1/config/service-intentions/api")
    try:
        eventually(
            "it is refused", lambda: door(lab).send(Request()).who, well=lambda who: "403" in who or "RBAC" in who
        )
    finally:
        lab.apply(silent)
    eventually("it is allowed", lambda: door(lab).send(Request()).well)


def test_a_second_apply_has_nothing_to_do(lab: Lab) -> None:
    assert lab.apply(silent) == 0
    assert instances(lab, "web") == []  # it is in the other cluster
