"""Objects of other systems' JSON: exact names, nothing that was not said, nothing unknown."""

import pytest
from pydantic import ValidationError

from mesh.consul.entries import (
    KINDS,
    ConfigEntry,
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
)
from mesh.consul.entries.common import MeshGateway, PassiveHealthCheck
from mesh.consul.entries.service_intentions import Source
from mesh.consul.entries.service_resolver import CookieConfig, HashPolicy, LoadBalancer, Subset
from mesh.consul.entries.service_router import Destination, HttpMatch, Match, Route
from mesh.shapes import go_name, plain


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


@pytest.mark.parametrize(
    "body",
    [
        {"passive_health_check": {}},
        {"Protocoll": "http"},
        {"protocol": "HTTP"},
        {"Protocol": None},
        {"MeshGateway": {"Mode": "local", "mode": "remote"}},
        {"UpstreamConfig": {"Defaults": {"passive_health_check": {"interval": "30s"}, "Peer": "x"}}},
    ],
)
def test_unknown_keys_and_values_are_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ServiceDefaults.model_validate({"Name": "web", "Protocol": "http", **body})


def test_a_misspelt_query_parameter_is_no_catch_all() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        HttpMatch.model_validate({"query_params": [{"Name": "version", "Exact": "v1"}]})


def test_entries_are_frozen() -> None:
    entry = ServiceDefaults(name="web", protocol="http")
    with pytest.raises(ValidationError, match="frozen"):
        entry.protocol = "tcp"


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


def test_singletons_have_one_name() -> None:
    with pytest.raises(ValidationError):
        ProxyDefaults(name="foo")


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


def test_modes_are_checked_although_consul_does_not() -> None:
    with pytest.raises(ValidationError):
        MeshGateway.model_validate({"Mode": "bogus"})
