"""Envoy extensions of service-defaults and proxy-defaults.

Source: ``consul@1.22.7 agent/envoyextensions/registered_extensions.go``, ``ValidateExtensions``, and the packages in
``agent/envoyextensions/builtin``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NamedTuple

from mesh.consul.entries.extension_arguments import (
    Decoded,
    Decoding,
    ListOf,
    MapOf,
    Scalar,
    Shape,
    exactly_one,
    example,
)
from mesh.consul.envoy_fields import envoy_fields, why_no_path, why_no_value
from mesh.consul.go_scalars import parse_int
from mesh.consul.parts import Check, Edition, Part
from mesh.consul.urls import why_no_url
from mesh.durations import parse_nanoseconds
from mesh.rules import At, Problem, refused

_BUILTIN: Final = "consul@1.22.7 agent/envoyextensions/builtin"
_LUA: Final = {"Listener": "inbound", "Script": "-- nothing"}


def _patch(**changes: object) -> Mapping[str, object]:
    resource = {"ResourceType": "cluster", "TrafficDirection": "outbound"}
    patch = {"ResourceFilter": resource, "Op": "add", "Path": "/respect_dns_ttl", "Value": True, **changes}
    return {"Patches": {key: value for key, value in patch.items() if value is not None}}


EXTENSION_VERSION: Final = refused(
    "extension-version",
    what="A version that an Envoy extension needs is no list of version constraints.",
    why="Consul refuses it: invalid EnvoyExtensions[0].EnvoyVersion: malformed constraint.",
    source="consul@1.22.7 agent/envoyextensions/registered_extensions.go, ValidateExtensions; hashicorp/go-version",
    fix='write constraints with commas between them, such as ">= 1.36, < 1.39"',
    example=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "EnvoyExtensions": [{"Name": "builtin/lua", "EnvoyVersion": "latest", "Arguments": _LUA}],
        }
    ],
    instead=[
        {
            "Kind": "service-defaults",
            "Name": "web",
            "Protocol": "http",
            "EnvoyExtensions": [{"Name": "builtin/lua", "EnvoyVersion": ">= 1.36", "Arguments": _LUA}],
        }
    ],
)

ARGUMENT_MISSING: Final = refused(
    "extension-argument-missing",
    what="An argument that an Envoy extension needs is missing or empty.",
    why="Consul refuses it: invalid EnvoyExtensions[0][builtin/lua]: missing Script value.",
    source=f"{_BUILTIN}, validate",
    fix="say it",
    example=example("lua", {"Listener": "inbound"}),
    instead=example("lua", _LUA),
)

ARGUMENT_VALUE: Final = refused(
    "extension-argument-value",
    what="An argument of an Envoy extension has a value that the extension does not know.",
    why='Consul refuses it: invalid EnvoyExtensions[0][builtin/lua]: unexpected Listener "both".',
    source=f"{_BUILTIN}, validate",
    fix="use a value that the extension knows",
    example=example("lua", {**_LUA, "Listener": "both"}),
    instead=example("lua", _LUA),
)

ARGUMENT_CONFLICT: Final = refused(
    "extension-argument-conflict",
    what="Of arguments of an Envoy extension that exclude each other, several are said, or none.",
    why="Consul refuses it: exactly one of GrpcService or HttpService must be set.",
    source=f"{_BUILTIN}, validate",
    fix="say exactly one",
    example=example("ext-authz", {"Config": {"StatPrefix": "authz"}}),
    instead=example("ext-authz", {"Config": {"GrpcService": {"Target": {"URI": "localhost:9191"}}}}),
)

PATCH_PATH: Final = refused(
    "patch-path",
    what="The path of a patch leads to no field of the Envoy resource.",
    why="Consul tries every patch on an empty resource, and refuses it: no match for field.",
    source=f"{_BUILTIN}/property-override/structpatcher.go, PatchStruct",
    fix="use the names of Envoy's API from the resource down, such as /outlier_detection/interval/seconds",
    example=example("property-override", _patch(Path="/respect_dns")),
    instead=example("property-override", _patch()),
)

PATCH_VALUE: Final = refused(
    "patch-value",
    what="The value of a patch is none that the field can be set to.",
    why="Consul tries every patch on an empty resource, and refuses it: patch value type could not be applied to "
    "target field type. Lists cannot be set at all.",
    source=f"{_BUILTIN}/property-override/structpatcher.go, PatchStruct",
    fix="give a value of the field's type; for an object, its fields that are no objects",
    example=example("property-override", _patch(Value="yes")),
    instead=example("property-override", _patch()),
)

# Each part takes all it can and gives nothing back: what may follow it starts with another character.
_SPACE: Final = r"[\t\n\f\r ]*+"
_NUMBERS: Final = r"v?([0-9]++(?:\.[0-9]++)*+)"
_WORD: Final = r"[0-9A-Za-z~-]"
_PRERELEASE: Final = rf"[A-Za-z~-]{_WORD}*+(?:\.{_WORD}++)*+"
_CONSTRAINT: Final = re.compile(
    rf"{_SPACE}(?:=|!=|>|<|>=|<=|~>)?{_SPACE}{_NUMBERS}(?:{_PRERELEASE})?(?:\+{_WORD}++(?:\.{_WORD}++)*+)?{_SPACE}"
)


def are_version_constraints(text: str) -> bool:
    """Whether ``text`` is a list of version constraints (``github.com/hashicorp/go-version@v1.9.0``)."""
    matches = [_CONSTRAINT.fullmatch(single) for single in text.split(",")]
    return all(match and all(parse_int(part, 10) is not None for part in match[1].split(".")) for match in matches)


VersionConstraints = Annotated[str, Check(EXTENSION_VERSION, are_version_constraints, "a list of version constraints")]
"""Versions, such as ``">= 1.36, < 1.39"``."""

ExtensionName = Literal[
    "builtin/aws/lambda",
    "builtin/ext-authz",
    "builtin/lua",
    "builtin/otel-access-logging",
    "builtin/property-override",
    "builtin/wasm",
]


class EnvoyExtension(Part):
    """An extension that patches what Consul gives to Envoy.

    Attributes:
        name: Which one.
        required: Whether a proxy goes without any configuration while the extension fails; else it goes without the
            extension.
        arguments: What the extension is told. A list of one item is stored as the item.
        consul_version: Versions of Consul to which the extension is applied; all when left out.
        envoy_version: Versions of Envoy to which the extension is applied; all when left out.
    """

    name: ExtensionName
    required: bool | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    consul_version: VersionConstraints | None = None
    envoy_version: VersionConstraints | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The arguments, as the extension takes them."""
        extension = _EXTENSIONS.get(self.name)
        if extension is None:
            return
        here = at / "arguments"
        decoding = Decoding(extension.weak)
        arguments = decoding.read(self.arguments, extension.shape, here)
        yield from decoding.problems
        if not any(problem.rule.id == "extension-argument-type" for problem in decoding.problems):
            yield from extension.judge(_Arguments(arguments, here))


@dataclass(frozen=True, slots=True)
class _Arguments:
    """Decoded arguments and where they stand."""

    values: Decoded
    at: At

    def __truediv__(self, name: str) -> "_Arguments":
        """The object of this name; an empty one if it is left out."""
        return _Arguments(self.values.get(name) or {}, self.at[name])

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON
        return self.values.get(name)

    def items(self, name: str) -> Iterator["_Arguments"]:
        """The objects in a list, without nulls."""
        for index, item in enumerate(self[name] or ()):
            if item is not None:
                yield _Arguments(item, self.at[name][index])

    def needed(self, name: str) -> Iterator[Problem]:
        if not self[name]:
            yield ARGUMENT_MISSING(self.at[name], f"{name} is missing")

    def choice(self, name: str, *allowed: str, needed: bool = True) -> Iterator[Problem]:
        value, one_of = self[name], " or ".join(allowed)
        if value and value not in allowed:
            yield ARGUMENT_VALUE(self.at[name], f'"{value}" is not {one_of}', f"use {one_of}")
        elif needed and not value:
            yield ARGUMENT_MISSING(self.at[name], f"{name} is missing", f"say {one_of}")

    def one_of(self, *names: str) -> Iterator[Problem]:
        for message in exactly_one({name: self[name] for name in names}):
            yield ARGUMENT_CONFLICT(self.at, message)

    def duration(self, name: str) -> Iterator[Problem]:
        value = self[name]
        if value and parse_nanoseconds(value) is None:
            fix = 'write a number with a unit, such as "30s", "1m30s" or "500ms"'
            yield ARGUMENT_VALUE(self.at[name], f'"{value}" is no length of time', fix)


def _judge_lua(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.needed("Script")
    yield from arguments.choice("ProxyType", "connect-proxy", "api-gateway", needed=False)
    yield from arguments.choice("Listener", "inbound", "outbound")


def _judge_lambda(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.needed("ARN")


def _judge_ext_authz(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.choice("ProxyType", "connect-proxy", needed=False)
    yield from arguments.choice("ListenerType", "inbound", "outbound", needed=False)
    config = arguments / "Config"
    services = [name for name in ("GrpcService", "HttpService") if config[name] is not None]
    for message in exactly_one({name: name in services for name in ("GrpcService", "HttpService")}):
        yield ARGUMENT_CONFLICT(config.at, message)
    if services:
        # With both, Consul looks at one only; the other is as wrong.
        for name in services:
            yield from _judge_target(config / name)
    http = config / "HttpService"
    yield from _judge_matchers(http / "AuthorizationRequest", ("AllowedHeaders",))
    yield from _judge_matchers(http / "AuthorizationResponse", _RESPONSE_HEADERS)
    status = config["StatusOnError"]
    if status is not None and (int(status) + 2**31) % 2**32 - 2**31 not in envoy_fields().statuses:
        yield ARGUMENT_VALUE(config.at["StatusOnError"], f"Envoy has no status {status}")


_RESPONSE_HEADERS: Final = (
    "AllowedUpstreamHeaders",
    "AllowedUpstreamHeadersToAppend",
    "AllowedClientHeaders",
    "AllowedClientHeadersOnSuccess",
    "DynamicMetadataFromHeaders",
)


def _judge_matchers(part: _Arguments, names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        for matcher in part.items(name):
            yield from matcher.one_of("Contains", "Exact", "Prefix", "SafeRegex", "Suffix")


def _judge_target(service: _Arguments) -> Iterator[Problem]:
    """The address of a service that an extension calls."""
    if service["Target"] is None:
        yield ARGUMENT_MISSING(service.at["Target"], "Target is missing")
        return
    target = service / "Target"
    name = (target / "Service")["Name"]
    uri = target["URI"]
    for message in exactly_one({"Service": name, "URI": uri}):
        yield ARGUMENT_CONFLICT(target.at, message)
    if uri and (why := _why_not_local(uri)):
        yield ARGUMENT_VALUE(target.at["URI"], f'"{uri}" {why}', 'write "localhost", "127.0.0.1" or "::1", and a port')
    yield from target.duration("Timeout")


def _why_not_local(uri: str) -> str | None:
    address = uri.partition("://")[2] if "://" in uri else uri
    host, colon, port = address.rpartition(":")
    if not colon or parse_int(port, 10) is None:
        return "has no port"
    return None if host in {"", "localhost", "127.0.0.1", "::1"} else "is another host"


def _judge_otel(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.choice("ProxyType", "connect-proxy", needed=False)
    yield from arguments.choice("ListenerType", "inbound", "outbound", needed=False)
    config = arguments / "Config"
    if config["GrpcService"] is None:
        yield ARGUMENT_MISSING(config.at["GrpcService"], "GrpcService is missing")
    else:
        yield from _judge_target(config / "GrpcService")


def _judge_wasm(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.choice("Protocol", "tcp", "http")
    yield from arguments.choice("ProxyType", "connect-proxy", needed=False)
    yield from arguments.choice("ListenerType", "inbound", "outbound")
    machine = arguments / "PluginConfig" / "VmConfig"
    yield from machine.choice("Runtime", "v8", "wamr", "wavm", "wasmtime", needed=False)
    code = machine / "Code"
    remote = code / "Remote"
    uri = remote / "HttpURI"
    service = (uri / "Service")["Name"]
    local, other = (code / "Local")["Filename"], service or uri["URI"]
    for message in exactly_one({"Local": local, "Remote": other}):
        yield ARGUMENT_CONFLICT(code.at, message)
    if not local and other:
        yield from _judge_remote_code(remote, uri, service)


def _judge_remote_code(remote: _Arguments, uri: _Arguments, service: str | None) -> Iterator[Problem]:
    if not service:
        yield ARGUMENT_MISSING(uri.at["Service"]["Name"], "the Name of the Service is missing")
    yield from uri.needed("URI")
    yield from remote.needed("SHA256")
    if why := why_no_url(uri["URI"] or ""):
        yield ARGUMENT_VALUE(uri.at["URI"], f'"{uri["URI"]}" is no address: {why}')
    yield from uri.duration("Timeout")
    retry = remote / "RetryPolicy"
    if int(retry["NumRetries"] or 0) < 0:
        yield ARGUMENT_VALUE(retry.at["NumRetries"], "NumRetries is negative", "write a number from 0")
    wait = retry / "RetryBackOff"
    yield from wait.duration("BaseInterval")
    yield from wait.duration("MaxInterval")
    base = parse_nanoseconds(wait["BaseInterval"] or "0")
    longest = parse_nanoseconds(wait["MaxInterval"] or "0")
    if wait["BaseInterval"] and base is not None and base <= 0:
        yield ARGUMENT_VALUE(wait.at["BaseInterval"], "BaseInterval is not above zero", "write a length above zero")
    if wait["MaxInterval"] and longest is not None and base is not None and longest < base:
        yield ARGUMENT_VALUE(wait.at["MaxInterval"], "MaxInterval is shorter than BaseInterval", "make it longer")


def _judge_property_override(arguments: _Arguments) -> Iterator[Problem]:
    yield from arguments.needed("Patches")
    for index, patch in enumerate(arguments["Patches"] or ()):
        yield from _judge_patch(_Arguments(patch or {}, arguments.at["Patches"][index]))
    yield from arguments.choice("ProxyType", "connect-proxy", needed=False)


def _judge_patch(patch: _Arguments) -> Iterator[Problem]:
    resource = patch / "ResourceFilter"
    kinds = tuple(envoy_fields().resources)
    yield from resource.choice("ResourceType", *kinds)
    yield from resource.choice("TrafficDirection", "inbound", "outbound")
    yield from patch.choice("Op", "add", "remove")
    direction, op, value, path = resource["TrafficDirection"], patch["Op"], patch["Value"], patch["Path"] or ""
    if resource["Services"] and direction == "inbound":
        message = "Services are the upstreams of outbound resources, and TrafficDirection is inbound"
        yield ARGUMENT_CONFLICT(resource.at["Services"], message, "remove them, or patch outbound resources")
    for index, service in enumerate(resource["Services"] or ()):
        # Consul fails over a null.
        yield from _Arguments(service or {}, resource.at["Services"][index]).needed("Name")
    if value is not None and op == "remove":
        yield ARGUMENT_CONFLICT(patch.at["Value"], "what is removed has no Value", "remove Value")
    if resource["ResourceType"] not in kinds:
        return
    if why := why_no_path(resource["ResourceType"], path):
        yield PATCH_PATH(patch.at["Path"], f'"{path}" leads to no field: {why}')
    elif op == "add" and value is None:
        yield ARGUMENT_MISSING(patch.at["Value"], "Value is missing", "say it, or use the operation remove")
    elif op == "add" and (why := why_no_value(resource["ResourceType"], path, value)):
        yield PATCH_VALUE(patch.at["Value"], why)


class _Extension(NamedTuple):
    """How Consul decodes and validates the arguments of an extension."""

    shape: Mapping[str, Shape]
    judge: Callable[[_Arguments], Iterator[Problem]]
    weak: bool = False


_TEXT: Final = Scalar.TEXT
_SERVICE: Final[Shape] = {"Name": _TEXT, "Namespace": _TEXT, "Partition": _TEXT}
_HEADERS: Final = ListOf({"Key": _TEXT, "Value": _TEXT})
_TARGET: Final[Shape] = {"Service": _SERVICE, "URI": _TEXT, "Timeout": _TEXT}
_GRPC_SERVICE: Final[Shape] = {"Target": _TARGET, "Authority": _TEXT, "InitialMetadata": _HEADERS}
_MATCHERS: Final = ListOf(
    {
        **dict.fromkeys(("Contains", "Exact", "Prefix", "SafeRegex", "Suffix"), _TEXT),
        "IgnoreCase": Scalar.FLAG,
    }
)

_EXTENSIONS: Final[Mapping[str, _Extension]] = {
    "builtin/lua": _Extension({"ProxyType": _TEXT, "Listener": _TEXT, "Script": _TEXT}, _judge_lua),
    "builtin/aws/lambda": _Extension(
        {"ARN": _TEXT, "PayloadPassthrough": Scalar.FLAG, "InvocationMode": _TEXT}, _judge_lambda
    ),
    "builtin/ext-authz": _Extension(
        {
            "ProxyType": _TEXT,
            "ListenerType": _TEXT,
            "InsertOptions": {"Location": _TEXT, "FilterName": _TEXT},
            "Config": {
                "BootstrapMetadataLabelsKey": _TEXT,
                "ClearRouteCache": Scalar.FLAG,
                "GrpcService": _GRPC_SERVICE,
                "HttpService": {
                    "Target": _TARGET,
                    "PathPrefix": _TEXT,
                    "AuthorizationRequest": {"AllowedHeaders": _MATCHERS, "HeadersToAdd": _HEADERS},
                    "AuthorizationResponse": dict.fromkeys(_RESPONSE_HEADERS, _MATCHERS),
                },
                "IncludePeerCertificate": Scalar.FLAG,
                "MetadataContextNamespaces": ListOf(_TEXT),
                "StatusOnError": Scalar.NUMBER,
                "StatPrefix": _TEXT,
                "WithRequestBody": {
                    "MaxRequestBytes": Scalar.NUMBER,
                    "AllowPartialMessage": Scalar.FLAG,
                    "PackAsBytes": Scalar.FLAG,
                },
            },
        },
        _judge_ext_authz,
    ),
    "builtin/otel-access-logging": _Extension(
        {
            "ProxyType": _TEXT,
            "ListenerType": _TEXT,
            "Config": {
                "LogName": _TEXT,
                "GrpcService": _GRPC_SERVICE,
                "BufferFlushInterval": Scalar.NUMBER,
                "BufferSizeBytes": Scalar.COUNT,
                "FilterStateObjectsToLog": ListOf(_TEXT),
                "RetryPolicy": {
                    "RetryBackOff": {"BaseInterval": Scalar.NUMBER, "MaxInterval": Scalar.NUMBER},
                    "NumRetries": Scalar.COUNT,
                },
                "Body": Scalar.ANYTHING,
                "Attributes": MapOf(Scalar.ANYTHING),
                "ResourceAttributes": MapOf(Scalar.ANYTHING),
            },
        },
        _judge_otel,
    ),
    "builtin/property-override": _Extension(
        {
            "Patches": ListOf(
                {
                    "ResourceFilter": {
                        "ResourceType": _TEXT,
                        "TrafficDirection": _TEXT,
                        "Services": ListOf(_SERVICE),
                    },
                    "Op": _TEXT,
                    "Path": _TEXT,
                    "Value": Scalar.ANYTHING,
                }
            ),
            "Debug": Scalar.FLAG,
            "ProxyType": _TEXT,
        },
        _judge_property_override,
        weak=True,
    ),
    "builtin/wasm": _Extension(
        {
            "Protocol": _TEXT,
            "ProxyType": _TEXT,
            "ListenerType": _TEXT,
            "PluginConfig": {
                "Name": _TEXT,
                "RootID": _TEXT,
                "VmConfig": {
                    "VmID": _TEXT,
                    "Runtime": _TEXT,
                    "Code": {
                        "Local": {"Filename": _TEXT},
                        "Remote": {
                            "HttpURI": {"Service": _SERVICE, "URI": _TEXT, "Timeout": _TEXT},
                            "SHA256": _TEXT,
                            "RetryPolicy": {
                                "RetryBackOff": {"BaseInterval": _TEXT, "MaxInterval": _TEXT},
                                "NumRetries": Scalar.NUMBER,
                            },
                        },
                    },
                    "Configuration": _TEXT,
                    "EnvironmentVariables": {"HostEnvKeys": ListOf(_TEXT), "KeyValues": MapOf(_TEXT)},
                },
                "Configuration": _TEXT,
                "CapabilityRestrictionConfiguration": {"AllowedCapabilities": MapOf(Scalar.ANYTHING)},
            },
        },
        _judge_wasm,
    ),
}
