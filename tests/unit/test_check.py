"""The judge: every rule from both sides, everything at once."""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from mesh.check import FindingsError, check, require_sound
from mesh.consul.entries import ServiceDefaults, ServiceResolver
from mesh.consul.entries.service_resolver import Redirect
from mesh.model import (
    ApiGateway,
    Azure,
    Cluster,
    Community,
    Enterprise,
    Environment,
    HcpTerraform,
    Health,
    IngressGateway,
    Kubernetes,
    Listener,
    NetworkPlan,
    Nomad,
    Partition,
    Peering,
    Platform,
    Retry,
    Route,
    Security,
    Upstream,
    Version,
    Versions,
)
from tests.unit.examples import COMMUNITY, ENTERPRISE, caller, environment, service, versioned


def found(mesh: Environment) -> dict[str, str]:
    """Rule of every finding by its path."""
    return {finding.path: finding.rule for finding in check(mesh)}


def with_platform(base: Platform = COMMUNITY, **changes: Any) -> Environment:
    return environment(service(), platform=replace(base, **changes))


def with_network(**changes: Any) -> Environment:
    return with_platform(network=NetworkPlan(**{name: IPv4Network(text) for name, text in changes.items()}))


def with_gateways(*gateways: Any, **changes: Any) -> Environment:
    return environment(service(), caller(), service("db", protocol="tcp"), gateways=gateways, **changes)


SOUND = {
    "community": environment(versioned(routes=[Route(to="v1", path_prefix="/v1")]), caller()),
    "enterprise": environment(versioned(), caller(export_to=["default"]), platform=ENTERPRISE),
    "api gateway": with_gateways(
        ApiGateway("gw", listeners=[Listener(80, "http", to="web"), Listener(5432, "tcp", to="db")])
    ),
    "open to peered networks": with_gateways(
        ApiGateway("gw", listeners=[Listener(80, "http", to="web")], open_to=[IPv4Network("10.9.0.0/16")])
    ),
    "hosts share a port": with_gateways(
        IngressGateway(
            "in",
            listeners=[Listener(80, "http", to="web", hosts=["w.io"]), Listener(80, "http", to="api", hosts=["a.io"])],
        )
    ),
    "an entry of one's own": environment(service(), extra_entries=[ServiceDefaults(name="legacy", protocol="tcp")]),
    "one version without a split": environment(versioned(versions={"v1": Version()}, split={})),
    "the longest names on Kubernetes": environment(
        versioned("a" * 53, runs_on=Kubernetes(), versions={"v" * 9: Version()}, split={})
    ),
    "names that only Kubernetes refuses": environment(service("1st"), service("a" * 54)),
    "two decimals": environment(versioned(split={"v1": 33.33, "v2": 66.67})),
    "disjoint routes": environment(
        versioned(
            routes=[
                Route(to="v1", path_prefix="/a"),
                Route(to="v1", path_prefix="/b"),
                Route(to="v2", path_regex="/c.*"),
            ]
        )
    ),
    "narrow before wide": environment(
        versioned(routes=[Route(to="v1", path_prefix="/v1/x"), Route(to="v2", path_prefix="/v1")])
    ),
    "own listen address": environment(service(env={"LISTEN_ADDR": "0.0.0.0:9091"})),
    "bastion": with_platform(azure=Azure(region="koreacentral", bastion=True)),
}


@pytest.mark.parametrize("mesh", SOUND.values(), ids=SOUND.keys())
def test_sound(mesh: Environment) -> None:
    assert check(mesh) == ()
    require_sound(mesh)


def partition(name: str) -> Environment:
    return with_platform(edition=Enterprise(), topology=Partition(name))


def partition_on(port: int) -> Environment:
    return with_platform(ENTERPRISE, topology=Partition("k8s", gateway_port=port))


PLATFORM = [
    (with_platform(topology=Partition("k8s")), "platform.topology", "partition-needs-enterprise"),
    (with_platform(topology=Peering("dc2")), "platform.topology", "topology-unsupported"),
    (partition("system"), "platform.topology.name", "partition-reserved"),
    (partition("default"), "platform.topology.name", "partition-reserved"),
    (with_platform(servers=2), "platform.servers", "value-literal-error"),
    (with_platform(clients=0), "platform.clients", "value-greater-than-equal"),
    (with_platform(edition="ce"), "platform.edition", "value-type"),
    (with_platform(versions=Versions(consul="2.0.3")), "platform.versions.consul", "consul-untested"),
    (with_platform(versions=Versions(chart="1.8.2")), "platform.versions.chart", "chart-mismatch"),
    (with_platform(versions=Versions(nomad="1.11")), "platform.versions.nomad", "value-form"),
    (with_platform(cluster=Cluster(version="1.29")), "platform.cluster.version", "kubernetes-unsupported"),
    (with_platform(azure=Azure(region="Korea Central")), "platform.azure.region", "value-form"),
    (with_platform(azure=Azure(region="koreacentral", vault_name="a--b")), "platform.azure.vault_name", "value-form"),
    (
        replace(with_platform(), name="a-name-of-16-chr", project="project-of-12"),
        "platform.azure.vault_name",
        "vault-name",
    ),
    (replace(with_platform(), name="Demo"), "name", "value-form"),
    (replace(with_platform(), name="a--b"), "name", "name-dashes"),
    (replace(with_platform(), backend=HcpTerraform("")), "backend.organization", "value-string-too-short"),
]

PLATFORM += [
    (with_platform(edition=Enterprise), "platform.edition", "value-type"),
    (with_platform(edition=Enterprise(), topology=Partition), "platform.topology", "value-type"),
    (with_platform(azure=Azure), "platform.azure", "value-type"),
    (with_platform(azure=Nomad()), "platform.azure", "value-type"),
    (replace(with_platform(), backend=Azure(region="x")), "backend", "value-type"),  # type: ignore[arg-type]
    (with_platform(servers=1.0), "platform.servers", "value-type"),
    (with_platform(servers=True), "platform.servers", "value-type"),
    (with_platform(versions=Versions(nomad="1.7.0")), "platform.versions.nomad", "nomad-untested"),
    (with_platform(versions=Versions(envoy="1.20.0")), "platform.versions.envoy", "envoy-old"),
    (with_platform(ENTERPRISE, security=Security.ZERO_TRUST), "platform.security", "security-unsupported"),
    (with_platform(azure=Azure(region="x", zones=["1", "1"])), "platform.azure.zones", "zone-twice"),
    *(
        (
            with_platform(azure=Azure(region="x", operator_networks=[IPv4Network(network)])),
            "platform.azure.operator_networks[0]",
            "operator-network",
        )
        for network in ("10.0.0.0/8", "8.8.8.8/31")
    ),
    *((partition_on(port), "platform.topology.gateway_port", "port-taken") for port in (22, 4646, 8301, 8500, 20001)),
]

NETWORK = [
    (with_network(clients="10.0.0.0/24"), "platform.network.clients", "network-overlap"),
    (with_network(clients="10.1.0.0/24"), "platform.network.clients", "network-outside"),
    (with_network(cluster_services="10.0.128.0/20"), "platform.network.cluster_services", "network-overlap"),
    (with_network(cluster_services="172.17.0.0/20"), "platform.network.cluster_services", "network-taken"),
    (with_network(cluster_services="172.26.64.0/24"), "platform.network.cluster_services", "network-taken"),
    (with_network(cluster_services="172.30.0.0/24"), "platform.network.cluster_services", "network-taken"),
    (with_network(cluster_services="20.0.0.0/16"), "platform.network.cluster_services", "network-public"),
    (with_network(servers="10.0.0.0/30"), "platform.network.servers", "network-small"),
    (with_network(cluster_pods="10.0.8.0/25"), "platform.network.cluster_pods", "network-small"),
    (
        with_platform(clients=20, network=NetworkPlan(clients=IPv4Network("10.0.1.0/28"))),
        "platform.network.clients",
        "network-small",
    ),
    (
        with_platform(
            azure=Azure(region="koreacentral", bastion=True), network=NetworkPlan(bastion=IPv4Network("10.0.2.0/27"))
        ),
        "platform.network.bastion",
        "network-small",
    ),
    (with_platform(network=NetworkPlan(servers="10.0.0.0/26")), "platform.network.servers", "value-type"),  # type: ignore[arg-type]
]

NETWORK += [
    (with_network(cluster_services=text), "platform.network.cluster_services", "network-size")
    for text in ("10.96.0.0/29", "10.96.0.0/11")
]

API = 'services["api"]'
WEB = 'services["web"]'

SERVICES = [
    (environment(service("Api")), 'services["Api"].name', "value-form"),
    (environment(service(), caller("api", Upstream("api", local_port=9191))), API, "name-twice"),
    (environment(service("consul")), 'services["consul"]', "name-reserved"),
    (environment(versioned(), service("api-v1")), 'services["api-v1"]', "workload-twice"),
    (environment(service("mesh-gateway")), 'services["mesh-gateway"]', "name-reserved"),
    (environment(service(port=0)), f"{API}.port", "value-greater-than-equal"),
    (environment(service(port=True)), f"{API}.port", "value-type"),
    (environment(service(port=20000)), f"{API}.port", "port-taken"),
    (environment(service(protocol="https")), f"{API}.protocol", "value-literal-error"),
    (environment(service(image="a b")), f"{API}.image", "value-form"),
    (environment(service(runs_on="nomad")), f"{API}.runs_on", "value-type"),
    (environment(service(runs_on=Nomad(count=0))), f"{API}.runs_on.count", "value-greater-than-equal"),
    (environment(service(runs_on=Kubernetes(namespace="consul"))), f"{API}.runs_on.namespace", "namespace-reserved"),
    (environment(service("1st", runs_on=Kubernetes())), 'services["1st"]', "kubernetes-name"),
    (environment(service("a" * 54, runs_on=Kubernetes())), f'services["{"a" * 54}"]', "kubernetes-name"),
    (
        environment(versioned(runs_on=Kubernetes(), versions={"v" * 60: Version()}, split={})),
        f'{API}.versions["{"v" * 60}"]',
        "kubernetes-name",
    ),
    (environment(service(env={"A": "b\0"})), f'{API}.env["A"]', "value-form"),
    (environment(service(env={"A B": "c"})), f'{API}.env["A B"]', "value-form"),
    (environment(service(env={"LISTEN_ADDR": "0.0.0.0:80"})), f'{API}.env["LISTEN_ADDR"]', "listen-port"),
    (
        environment(versioned(versions={"v1": Version(env={"LISTEN_ADDR": ":80"}), "v2": Version()})),
        f'{API}.versions["v1"].env["LISTEN_ADDR"]',
        "listen-port",
    ),
    (
        environment(service(), caller("web", Upstream("apii", local_port=1))),
        f'{WEB}.upstreams["apii"]',
        "upstream-unknown",
    ),
    (environment(service(), caller("web", Upstream("web", local_port=1))), f'{WEB}.upstreams["web"]', "upstream-self"),
    (
        environment(service(), caller("web", Upstream("api", local_port=1), Upstream("api", local_port=2))),
        f'{WEB}.upstreams["api"]',
        "upstream-twice",
    ),
    (
        environment(service(), caller("web", Upstream("api", local_port=9090))),
        f'{WEB}.upstreams["api"].local_port',
        "port-taken",
    ),
    (
        environment(service(), service("b"), caller("web", Upstream("api", local_port=1), Upstream("b", local_port=1))),
        f'{WEB}.upstreams["b"].local_port',
        "port-taken",
    ),
    (environment(versioned(split={"v1": 5, "v2": 90})), f"{API}.split", "split-sum"),
    (environment(versioned(split={"v1": 33.33, "v2": 66.66})), f"{API}.split", "split-sum"),
    (environment(versioned(split={"v1": 33.333, "v2": 66.667})), f'{API}.split["v1"]', "split-precision"),
    (environment(versioned(split={"v1": -1, "v2": 101})), f'{API}.split["v1"]', "value-greater-than-equal"),
    (environment(versioned(split={"v1": 50, "v3": 50})), f'{API}.split["v3"]', "version-unknown"),
    (
        environment(versioned(versions={"v1": Version(failover="v3"), "v2": Version()})),
        f'{API}.versions["v1"].failover',
        "version-unknown",
    ),
    (
        environment(versioned(versions={"v1": Version(failover="v1"), "v2": Version()})),
        f'{API}.versions["v1"].failover',
        "failover-itself",
    ),
    (environment(versioned(split={})), f"{API}.split", "split-missing"),
    (environment(versioned(split={"v1": True, "v2": 99})), f'{API}.split["v1"]', "value-type"),
    (environment(versioned(protocol="tcp")), f"{API}.versions", "protocol-not-http"),
    (environment(versioned(versions={"V1": Version(), "v2": Version()})), f'{API}.versions["V1"]', "value-form"),
    (environment(versioned(routes=[Route(to="v9", path_prefix="/")])), f"{API}.routes[0].to", "version-unknown"),
    (environment(versioned(routes=[Route(to="v1")])), f"{API}.routes[0]", "route-matches-all"),
    (environment(versioned(routes=[Route(to="v1", path_prefix="v1")])), f"{API}.routes[0].path_prefix", "value-form"),
    (
        environment(versioned(routes=[Route(to="v1", path_prefix="/a", path_exact="/b")])),
        f"{API}.routes[0]",
        "route-paths",
    ),
    (
        environment(versioned(routes=[Route(to="v1", query={"a": "b"}, prefix_rewrite="/")])),
        f"{API}.routes[0].prefix_rewrite",
        "route-rewrite",
    ),
    (environment(versioned(routes=[Route(to="v1", path_regex="(")])), f"{API}.routes[0].path_regex", "route-regex"),
    (
        environment(versioned(routes=[Route(to="v1", path_regex="/(?=a)")])),
        f"{API}.routes[0].path_regex",
        "route-regex",
    ),
    (
        environment(versioned(routes=[Route(to="v1", path_regex=r"(a)\1")])),
        f"{API}.routes[0].path_regex",
        "route-regex",
    ),
    (
        environment(versioned(routes=[Route(to="v1", path_prefix="/a", methods=["GET", "GET"])])),
        f"{API}.routes[0].methods",
        "route-method-twice",
    ),
    (
        environment(versioned(routes=[Route(to="v1", path_prefix="/v1"), Route(to="v2", path_prefix="/v1/x")])),
        f"{API}.routes[1]",
        "route-shadowed",
    ),
    (
        environment(
            versioned(
                routes=[Route(to="v1", query={"a": "1"}), Route(to="v2", path_exact="/x", query={"a": "1", "b": "2"})]
            )
        ),
        f"{API}.routes[1]",
        "route-shadowed",
    ),
    (
        environment(service(protocol="tcp", routes=[Route(to="v1", path_prefix="/")])),
        f"{API}.routes",
        "protocol-not-http",
    ),
    (
        environment(versioned(routes=[Route(to="v1", path_prefix="/", timeout="15")])),
        f"{API}.routes[0].timeout",
        "value-value-error",
    ),
    (environment(service(export_to=["k8s"])), f"{API}.export_to", "partition-unknown"),
    (environment(service(export_to=["eks"]), platform=ENTERPRISE), f"{API}.export_to", "partition-unknown"),
    (environment(service(export_to=["default"]), platform=ENTERPRISE), f"{API}.export_to", "export-to-self"),
]

SERVICES += [
    (environment(service(runs_on=Nomad)), f"{API}.runs_on", "value-type"),
    (environment(service(runs_on=Version())), f"{API}.runs_on", "value-type"),
    (environment(service(health=Retry(3))), f"{API}.health", "value-type"),
    (environment(service(health=Health(interval="500ms"))), f"{API}.health.interval", "health-short"),
    (environment(service(upstreams="api")), f"{API}.upstreams", "value-type"),
    (environment(service(env=[("A", "b")])), f"{API}.env", "value-type"),
    (environment(service(env={"A": 1})), f'{API}.env["A"]', "value-type"),
    (environment(service(protocol=["http"])), f"{API}.protocol", "value-type"),
    (environment(versioned(split={"v1": float("inf"), "v2": 0})), f'{API}.split["v1"]', "value-less-than-equal"),
    (environment(versioned(split={"v1": float("nan"), "v2": 0})), f'{API}.split["v1"]', "value-less-than-equal"),
    (environment(versioned(split={"v1": 1e30, "v2": 0})), f'{API}.split["v1"]', "value-less-than-equal"),
    (
        environment(versioned(routes=[Route(to="v1", query={"x": ""})])),
        f'{API}.routes[0].query["x"]',
        "value-string-too-short",
    ),
    (
        environment(versioned(routes=[Route(to="v1", path_prefix="/", retry=Retry(2, on_connect_failure=False))])),
        f"{API}.routes[0].retry",
        "retry-nothing",
    ),
    (environment("api"), "services[0]", "value-type"),  # type: ignore[arg-type]
]

GW = 'gateways["gw"]'


def api_gateway(*listeners: Listener, **changes: Any) -> Environment:
    return with_gateways(ApiGateway("gw", listeners=listeners, **changes))


GATEWAYS = [
    (api_gateway(), GW, "gateway-empty"),
    (api_gateway(Listener(80, "http", to="wep")), f"{GW}.listeners[0].to", "listener-unknown"),
    (api_gateway(Listener(80, "tcp", to="web")), f"{GW}.listeners[0].protocol", "listener-protocol"),
    (api_gateway(Listener(80, "tcp", to="db", hosts=["a.io"])), f"{GW}.listeners[0].hosts", "listener-hosts"),
    (api_gateway(Listener(8500, "http", to="web")), f"{GW}.listeners[0].port", "port-taken"),
    (api_gateway(Listener(25000, "http", to="web")), f"{GW}.listeners[0].port", "port-taken"),
    (api_gateway(Listener(80, "http", to="web", hosts=["*.a.io"])), f"{GW}.listeners[0].hosts", "listener-wildcard"),
    (api_gateway(Listener(80, "http", to="web", hosts=["a.io:80"])), f"{GW}.listeners[0].hosts[0]", "value-form"),
    (
        api_gateway(Listener(80, "http", to="web"), Listener(80, "tcp", to="db")),
        f"{GW}.listeners[1]",
        "listener-port-twice",
    ),
    (
        api_gateway(Listener(80, "http", to="web"), Listener(80, "http", to="web")),
        f"{GW}.listeners[1]",
        "listener-service-twice",
    ),
    (
        api_gateway(Listener(80, "http", to="web"), Listener(80, "http", to="api")),
        f"{GW}.listeners[1]",
        "listener-host-twice",
    ),
    (api_gateway(Listener(80, "http", to="web"), runs_on=Nomad(count=2)), f"{GW}.runs_on.count", "gateway-count"),
    (
        api_gateway(Listener(80, "http", to="web"), open_to=[IPv4Network("8.8.8.0/24")]),
        f"{GW}.open_to[0]",
        "gateway-public",
    ),
    (
        with_gateways(
            ApiGateway("one", listeners=[Listener(80, "http", to="web")]),
            ApiGateway("gw", listeners=[Listener(80, "http", to="web")]),
        ),
        GW,
        "port-taken",
    ),
    (
        environment(
            service(), platform=ENTERPRISE, gateways=[ApiGateway("gw", listeners=[Listener(8443, "http", to="api")])]
        ),
        f"{GW}.listeners[0].port",
        "port-taken",
    ),
    (
        environment(
            versioned(routes=[Route(to="v1", path_prefix="/v1")]),
            gateways=[ApiGateway("gw", listeners=[Listener(80, "http", to="api")])],
        ),
        f"{GW}.listeners[0].to",
        "listener-routes",
    ),
    (with_gateways(ApiGateway("web", listeners=[Listener(80, "http", to="api")])), 'gateways["web"]', "name-twice"),
]


def ingress(*listeners: Listener, name: str = "gw", **changes: Any) -> Environment:
    return with_gateways(IngressGateway(name, listeners=listeners, **changes))


HTTP = Listener(80, "http", to="web")
MIXED = [IPv4Network("10.0.0.0/8"), IPv4Network("8.8.8.0/24")]

GATEWAYS += [
    (ingress(HTTP, runs_on=Kubernetes(memory=512)), f"{GW}.runs_on", "gateway-runtime"),
    (ingress(HTTP, open_to=MIXED), f"{GW}.open_to", "gateway-mixed"),
    (ingress(Listener(20000, "http", to="web")), f"{GW}.listeners[0].port", "port-taken"),
    (ingress(HTTP, name="g" * 57), f'gateways["{"g" * 57}"]', "gateway-name"),
    (
        ingress(Listener(80, "http", to="web", hosts=["a.io", "a.io"])),
        f"{GW}.listeners[0].hosts",
        "listener-host-twice",
    ),
    (
        environment(
            service("x"),
            service("81-x"),
            gateways=[
                ApiGateway("a", listeners=[Listener(80, "http", to="81-x")]),
                ApiGateway("a-80", listeners=[Listener(81, "http", to="x")]),
            ],
        ),
        "gateways",
        "entry-twice",
    ),
]


def with_entries(*extra: Any, platform: Platform = COMMUNITY) -> Environment:
    return environment(versioned(), platform=platform, extra_entries=extra)


ENTRIES = [
    (with_entries(ServiceDefaults(name="api", protocol="grpc")), "extra_entries[0]", "entry-twice"),
    (
        with_entries(ServiceDefaults(name="x", protocol="tcp"), ServiceDefaults(name="x", protocol="http")),
        "extra_entries[1]",
        "entry-twice",
    ),
    (
        with_entries(ServiceDefaults(name="x", protocol="tcp", partition="k8s")),
        "extra_entries[0].partition",
        "enterprise-only",
    ),
    (
        with_entries(ServiceDefaults(name="x", protocol="tcp"), platform=ENTERPRISE),
        "extra_entries[0].partition",
        "entry-partition",
    ),
    (
        with_entries(
            ServiceResolver(name="a", redirect=Redirect(service="b")),
            ServiceResolver(name="b", redirect=Redirect(service="a")),
        ),
        "extra_entries[1].redirect",
        "redirect-circle",
    ),
    (with_entries("entry"), "extra_entries[0]", "value-type"),
    (with_entries(ServiceDefaults(name="a.b", protocol="tcp")), "extra_entries[0].name", "service-name"),
    (
        with_entries(ServiceDefaults(name="x", protocol="tcp", namespace="default")),
        "extra_entries[0].namespace",
        "enterprise-only",
    ),
    (
        with_entries(
            ServiceDefaults(name="x", protocol="tcp", partition="k8s", namespace="other"), platform=ENTERPRISE
        ),
        "extra_entries[0].namespace",
        "entry-namespace",
    ),
]


@pytest.mark.parametrize(("mesh", "path", "rule"), [*PLATFORM, *NETWORK, *SERVICES, *GATEWAYS, *ENTRIES])
def test_refused(mesh: Environment, path: str, rule: str) -> None:
    assert found(mesh).get(path) == rule


def test_everything_is_reported_at_once_in_a_stable_order() -> None:
    mesh = environment(
        versioned(split={"v1": 5, "v2": 90}, port=99999),
        caller("web", Upstream("apii", local_port=9191)),
        platform=replace(COMMUNITY, edition=Community(), topology=Partition("k8s"), clients=0),
    )
    findings = check(mesh)
    assert [finding.path for finding in findings] == [
        "platform.clients",
        "platform.topology",
        f"{API}.port",
        f"{API}.split",
        f'{WEB}.upstreams["apii"]',
    ]
    assert findings == check(mesh)


def test_an_even_number_of_servers_hides_nothing() -> None:
    mesh = environment(
        versioned(split={"v1": 5, "v2": 90}),
        caller("web", Upstream("apii", local_port=9191)),
        platform=replace(COMMUNITY, servers=2),  # type: ignore[arg-type]
    )
    assert [finding.rule for finding in check(mesh)] == ["value-literal-error", "split-sum", "upstream-unknown"]


def test_a_finding_says_where_what_and_how() -> None:
    (finding,) = check(environment(service(), caller("web", Upstream("apii", local_port=9191))))
    assert str(finding).splitlines() == [
        'services["web"].upstreams["apii"]: no service is called "apii" [upstream-unknown]',
        '    fix: did you mean "api"?',
    ]


def test_an_unsound_environment_cannot_be_required() -> None:
    with pytest.raises(FindingsError, match="split-sum"):
        require_sound(environment(versioned(split={"v1": 1})))
