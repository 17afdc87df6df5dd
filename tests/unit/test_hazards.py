"""Changes that go wrong although both the old and the new entries are right."""

from typing import Literal

from mesh.config_entry import ConfigEntry
from mesh.consul.entries import (
    ExportedServices,
    IngressGateway,
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
)
from mesh.consul.entries.exported_services import Consumer, ExportedService
from mesh.consul.entries.ingress_gateway import IngressListener, IngressService
from mesh.consul.entries.service_intentions import Source
from mesh.consul.entries.service_resolver import Subset
from mesh.consul.entries.service_router import Destination, HttpMatch, Match, Route
from mesh.consul.entries.service_splitter import Split
from mesh.consul.hazards import Hazard, hazards

HTTP = ProxyDefaults(config={"protocol": "http"})


def resolver(*subsets: str) -> ServiceResolver:
    return ServiceResolver(
        name="api", subsets={name: Subset(filter=f'Service.Meta.version == "{name}"') for name in subsets}
    )


def splitter(*subsets: str) -> ServiceSplitter:
    return ServiceSplitter(
        name="api", splits=[Split(weight=100 // len(subsets), service_subset=name) for name in subsets]
    )


def router(subset: str) -> ServiceRouter:
    match = Match(http=HttpMatch(path_prefix=f"/{subset}"))
    return ServiceRouter(
        name="api", routes=[Route(match=match, destination=Destination(service="api", service_subset=subset))]
    )


def only(before: list[ConfigEntry], after: list[ConfigEntry]) -> Hazard:
    (found,) = hazards(before, after)
    return found


def test_no_change_is_no_hazard() -> None:
    entries = [HTTP, resolver("v1", "v2"), splitter("v1", "v2"), router("v1")]
    assert hazards(entries, entries) == ()
    assert hazards([], entries) == ()
    assert hazards(entries, []) == ()


def test_a_subset_that_goes_together_with_its_references_takes_two_steps() -> None:
    found = only([HTTP, resolver("v1", "v2"), splitter("v1", "v2")], [HTTP, resolver("v2"), splitter("v2")])
    assert (found.entry.kind, found.rule) == ("service-resolver", "subset-missing")
    assert found.steps == ("everything but the change of service-resolver/api", "the change of service-resolver/api")


def test_the_two_steps_are_none_themselves() -> None:
    before = [HTTP, resolver("v1", "v2"), splitter("v1", "v2")]
    between = [HTTP, resolver("v1", "v2"), splitter("v2")]
    after = [HTTP, resolver("v2"), splitter("v2")]
    assert hazards(before, between) == hazards(between, after) == ()


def test_a_subset_is_renamed_by_adding_the_new_one_first() -> None:
    found = only([HTTP, resolver("v1"), router("v1")], [HTTP, resolver("v2"), router("v2")])
    assert (found.entry.kind, found.rule) == ("service-resolver", "subset-missing")
    assert found.steps[0] == "add the new subsets to service-resolver/api and keep the old"
    assert hazards([HTTP, resolver("v1"), router("v1")], [HTTP, resolver("v1", "v2"), router("v2")]) == ()


def test_a_listener_and_its_service_cannot_change_their_protocol_together() -> None:
    def both(protocol: Literal["http", "grpc"]) -> list[ConfigEntry]:
        listener = IngressListener(port=8080, protocol=protocol, services=[IngressService(name="api")])
        return [ServiceDefaults(name="api", protocol=protocol), IngressGateway(name="edge", listeners=[listener])]

    found = {each.rule: each for each in hazards(both("http"), both("grpc"))}
    assert found.keys() == {"ingress-protocol", "protocol-changed"}
    assert found["ingress-protocol"].steps[0] == "remove what refers to service-defaults/api"


def test_a_resolver_is_removed_before_what_refers_to_it_is_changed() -> None:
    to_itself = ServiceSplitter(name="api", splits=[Split(weight=100)])
    found = only([HTTP, resolver("v1"), splitter("v1")], [HTTP, to_itself])
    assert (found.entry.kind, found.rule) == ("service-resolver", "subset-missing")
    assert found.steps[1] == "the removal of service-resolver/api"


def test_service_defaults_go_from_under_a_router() -> None:
    tcp, http = ProxyDefaults(config={"protocol": "tcp"}), ServiceDefaults(name="api", protocol="http")
    found = hazards([tcp, http, resolver("v1"), router("v1")], [HTTP, resolver("v1"), router("v1")])
    assert [(each.entry.kind, each.rule) for each in found] == [("service-defaults", "protocol-not-http")]


def test_a_protocol_that_changes_is_felt_by_traffic() -> None:
    before, after = (ServiceDefaults(name="api", protocol=protocol) for protocol in ("http", "tcp"))
    found = only([before], [after])
    assert found.rule == "protocol-changed"
    assert "from http to tcp" in found.message
    assert hazards([], [after]) == ()


def test_so_is_one_that_proxy_defaults_changes_for_many() -> None:
    before, after = (ProxyDefaults(config={"protocol": protocol}) for protocol in ("http", "tcp"))
    calls = [ServiceIntentions(name=name, sources=[Source(name="web", action="allow")]) for name in ("a", "b")]
    found = only([before, *calls], [after, *calls])
    assert (found.entry.kind, found.rule) == ("proxy-defaults", "protocol-changed")
    assert "the protocol of a, b changes from http to tcp" in found.message


def test_and_one_that_falls_back_to_proxy_defaults() -> None:
    web, calls = (
        ServiceDefaults(name="web", protocol="grpc"),
        ServiceIntentions(name="web", sources=[Source(name="a", action="allow")]),
    )
    assert only([HTTP, web, calls], [HTTP, calls]).rule == "protocol-changed"
    assert only([HTTP, web], [HTTP, ServiceDefaults(name="web", protocol="http")]).rule == "protocol-changed"


def test_routers_that_go_with_the_protocol_go_first() -> None:
    before, after = (ServiceDefaults(name="api", protocol=protocol) for protocol in ("http", "tcp"))
    rules = {each.rule for each in hazards([before, resolver("v1"), router("v1")], [after, resolver("v1")])}
    assert rules == {"protocol-changed"}  # Terraform removes the router before it changes the protocol


def export(*peers: str) -> ExportedServices:
    consumers = [Consumer(peer=peer) for peer in peers]
    return ExportedServices(name="default", services=[ExportedService(name="api", consumers=consumers)])


def test_an_export_with_importers_left_is_withdrawn_after_them() -> None:
    allow = ServiceIntentions(name="api", sources=[Source(name="web", peer="aks", action="allow")])
    found = only([HTTP, export("aks", "other"), allow], [HTTP, export("other"), allow])
    assert found.rule == "export-withdrawn"
    assert "an intention still allows calls" in found.message
    assert found.steps == ("stop the callers of api in the peer aks", "withdraw the export")


def test_an_export_may_be_used_where_nobody_here_sees_it() -> None:
    assert "cannot be seen" in only([HTTP, export("aks")], [HTTP]).message
    assert hazards([HTTP, export("aks")], [HTTP, export("aks", "other")]) == ()


def test_an_export_of_every_service_covers_one() -> None:
    every = ExportedServices(name="default", services=[ExportedService(name="*", consumers=[Consumer(peer="aks")])])
    assert hazards([HTTP, export("aks")], [HTTP, every]) == ()
    assert "every service" in only([HTTP, every], [HTTP, export("aks")]).message


def test_a_hazard_reads_well() -> None:
    text = str(only([HTTP, resolver("v1", "v2"), splitter("v1", "v2")], [HTTP, resolver("v2"), splitter("v2")]))
    assert text.splitlines() == [
        (
            "service-resolver/api: Consul refuses to change it as long as the others are as they are: "
            'service-splitter/api: api has no subset "v1" [subset-missing]'
        ),
        "    apply 1: everything but the change of service-resolver/api",
        "    apply 2: the change of service-resolver/api",
    ]
