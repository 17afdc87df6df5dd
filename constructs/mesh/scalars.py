"""Scalar types that both the vocabulary of environments and the config entries use."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from mesh.durations import seconds
from mesh.matching import matching

Port = Annotated[int, Field(ge=1, le=65535)]

Percent = Annotated[int, Field(ge=0, le=100)]

Protocol = Literal["tcp", "http", "http2", "grpc"]
"""The protocols of a service that Consul knows (``consul@1.22.7 agent/structs/config_entry.go``)."""

HTTP_LIKE: Final = frozenset({"http", "http2", "grpc"})
"""Protocols that permit routing and splitting."""

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"]

HttpPath = Annotated[str, matching(r"/.*", "a path that starts with a slash", example="/v1")]
"""An absolute path; Consul refuses a matcher that does not start with ``/``."""

Hostname = Annotated[
    str,
    matching(
        r"\*|(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
        "a host name without a port",
        example="shop.example.com",
    ),
]
"""A host name without a port; ``*`` alone or as the leftmost label."""


def _go_duration(value: str) -> str:
    seconds(value)
    return value


Duration = Annotated[str, AfterValidator(_go_duration)]
"""A positive length of time as Go writes it: ``"30s"``, ``"1m30s"``, ``"500ms"``.

A bare number is refused: Consul reads it as nanoseconds.
"""
