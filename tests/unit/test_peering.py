"""Two peered clusters: what follows for each, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from environments.lab_peering import ENVIRONMENT as LAB_PEERING
from mesh.check import check
from mesh.consul.entries import ServiceDefaults
from mesh.consul.policy import derived_entries, entries
from mesh.model import (
    ApiGateway,
    Azure,
    CircuitBreaker,
    Environment,
    Flat,
    HclJob,
    Kubernetes,
    Listener,
    Nomad,
    Peering,
    Platform,
    Route,
    Upstream,
)
from mesh.nomad.jobs import jobs
from mesh.nomad.rules import problems_among
from mesh.topology import Place, clusters, consul_host, datacenter, edges, has_mesh_gateways, nomad_host, place
from tests.unit.examples import COMMUNITY, environment, service, versioned

PLATFORM = replace(COMMUNITY, topology=Peering("dc2"), azure=None)

THERE = Nomad(peer="dc2")

API = versioned(routes=[Route(to="v1", path_prefix="/v1")])
WEB = service(
    "web",
    port=9090,
    runs_on=THERE,
    upstreams=[Upstream("api", local_port=9191, circuit_breaker=CircuitBreaker(interval="30s", max_failures=5))],
)
BATCH = service("batch", port=9092, upstreams=[Upstream("web", local_port=9190), Upstream("api", local_port=9191)])
GATEWAY = ApiGateway("gw", listeners=[Listener(5000, "http", to="web")], runs_on=THERE)

MESH = environment(API, WEB, BATCH, gateways=[GATEWAY], platform=PLATFORM)


def bodies(mesh: Environment, cluster: str | None = None) -> dict[str, Any]:
    """Body of every entry of a cluster by kind and name, in the order of writing."""
    return {f"{entry.KIND}/{entry.name}": entry.body() for entry in entries(mesh, cluster)}


def found(mesh: Environment) -> dict[str, str]:
    """Rule of every finding by its path."""
    return {finding.path: finding.rule for finding in check(mesh)}


def upstreams(job: dict[str, Any]) -> Any:
    (registration,) = job["TaskGroups"][0]["Services"]
    return registration["Connect"]["SidecarService"]["Proxy"].get("Upstreams")


PROXY_DEFAULTS = {
    "AccessLogs": {},
    "Config": {"protocol": "http"},
    "MeshGateway": {"Mode": "local"},
    "TransparentProxy": {},
}

ALLOW = {"Action": "allow", "Precedence": 9, "Type": "consul"}


def test_each_cluster_knows_the_other_by_its_datacenter() -> None:
    assert clusters(PLATFORM) == (None, "dc2")
    assert [datacenter(PLATFORM, cluster) for cluster in clusters(PLATFORM)] == ["dc1", "dc2"]
    assert place(PLATFORM, THERE) == Place(None, None, "dc2")
    assert place(PLATFORM, THERE, "dc2") == place(PLATFORM, Nomad()) == Place(None, None)
    assert place(PLATFORM, Nomad(), "dc2") == Place(None, None, "dc1")
    assert clusters(COMMUNITY) == (None,)


def test_calls_between_clusters_cross_from_wherever_they_are_seen() -> None:
    crossing = [("web", "api", True), ("batch", "web", True), ("batch", "api", False), ("gw", "web", False)]
    for cluster in clusters(PLATFORM):
        assert [(edge.caller.name, edge.service.name, edge.crosses) for edge in edges(MESH, cluster)] == crossing
    assert has_mesh_gateways(PLATFORM)


def test_the_peers_agents_have_a_loopback_address_of_their_own() -> None:
    assert [consul_host(MESH, cluster) for cluster in clusters(PLATFORM)] == ["127.0.0.1", "127.0.0.2"]
    assert [nomad_host(MESH, cluster) for cluster in clusters(PLATFORM)] == ["127.0.0.1", "127.0.0.2"]


def test_the_meshs_own_cluster_has_the_entries_of_what_runs_there() -> None:
    assert check(MESH) == ()
    assert bodies(MESH) == {
        "proxy-defaults/global": PROXY_DEFAULTS,
        "service-defaults/api": {"Protocol": "http", "TransparentProxy": {}},
        "service-defaults/batch": {"Protocol": "http", "TransparentProxy": {}},
        "service-resolver/api": {
            "Subsets": {
                "v1": {"Filter": 'Service.Meta.version == "v1"'},
                "v2": {"Filter": 'Service.Meta.version == "v2"'},
            }
        },
        "service-splitter/api": {
            "Splits": [{"ServiceSubset": "v1", "Weight": 0}, {"ServiceSubset": "v2", "Weight": 100}]
        },
        "service-router/api": {
            "Routes": [
                {
                    "Match": {"HTTP": {"PathPrefix": "/v1"}},
                    "Destination": {"Service": "api", "ServiceSubset": "v1"},
                }
            ]
        },
        "service-intentions/api": {"Sources": [{"Name": "web", "Peer": "dc2", **ALLOW}, {"Name": "batch", **ALLOW}]},
        "exported-services/default": {"Services": [{"Name": "api", "Consumers": [{"Peer": "dc2"}]}]},
    }


def test_the_peered_cluster_has_the_entries_of_what_runs_there() -> None:
    assert bodies(MESH, "dc2") == {
        "proxy-defaults/global": PROXY_DEFAULTS,
        "service-defaults/web": {
            "Protocol": "http",
            "TransparentProxy": {},
            "UpstreamConfig": {
                "Overrides": [
                    {
                        "Name": "api",
                        "Peer": "dc1",
                        "PassiveHealthCheck": {"Interval": "30s", "MaxFailures": 5, "EnforcingConsecutive5xx": 100},
                    }
                ]
            },
        },
        "service-intentions/web": {"Sources": [{"Name": "batch", "Peer": "dc1", **ALLOW}, {"Name": "gw", **ALLOW}]},
        "exported-services/default": {"Services": [{"Name": "web", "Consumers": [{"Peer": "dc1"}]}]},
        "api-gateway/gw": {"Listeners": [{"Name": "http-5000", "Port": 5000, "Protocol": "http"}]},
        "http-route/gw-5000-web": {
            "Parents": [{"Kind": "api-gateway", "Name": "gw", "SectionName": "http-5000"}],
            "Rules": [{"Services": [{"Name": "web", "Weight": 1}]}],
        },
    }


def test_a_service_is_exported_once_however_many_callers_it_has_there() -> None:
    other = replace(WEB, name="other")
    exported = bodies(replace(MESH, services=[API, WEB, other]))["exported-services/default"]
    assert exported == {"Services": [{"Name": "api", "Consumers": [{"Peer": "dc2"}]}]}


def test_nothing_is_exported_where_nothing_crosses() -> None:
    together = replace(MESH, services=[replace(item, runs_on=THERE) for item in MESH.services])
    assert check(together) == ()
    assert bodies(together) == {"proxy-defaults/global": PROXY_DEFAULTS}
    assert "exported-services/default" not in bodies(together, "dc2")


def test_entries_written_directly_belong_to_the_meshs_own_cluster() -> None:
    legacy = ServiceDefaults(name="legacy", protocol="tcp")
    mesh = replace(MESH, extra_entries=[legacy])
    assert check(mesh) == ()
    assert legacy in entries(mesh)
    assert entries(mesh, "dc2") == entries(MESH, "dc2")


def test_an_entry_written_directly_may_be_called_as_one_of_the_peer() -> None:
    assert check(replace(MESH, extra_entries=[ServiceDefaults(name="web", protocol="tcp")])) == ()
    twice = ServiceDefaults(name="api", protocol="http")
    assert found(replace(MESH, extra_entries=[twice])) == {"extra_entries[0]": "entry-twice"}


def test_there_is_no_third_cluster() -> None:
    for derive in (entries, derived_entries, jobs):
        with pytest.raises(KeyError):
            derive(MESH, "dc3")


def test_each_cluster_runs_its_jobs_and_a_mesh_gateway() -> None:
    expected = {None: ["mesh-gateway", "api-v1", "api-v2", "batch"], "dc2": ["mesh-gateway", "web", "gw"]}
    for cluster, ids in expected.items():
        found = jobs(MESH, cluster)
        assert [job.id for job in found] == ids
        assert {job.datacenters for job in found} == {(cluster or "dc1",)}


def test_the_mesh_gateways_have_the_declared_port_in_both_clusters() -> None:
    mesh = replace(MESH, platform=replace(PLATFORM, topology=Peering("dc2", gateway_port=9443)))
    for cluster in clusters(mesh.platform):
        (network,) = jobs(mesh, cluster)[0].api_json()["TaskGroups"][0]["Networks"]
        assert network == {
            "Mode": "bridge",
            "ReservedPorts": [{"Label": "mesh_wan", "Value": 9443, "To": 9443}],
        }


def test_an_upstream_of_the_other_cluster_goes_through_ones_own_mesh_gateway() -> None:
    local = {"MeshGateway": {"Mode": "local"}}
    found = {job.id: job.api_json() for cluster in clusters(PLATFORM) for job in jobs(MESH, cluster)}
    assert upstreams(found["web"]) == [
        {"DestinationName": "api", "DestinationPeer": "dc1", "LocalBindPort": 9191, **local}
    ]
    assert upstreams(found["batch"]) == [
        {"DestinationName": "web", "DestinationPeer": "dc2", "LocalBindPort": 9190, **local},
        {"DestinationName": "api", "LocalBindPort": 9191},
    ]
    assert upstreams(found["api-v1"]) is None
    (task,) = found["web"]["TaskGroups"][0]["Tasks"]
    assert task["Env"]["UPSTREAM_URIS"] == "http://localhost:9191"


def test_a_job_of_one_cluster_is_never_placed_in_the_other() -> None:
    assert not list(problems_among(MESH, jobs(MESH, "dc2"), "dc2"))
    rules = {finding.rule for finding in problems_among(MESH, jobs(MESH, "dc2"))}
    assert rules == {"nomad-datacenter"}


def test_a_job_written_directly_may_be_called_as_one_of_the_peer() -> None:
    text = 'job "web" {\n  type = "batch"\n}\n'
    assert check(replace(MESH, extra_jobs=[HclJob("web", text)])) == ()


def test_gateways_of_two_clusters_may_have_one_port() -> None:
    other = ApiGateway("other", listeners=[Listener(5000, "http", to="batch")])
    assert check(replace(MESH, gateways=[GATEWAY, other])) == ()
    both = replace(other, runs_on=THERE, listeners=GATEWAY.listeners)
    assert found(replace(MESH, gateways=[GATEWAY, both])) == {'gateways["other"]': "port-taken"}


def on(platform: Platform = PLATFORM, **changes: Any) -> Environment:
    return replace(MESH, platform=replace(platform, **changes))


WEB_PEER, GATEWAY_PEER = 'services["web"].runs_on.peer', 'gateways["gw"].runs_on.peer'

REFUSED = [
    (on(datacenter="dc2"), {"platform.topology.peer": "peer-datacenter"}),
    (on(azure=Azure(region="koreacentral")), {"platform.topology": "topology-unsupported"}),
    (on(topology=Flat()), {WEB_PEER: "peer-unknown", GATEWAY_PEER: "peer-unknown"}),
    (on(topology=Peering("dc3")), {WEB_PEER: "peer-unknown", GATEWAY_PEER: "peer-unknown"}),
    (
        replace(MESH, gateways=[replace(GATEWAY, runs_on=Nomad())]),
        {'gateways["gw"].listeners[0].to': "listener-peer"},
    ),
    (
        replace(MESH, gateways=[replace(GATEWAY, listeners=[Listener(5000, "http", to="batch")])]),
        {'gateways["gw"].listeners[0].to': "listener-peer"},
    ),
    (
        replace(MESH, services=[API, replace(WEB, export_to=["dc2"])]),
        {'services["web"].export_to': "partition-unknown"},
    ),
    (
        replace(MESH, services=[replace(API, runs_on=Kubernetes()), WEB]),
        {'services["api"].runs_on': "local-kubernetes"},
    ),
    (on(topology=Peering("dc2", gateway_port=4646)), {"platform.topology.gateway_port": "port-taken"}),
    (
        on(topology=Peering("dc2", gateway_port=5000)),
        {'gateways["gw"].listeners[0].port': "port-taken"},
    ),
]


@pytest.mark.parametrize(("mesh", "expected"), REFUSED)
def test_refused(mesh: Environment, expected: dict[str, str]) -> None:
    assert found(mesh) == expected


def test_a_finding_names_the_cluster_that_there_is() -> None:
    (finding,) = check(replace(MESH, services=[API, replace(WEB, runs_on=Nomad(peer="dc3"))], gateways=[]))
    assert finding.message == 'the mesh has no peered cluster "dc3"'
    assert finding.fix == 'use peer="dc2", or leave it out'


def test_the_labs_two_clusters() -> None:
    assert [job.id for job in jobs(LAB_PEERING)] == ["mesh-gateway", "api-v1", "api-v2"]
    assert [job.id for job in jobs(LAB_PEERING, "dc2")] == ["mesh-gateway", "web", "api-gateway"]
    assert "service-router/api" in bodies(LAB_PEERING)
    assert "http-route/api-gateway-5000-web" in bodies(LAB_PEERING, "dc2")
