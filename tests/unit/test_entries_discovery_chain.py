"""Routers, splitters and resolvers: what Consul says of them, beyond the examples of the rules."""

from typing import Any

import pytest

from mesh.consul.entries import ServiceSplitter
from mesh.consul.entries.service_splitter import Split
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.rules import Style


def found(kind: str, edition: Edition = Edition.COMMUNITY, **fields: Any) -> list[str]:
    reading = read({"Kind": kind, "Name": "web", **fields}, Form.AUTHORED, edition)
    return sorted(f"{problem.rule.id} {problem.at.written(Style.GO)}" for problem in reading.problems)


def splits(*weights: float) -> list[dict[str, object]]:
    return [{"Weight": weight, "Service": f"s{index}"} for index, weight in enumerate(weights)]


@pytest.mark.parametrize(
    ("weights", "rules"),
    [
        ((100,), []),
        ((0, 100), []),
        ((33.33, 33.33, 33.34), []),
        ((99.99, 0.01), []),
        ((33.3300000001, 66.67), []),  # the same number in single precision
        ((33.33, 33.33, 33.33), ["weights-sum Splits"]),
        ((33.333, 66.667), ["weight-decimals Splits[0].Weight", "weight-decimals Splits[1].Weight"]),
        (
            (99.995, 0.005),  # half is rounded away from zero: 100.00 and 0.01
            ["weight-decimals Splits[0].Weight", "weight-decimals Splits[1].Weight", "weights-sum Splits"],
        ),
        ((-10, 110), ["number-range Splits[0].Weight", "number-range Splits[1].Weight"]),
        ((1e40, 100), ["number-range Splits[0].Weight", "weights-sum Splits"]),
    ],
)
def test_weights_are_what_consul_keeps_in_single_precision(weights: tuple[float, ...], rules: list[str]) -> None:
    assert found("service-splitter", Splits=splits(*weights)) == rules


def test_weights_with_two_decimals_are_kept() -> None:
    for hundredths in range(0, 10_001, 37):
        split = {"Weight": hundredths / 100}, {"Weight": (10_000 - hundredths) / 100, "Service": "api"}
        assert found("service-splitter", Splits=split) == []


HEADERS = {"Set": {"x": "y"}}


@pytest.mark.parametrize(
    ("first", "second", "rules"),
    [
        ({}, {"Service": "web"}, ["split-twice Splits[1]"]),
        ({"ServiceSubset": "v1"}, {"ServiceSubset": "v2"}, []),
        ({"RequestHeaders": HEADERS}, {}, ["split-twice-unseen Splits[1]"]),
        ({"RequestHeaders": HEADERS}, {"ResponseHeaders": HEADERS}, ["split-twice-unseen Splits[1]"]),
    ],
)
def test_destinations_of_splits(first: dict[str, object], second: dict[str, object], rules: list[str]) -> None:
    assert found("service-splitter", Splits=[{"Weight": 50, **first}, {"Weight": 50, **second}]) == rules


def test_a_namespace_that_is_left_out_is_the_own_one() -> None:
    ours = [{"Weight": 50, "Service": "api"}, {"Weight": 50, "Service": "api", "Namespace": "shop"}]
    shop: Any = {"Partition": "default", "Namespace": "shop"}
    assert found("service-splitter", Edition.ENTERPRISE, Splits=ours, **shop) == ["split-twice-unseen Splits[1]"]
    assert found("service-splitter", Edition.ENTERPRISE, Splits=ours, Partition="default") == []


def test_weights_in_python_are_judged_as_in_json() -> None:
    splitter = ServiceSplitter(name="web", splits=[Split(weight=33.333), Split(weight=66.67, service="api")])
    problems = read(splitter, Form.PYTHON, Edition.COMMUNITY).problems
    assert [problem.rule.id for problem in problems] == ["weight-decimals"]


SUBSETS = {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {"OnlyPassing": True}}


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"DefaultSubset": "v1"}, []),
        ({"DefaultSubset": "v9"}, ["subset-undefined DefaultSubset"]),
        (
            {"Subsets": {"": {}, "a" * 63: {}, "a" * 64: {}, "v1\n": {}}},
            [f'subset-name Subsets["{name}"]' for name in ("", "a" * 64, r"v1\n")],
        ),
        ({"Redirect": {}}, ["leads-nowhere Redirect"]),
        ({"Redirect": {"Datacenter": "dc2"}}, []),
        ({"Redirect": {"ServiceSubset": "v1"}}, ["redirect-without-service Redirect.ServiceSubset"]),
        ({"Redirect": {"Service": "web", "ServiceSubset": "v1"}}, []),
        ({"Redirect": {"Service": "web", "ServiceSubset": "zz"}}, ["subset-undefined Redirect.ServiceSubset"]),
        ({"Redirect": {"Service": "api", "ServiceSubset": "zz"}}, []),
        ({"Redirect": {"Service": "web"}}, ["leads-back Redirect"]),
        ({"Redirect": {"Service": "web", "Datacenter": "dc2"}}, []),
        ({"Redirect": {"Service": "x", "Namespace": "default"}}, ["enterprise-only Redirect.Namespace"]),
        (
            {"Redirect": {"Service": "x", "Peer": "p", "Datacenter": "d", "ServiceSubset": "s"}},
            ["places-several Redirect", "places-several Redirect"],
        ),
        ({"Failover": {"zz": {"Service": "api"}}}, ['subset-undefined Failover["zz"]']),
        ({"Failover": {"v1": {"ServiceSubset": "v1"}}}, ['leads-back Failover["v1"]']),
        ({"Failover": {"v1": {"ServiceSubset": "v2"}}}, []),
        ({"Failover": {"*": {"Datacenters": ["dc2", ""]}}}, ['datacenter-empty Failover["*"].Datacenters[1]']),
        (
            {"Failover": {"*": {"Targets": [{"Peer": "p", "ServiceSubset": "v1"}]}}},
            ['places-several Failover["*"].Targets[0]'],
        ),
        (
            {"Failover": {"*": {"Targets": [{"ServiceSubset": "zz"}, {}]}}},
            [
                'leads-back Failover["*"].Targets[1]',
                'subset-undefined Failover["*"].Targets[0].ServiceSubset',
            ],
        ),
        ({"Failover": {"*": {"Service": "api", "Targets": [{"Service": "api"}]}}}, ['places-several Failover["*"]']),
        (
            {"Failover": {"*": {"Service": "api", "Policy": {"Mode": "sequential"}}}},
            ['enterprise-only Failover["*"].Policy.Mode'],
        ),
        ({"PrioritizeByLocality": {"Mode": "none"}}, ["enterprise-only PrioritizeByLocality.Mode"]),
        ({"ConnectTimeout": "-5s"}, ["duration-negative ConnectTimeout"]),
        ({"LoadBalancer": {"Policy": "x"}}, ["value-unknown LoadBalancer.Policy"]),
        (
            {"LoadBalancer": {"Policy": "least_request", "LeastRequestConfig": {"ChoiceCount": 1}}},
            ["number-range LoadBalancer.LeastRequestConfig.ChoiceCount"],
        ),
        ({"LoadBalancer": {"HashPolicies": [{"SourceIP": True}]}}, ["load-balancer-part LoadBalancer.HashPolicies"]),
        ({"LoadBalancer": {"Policy": "maglev", "HashPolicies": [{}]}}, ["object-empty LoadBalancer.HashPolicies[0]"]),
        (
            {"LoadBalancer": {"Policy": "maglev", "HashPolicies": [{"SourceIP": True, "FieldValue": "x"}]}},
            ["hash-policy-source LoadBalancer.HashPolicies[0]"],
        ),
        ({"default_subset": "v1"}, ["key-unknown default_subset"]),
    ],
)
def test_resolvers(fields: dict[str, Any], rules: list[str]) -> None:
    assert found("service-resolver", **{"Subsets": SUBSETS, **fields}) == rules


@pytest.mark.parametrize(
    ("identity", "fields", "rules"),
    [
        ("default", {"Redirect": {"Service": "x", "Datacenter": "dc2"}}, []),
        (
            "k8s",
            {"Redirect": {"Service": "x", "Datacenter": "dc2"}},
            ["cross-datacenter-partition Redirect.Datacenter"],
        ),
        (
            "default",
            {"Redirect": {"Service": "x", "Datacenter": "dc2", "Partition": "k8s"}},
            ["cross-datacenter-partition Redirect.Datacenter"],
        ),
        (
            "k8s",
            {"Failover": {"*": {"Datacenters": ["dc2"]}}},
            ['cross-datacenter-partition Failover["*"].Datacenters'],
        ),
        ("default", {"Redirect": {"SamenessGroup": "shop"}}, []),
        ("default", {"Redirect": {"Partition": "k8s"}}, ["redirect-without-service Redirect.Partition"]),
        ("default", {"Redirect": {"Service": "web", "Partition": "k8s"}}, []),
        (
            "default",
            {"Failover": {"*": {"SamenessGroup": "shop", "Datacenters": ["dc2"]}}},
            ['places-several Failover["*"]'],
        ),
        ("default", {"PrioritizeByLocality": {"Mode": "none"}}, []),
    ],
)
def test_resolvers_of_enterprise(identity: str, fields: dict[str, Any], rules: list[str]) -> None:
    assert found("service-resolver", Edition.ENTERPRISE, Partition=identity, **fields) == rules


def _http(**http: object) -> dict[str, object]:
    return {"Match": {"HTTP": http}, "Destination": {"Service": "api"}}


@pytest.mark.parametrize(
    ("routes", "rules"),
    [
        ([{"Match": {}, "Destination": {"Service": "api"}}], ["object-empty Routes[0].Match"]),
        ([_http()], ["object-empty Routes[0].Match.HTTP"]),
        ([_http(CaseInsensitive=True)], ["route-without-condition Routes[0]"]),
        ([_http(PathPrefix="/"), _http(PathExact="/a")], ["route-shadowed Routes[1]"]),
        (
            [_http(PathPrefix="/a"), _http(PathPrefix="/b"), _http(PathPrefix="/ab", Methods=["GET"])],
            ["route-shadowed Routes[2]"],
        ),
        ([_http(PathExact="/a"), _http(PathPrefix="/a")], []),
        ([_http(PathExact="/a"), _http(PathExact="/a")], ["route-shadowed Routes[1]"]),
        ([_http(Methods=["GET"]), _http(PathExact="/a"), _http(Methods=["GET"])], ["route-shadowed Routes[2]"]),
        ([_http(PathPrefix="/a"), _http(PathPrefix="/A", CaseInsensitive=True)], []),
        ([_http(Methods=["FOO"])], ["value-unknown Routes[0].Match.HTTP.Methods[0]"]),
        (
            [_http(Methods=["GET", "get"])],
            ["case-folded Routes[0].Match.HTTP.Methods[1]", "method-twice Routes[0].Match.HTTP.Methods[1]"],
        ),
        (
            [{**_http(PathExact="/a"), "Destination": {"RetryOn": ["bogus"], "RetryOnStatusCodes": [99999]}}],
            [
                "number-range Routes[0].Destination.RetryOnStatusCodes[0]",
                "value-unknown Routes[0].Destination.RetryOn[0]",
            ],
        ),
    ],
)
def test_routers(routes: list[object], rules: list[str]) -> None:
    assert found("service-router", Routes=routes) == rules
