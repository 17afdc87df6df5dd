"""Config entries in Python: exact names, nothing that was not said, nothing unknown."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError

import pytest

from mesh.consul.entries import (
    KINDS,
    ConfigEntry,
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
)
from mesh.consul.entries.common import PassiveHealthCheck
from mesh.consul.entries.service_intentions import Source
from mesh.consul.entries.service_resolver import CookieConfig, HashPolicy, LoadBalancer, Subset
from mesh.consul.entries.service_router import Destination, HttpMatch, Match, Route
from mesh.consul.judge import judge
from mesh.consul.parts import Edition, plain
from mesh.consul.reading import Form
from mesh.shapes import go_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("path_prefix", "PathPrefix"),
        ("external_sni", "ExternalSNI"),
        ("http", "HTTP"),
        ("tls_min_version", "TLSMinVersion"),
        ("mutual_tls_mode", "MutualTLSMode"),
        ("local_connect_timeout_ms", "LocalConnectTimeoutMs"),
        ("json_format", "JSONFormat"),
        ("source_ip", "SourceIP"),
        ("sanitize_x_forwarded_client_cert", "SanitizeXForwardedClientCert"),
    ],
)
def test_go_names(name: str, expected: str) -> None:
    assert go_name(name) == expected


def test_names_that_follow_no_rule() -> None:
    check = PassiveHealthCheck(interval="30s", max_failures=5, enforcing_consecutive_5xx=100)
    assert plain(check) == {"Interval": "30s", "MaxFailures": 5, "EnforcingConsecutive5xx": 100}


def test_objects_stay_and_empty_collections_go() -> None:
    assert ProxyDefaults().body() == {"AccessLogs": {}, "TransparentProxy": {}}
    assert ServiceResolver(name="a", subsets={}).body() == {}
    assert ServiceResolver(name="a", subsets={"v1": Subset()}).body() == {"Subsets": {"v1": {}}}


def test_false_and_zero_are_said() -> None:
    policy = HashPolicy(field="cookie", field_value="c", cookie_config=CookieConfig(session=False))
    balancer = LoadBalancer(policy="maglev", hash_policies=[policy])
    assert plain(balancer)["HashPolicies"][0]["CookieConfig"] == {"Session": False}


def rules_of(entry: Mapping[str, object]) -> set[str]:
    (judged,) = judge([entry], Form.AUTHORED, Edition.COMMUNITY)
    return {finding.rule for finding in judged.findings}


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ({"passive_health_check": {}}, {"key-unknown"}),
        ({"Protocoll": "http"}, {"key-unknown"}),
        ({"MeshGateway": {"Mode": "local", "mode": "remote"}}, {"key-unknown"}),
        (
            {"UpstreamConfig": {"Defaults": {"passive_health_check": {"interval": "30s"}, "ConnectTimeoutMs": 5}}},
            {"key-unknown"},
        ),
        ({"MeshGateway": {"Mode": "bogus"}}, {"value-meaningless"}),
        ({"Protocol": "https"}, {"value-unknown"}),
        ({"Protocol": None}, {"field-expected"}),
        ({"protocol": "tcp", "Mode": "direct"}, {"key-unknown"}),
    ],
)
def test_unknown_keys_and_values_are_found(body: dict[str, object], rules: set[str]) -> None:
    assert rules_of({"Kind": "service-defaults", "Name": "web", "Protocol": "http", **body}) == rules


def test_a_misspelt_query_parameter_is_no_catch_all() -> None:
    match = {"HTTP": {"query_params": [{"Name": "version", "Exact": "v1"}]}}
    route = {"Match": match, "Destination": {"Service": "web"}}
    assert "key-unknown" in rules_of({"Kind": "service-router", "Name": "web", "Routes": [route]})


def test_entries_are_frozen() -> None:
    entry = ServiceDefaults(name="web", protocol="http")
    with pytest.raises(FrozenInstanceError):
        entry.protocol = "tcp"  # type: ignore[misc]


def test_identity_is_no_part_of_the_body() -> None:
    entry = ServiceDefaults(name="web", partition="k8s", namespace="default", protocol="http")
    assert not {"Kind", "Name", "Partition", "Namespace"} & entry.body().keys()
    assert str(entry.id) == "service-defaults/web (k8s/default)"


def test_intentions_are_ranked_as_consul_ranks_them() -> None:
    exact = ServiceIntentions(
        name="api",
        sources=[Source(name="*", action="deny"), Source(name="web", action="allow"), Source(name="b", action="allow")],
    )
    assert [(item["Name"], item["Precedence"]) for item in exact.body()["Sources"]] == [("web", 9), ("b", 9), ("*", 8)]
    wildcard = ServiceIntentions(
        name="*", sources=[Source(name="*", action="deny"), Source(name="web", action="allow")]
    )
    assert [(item["Name"], item["Precedence"]) for item in wildcard.body()["Sources"]] == [("web", 6), ("*", 5)]
    assert all(item["Type"] == "consul" for item in wildcard.body()["Sources"])


def test_a_route_may_be_written_by_hand() -> None:
    router = ServiceRouter(
        name="api",
        routes=[Route(match=Match(http=HttpMatch(path_prefix="/v1")), destination=Destination(service_subset="v1"))],
    )
    assert router.body() == {
        "Routes": [{"Match": {"HTTP": {"PathPrefix": "/v1"}}, "Destination": {"ServiceSubset": "v1"}}]
    }


@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS.keys())
def test_every_kind_documents_itself_and_has_its_own_module(model: type[ConfigEntry]) -> None:
    assert model.__doc__
    assert model.__module__.rsplit(".", 1)[-1] == model.KIND.replace("-", "_")


@pytest.mark.parametrize(
    ("entry", "rules"),
    [
        ({"Kind": "service-resolver", "Name": "a", "name": "b"}, {"key-case"}),
        ({"Kind": "service-resolver", "name": "a"}, {"key-case", "name-missing"}),
        ({"Kind": "service-resolver", "Name": "a", "kind": "mesh"}, {"key-case"}),
        ({"Kind": "service-resolver", "Name": "a", "NAME": "b"}, {"key-unknown"}),
        ({"Kind": "service-resolver", "Name": "a", "namespace": None}, {"key-unknown"}),
        ({"Kind": "service-resolver", "Name": "a", "PARTITION": ""}, {"key-unknown"}),
        ({"Kind": "service-resolver", "Name": None}, {"value-type"}),
        ({"Kind": "service-resolver", "Name": 5}, {"value-type"}),
        ({"Kind": "mesh", "Name": "MESH"}, set()),
        ({"Kind": "proxy-defaults", "Name": "GLOBAL"}, {"name-fixed"}),
        ({"Kind": "tcp-route", "Name": "a/../b", "Services": [{"Name": "a"}]}, {"name-unreachable", "field-expected"}),
    ],
)
def test_who_an_entry_is(entry: dict[str, object], rules: set[str]) -> None:
    assert rules_of(entry) == rules


def test_capitals_make_no_other_service() -> None:
    defaults = {"Kind": "service-defaults", "Name": "A", "Protocol": "http"}
    splitter = {"Kind": "service-splitter", "Name": "a", "Splits": [{"Weight": 100}]}
    judged = judge([defaults, splitter], Form.AUTHORED, Edition.COMMUNITY)
    assert [[finding.rule for finding in each.findings] for each in judged] == [
        ["service-name"],
        ["service-spelt-twice"],  # and not protocol-not-http: Consul finds the protocol
    ]


def test_a_key_that_is_not_understood_does_not_leave_an_empty_object_behind() -> None:
    entry = {"Kind": "service-defaults", "Name": "a", "Protocol": "http", "UpstreamConfig": {"Deflts": {}}}
    assert rules_of(entry) == {"key-unknown"}


def test_an_entry_is_the_same_whatever_its_capitals() -> None:
    certificate = {"Kind": "file-system-certificate", "Certificate": "/c.pem", "PrivateKey": "/k.pem"}
    judged = judge([{**certificate, "Name": "Shop"}, {**certificate, "Name": "shop"}], Form.AUTHORED, Edition.COMMUNITY)
    assert [[finding.rule for finding in each.findings] for each in judged] == [[], ["entry-twice"]]
