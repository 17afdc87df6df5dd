"""Intentions, exports and sameness groups: what Consul says of them, beyond the examples of the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mesh.consul.entries import ServiceIntentions
from mesh.consul.entries.service_intentions import Source as Caller
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.rules import Style


def reading(kind: str, name: str, edition: Edition = Edition.COMMUNITY, **fields: Any) -> Reading:
    return read({"Kind": kind, "Name": name, **fields}, Form.AUTHORED, edition)


def found(kind: str, name: str, edition: Edition = Edition.COMMUNITY, **fields: Any) -> list[str]:
    problems = reading(kind, name, edition, **fields).problems
    return sorted(f"{problem.rule.id} {problem.at.written(Style.GO)}" for problem in problems)


ALLOW = {"Name": "web", "Action": "allow"}
PERMISSION = {"Action": "allow", "HTTP": {"PathPrefix": "/"}}


@pytest.mark.parametrize(
    ("sources", "rules"),
    [
        ([{**ALLOW, "Precedence": 9, "Type": "consul"}], []),
        ([{**ALLOW, "Precedence": 3}], ["precedence-computed Sources[0].Precedence"]),
        ([{**ALLOW, "Type": "k8s"}], ["value-unknown Sources[0].Type"]),
        ([{**ALLOW, "Peer": "aks"}, ALLOW], []),
        ([{**ALLOW, "Peer": "aks"}, {**ALLOW, "Peer": "aks"}], ["source-twice Sources[1]"]),
        ([{"Name": "*", "Action": "deny"}, ALLOW], ["sources-sorted Sources"]),
        ([{**ALLOW, "Permissions": [PERMISSION]}], ["source-action Sources[0]"]),
        ([{**ALLOW, "Name": "w*"}], ["wildcard-partial Sources[0].Name"]),
        ([{**ALLOW, "Name": "Web"}], ["service-name Sources[0].Name"]),
        ([{**ALLOW, "Description": "é" * 256}], []),
        ([{**ALLOW, "Description": "é" * 257}], ["description-long Sources[0].Description"]),
        (
            [{**ALLOW, "LegacyID": "x", "LegacyMeta": {"a": "b"}}],
            ["key-read-only Sources[0].LegacyID", "key-read-only Sources[0].LegacyMeta"],
        ),
        ([{**ALLOW, "SamenessGroup": "shop"}], ["enterprise-only Sources[0].SamenessGroup"]),
        (
            [{"Name": "web", "Permissions": [{"HTTP": {"PathExact": "/a"}}]}],
            ["field-missing Sources[0].Permissions[0].Action"],
        ),
        ([{"Name": "web", "Permissions": [{"Action": "allow"}]}], ["field-missing Sources[0].Permissions[0].HTTP"]),
        (
            [{"Name": "web", "Permissions": [{**PERMISSION, "JWT": {"Providers": [{}]}}]}],
            ["field-missing Sources[0].Permissions[0].JWT.Providers[0].Name"],
        ),
        (
            [{"Name": "web", "Permissions": [{**PERMISSION, "JWT": {}}]}],
            ["field-expected Sources[0].Permissions[0].JWT.Providers"],
        ),
        (
            [
                {
                    "Name": "web",
                    "Permissions": [
                        {
                            "Action": "deny",
                            "HTTP": {
                                "Header": [
                                    {"Name": "x", "Present": True, "IgnoreCase": True},
                                    {"Name": "y", "Exact": "a", "Regex": "("},
                                ]
                            },
                        }
                    ],
                }
            ],
            [
                "ignore-case-matcher Sources[0].Permissions[0].HTTP.Header[0].IgnoreCase",
                "matcher-count Sources[0].Permissions[0].HTTP.Header[1]",
                "regex-syntax Sources[0].Permissions[0].HTTP.Header[1].Regex",
            ],
        ),
        ([], ["field-missing Sources"]),
    ],
)
def test_sources(sources: Sequence[Mapping[str, object]], rules: list[str]) -> None:
    assert found("service-intentions", "api", Sources=sources) == rules


@pytest.mark.parametrize(
    ("name", "namespace", "caller", "precedence"),
    [
        ("api", None, ("web", None), 9),
        ("api", None, ("*", None), 8),
        ("api", None, ("*", "*"), 7),
        ("*", None, ("web", None), 6),
        ("*", None, ("*", None), 5),
        ("*", None, ("*", "*"), 4),
        ("*", "*", ("web", "default"), 3),
        ("*", "*", ("*", "default"), 2),
        ("*", "*", ("*", "*"), 1),
    ],
)
def test_precedence(name: str, namespace: str | None, caller: tuple[str, str | None], precedence: int) -> None:
    source = Caller(name=caller[0], namespace=caller[1], action="allow")
    entry = ServiceIntentions(name=name, namespace=namespace, sources=[source])
    assert entry.body()["Sources"][0]["Precedence"] == precedence


def test_intentions_are_written_as_consul_stores_them() -> None:
    sources = [
        {"Name": "*", "Action": "deny", "Precedence": 1},
        {"Name": "b", "Action": "allow", "Peer": "aks"},
        {"Name": "a", "Permissions": [{"Action": "allow", "HTTP": {"Methods": ["get"]}}], "Type": "consul"},
    ]
    entry = reading("service-intentions", "api", Sources=sources).entry
    assert entry
    assert entry.body()["Sources"] == [
        {"Name": "b", "Peer": "aks", "Action": "allow", "Type": "consul", "Precedence": 9},
        {
            "Name": "a",
            "Permissions": [{"Action": "allow", "HTTP": {"Methods": ["GET"]}}],
            "Type": "consul",
            "Precedence": 9,
        },
        {"Name": "*", "Action": "deny", "Type": "consul", "Precedence": 8},
    ]


def test_sources_inherit_on_enterprise() -> None:
    sources = [ALLOW, {**ALLOW, "Peer": "aks"}, {**ALLOW, "Namespace": "other"}]
    identity = {"Partition": "k8s", "Namespace": "shop"}
    read_ = reading("service-intentions", "api", Edition.ENTERPRISE, Sources=sources, **identity)
    assert not read_.problems
    assert read_.entry
    assert [(each.get("Partition"), each["Namespace"]) for each in read_.entry.body()["Sources"]] == [
        ("k8s", "shop"),
        (None, "default"),
        ("k8s", "other"),
    ]


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"Sources": [ALLOW, {**ALLOW, "Namespace": "shop"}]}, ["source-twice Sources[1]"]),
        ({"Sources": [{**ALLOW, "Namespace": "*"}]}, ["wildcard-place Sources[0].Namespace"]),
        ({"Sources": [{**ALLOW, "Name": "*", "Namespace": "*"}]}, []),
        ({"Sources": [{**ALLOW, "Namespace": "a*"}]}, ["wildcard-place Sources[0].Namespace"]),
        ({"Sources": [{**ALLOW, "Partition": "*"}]}, ["wildcard-place Sources[0].Partition"]),
        ({"Sources": [{**ALLOW, "SamenessGroup": "*"}]}, ["wildcard-place Sources[0].SamenessGroup"]),
        ({"Sources": [{**ALLOW, "SamenessGroup": "a", "Peer": "b"}]}, ["source-several Sources[0]"]),
    ],
)
def test_intentions_of_enterprise(fields: dict[str, Any], rules: list[str]) -> None:
    identity = {"Partition": "k8s", "Namespace": "shop"}
    assert found("service-intentions", "api", Edition.ENTERPRISE, **identity, **fields) == rules


AKS = {"Peer": "aks"}


@pytest.mark.parametrize(
    ("services", "rules"),
    [
        ([{"Name": "*", "Consumers": [AKS, {"Peer": "gke"}]}], []),
        (
            [{"Name": "web", "Consumers": [{"PeerName": "aks"}]}],
            ["consumer-nobody Services[0].Consumers[0]", "key-unknown Services[0].Consumers[0].PeerName"],
        ),
        (
            [{"Name": "web", "Consumers": [{"Partition": "k8s"}]}],
            ["enterprise-ignored Services[0].Consumers[0].Partition"],
        ),
        ([{"Name": "web", "Consumers": [AKS, AKS]}], ["exported-twice Services[0].Consumers[1]"]),
        ([{"Name": "web"}], ["field-missing Services[0].Consumers"]),
        ([{"Consumers": [AKS]}], ["field-missing Services[0].Name"]),
    ],
)
def test_exports(services: Sequence[object], rules: list[str]) -> None:
    assert found("exported-services", "default", Services=services) == rules


def test_a_sameness_group_is_one_problem_on_community() -> None:
    members = [{"Partition": "default"}, {"Peer": "aks"}, {}]
    assert found("sameness-group", "shop", Members=members) == ["enterprise-only Kind"]
    assert found("sameness-group", "shop", Edition.ENTERPRISE, Members=members) == ["sameness-member Members[2]"]


def test_a_sameness_group_is_written_with_all_of_its_fields() -> None:
    fields = {"DefaultForFailover": True, "IncludeLocal": True, "Members": [{"Partition": "k8s"}, AKS]}
    entry = reading("sameness-group", "shop", Edition.ENTERPRISE, **fields).entry
    assert entry
    assert entry.body() == fields
