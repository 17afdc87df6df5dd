"""proxy-defaults: what the examples of its rules do not show. Verdicts and bodies are those of Consul 1.22.7."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.consul.entries import ProxyDefaults
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read


def _read(**fields: Any) -> Reading:
    return read({"Kind": "proxy-defaults", "Name": "global", **fields}, Form.AUTHORED, Edition.COMMUNITY)


def _found(**fields: Any) -> list[str]:
    return [problem.rule.id for problem in _read(**fields).problems]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"protocol": "http", "local_connect_timeout_ms": 1000}, []),
        ({"protocol": "https"}, ["value-meaningless"]),
        ({"protocol": "HTTP"}, ["value-meaningless"]),
        ({"protocol": 1}, ["value-meaningless"]),
        ({"protocol": None}, ["value-meaningless"]),
        ({"protocol": {}}, ["config-protocol-form"]),
        ({"protocol": []}, ["config-protocol-form"]),
        ({"protocol": ["http"]}, ["list-unwrapped"]),
        ({"Protocol": "https"}, ["value-meaningless", "config-key"]),
        ({"PROTOCOL": []}, ["config-protocol-form", "config-key"]),
        ({"localConnectTimeoutMs": 1000}, ["config-key"]),
        ({"max_inbound_connections": "10"}, []),
        ({"max_inbound_connections": "ten"}, ["config-type"]),
        ({"envoy_gateway_no_default_bind": "yes"}, ["config-type"]),
        ({"envoy_prometheus_bind_addr": {"port": 9102}}, ["config-type"]),
        ({"envoy_hcp_metrics_bind_socket_dir": "x" * 70}, []),
        ({"envoy_hcp_metrics_bind_socket_dir": "é" * 36}, ["config-socket-dir-long"]),
        ({"envoy_hcp_metrics_bind_socket_dir": ["x" * 71]}, ["list-unwrapped", "config-socket-dir-long"]),
        ({"something_else": [1, 2]}, []),
    ],
)
def test_config(config: Mapping[str, Any], found: list[str]) -> None:
    assert _found(Config=config) == found


@pytest.mark.parametrize(
    ("config", "stored"),
    [
        ({"a": {"b": ["x"]}}, {"a": {"b": ["x"]}}),
        ({"a": ["x", ["y"]]}, {"a": ["x", ["y"]]}),
        ({"a": [["x", "y"]]}, {"a": ["x", "y"]}),
        ({"a": [{"b": ["x"], "c": {"d": ["y"]}}]}, {"a": {"b": "x", "c": {"d": "y"}}}),
        ({"a": [{"b": [["x"]]}]}, {"a": {"b": ["x"]}}),
        ({"a": [{"b": [{"c": ["x"]}, {"c": ["y"]}]}]}, {"a": {"b": [{"c": "x"}, {"c": "y"}]}}),
        ({"a": [{"b": [None]}]}, {"a": {"b": None}}),
        ({"a": [{}]}, {"a": {}}),
        ({"a": None, "b": {}, "c": [], "d": ""}, {"a": None, "b": {}, "c": [], "d": ""}),
        ({"a": 1.0, "b": 0.1, "c": -5, "d": True}, {"a": 1, "b": 0.1, "c": -5, "d": True}),
    ],
)
def test_config_as_the_server_stores_it(config: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    entry = _read(Config=config).entry

    assert entry
    assert entry.body() == {"Config": stored, "TransparentProxy": {}, "AccessLogs": {}}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"a": [None, None]}, ["null-in-list", "null-in-list"]),
        ({"a": {"b": [None]}}, ["null-in-list"]),
        ({"a": [{"b": 1}, {"b": [1, None]}]}, ["null-in-list"]),
        ({"a": [[None]]}, ["list-nested"]),
        ({"a": 2**53}, []),
        ({"a": {"b": 2**53 + 1}}, ["number-rounded"]),
        ({"a": 10**400}, ["value-type"]),
        ({"bind_port": "010"}, []),
        ({"bind_port": ""}, []),
        ({"bind_port": " 80"}, ["config-type"]),
        ({"bind_port": "9" * 5000}, ["config-type"]),
        ({"envoy_gateway_no_default_bind": "T"}, []),
        ({"envoy_gateway_no_default_bind": ""}, []),
        ({"envoy_gateway_no_default_bind": "yes"}, ["config-type"]),
        ({"a": float("inf")}, ["value-type"]),
    ],
)
def test_config_that_does_harm(config: Mapping[str, Any], found: list[str]) -> None:
    assert _found(Config=config) == found


def test_python_s_own_values_are_no_json() -> None:
    built = ProxyDefaults(config={"a": {"b": object()}, "c": (1, 2)})
    reading = read(built, Form.PYTHON, Edition.COMMUNITY)

    assert [problem.rule.id for problem in reading.problems] == ["value-type"]


@pytest.mark.parametrize(
    ("logs", "found"),
    [
        ({"Type": "bogus", "Path": "/x"}, ["value-unknown"]),
        ({"Type": "File", "Path": "/x"}, ["value-unknown"]),
        ({"Path": "/x"}, ["access-log-path"]),
        ({"Type": "stderr", "Path": "/x"}, ["access-log-path"]),
        ({"JSONFormat": "NaN"}, ["access-log-json"]),
        ({"JSONFormat": '{"a": Infinity}'}, ["access-log-json"]),
        ({"JSONFormat": '{"a": 1,}'}, ["access-log-json"]),
        ({"JSONFormat": "9" * 5000}, ["access-log-json-object"]),
        ({"JSONFormat": "[" * 2000 + "]" * 2000}, ["access-log-json-object"]),
        ({"JSONFormat": ' {"a": "%PROTOCOL%"} '}, []),
    ],
)
def test_access_logs(logs: Mapping[str, Any], found: list[str]) -> None:
    assert _found(AccessLogs=logs) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"FailoverPolicy": {"Mode": "sequential"}}, ["enterprise-ignored"]),
        ({"PrioritizeByLocality": {"Mode": "failover"}}, ["enterprise-only"]),
        ({"PrioritizeByLocality": {}}, ["object-empty"]),
        ({"Config": {}, "EnvoyExtensions": []}, ["empty-left-out", "empty-left-out"]),
        ({"Mode": "bogus"}, ["value-meaningless"]),
        ({"Namespace": "default"}, ["enterprise-only"]),
    ],
)
def test_fields_of_the_entry(fields: Mapping[str, Any], found: list[str]) -> None:
    assert _found(**fields) == found
