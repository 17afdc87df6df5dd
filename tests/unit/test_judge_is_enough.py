"""Whatever the judge lets pass can be derived, and whatever a person writes gets an answer: on generated meshes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesh.azure import firewall, machines
from mesh.check import check
from mesh.consul import chart, policy
from mesh.consul.acl import workload_acl
from mesh.consul.entries import ExportedServices
from mesh.consul.judge import judge
from mesh.consul.ordering import dependencies
from mesh.consul.parts import Edition
from mesh.consul.reading import Form
from mesh.kubernetes.services import release_values
from mesh.model import (
    ApiGateway,
    Azure,
    CircuitBreaker,
    Cluster,
    Community,
    Enterprise,
    Environment,
    Flat,
    Health,
    IngressGateway,
    Kubernetes,
    Listener,
    Machine,
    Nomad,
    Partition,
    Peering,
    Platform,
    Retry,
    Route,
    Security,
    Service,
    Upstream,
    Version,
)
from mesh.nomad.jobs import jobs
from mesh.project import available, load
from mesh.terraform import json_literal, yaml_literal
from mesh.topology import clusters
from tests.declared import ROOT

NAMES = ["api", "web", "db", "x9", "global", "on"]
TEXTS = st.sampled_from(["x", "${NOMAD}", "%{if}", 'a"b', "é\U0001f600", "", "\n", "{{ env }}", "\x7f"])
VALUES = st.sampled_from(["x", "${NOMAD}", "%{if}", 'a"b', "é\U0001f600"])
DURATIONS = st.sampled_from(["10s", "1m30s", "1.5s"])
RUNTIMES = st.one_of(
    st.builds(Nomad, count=st.integers(1, 3)),
    st.builds(Kubernetes, count=st.integers(1, 3), namespace=st.sampled_from(["demo", "other"])),
)
TOPOLOGIES: st.SearchStrategy[Flat | Partition] = st.builds(Flat) | st.builds(Partition, st.just("k8s"))
BREAKERS = st.none() | st.builds(
    CircuitBreaker,
    interval=DURATIONS,
    max_failures=st.sampled_from([1, 2**32 - 1]),
    max_ejection=st.none() | st.just(0),
)
RETRIES = st.none() | st.builds(
    Retry, st.integers(1, 3), on_connect_failure=st.booleans(), on_status_codes=st.just([503])
)
CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"path_prefix": st.sampled_from(["/", "/v1", "/a b"])}, optional={"prefix_rewrite": st.just("/z")}
    ),
    st.fixed_dictionaries({"path_regex": st.sampled_from(["/.*", "/[a-z]+\\.php$"])}),
    st.fixed_dictionaries({"query": st.dictionaries(st.just("q"), VALUES, min_size=1)}),
    st.fixed_dictionaries(
        {"headers": st.dictionaries(st.just("x-h"), VALUES, min_size=1), "methods": st.just(["GET"])}
    ),
)


@st.composite
def services(draw: st.DrawFn, name: str, protocol: str, others: list[str]) -> Service:
    """A service that is mostly sound."""
    names = (
        draw(st.lists(st.sampled_from(["v1", "v2", "1", "a-b"]), max_size=3, unique=True)) if protocol != "tcp" else []
    )
    versions = {
        version: Version(count=draw(st.sampled_from([None, 2])), env=draw(st.dictionaries(st.just("A"), TEXTS)))
        for version in names
    }
    split: dict[str, float] = {}
    if len(names) > 1:
        split = draw(st.sampled_from([{names[0]: 0, names[1]: 100}, {names[0]: 33.33, names[1]: 66.67}]))
    routes = [
        Route(to=draw(st.sampled_from(names)), timeout=draw(st.none() | DURATIONS), retry=draw(RETRIES), **conditions)
        for conditions in (draw(st.lists(CONDITIONS, max_size=2)) if names else [])
    ]
    called = draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
    declared: dict[str, Any] = {"protocol": protocol, "runs_on": draw(RUNTIMES)}
    return Service(
        name,
        port=draw(st.sampled_from([80, 8080, 9090])),
        image=draw(st.sampled_from(["example/app:1.0", "r.io:5000/a/b@sha256:" + "a" * 64])),
        versions=versions,
        split=split,
        routes=routes,
        upstreams=[
            Upstream(other, local_port=9100 + index, circuit_breaker=draw(BREAKERS))
            for index, other in enumerate(called)
        ],
        env=draw(st.dictionaries(st.just("MESSAGE"), TEXTS)),
        health=Health(path=draw(st.sampled_from(["/health", "/h?x=${y}"])), interval=draw(DURATIONS)),
        **declared,
    )


@st.composite
def gateways(draw: st.DrawFn, protocols: dict[str, str]) -> list[ApiGateway | IngressGateway]:
    """Gateways in front of some of the services that can have one."""
    targets = [name for name, protocol in protocols.items() if protocol in {"http", "tcp"}]
    found: list[ApiGateway | IngressGateway] = []
    for index, name in enumerate(draw(st.lists(st.sampled_from(["gw", "edge"]), max_size=2, unique=True))):
        chosen = draw(st.lists(st.sampled_from(targets), min_size=1, max_size=2, unique=True)) if targets else []
        listeners = [
            Listener(5000 + 10 * index + number, "tcp" if protocols[to] == "tcp" else "http", to=to)
            for number, to in enumerate(chosen)
        ]
        if listeners:
            found.append(draw(st.sampled_from([ApiGateway, IngressGateway]))(name, listeners=listeners))
    return found


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    """An environment that is mostly sound."""
    enterprise = draw(st.booleans())
    topology = draw(TOPOLOGIES) if enterprise else Flat()
    security = Security.PRIVATE_NETWORK if isinstance(topology, Partition) else draw(st.sampled_from(Security))
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    protocols = {name: draw(st.sampled_from(["http", "http", "http2", "grpc", "tcp"])) for name in names}
    return Environment(
        draw(st.sampled_from(["demo", "e-1"])),
        platform=Platform(
            edition=Enterprise() if enterprise else Community(),
            topology=topology,
            azure=Azure(region="koreacentral", zones=draw(st.sampled_from([[], ["1"], ["1", "2", "3"]]))),
            servers=draw(st.sampled_from([1, 3, 5])),
            clients=draw(st.integers(1, 3)),
            server_machine=Machine(data_disk_gb=draw(st.sampled_from([0, 32]))),
            cluster=Cluster(nodes=draw(st.integers(1, 3))),
            security=security,
        ),
        services=[draw(services(name, protocols[name], [other for other in names if other != name])) for name in names],
        gateways=draw(gateways(protocols)),
    )


def derive_everything(environment: Environment) -> None:
    written = policy.entries(environment)
    dependencies(written)
    for entry in written:
        json_literal(entry.body())
    for job in jobs(environment):
        json_literal(job.api_json())
        assert job.deployment_seconds() > 0
    yaml_literal(chart.values(environment))
    for service in environment.on_kubernetes():
        yaml_literal(release_values(environment, service))
    workload_acl(environment)
    rules = firewall.rules(environment)
    assert len({(rule.destination, rule.priority) for rule in rules}) == len(rules)
    for machine in machines.machines(environment):
        assert len(machine.custom_data) < 65536


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(environments())
def test_what_the_judge_lets_pass_can_be_derived(environment: Environment) -> None:
    assume(not check(environment))  # most are sound: Hypothesis complains when it finds too few
    derive_everything(environment)
    assert not found_in_entries(environment)


def found_in_entries(environment: Environment) -> list[str]:
    """What the judge of entries says of those that follow from a declaration: nothing, not even a note."""
    edition = Edition.ENTERPRISE if environment.platform.enterprise else Edition.COMMUNITY
    return [
        f"{each.kind}/{each.name} {found}"
        for cluster in clusters(environment.platform)
        for each in judge(
            [json.loads(json.dumps(entry.written())) for entry in policy.entries(environment, cluster)],
            Form.AUTHORED,
            edition,
        )
        for found in each.findings
    ]


@st.composite
def peered(draw: st.DrawFn) -> Environment:
    """Services of two clusters that call each other, each with a gateway in front if it can have one."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    places = {name: Nomad(peer=draw(st.sampled_from([None, "dc2"]))) for name in names}
    protocols = {name: draw(st.sampled_from(["http", "http2", "grpc", "tcp"])) for name in names}
    declared = [draw(services(name, protocols[name], [other for other in names if other != name])) for name in names]
    return Environment(
        "demo",
        platform=Platform(edition=Community(), topology=Peering("dc2"), azure=None),
        services=[replace(service, runs_on=places[service.name]) for service in declared],
        gateways=[
            ApiGateway(f"gw{port}", listeners=[Listener(port, "tcp", to=name)], runs_on=places[name])
            for port, name in enumerate(names, start=5000)
            if protocols[name] == "tcp"
        ],
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(peered())
def test_what_the_judge_lets_pass_can_be_derived_in_both_clusters(environment: Environment) -> None:
    assume(not check(environment))
    assert not found_in_entries(environment)
    derived = {cluster: jobs(environment, cluster) for cluster in clusters(environment.platform)}
    assert all(found[0].id == "mesh-gateway" for found in derived.values())
    exported = [
        (service.name, consumer.peer)
        for cluster in clusters(environment.platform)
        for entry in policy.entries(environment, cluster)
        if isinstance(entry, ExportedServices)
        for service in entry.services
        for consumer in service.consumers
    ]
    imported = {
        (upstream.destination_name, job.datacenters[0])
        for found in derived.values()
        for job in found
        for service in job.task_groups[0].services
        if service.connect and service.connect.sidecar_service and service.connect.sidecar_service.proxy
        for upstream in service.connect.sidecar_service.proxy.upstreams
        if upstream.destination_peer
    }
    assert len(exported) == len(set(exported))
    assert set(exported) == imported


@pytest.mark.parametrize("name", available(ROOT))
def test_the_entries_of_every_environment_are_as_consul_stores_them(name: str) -> None:
    assert not found_in_entries(load(name, ROOT))


ANYTHING = st.sampled_from(
    [None, True, 0, -1, 1.5, "text", [], ["x"], {}, {"a": 1}, (), object, Nomad, Nomad(), Version()]
)

FIELDS = st.sampled_from(
    ["port", "image", "runs_on", "protocol", "versions", "split", "routes", "upstreams", "export_to", "env", "health"]
)

PARTS = st.sampled_from(["platform", "services", "gateways", "backend", "extra_entries", "project", "name"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(FIELDS, ANYTHING, max_size=3), st.dictionaries(PARTS, ANYTHING, max_size=1))
def test_any_value_in_any_field_gets_an_answer(fields: dict[str, Any], parts: dict[str, Any]) -> None:
    """Never an exception, whatever stands where."""
    service: dict[str, Any] = {"port": 9090, "image": "example/app:1.0", "runs_on": Nomad(), **fields}
    whole: dict[str, Any] = {
        "name": "demo",
        "platform": Platform(edition=Community(), topology=Flat(), azure=Azure(region="koreacentral")),
        "services": [Service("api", **service)],
        **parts,
    }
    check(Environment(**whole))
