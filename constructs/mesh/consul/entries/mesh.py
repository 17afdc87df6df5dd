"""mesh: settings of the whole mesh (``agent/structs/config_entry_mesh.go``)."""

from typing import Annotated, ClassVar, Literal

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import TlsDirection
from mesh.matching import matching
from mesh.model.platform import Platform
from mesh.shapes import Shape


class MeshTransparentProxy(Shape):
    """Transparent proxy settings of the whole mesh."""

    mesh_destinations_only: bool | None = None


class MeshTls(Shape):
    """TLS between sidecars."""

    incoming: TlsDirection | None = None
    outgoing: TlsDirection | None = None


class RequestNormalization(Shape):
    """How paths and headers are normalised before intentions look at them."""

    insecure_disable_path_normalization: bool | None = None
    merge_slashes: bool | None = None
    path_with_escaped_slashes_action: (
        Literal[
            "IMPLEMENTATION_SPECIFIC_DEFAULT",
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ]
        | None
    ) = None
    headers_with_underscores_action: Literal["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] | None = None


class IncomingHttp(Shape):
    """Incoming HTTP of every sidecar."""

    request_normalization: RequestNormalization | None = None


class MeshHttp(Shape):
    """HTTP of every sidecar."""

    sanitize_x_forwarded_client_cert: bool | None = None
    incoming: IncomingHttp | None = None


class MeshPeering(Shape):
    """Cluster peering."""

    peer_through_mesh_gateways: bool | None = None


class Mesh(ConfigEntry):
    """The one ``mesh`` entry of a partition.

    A resource of another name would be written as ``mesh`` and lost from the state.
    """

    KIND: ClassVar[str] = "mesh"

    name: Annotated[str, matching("mesh", "the one name of the mesh entry", example="mesh")] = "mesh"
    transparent_proxy: MeshTransparentProxy | None = None
    allow_enabling_permissive_mutual_tls: bool | None = None
    validate_clusters: bool | None = None
    tls: MeshTls | None = None
    http: MeshHttp | None = None
    peering: MeshPeering | None = None


def derive(platform: Platform, partition: str | None) -> Mesh | None:
    """With zero trust, TLS 1.2 at least between sidecars, and no forged client certificate header; else no entry."""
    if not platform.tls:
        return None
    at_least = TlsDirection(tls_min_version="TLSv1_2")
    return Mesh(
        partition=partition,
        tls=MeshTls(incoming=at_least, outgoing=at_least),
        http=MeshHttp(sanitize_x_forwarded_client_cert=True),
    )
