"""Entries that refer to each other, judged as the server compiles their discovery chains."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.consul.judge import judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form

Entry = Mapping[str, Any]

HTTP = {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}


def defaults(name: str, protocol: str, **more: Any) -> Entry:
    return {"Kind": "service-defaults", "Name": name, "Protocol": protocol, **more}


def resolver(name: str, **fields: Any) -> Entry:
    return {"Kind": "service-resolver", "Name": name, **fields}


def subsets(*names: str) -> Mapping[str, Any]:
    return {name: {"Filter": f'Service.Meta.version == "{name}"'} for name in names}


def splitter(name: str, *splits: Mapping[str, Any]) -> Entry:
    weights = [100 // len(splits) for _ in splits]
    return {
        "Kind": "service-splitter",
        "Name": name,
        "Splits": [{"Weight": weight, **split} for weight, split in zip(weights, splits, strict=True)],
    }


def router(name: str, *destinations: Mapping[str, Any]) -> Entry:
    routes = [
        {"Match": {"HTTP": {"PathPrefix": f"/{index}"}}, "Destination": {"Service": name, **destination}}
        for index, destination in enumerate(destinations)
    ]
    return {"Kind": "service-router", "Name": name, "Routes": routes}


def found(*entries: Entry) -> list[tuple[int, str, str]]:
    """Index of the entry, rule and path of every finding."""
    judged = judge(list(entries), Form.AUTHORED, Edition.COMMUNITY)
    return [(index, item.rule, item.path) for index, each in enumerate(judged) for item in each.findings]


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([HTTP, resolver("a", Subsets=subsets("v1")), router("a", {"ServiceSubset": "v1"})], id="subset"),
        pytest.param([HTTP, router("a", {"Service": "nobody"})], id="a service that does not exist"),
        pytest.param([HTTP, splitter("a", {}, {"Service": "b"}), splitter("b", {})], id="nested splitters"),
        pytest.param([resolver("a", Redirect={"Service": "b"}), resolver("b", Subsets=subsets("v1"))], id="redirect"),
        pytest.param(
            [
                HTTP,
                resolver("a", Redirect={"Service": "b"}),
                resolver("b", Subsets=subsets("v1")),
                router("a", {"ServiceSubset": "v9"}),
            ],
            id="a redirect to another service forgets the subset",
        ),
        pytest.param(
            [
                resolver("a", Subsets=subsets("v1"), Failover={"v1": {"Service": "b"}}),
                resolver("b", Failover={"*": {"Service": "a"}}),
            ],
            id="failover to each other",
        ),
        pytest.param(
            [defaults("b", "grpc"), defaults("a", "http"), resolver("a", Redirect={"Service": "b", "Peer": "aks"})],
            id="the protocol of a peer is not known",
        ),
        pytest.param(
            [HTTP, splitter("a", {"Service": "b"}), defaults("a", "tcp")],
            id="a splitter's own protocol does not count, only that of its targets",
        ),
        pytest.param([HTTP, defaults("a", "grpc"), router("a", {})], id="a protocol of its own"),
        pytest.param(
            [
                resolver(
                    "b",
                    Subsets=subsets("v1"),
                    DefaultSubset="v1",
                    Failover={"*": {"Service": "a", "ServiceSubset": "v2"}, "v1": {"Service": "c"}},
                ),
                resolver("a", Subsets=subsets("v2"), Failover={"v2": {"Service": "b", "ServiceSubset": "v1"}}),
            ],
            id="failover to each other's subsets that nobody asks for",
        ),
    ],
)
def test_what_consul_accepts(entries: list[Entry]) -> None:
    assert not found(*entries)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            [HTTP, resolver("a", Subsets=subsets("v1")), router("a", {"ServiceSubset": "v1"}, {"ServiceSubset": "v2"})],
            [(2, "subset-missing", "Routes[1].Destination.ServiceSubset")],
            id="one subset of two",
        ),
        pytest.param(
            [HTTP, splitter("a", {}, {"ServiceSubset": "v2"}), router("a", {"ServiceSubset": "v2"})],
            [
                (1, "subset-missing", "Splits[1].ServiceSubset"),
                (2, "subset-missing", "Routes[0].Destination.ServiceSubset"),
            ],
            id="without a resolver, and in two entries",
        ),
        pytest.param(
            [HTTP, resolver("a", Redirect={"Datacenter": "dc2"}), splitter("a", {}, {"ServiceSubset": "v9"})],
            [(2, "subset-missing", "Splits[1].ServiceSubset")],
            id="a redirect to another datacenter keeps the subset",
        ),
        pytest.param(
            [
                defaults("b", "http2"),
                resolver("b", Subsets=subsets("v1"), DefaultSubset="v1"),
                resolver("a", Redirect={"Service": "b", "Peer": "vm"}),
            ],
            [(2, "protocol-mixed", "Redirect.Service")],
            id="a default subset forgets the peer",
        ),
        pytest.param(
            [HTTP, defaults("g", "grpc"), router("a", {"Service": "g"}), splitter("b", {"Service": "g"}, {})],
            [
                (2, "protocol-mixed", "Routes[0].Destination.Service"),
                (3, "protocol-mixed", "Splits[1].Service"),
            ],
            id="mixed protocols, each where it is said",
        ),
        pytest.param(
            [
                defaults("b", "http", ExternalSNI="b.example.com"),
                defaults("d", "http"),
                resolver("b", Subsets=subsets("v1")),
                splitter("b", {"Service": "d"}),
            ],
            [(2, "external-sni", "Subsets")],
            id="a splitter hides its resolver, which is written first",
        ),
        pytest.param(
            [router("a", {}), splitter("a", {})],
            [(0, "protocol-not-http", "")],
            id="one chain is one problem",
        ),
        pytest.param(
            [HTTP, splitter("a", {"Service": "b"}), splitter("b", {"Service": "c"}), splitter("c", {"Service": "a"})],
            [(3, "split-circle", "Splits")],
            id="a circle of three is one problem",
        ),
        pytest.param(
            [
                {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "tcp"}},
                defaults("a", "http"),
                {
                    "Kind": "ingress-gateway",
                    "Name": "edge",
                    "Listeners": [
                        {"Port": 80, "Protocol": "http", "Services": [{"Name": "a"}, {"Name": "b"}, {"Name": "*"}]}
                    ],
                },
            ],
            [(2, "ingress-protocol", "Listeners[0].Services[1]")],
            id="one service of a listener",
        ),
        pytest.param(
            [
                resolver("b", Failover={"*": {"Datacenters": ["dc2"]}}),
                resolver("a", Redirect={"Service": "b"}),
                {
                    "Kind": "exported-services",
                    "Name": "default",
                    "Services": [{"Name": "a", "Consumers": [{"Peer": "aks"}]}],
                },
            ],
            [(2, "export-unsafe", "Services[0]")],
            id="an exported chain that leaves further down",
        ),
    ],
)
def test_what_consul_refuses(entries: list[Entry], expected: list[tuple[int, str, str]]) -> None:
    assert found(*entries) == expected


def test_long_chains_are_compiled_once() -> None:
    count = 2000  # more than Python's limit of nested calls
    splitters = [splitter(f"s{index}", {"Service": f"s{index + 1}"}) for index in range(count)]
    redirects = [resolver(f"r{index}", Redirect={"Service": f"r{index + 1}"}) for index in range(count)]
    assert not found(HTTP, *splitters, *redirects)
    assert len(found(HTTP, *splitters, splitter(f"s{count}", {"Service": "s0"}))) == 1
    assert len(found(*redirects, resolver(f"r{count}", Redirect={"Service": "r0"}))) == 1


def test_everybody_splits_to_everybody() -> None:
    names = [f"s{index}" for index in range(16)]
    everybody = [
        {**splitter(name), "Splits": [{"Weight": 6.25, "Service": other} for other in names]} for name in names
    ]
    assert [rule for _, rule, _ in found(HTTP, *everybody)] == ["split-circle"]


def test_every_circle_is_found_and_none_hides_another() -> None:
    def failing_over(name: str, to: str) -> Entry:
        return resolver(name, Subsets=subsets("v1"), Failover={"*": {"Service": to, "ServiceSubset": "v1"}})

    entries = [failing_over(*pair) for pair in ("cd", "dc", "ef", "fe")]
    around = [resolver(name, Redirect={"Service": to}) for name, to in ("xa", "ab", "ba")]
    assert found(*entries, *around) == [
        (1, "write-circle", ""),
        (3, "write-circle", ""),
        (6, "redirect-circle", "Redirect"),
    ]


def test_a_provider_is_only_found_with_its_capitals() -> None:
    keys = {"Local": {"Filename": "/etc/keys"}}
    provider = {"Kind": "jwt-provider", "Name": "Okta", "JSONWebKeySet": keys, "ClockSkewSeconds": 30}
    asks = {
        "Kind": "service-intentions",
        "Name": "a",
        "JWT": {"Providers": [{"Name": "okta"}]},
        "Sources": [{"Name": "b", "Action": "allow"}],
    }
    assert found(provider, asks) == [(1, "jwt-provider-missing", "JWT.Providers[0].Name")]


def allows(name: str, *sources: Mapping[str, Any]) -> Entry:
    return {"Kind": "service-intentions", "Name": name, "Sources": [{"Action": "allow", **each} for each in sources]}


def spelt_twice(*entries: Entry) -> list[tuple[int, str]]:
    """Index of the entry and message of every finding about two spellings."""
    judged = judge(list(entries), Form.AUTHORED, Edition.COMMUNITY)
    return [
        (index, item.message)
        for index, each in enumerate(judged)
        for item in each.findings
        if item.rule == "service-spelt-twice"
    ]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            [defaults("b", "http"), splitter("B", {})],
            [(1, 'it says "B", and service-defaults/b "b"')],
            id="names",
        ),
        pytest.param(
            [splitter("B", {}), defaults("b", "http")],
            [(0, 'it says "B", and service-defaults/b "b"')],
            id="the most basic entry is right, wherever it is",
        ),
        pytest.param(
            [HTTP, defaults("b", "http"), splitter("a", {"Service": "B"}, {})],
            [(2, 'it says "B", and service-defaults/b "b"')],
            id="a split",
        ),
        pytest.param(
            [splitter("a", {"Service": "A"})], [(0, 'it says "A", and service-splitter/a "a"')], id="one entry"
        ),
        pytest.param(
            [
                HTTP,
                splitter("a", {"Service": "x"}, {"Service": "y"}),
                splitter("b", {"Service": "X"}, {"Service": "Y"}),
            ],
            [(2, 'it says "X", and service-splitter/a "x"; it says "Y", and service-splitter/a "y"')],
            id="services without an entry, said once",
        ),
        pytest.param(
            [defaults("web", "http"), allows("api", {"Name": "Web"})],
            [(1, 'it says "Web", and service-defaults/web "web"')],
            id="a caller",
        ),
        pytest.param(
            [defaults("web", "http"), allows("api", {"Name": "Web", "Peer": "aks"})], [], id="a peer's caller"
        ),
        pytest.param([HTTP, defaults("B", "http"), splitter("a", {"Service": "B"}, {})], [], id="one spelling"),
    ],
)
def test_a_service_has_one_spelling(entries: list[Entry], expected: list[tuple[int, str]]) -> None:
    assert spelt_twice(*entries) == expected
