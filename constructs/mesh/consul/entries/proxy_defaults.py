"""proxy-defaults: what holds for every sidecar and gateway of a partition.

Source: ``consul@1.22.7 agent/structs/config_entry.go``, ``ProxyConfigEntry``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn, get_args

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import Expose, MeshGateway, MutualTlsMode, Protocol, ProxyMode, TransparentProxy, only
from mesh.consul.entries.envoy_extensions import EnvoyExtension
from mesh.consul.go_scalars import parse_bool, parse_int
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_IGNORED, ENTERPRISE_ONLY, NULL_IN_LIST, UNCHECKED_CHOICE
from mesh.model.platform import Platform
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.topology import has_mesh_gateways

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry.go, ProxyConfigEntry.Validate"
_ACCESS_LOGS: Final = "consul@1.22.7 agent/structs/connect_proxy_config.go, AccessLogsConfig.Validate"


def _config(**config: object) -> Example:
    return [{"Kind": "proxy-defaults", "Name": "global", "Config": config}]


def _logs(**logs: object) -> Example:
    return [{"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": True, **logs}}]


PROTOCOL_FORM: Final = refused(
    "config-protocol-form",
    what="The protocol in Config is a list or an object.",
    why="Consul refuses it: 'protocol' expected type 'string', got unconvertible type.",
    source="consul@1.22.7 agent/structs/config_entry.go, ProxyConfigEntry.ComputeProtocol",
    fix="write tcp, http, http2 or grpc",
    example=_config(protocol=["http", "grpc"]),
    instead=_config(protocol="http"),
)

CONFIG_KEY: Final = stricter(
    "config-key",
    what="A key in Config is a known one in another spelling.",
    why="Keys in Config are written with small letters and underscores. Consul looks for others in some places only, "
    "or nowhere.",
    source="consul@1.22.7 agent/xds/config/config.go; command/connect/envoy/bootstrap_config.go; "
    "agent/xds/extensionruntime/runtime_config.go",
    fix="write it as Consul does",
    example=_config(Protocol="http"),
    instead=_config(protocol="http"),
)

CONFIG_TYPE: Final = stricter(
    "config-type",
    what="A known key in Config has a value of another type than Consul reads.",
    why="Consul stores it, and every proxy that gets it does without all of Config.",
    source="consul@1.22.7 agent/xds/config/config.go, parseConfig; command/connect/envoy/bootstrap_config.go",
    fix="give a value of the key's type",
    example=_config(local_connect_timeout_ms="1s"),
    instead=_config(local_connect_timeout_ms=1000),
)

SOCKET_DIR_LONG: Final = refused(
    "config-socket-dir-long",
    what="The folder for the socket of metrics has more than 70 bytes.",
    why="Consul refuses it: Config: envoy_hcp_metrics_bind_socket_dir length 71 exceeds max 70.",
    source="consul@1.22.7 agent/structs/config_entry.go, validateOpaqueProxyConfig",
    fix="use a folder with a shorter path",
    example=_config(envoy_hcp_metrics_bind_socket_dir="/" + "x" * 70),
    instead=_config(envoy_hcp_metrics_bind_socket_dir="/run/envoy"),
)

LOG_PATH: Final = refused(
    "access-log-path",
    what="Access logs go to a file without a path, or have a path and go to none.",
    why="Consul refuses it: path must be specified when using file type access logs; path is only valid for file type "
    "access logs.",
    source=_ACCESS_LOGS,
    fix='say both Type "file" and Path, or neither',
    example=_logs(Type="file"),
    instead=_logs(Type="file", Path="/var/log/envoy.log"),
)

LOG_FORMATS: Final = refused(
    "access-log-formats",
    what="Access logs have two formats.",
    why="Consul refuses it: cannot specify both access log JSONFormat and TextFormat.",
    source=_ACCESS_LOGS,
    fix="remove one",
    example=_logs(JSONFormat='{"at": "%START_TIME%"}', TextFormat="%START_TIME%"),
    instead=_logs(TextFormat="%START_TIME%"),
)

LOG_JSON: Final = refused(
    "access-log-json",
    what="The JSON format of access logs is no JSON.",
    why="Consul refuses it: invalid access log json for JSON format.",
    source=_ACCESS_LOGS,
    fix="write a JSON object as text",
    example=_logs(JSONFormat="%START_TIME%"),
    instead=_logs(JSONFormat='{"at": "%START_TIME%"}'),
)

LOG_JSON_OBJECT: Final = stricter(
    "access-log-json-object",
    what="The JSON format of access logs is no object.",
    why="Consul stores it, and cannot make the configuration of any proxy.",
    source="consul@1.22.7 agent/xds/accesslogs/accesslogs.go, getLogFormat",
    fix="write a JSON object as text",
    example=_logs(JSONFormat='["%START_TIME%"]'),
    instead=_logs(JSONFormat='{"at": "%START_TIME%"}'),
)


class AccessLogs(Part):
    """Access logs of every proxy. Emitted even when empty: the server always returns the object.

    Attributes:
        enabled: Whether there are any.
        disable_listener_logs: Whether connections that no filter takes are left out.
        type: Where they go; ``stdout`` when left out.
        path: The file they go to.
        json_format: A JSON object as text, whose values are formats of Envoy; Consul's own when both are left out.
        text_format: A format of Envoy.
    """

    enabled: bool | None = None
    disable_listener_logs: bool | None = None
    type: Literal["stdout", "stderr", "file"] | None = None
    path: str | None = None
    json_format: str | None = None
    text_format: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Path and formats."""
        if self.type == "file" and not self.path:
            yield LOG_PATH(at / "path", "Path is missing", "say Path")
        if self.type in {None, "stdout", "stderr"} and self.path:
            yield LOG_PATH(at / "path", "Path is for a file only", 'say Type "file", or remove Path')
        if self.json_format and self.text_format:
            yield LOG_FORMATS(at / "text_format", "JSONFormat is said, too")
        if self.json_format:
            try:
                value: object = json.loads(self.json_format, parse_int=float, parse_constant=_no_constant)
            except ValueError as error:
                yield LOG_JSON(at / "json_format", f"it is no JSON: {error}")
            except RecursionError:
                yield LOG_JSON_OBJECT(at / "json_format", "it is nested too deeply")
            else:
                if not isinstance(value, dict):
                    yield LOG_JSON_OBJECT(at / "json_format", "it is no object")


def _no_constant(name: str) -> NoReturn:
    """Python's JSON has NaN and Infinity."""
    message = f"{name} is no value of JSON"
    raise ValueError(message)


class DefaultFailoverPolicy(Part):
    """How targets of failovers are tried (Enterprise).

    Attributes:
        mode: One after the other (``sequential``), or the nearest first.
        regions: Which regions, in their order.
    """

    mode: Literal["sequential", "order-by-locality"] | None = None
    regions: Sequence[str] = ()


class DefaultLocality(Part):
    """Whether instances nearby are called first (Enterprise).

    Attributes:
        mode: ``failover`` calls others only when there is none nearby.
    """

    mode: Annotated[Literal["none", "failover"] | None, Enterprise(ENTERPRISE_ONLY)] = None


class ProxyDefaults(ConfigEntry):
    """The one ``proxy-defaults`` entry of a partition; its name can only be ``global``.

    Attributes:
        config: What is told to every proxy. Keys are snake_case. ``protocol`` is neither checked nor folded by Consul,
            and code that handles Envoy extensions reads exactly that key, so it must be lower case.
        mode: Whether sidecars catch connections (``transparent``) or are called (``direct``).
        transparent_proxy: Transparent proxies.
        mutual_tls_mode: ``permissive`` takes connections without TLS, too.
        mesh_gateway: Through which mesh gateway services are called from elsewhere.
        expose: Paths without mutual TLS.
        access_logs: Access logs.
        envoy_extensions: Extensions of every proxy, in their order, before a service's own.
        failover_policy: How targets of failovers are tried, Enterprise only.
        prioritize_by_locality: Whether instances nearby are called first, Enterprise only.
    """

    KIND: ClassVar[str] = "proxy-defaults"

    name: Annotated[str, only("global")] = "global"
    config: Mapping[str, Any] = field(default_factory=dict)
    mode: ProxyMode | None = None
    transparent_proxy: Annotated[TransparentProxy, Mark.POINTER] = TransparentProxy()
    mutual_tls_mode: MutualTlsMode | None = None
    mesh_gateway: Annotated[MeshGateway | None, Mark.VALUE] = None
    expose: Annotated[Expose | None, Mark.VALUE] = None
    access_logs: Annotated[AccessLogs, Mark.POINTER] = AccessLogs()
    envoy_extensions: Sequence[EnvoyExtension] = ()
    failover_policy: Annotated[DefaultFailoverPolicy | None, Enterprise(ENTERPRISE_IGNORED)] = None
    prioritize_by_locality: DefaultLocality | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The keys of ``config``, and nulls in its lists."""
        here = at / "config"
        yield from _judge_protocol(self.config, here)
        for key, value in self.config.items():
            meant = _FOLDED_KEYS.get(_fold(key))
            if meant and meant != key:
                yield CONFIG_KEY(here[key], f'"{key}" is called {meant}', f"write {meant}")
            elif meant and (kind := _KEYS[meant]) and not _can_be_read(value, kind):
                yield CONFIG_TYPE(here[key], f"{json.dumps(value)} is not {kind}", f"write {kind}")
            yield from _nulls_in_lists(value, here[key])
        folder = self.config.get(_SOCKET_DIR)
        if isinstance(folder, str) and len(folder.encode()) > _SOCKET_DIR_MOST:
            yield SOCKET_DIR_LONG(here[_SOCKET_DIR], f"it has {len(folder.encode())} bytes")


def _judge_protocol(config: Mapping[str, Any], at: At) -> Iterator[Problem]:
    key = next((key for key in config if key == "protocol"), None)
    key = key or next((key for key in config if key.lower() == "protocol"), None)
    if key is None:
        return
    value = config[key]
    if isinstance(value, list | dict):
        yield PROTOCOL_FORM(at[key], f"{json.dumps(value)} is no text")
    elif value not in _PROTOCOLS:
        one_of = ", ".join(_PROTOCOLS)
        yield UNCHECKED_CHOICE(at[key], f"{json.dumps(value)} is none of {one_of}", f"use one of {one_of}")


def _nulls_in_lists(value: object, at: At) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nulls_in_lists(item, at[key])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if item is None:
                yield NULL_IN_LIST(at[index], "null is in a list")
            yield from _nulls_in_lists(item, at[index])


_PROTOCOLS: Final[tuple[str, ...]] = get_args(get_args(Protocol)[0])
_SOCKET_DIR: Final = "envoy_hcp_metrics_bind_socket_dir"
_SOCKET_DIR_MOST: Final = 70
_WHOLE: Final = "a whole number"
_TEXT: Final = "a text"
_FLAG: Final = "true or false"

_KEYS: Final[Mapping[str, str | None]] = {
    "protocol": None,
    _SOCKET_DIR: _TEXT,
    **dict.fromkeys(
        (
            "bind_port",
            "connect_timeout_ms",
            "envoy_gateway_remote_tcp_keepalive_interval",
            "envoy_gateway_remote_tcp_keepalive_probes",
            "envoy_gateway_remote_tcp_keepalive_time",
            "local_connect_timeout_ms",
            "local_idle_timeout_ms",
            "local_request_timeout_ms",
            "max_inbound_connections",
            "max_request_headers_kb",
            "xds_fetch_timeout_ms",
        ),
        _WHOLE,
    ),
    **dict.fromkeys(
        (
            "balance_inbound_connections",
            "bind_address",
            "envoy_bootstrap_json_tpl",
            "envoy_dns_discovery_type",
            "envoy_dogstatsd_url",
            "envoy_extra_static_clusters_json",
            "envoy_extra_static_listeners_json",
            "envoy_extra_stats_sinks_json",
            "envoy_listener_tracing_json",
            "envoy_local_cluster_json",
            "envoy_prometheus_bind_addr",
            "envoy_public_listener_json",
            "envoy_stats_bind_addr",
            "envoy_stats_config_json",
            "envoy_stats_flush_interval",
            "envoy_statsd_url",
            "envoy_telemetry_collector_bind_socket_dir",
            "envoy_tracing_json",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "envoy_gateway_bind_tagged_addresses",
            "envoy_gateway_no_default_bind",
            "envoy_gateway_remote_tcp_enable_keepalive",
            "envoy_mesh_gateway_bind_tagged_addresses",
            "envoy_mesh_gateway_no_default_bind",
        ),
        _FLAG,
    ),
    "envoy_gateway_bind_addresses": None,
    "envoy_mesh_gateway_bind_addresses": None,
    "envoy_stats_tags": None,
}
"""Keys that Consul reads from Config, and the type of those with a simple one."""


def _fold(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


_FOLDED_KEYS: Final = {_fold(key): key for key in _KEYS}


def _can_be_read(value: object, kind: str) -> bool:
    """Whether Consul can decode a value into a type; it converts what is simple (``WeaklyTypedInput``)."""
    if value is None:
        return True
    if isinstance(value, list | dict):
        return False
    if kind == _FLAG:
        return not isinstance(value, str) or not value or parse_bool(value) is not None
    return kind == _TEXT or not isinstance(value, str) or parse_int(value or "0") is not None


def derive(platform: Platform, partition: str | None) -> ProxyDefaults:
    """The entry of one partition: HTTP unless a service says otherwise, and mesh gateways where there are some.

    It has no namespace: there is one per partition.
    """
    return ProxyDefaults(
        partition=partition,
        config={"protocol": "http"},
        mesh_gateway=MeshGateway(mode="local") if has_mesh_gateways(platform) else None,
        access_logs=AccessLogs(enabled=platform.access_logs or None),
    )
