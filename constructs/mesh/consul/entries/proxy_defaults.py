"""proxy-defaults: what holds for every sidecar and gateway of a partition.

Source: ``consul@1.22.7 agent/structs/config_entry.go``, ``ProxyConfigEntry``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import EnvoyExtension, Expose, MeshGateway, NonEmpty, ProxyMode, TransparentProxy
from mesh.matching import matching
from mesh.model.platform import Platform
from mesh.shapes import Many, Shape
from mesh.topology import has_mesh_gateways


class AccessLogs(Shape):
    """Access logs of every proxy. Emitted even when empty: the server always returns the object."""

    enabled: bool | None = None
    disable_listener_logs: bool | None = None
    type: Literal["stdout", "stderr", "file"] | None = None
    path: NonEmpty | None = None
    json_format: NonEmpty | None = None
    text_format: NonEmpty | None = None


class ProxyDefaults(ConfigEntry):
    """The one ``proxy-defaults`` entry of a partition; its name can only be ``global``.

    The keys of ``config`` are snake_case. ``protocol`` there is neither checked nor folded by Consul, and code that
    handles Envoy extensions reads exactly that key, so it must be lower case.
    """

    KIND: ClassVar[str] = "proxy-defaults"

    name: Annotated[str, matching("global", "the one name of proxy-defaults", example="global")] = "global"
    config: Mapping[str, Any] = Field(default_factory=dict)
    mode: ProxyMode | None = None
    transparent_proxy: TransparentProxy = TransparentProxy()
    mutual_tls_mode: Literal["strict", "permissive"] | None = None
    mesh_gateway: MeshGateway | None = None
    expose: Expose | None = None
    access_logs: AccessLogs = AccessLogs()
    envoy_extensions: Many[EnvoyExtension] = ()


def derive(platform: Platform, partition: str | None) -> ProxyDefaults:
    """The entry of one partition: HTTP unless a service says otherwise, and mesh gateways where there are some.

    It has no namespace: there is one per partition.
    """
    return ProxyDefaults(
        partition=partition,
        config={"protocol": "http"},
        mesh_gateway=MeshGateway(mode="local") if has_mesh_gateways(platform) else None,
    )
