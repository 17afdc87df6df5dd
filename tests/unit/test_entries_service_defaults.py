"""service-defaults: what the examples of its rules do not show. Verdicts and bodies are those of Consul 1.22.7."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read


def _entry(**fields: Any) -> dict[str, Any]:
    return {"Kind": "service-defaults", "Name": "web", "Protocol": "http", **fields}


def _found(entry: Mapping[str, Any], edition: Edition = Edition.COMMUNITY) -> list[str]:
    return [problem.rule.id for problem in read(entry, Form.AUTHORED, edition).problems]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"Protocol": "HTTP"}, ["case-folded"]),
        ({"Protocol": "https"}, ["value-unknown"]),
        ({"Protocol": ""}, ["field-expected"]),
        ({"Name": "Web_X"}, ["service-name"]),
        ({"Mode": "bogus"}, ["value-meaningless"]),
        ({"MeshGateway": {"Mode": "bogus"}}, ["value-meaningless"]),
        ({"MutualTLSMode": "bogus"}, ["value-unknown"]),
        ({"BalanceInboundConnections": "x"}, ["value-unknown"]),
        ({"TransparentProxy": None}, ["null-left-out"]),
        ({"MaxRequestHeadersKB": 96}, ["key-not-in-provider"]),
        ({"MaxInboundConnections": -1}, ["number-range"]),
        ({"RateLimits": {"InstanceLevel": {"RequestsPerSecond": 1}}}, ["enterprise-only"]),
        (
            {"Expose": {"Paths": [{"Path": "h", "ListenerPort": 0, "LocalPathPort": 1, "Protocol": "tcp"}]}},
            ["number-range", "value-meaningless", "expose-path-slash"],
        ),
    ],
)
def test_fields_of_the_entry(fields: Mapping[str, Any], found: list[str]) -> None:
    assert _found(_entry(**fields)) == found


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"PassiveHealthCheck": {"interval": "30s", "max_failures": 5}}, ["key-case", "key-unknown"]),
        ({"PassiveHealthCheck": {"Interval": 30}}, ["duration-number"]),
        ({"PassiveHealthCheck": {"MaxFailures": 5, "Consecutive5xx": 5}}, ["key-not-in-provider"]),
        ({"PassiveHealthCheck": {"Interval": "-1s"}}, ["duration-negative"]),
        ({"PassiveHealthCheck": {"BaseEjectionTime": "0s"}}, ["duration-sign"]),
        ({"PassiveHealthCheck": {"MaxFailures": 0}}, ["number-range"]),
        ({"PassiveHealthCheck": {"EnforcingConsecutive5xx": 0}}, []),
        ({"PassiveHealthCheck": {"EnforcingConsecutive5xx": -1}}, ["percent-range"]),
        ({"PassiveHealthCheck": {"MaxEjectionPercent": 101}}, ["percent-range"]),
        ({"Limits": {"MaxConnections": 0}}, []),
        ({"Limits": {"MaxPendingRequests": -1}}, ["limit-negative"]),
        ({"Limits": {"MaxConcurrentRequests": 2**32}}, ["number-range"]),
        ({"Protocol": "GRPC"}, ["case-folded"]),
        ({"Protocol": "https"}, ["value-meaningless"]),
        ({"BalanceOutboundConnections": "x"}, ["value-unknown"]),
    ],
)
def test_settings_of_upstreams(settings: Mapping[str, Any], found: list[str]) -> None:
    assert _found(_entry(UpstreamConfig={"Overrides": [{"Name": "api", **settings}]})) == found
    assert _found(_entry(UpstreamConfig={"Defaults": settings})) == found


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ({"Name": "api", "Peer": "vm"}, []),
        ({"Name": ""}, ["field-missing"]),
        ({"Name": "*"}, ["service-wildcard"]),
        ({"Name": "api", "Namespace": "shop"}, ["enterprise-only"]),
        ({"Name": "api", "Namespace": "*"}, ["enterprise-only"]),
    ],
)
def test_which_upstream(override: Mapping[str, Any], found: list[str]) -> None:
    assert _found(_entry(UpstreamConfig={"Overrides": [override]})) == found


def test_every_namespace_is_none_on_enterprise() -> None:
    entry = _entry(UpstreamConfig={"Overrides": [{"Name": "api", "Namespace": "*"}]})

    assert _found(entry, Edition.ENTERPRISE) == ["service-wildcard"]


@pytest.mark.parametrize("key", ["Name", "Namespace", "Partition"])
@pytest.mark.parametrize("edition", Edition)
def test_defaults_are_for_no_single_upstream(key: str, edition: Edition) -> None:
    assert _found(_entry(UpstreamConfig={"Defaults": {key: "x"}}), edition) == ["upstream-defaults-named"]


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["db.example.com", "10.0.0.1", "::1", "db_1.example.com."], []),
        (["fe80::1%eth0"], ["destination-address-form"]),
        (["db example"], ["destination-address-form"]),
        (["https://db"], ["destination-address-form"]),
        (["x" * 64], ["destination-address"]),
        (["a..b"], ["destination-address"]),
        ([""], ["destination-address"]),
        (["*"], ["destination-address"]),
        (["a", "a", "b"], ["destination-address-twice"]),
        ([], ["field-missing"]),
    ],
)
def test_addresses_of_a_destination(addresses: list[str], found: list[str]) -> None:
    assert _found(_entry(Destination={"Addresses": addresses, "Port": 5432})) == found


@pytest.mark.parametrize(
    ("port", "found"), [(0, ["destination-port"]), (1, []), (65535, []), (-1, ["destination-port"])]
)
def test_port_of_a_destination(port: int, found: list[str]) -> None:
    assert _found(_entry(Destination={"Addresses": ["db"], "Port": port})) == found


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({}, {}),
        ({"MeshGateway": {}, "Expose": {"Paths": []}}, {}),
        (
            {"UpstreamConfig": {"Defaults": {"Limits": {"MaxConnections": 0}, "MeshGateway": {"Mode": "local"}}}},
            {"UpstreamConfig": {"Defaults": {"Limits": {"MaxConnections": 0}, "MeshGateway": {"Mode": "local"}}}},
        ),
    ],
)
def test_body(fields: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    entry = read(_entry(**fields), Form.AUTHORED, Edition.COMMUNITY).entry

    assert entry
    assert entry.body() == {"Protocol": "http", "TransparentProxy": {}, **body}


def test_what_the_server_returns_has_no_problem() -> None:
    stored = {
        **_entry(TransparentProxy={}, MeshGateway={}, Expose={}),
        "UpstreamConfig": {"Overrides": [{"Name": "api", "Peer": "", "MeshGateway": {}}]},
        "EnvoyExtensions": [
            {
                "Name": "builtin/lua",
                "Required": False,
                "Arguments": {"Listener": "inbound", "Script": "x"},
                "ConsulVersion": "",
                "EnvoyVersion": "",
            }
        ],
        "Hash": 1,
        "CreateIndex": 2,
        "ModifyIndex": 3,
    }

    reading = read(stored, Form.API, Edition.COMMUNITY)

    assert not reading.problems
    assert reading.entry
    assert reading.entry.body() == {
        "Protocol": "http",
        "TransparentProxy": {},
        "UpstreamConfig": {"Overrides": [{"Name": "api"}]},
        "EnvoyExtensions": [{"Name": "builtin/lua", "Arguments": {"Listener": "inbound", "Script": "x"}}],
    }
