"""Objects that several kinds of config entries share (``consul@1.22.7 agent/structs/config_entry*.go``)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mesh.scalars import Duration, HttpPath, Percent, Port
from mesh.shapes import Many, Shape

Unsigned = Annotated[int, Field(ge=0, le=2**32 - 1)]

Status = Annotated[int, Field(ge=100, le=599)]

NonEmpty = Annotated[str, Field(min_length=1)]

ProxyMode = Literal["direct", "transparent"]

TlsVersion = Literal["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]


class MeshGateway(Shape):
    """How the mesh gateway is used.

    ``local`` goes out through the own partition's, ``remote`` straight to the destination's.
    """

    mode: Literal["none", "local", "remote"]


class TransparentProxy(Shape):
    """Transparent proxy settings. Emitted even when empty: the server always returns the object."""

    outbound_listener_port: Port | None = None
    dialed_directly: bool | None = None


class ExposePath(Shape):
    """A path that the sidecar serves without mutual TLS."""

    listener_port: Port
    path: HttpPath
    local_path_port: Port
    protocol: Literal["http", "http2"] = "http"


class Expose(Shape):
    """Paths that sidecars serve without mutual TLS."""

    checks: bool | None = None
    paths: Many[ExposePath] = ()


class EnvoyExtension(Shape):
    """An Envoy extension; its arguments are opaque to the model."""

    name: Literal[
        "builtin/lua",
        "builtin/aws/lambda",
        "builtin/ext-authz",
        "builtin/wasm",
        "builtin/property-override",
        "builtin/otel-access-logging",
    ]
    required: bool | None = None
    arguments: Mapping[str, Any] = Field(default_factory=dict)
    consul_version: NonEmpty | None = None
    envoy_version: NonEmpty | None = None


class PassiveHealthCheck(Shape):
    """Outlier detection: ``max_failures`` consecutive 5xx answers eject an instance."""

    interval: Duration
    max_failures: Annotated[int, Field(ge=1, le=2**32 - 1)]
    enforcing_consecutive_5xx: Percent | None = None
    max_ejection_percent: Percent | None = None
    base_ejection_time: Duration | None = None


class UpstreamLimits(Shape):
    """Upper bounds of what a sidecar has under way to one upstream."""

    max_connections: Unsigned | None = None
    max_pending_requests: Unsigned | None = None
    max_concurrent_requests: Unsigned | None = None


class HttpHeaderModifiers(Shape):
    """Headers to add, to set and to remove."""

    add: Mapping[NonEmpty, str] = Field(default_factory=dict)
    set: Mapping[NonEmpty, str] = Field(default_factory=dict)
    remove: Many[NonEmpty] = ()


class TlsDirection(Shape):
    """TLS parameters of one direction."""

    tls_min_version: TlsVersion | None = None
    tls_max_version: TlsVersion | None = None
    cipher_suites: Many[NonEmpty] = ()
