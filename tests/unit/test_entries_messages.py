"""What messages about config entries say: Go's names, nothing that a terminal would obey, and not too much."""

import io
import json
import sys
from typing import Any, Final

import pytest

from mesh.cli import main
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read

NASTY: Final = "x\x1b[2J\nY" + "z" * 200


def messages(kind: str, form: Form = Form.AUTHORED, edition: Edition = Edition.COMMUNITY, **fields: Any) -> list[str]:
    reading = read({"Kind": kind, "Name": "web", **fields}, form, edition)
    return [problem.message for problem in reading.problems]


def routed(**http: object) -> dict[str, Any]:
    return {"Routes": [{"Match": {"HTTP": http}, "Destination": {"Service": "web"}}]}


def test_paths_have_their_names_in_json() -> None:
    assert messages("service-router", **routed(PathExact="/a", PathPrefix="/b", PathRegex="/c")) == [
        "PathExact, PathPrefix and PathRegex are said together"
    ]


def test_matchers_have_their_names_in_json() -> None:
    several = {"Name": "x", "Exact": "a", "Prefix": "b", "Suffix": "c"}
    assert messages("service-router", **routed(Header=[several, {"Name": "x"}])) == [
        "Exact, Prefix and Suffix are said together",
        "none of Present, Exact, Prefix, Suffix, Regex is said",
    ]


def test_who_is_meant_is_said_together() -> None:
    three = {"Peer": "a", "Partition": "b", "SamenessGroup": "c"}
    exported: dict[str, Any] = {"Services": [{"Name": "web", "Consumers": [three]}], "Partition": "web"}
    assert messages("exported-services", edition=Edition.ENTERPRISE, **exported) == [
        "Peer, Partition and SamenessGroup are said together"
    ]
    sources = [{"Name": "api", "Action": "allow", **three}]
    assert messages("service-intentions", edition=Edition.ENTERPRISE, Sources=sources) == [
        "Peer, Partition and SamenessGroup are said together"
    ]


def test_of_many_subsets_a_few_are_said() -> None:
    subsets: dict[str, object] = {f"v{number}": {} for number in range(2000)}
    (message,) = messages("service-resolver", DefaultSubset="w", Subsets=subsets)
    assert message.startswith('there is no subset "w", there are "v0", "v1", ')
    assert message.endswith(" … and 1990 more")


SDS: Final = {"ClusterName": NASTY, "CertResource": NASTY}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("service-router", routed(PathExact=NASTY, PathRegex=f"({NASTY}")),
        ("service-router", {"Routes": [{"Destination": {"PrefixRewrite": NASTY}, "Match": {"HTTP": {}}}]}),
        ("service-resolver", {"DefaultSubset": NASTY, "Subsets": {NASTY: {}, "v1": {}}}),
        ("service-resolver", {"Redirect": {"Peer": NASTY}}),
        ("service-resolver", {"Name": NASTY, "Redirect": {"Service": NASTY}}),
        ("service-resolver", {"Redirect": {"Service": "a", "Datacenter": "b"}, "Partition": NASTY}),
        ("service-resolver", {"Failover": {NASTY: {"Datacenters": ["b"]}}, "Partition": NASTY}),
        ("service-defaults", {"Expose": {"Paths": [{"Path": NASTY, "ListenerPort": 1, "LocalPathPort": 1}]}}),
        ("service-defaults", {"UpstreamConfig": {"Defaults": {"Name": NASTY, "Peer": NASTY}}}),
        (
            "service-defaults",
            {
                "UpstreamConfig": {
                    "Overrides": [{"Name": NASTY, "Peer": NASTY, "MeshGateway": {"Mode": "none"}}, {"Name": NASTY}] * 2
                }
            },
        ),
        ("service-defaults", {"Destination": {"Addresses": [NASTY, NASTY, "a b\x1b"], "Port": 1}}),
        ("exported-services", {"Name": NASTY, "Services": []}),
        ("exported-services", {"Name": "a", "Partition": NASTY, "Services": []}),
        ("exported-services", {"Services": [{"Name": NASTY, "Namespace": "*", "Consumers": [{"Peer": "a"}]}] * 2}),
        ("service-intentions", {"Sources": [{"Name": NASTY, "Peer": f"{NASTY}*", "Action": "allow"}] * 2}),
        (
            "service-intentions",
            {
                "Name": NASTY,
                "Namespace": "*",
                "Sources": [
                    {"Name": "a", "Partition": f"{NASTY}*", "Namespace": f"{NASTY}*", "Action": "allow"},
                    {"Name": "b", "SamenessGroup": f"{NASTY}*", "Action": "allow"},
                ],
            },
        ),
        (
            "jwt-provider",
            {"JSONWebKeySet": {"Remote": {"URI": f"http://a/{'b c' * 100}"}}, "ClockSkewSeconds": 30},
        ),
        (
            "ingress-gateway",
            {
                "TLS": {"SDS": {"CertResource": NASTY}},
                "Listeners": [
                    {
                        "Port": 1,
                        "Protocol": "http",
                        "TLS": {"SDS": {"ClusterName": NASTY}},
                        "Services": [
                            {"Name": NASTY, "Namespace": "*", "TLS": {"SDS": SDS}},
                            {"Name": NASTY, "Namespace": "*", "Hosts": [NASTY, NASTY, f"*.{NASTY}", "A\x1b", "a*\x1b"]},
                        ],
                    },
                    {
                        "Port": 2,
                        "Protocol": "http",
                        "TLS": {"SDS": {"CertResource": NASTY}},
                        "Services": [{"Name": "a", "Hosts": ["a"], "TLS": {"SDS": {"CertResource": NASTY}}}],
                    },
                ],
            },
        ),
        ("terminating-gateway", {"Services": [{"Name": NASTY, "Namespace": "*", "SNI": "a"}] * 2}),
        ("terminating-gateway", {"Services": [{"Name": NASTY, "CertFile": "a"}, {"Name": NASTY, "CAFile": "a"}]}),
        (
            "api-gateway",
            {
                "Listeners": [
                    {"Name": NASTY, "Port": 1, "Protocol": "tcp", "Hostname": NASTY},
                    {"Name": NASTY, "Port": 1, "Protocol": "http", "Hostname": NASTY},
                ]
            },
        ),
        (
            "http-route",
            {
                "Parents": [{"Name": NASTY, "SectionName": NASTY}] * 2,
                "Hostnames": [NASTY, "a*\x1b", "A\x1b"],
                "Rules": [
                    {
                        "Matches": [
                            {
                                "Path": {"Match": "exact", "Value": NASTY},
                                "Headers": [{"Match": "present", "Name": "a", "Value": NASTY}],
                            }
                        ],
                        "Services": [
                            {"Name": NASTY, "Weight": 0, "Filters": {"TimeoutFilter": {"RequestTimeout": "1s"}}},
                            {"Name": NASTY, "Weight": 1},
                        ],
                    }
                ],
            },
        ),
    ],
)
@pytest.mark.parametrize("edition", Edition)
def test_values_are_shown_without_control_characters_and_cut(
    kind: str, fields: dict[str, Any], edition: Edition
) -> None:
    found = messages(kind, edition=edition, **fields)
    assert found
    for message in found:
        assert message.isprintable()
        assert "z" * 60 not in message
        assert len(message) < 200


def test_a_terminal_gets_no_control_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b[31m\nweb"
    entries = [
        {"Kind": "proxy-defaults", "Name": name, "Config": {"\x1b]0;": {"\x07": 1}}},
        {"Kind": f"service{name}", "Name": name},
        {"Kind": "service-resolver", "Name": name, "Subsets": {name: {name: 1}}, name: 1},
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(entries).encode())))
    assert main(["entries", "check", "-"]) == 1
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) > len(entries)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ({"A": 0, "B": {"C": ""}, "D": None, "E": [], "F": {"G": False}}, True),
        ({"A": 0, "B": {"C": "x"}}, False),
        ([0], False),
        ([{}], False),
        (0.0, True),
    ],
)
def test_of_another_version_of_consul_only_what_is_not_set_is_read(value: object, known: bool) -> None:  # noqa: FBT001
    found = messages("service-resolver", Form.API, NewThing=value)
    assert found == ([] if known else ['there is no key "NewThing"'])
    assert messages("service-resolver", Form.AUTHORED, NewThing=value) == ['there is no key "NewThing"']
