"""Who calls whom, and where everything lives."""

from dataclasses import replace

from mesh.model import ApiGateway, Listener
from mesh.topology import Place, consul_host, edges, partitions, place
from tests.unit.examples import COMMUNITY, ENTERPRISE, caller, environment, service


def test_the_community_edition_has_no_partitions() -> None:
    assert partitions(COMMUNITY) == (None,)
    assert place(COMMUNITY, caller().runs_on) == Place(None, None)


def test_kubernetes_is_the_partition_and_vms_are_default() -> None:
    assert partitions(ENTERPRISE) == ("default", "k8s")
    assert place(ENTERPRISE, caller().runs_on) == Place("k8s", "default")
    assert place(ENTERPRISE, service().runs_on) == Place("default", "default")


def test_edges_are_upstreams_then_listeners_once_each() -> None:
    gateway = ApiGateway("gw", listeners=[Listener(80, "http", to="web"), Listener(81, "http", to="web")])
    mesh = environment(service(), caller(), gateways=[gateway])
    assert [(edge.caller.name, edge.service.name) for edge in edges(mesh)] == [("web", "api"), ("gw", "web")]


def test_only_calls_between_partitions_cross() -> None:
    assert [edge.crosses for edge in edges(environment(service(), caller(), platform=ENTERPRISE))] == [True]
    assert [edge.crosses for edge in edges(environment(service(), caller()))] == [False]


def test_several_servers_are_reached_by_name() -> None:
    assert consul_host(environment()) == "10.0.0.4"
    assert consul_host(environment(platform=replace(COMMUNITY, servers=3))) == "consul.mesh-test.internal"
