"""Which entry waits for which."""

from graphlib import CycleError

import pytest

from mesh.config_entry import EntryId
from mesh.consul.entries import ExportedServices, ServiceDefaults, ServiceResolver, ServiceRouter, ServiceSplitter
from mesh.consul.entries.exported_services import Consumer, ExportedService
from mesh.consul.entries.service_resolver import Failover, Redirect, Subset
from mesh.consul.entries.service_router import Destination
from mesh.consul.entries.service_router import Route as RouterRoute
from mesh.consul.entries.service_splitter import Split
from mesh.consul.ordering import dependencies, in_order
from mesh.consul.policy import entries
from mesh.model import ApiGateway, Listener, Route, Upstream
from tests.unit.examples import caller, environment, versioned


def chain(count: int) -> list[str]:
    return [f"s{index}" for index in range(count)]


def test_a_chain_is_written_from_the_bottom() -> None:
    mesh = environment(versioned(routes=[Route(to="v1", path_prefix="/v1")]), caller())
    edges = dependencies(entries(mesh))
    router = edges[EntryId("service-router", "api")]
    assert [id_.kind for id_ in router] == [
        "proxy-defaults",
        "service-defaults",
        "service-resolver",
        "service-splitter",
    ]
    assert EntryId("service-router", "api") in edges[EntryId("service-intentions", "api")]


def test_every_entry_comes_after_what_it_waits_for() -> None:
    gateway = ApiGateway("gw", listeners=[Listener(5000, "http", to="web")])
    mesh = environment(versioned(routes=[Route(to="v1", path_prefix="/v1")]), caller(), gateways=[gateway])
    ordered = entries(mesh)
    position = {entry.id: index for index, entry in enumerate(ordered)}
    edges = dependencies(ordered)
    assert all(position[before] < position[id_] for id_, befores in edges.items() for before in befores)
    assert EntryId("api-gateway", "gw") in edges[EntryId("http-route", "gw-5000-web")]


def test_other_services_entries_are_waited_for_when_read() -> None:
    found = dependencies(
        [
            ServiceDefaults(name="a", protocol="http"),
            ServiceDefaults(name="b", protocol="http"),
            ServiceResolver(name="b", subsets={}),
            ServiceResolver(name="a", redirect=Redirect(service="b")),
            ServiceRouter(name="a", routes=[RouterRoute(destination=Destination(service="b"))]),
        ]
    )
    assert EntryId("service-resolver", "b") in found[EntryId("service-resolver", "a")]
    assert EntryId("service-defaults", "b") in found[EntryId("service-router", "a")]
    assert EntryId("service-defaults", "b") not in found[EntryId("service-defaults", "a")]


def test_the_number_of_edges_grows_with_the_references() -> None:
    def edges(count: int) -> int:
        services = [
            versioned(name, upstreams=[Upstream(before, local_port=9000)] if before else [])
            for name, before in zip(chain(count), [None, *chain(count)], strict=False)
        ]
        return sum(map(len, dependencies(entries(environment(*services))).values()))

    assert edges(40) - edges(20) == edges(60) - edges(40)


def test_a_circle_is_an_error() -> None:
    with pytest.raises(CycleError):
        in_order(
            [
                ServiceResolver(name="a", redirect=Redirect(service="b")),
                ServiceResolver(name="b", redirect=Redirect(service="a")),
            ]
        )


def test_a_splitter_to_itself_is_no_circle() -> None:
    own = ServiceSplitter(name="a", splits=[Split(weight=100, service="a")])
    assert in_order([own]) == (own,)


def test_services_may_fail_over_to_each_other() -> None:
    a, b = (
        ServiceResolver(name=name, failover={"*": Failover(service=other)}) for name, other in (("a", "b"), ("b", "a"))
    )
    assert in_order([a, b]) == (a, b)


def test_a_subset_to_fail_over_to_has_to_be_there_first() -> None:
    a = ServiceResolver(name="a", failover={"*": Failover(service="b", service_subset="v1")})
    b = ServiceResolver(name="b", subsets={"v1": Subset()})
    assert in_order([a, b]) == (b, a)


def test_routers_may_send_to_each_other() -> None:
    a, b = (
        ServiceRouter(name=name, routes=[RouterRoute(destination=Destination(service=other))])
        for name, other in (("a", "b"), ("b", "a"))
    )
    assert in_order([a, b]) == (a, b)


def test_an_export_of_every_service_waits_for_every_chain() -> None:
    every = ExportedServices(name="default", services=[ExportedService(name="*", consumers=[Consumer(peer="aks")])])
    resolver = ServiceResolver(name="a", redirect=Redirect(service="b"))
    assert dependencies([every, resolver])[every.id] == (resolver.id,)


def test_capitals_make_no_other_entry() -> None:
    defaults, splitter = (
        ServiceDefaults(name="A", protocol="http"),
        ServiceSplitter(name="a", splits=[Split(weight=100)]),
    )
    assert dependencies([splitter, defaults])[splitter.id] == (defaults.id,)


def test_who_asks_for_a_subset_waits_for_where_it_fails_over() -> None:
    c = ServiceResolver(
        name="c", subsets={"v2": Subset()}, failover={"v2": Failover(service="a", service_subset="blue")}
    )
    a = ServiceResolver(name="a", subsets={"blue": Subset()})
    splitter = ServiceSplitter(name="c", splits=[Split(weight=100, service_subset="v2")])
    router = ServiceRouter(name="x", routes=[RouterRoute(destination=Destination(service="c", service_subset="v2"))])
    found = dependencies([splitter, router, c, a])
    assert found[c.id] == ()  # nobody asks for v2 when it is written
    assert found[splitter.id] == (c.id, a.id)
    assert a.id in found[router.id]
