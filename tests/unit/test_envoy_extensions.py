"""Arguments of Envoy extensions. Verdicts are those of Consul 1.22.7."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read

_LUA = {"Listener": "inbound", "Script": "x"}
_TARGET = {"URI": "localhost:9191"}
_GRPC = {"GrpcService": {"Target": _TARGET}}


def _found(name: str, arguments: Mapping[str, Any], **fields: Any) -> list[str]:
    extension = {"Name": f"builtin/{name}", "Arguments": arguments, **fields}
    entry = {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "EnvoyExtensions": [extension]}
    short = {"extension-argument-": "", "patch-": "patch-"}
    ids = [problem.rule.id for problem in read(entry, Form.AUTHORED, Edition.COMMUNITY).problems]
    for prefix, instead in short.items():
        ids = [instead + rule.removeprefix(prefix) if rule.startswith(prefix) else rule for rule in ids]
    return ids


@pytest.mark.parametrize(
    ("name", "found"),
    [("lua", []), ("ext-proc", ["value-unknown"]), ("LUA", ["value-unknown"])],
)
def test_names(name: str, found: list[str]) -> None:
    assert _found(name, _LUA) == found


def test_the_name_is_needed() -> None:
    entry = {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "EnvoyExtensions": [{"Arguments": _LUA}]}

    assert [problem.rule.id for problem in read(entry, Form.AUTHORED, Edition.COMMUNITY).problems] == ["field-missing"]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1.2", True),
        ("~> 1.2, < 2", True),
        ("= v1.2", True),
        ("1.2-beta+x", True),
        ("1.2beta", True),
        ("> 9223372036854775807", True),
        ("> 9223372036854775808", False),
        (">=", False),
        (">= 1.2,", False),
        (">= 1.2.x", False),
        ("=> 1", False),
        ("1.2.3+", False),
        ("1.20.0-a_b", False),
        ("\u0661", False),
        ("1.2-~a.b-+c.d", True),
        ("1-2.3", True),
        ("> " + "0" * 5000 + "1.2", True),
        ("> " + "1" * 5000, False),
        ("1-" + "a" * 100_000 + "!", False),
        ("1-1" + "1" * 100_000 + "!", False),
        (" " * 100_000 + "!", False),
        (" ", False),
    ],
)
@pytest.mark.parametrize("key", ["ConsulVersion", "EnvoyVersion"])
def test_versions(key: str, text: str, good: bool) -> None:  # noqa: FBT001
    assert _found("lua", _LUA, **{key: text}) == ([] if good else ["extension-version"])


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({}, ["empty-left-out", "missing", "missing"]),
        ({"SCRIPT": "x", "listener": "outbound"}, []),
        ({**_LUA, "Script": ["x"]}, ["list-unwrapped"]),
        ({**_LUA, "Script": {}}, ["type"]),
        ({**_LUA, "Script": None}, ["missing"]),
        ({**_LUA, "ProxyType": "api-gateway"}, []),
        ({**_LUA, "ProxyType": "mesh-gateway"}, ["value"]),
        ({**_LUA, "Listner": "outbound"}, ["unknown"]),
        ({**_LUA, "Script": [None]}, ["null-in-list"]),
    ],
)
def test_lua(arguments: Mapping[str, Any], found: list[str]) -> None:
    assert _found("lua", arguments) == found


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"ARN": "x", "PayloadPassthrough": True}, []),
        ({"ARN": "x", "PayloadPassthrough": "true"}, ["type"]),
        ({}, ["empty-left-out", "missing"]),
    ],
)
def test_lambda(arguments: Mapping[str, Any], found: list[str]) -> None:
    assert _found("aws/lambda", arguments) == found


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"URI": "http://localhost:80"}, []),
        ({"URI": "::1:80"}, []),
        ({"URI": ":80"}, []),
        ({"URI": "[::1]:80"}, ["value"]),
        ({"URI": "localhost"}, ["value"]),
        ({"URI": "localhost:x"}, ["value"]),
        ({"URI": "localhost:" + "0" * 5000 + "80"}, []),
        ({"URI": "localhost:" + "1" * 5000}, ["value"]),
        ({"URI": "example.com:80"}, ["value"]),
        ({"Service": {"Name": "authz"}, "Timeout": "1.5h2m"}, []),
        ({"Service": {"Name": "authz"}, "Timeout": "1"}, ["value"]),
        ({"Service": {"Name": "authz"}, "URI": "localhost:1"}, ["conflict"]),
        ({}, ["conflict"]),
        ({"Service": "authz"}, ["type"]),
        (None, ["missing"]),
    ],
)
def test_targets(target: Any, found: list[str]) -> None:
    assert _found("ext-authz", {"Config": {"GrpcService": {"Target": target}}}) == found
    assert _found("ext-authz", {"Config": {"HttpService": {"Target": target}}}) == found
    assert _found("otel-access-logging", {"Config": {"GrpcService": {"Target": target}}}) == found


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, ["conflict"]),
        ({**_GRPC, "HttpService": {"Target": _TARGET}}, ["conflict"]),
        ({**_GRPC, "HttpService": None}, []),
        ({**_GRPC, "StatusOnError": 403.7}, []),
        ({**_GRPC, "StatusOnError": 418}, ["value"]),
        ({"GrpcService": {"Target": _TARGET, "InitialMetadata": [{"Key": "a", "Value": "b"}]}}, []),
        ({"GrpcService": {"Target": _TARGET, "InitialMetadata": {"Key": "a"}}}, ["type"]),
        ({"HttpService": {"Target": _TARGET, "AuthorizationRequest": {"AllowedHeaders": [{"Exact": "x"}]}}}, []),
        ({"HttpService": {"Target": _TARGET, "AuthorizationRequest": {"AllowedHeaders": [{}]}}}, ["conflict"]),
        ({"HttpService": {"Target": _TARGET, "AuthorizationResponse": {"AllowedClientHeaders": [None]}}}, []),
    ],
)
def test_ext_authz(config: Mapping[str, Any], found: list[str]) -> None:
    assert _found("ext-authz", {"Config": config}) == found


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, ["missing"]),
        ({**_GRPC, "BufferFlushInterval": 1_000_000_000}, []),
        ({**_GRPC, "BufferFlushInterval": "1s"}, ["type"]),
        ({**_GRPC, "BufferSizeBytes": -1}, ["type"]),
        ({**_GRPC, "Body": [1], "Attributes": {"a": None}}, []),
    ],
)
def test_otel_access_logging(config: Mapping[str, Any], found: list[str]) -> None:
    assert _found("otel-access-logging", {"Config": config}) == found


_LOCAL = {"Local": {"Filename": "/x"}}
_REMOTE = {"HttpURI": {"Service": {"Name": "files"}, "URI": "https://files/x"}, "SHA256": "d"}


@pytest.mark.parametrize(
    ("code", "changes", "found"),
    [
        (_LOCAL, {}, []),
        ({"Remote": _REMOTE}, {}, []),
        ({}, {}, ["conflict"]),
        ({**_LOCAL, "Remote": _REMOTE}, {}, ["conflict"]),
        (_LOCAL, {"Protocol": "grpc"}, ["value"]),
        (_LOCAL, {"ProxyType": "api-gateway"}, ["value"]),
        (_LOCAL, {"ListenerType": ""}, ["missing"]),
        ({"Remote": {"HttpURI": {"URI": "x"}}}, {}, ["missing", "missing"]),
        ({"Remote": {**_REMOTE, "HttpURI": {"Service": {"Name": "files"}, "URI": "http://a b/"}}}, {}, ["value"]),
        ({"Remote": {**_REMOTE, "RetryPolicy": {"NumRetries": -1}}}, {}, ["value"]),
        ({"Remote": {**_REMOTE, "RetryPolicy": {"RetryBackOff": {"BaseInterval": "0s"}}}}, {}, ["value"]),
        (
            {"Remote": {**_REMOTE, "RetryPolicy": {"RetryBackOff": {"BaseInterval": "2s", "MaxInterval": "1s"}}}},
            {},
            ["value"],
        ),
    ],
)
def test_wasm(code: Mapping[str, Any], changes: Mapping[str, Any], found: list[str]) -> None:
    arguments = {"Protocol": "http", "ListenerType": "inbound", "PluginConfig": {"VmConfig": {"Code": code}}}

    assert _found("wasm", {**arguments, **changes}) == found


def test_wasm_lists_in_a_list_of_one_are_lost() -> None:
    machine = {"Code": _LOCAL, "EnvironmentVariables": {"HostEnvKeys": ["A"]}}
    arguments = {"Protocol": "http", "ListenerType": "inbound", "PluginConfig": {"VmConfig": machine}}

    assert _found("wasm", arguments) == []
    assert _found("wasm", {**arguments, "PluginConfig": [arguments["PluginConfig"]]}) == ["list-unwrapped", "type"]


def _patch(**changes: Any) -> dict[str, Any]:
    resource = {"ResourceType": "cluster", "TrafficDirection": "outbound"}
    patch = {"ResourceFilter": resource, "Op": "add", "Path": "/respect_dns_ttl", "Value": True, **changes}
    return {key: value for key, value in patch.items() if value is not None}


@pytest.mark.parametrize(
    ("patch", "found"),
    [
        (_patch(), []),
        (_patch(Op="replace"), ["value"]),
        (_patch(Op="remove"), ["conflict"]),
        (_patch(Op="remove", Value=None), []),
        (_patch(Value=None), ["missing"]),
        (_patch(Op="remove", Value=None, Path="/foo"), ["patch-path"]),
        (_patch(ResourceFilter={}), ["missing", "missing"]),
        (_patch(ResourceFilter={"ResourceType": "endpoint", "TrafficDirection": "outbound"}), ["value"]),
    ],
)
def test_patches(patch: Mapping[str, Any], found: list[str]) -> None:
    assert _found("property-override", {"Patches": [patch, _patch()]}) == found
    assert _found("property-override", {"Patches": patch}) == found
    assert _found("property-override", {"Patches": [patch]}) == ["list-unwrapped", *found]


@pytest.mark.parametrize(
    ("services", "direction", "found"),
    [
        ([{"Name": "api"}], "outbound", []),
        ({"Name": "api"}, "outbound", []),
        ([{"Name": "api"}], "inbound", ["conflict"]),
        ([{}], "outbound", ["missing"]),
        ([None, {"Name": "api"}], "outbound", ["missing"]),
        ([], "inbound", []),
    ],
)
def test_services_of_a_patch(services: Any, direction: str, found: list[str]) -> None:
    resource = {"ResourceType": "cluster", "TrafficDirection": direction, "Services": services}

    assert _found("property-override", {"Patches": [_patch(), _patch(ResourceFilter=resource)]}) == found


@pytest.mark.parametrize(
    ("flag", "found"), [("T", []), ("", []), (0, []), ("yes", ["type"]), ("tRUE", ["type"]), ({"a": 1}, ["type"])]
)
def test_flags_of_an_extension_that_converts(flag: Any, found: list[str]) -> None:
    assert _found("property-override", {"Patches": [_patch(), _patch()], "Debug": flag}) == found
