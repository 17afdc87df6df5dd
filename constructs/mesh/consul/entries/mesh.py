"""mesh: settings of the whole mesh.

Source: ``consul@1.22.7 agent/structs/config_entry_mesh.go``, ``MeshConfigEntry``.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import TlsVersion, only
from mesh.consul.entries.tls import CipherSuite, judge_tls
from mesh.consul.parts import Edition, Mark, Part
from mesh.model.platform import Platform
from mesh.rules import At, Problem


class MeshTransparentProxy(Part):
    """Transparent proxy settings of the whole mesh.

    Attributes:
        mesh_destinations_only: Whether services reach nothing outside of the mesh.
    """

    mesh_destinations_only: bool | None = None


class TlsDirection(Part):
    """TLS parameters of one direction.

    Attributes:
        tls_min_version: The lowest version; Envoy's default when left out.
        tls_max_version: The highest version; Envoy's default when left out.
        cipher_suites: Suites of TLS 1.2 and earlier; Envoy's default when left out.
    """

    tls_min_version: TlsVersion | None = None
    tls_max_version: TlsVersion | None = None
    cipher_suites: Sequence[CipherSuite] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Versions and suites together."""
        yield from judge_tls(
            at,
            min_version=self.tls_min_version,
            max_version=self.tls_max_version,
            cipher_suites=self.cipher_suites,
        )


class MeshTls(Part):
    """TLS between sidecars.

    Attributes:
        incoming: As a server.
        outgoing: As a client.
    """

    incoming: TlsDirection | None = None
    outgoing: TlsDirection | None = None


class RequestNormalization(Part):
    """How paths and headers are normalised before intentions look at them.

    Attributes:
        insecure_disable_path_normalization: Whether paths are taken as they come, so that ``/a/../b`` gets past an
            intention about ``/b``.
        merge_slashes: Whether ``//`` is taken as ``/``.
        path_with_escaped_slashes_action: What becomes of a path with ``%2F`` or ``%5C``;
            ``IMPLEMENTATION_SPECIFIC_DEFAULT`` when left out.
        headers_with_underscores_action: What becomes of a header with ``_`` in its name; ``ALLOW`` when left out.
    """

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


class IncomingHttp(Part):
    """Incoming HTTP of every sidecar."""

    request_normalization: RequestNormalization | None = None


class MeshHttp(Part):
    """HTTP of every sidecar.

    Attributes:
        sanitize_x_forwarded_client_cert: Whether the header ``x-forwarded-client-cert`` of a caller is removed.
        incoming: Incoming HTTP.
    """

    sanitize_x_forwarded_client_cert: bool | None = None
    incoming: IncomingHttp | None = None


class MeshPeering(Part):
    """Cluster peering.

    Attributes:
        peer_through_mesh_gateways: Whether the servers of peers talk through mesh gateways.
    """

    peer_through_mesh_gateways: bool | None = None


class Mesh(ConfigEntry):
    """The one ``mesh`` entry of a partition.

    A resource of another name would be written as ``mesh`` and lost from the state.

    Attributes:
        transparent_proxy: Transparent proxies.
        allow_enabling_permissive_mutual_tls: Whether ``permissive`` is allowed as ``MutualTLSMode``.
        validate_clusters: Whether Envoy refuses routes to what does not exist; else they answer with 404.
        tls: TLS between sidecars.
        http: HTTP of sidecars.
        peering: Cluster peering.
    """

    KIND: ClassVar[str] = "mesh"

    name: Annotated[str, only("mesh", in_any_case=True)] = "mesh"
    transparent_proxy: Annotated[MeshTransparentProxy | None, Mark.VALUE] = None
    allow_enabling_permissive_mutual_tls: bool | None = None
    validate_clusters: bool | None = None
    tls: MeshTls | None = None
    http: MeshHttp | None = None
    peering: Annotated[MeshPeering | None, Mark.VALUE] = None


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
