"""Domain types of the vocabulary, and the one configuration every declaration is validated with.

A declaration is a plain frozen dataclass: building one never fails on a *value*, so that ``mesh.check`` can walk a
whole environment once and report every problem together. The constraints live in the annotations below.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from mesh.matching import matching

STRICT: Final = ConfigDict(strict=True, revalidate_instances="always", arbitrary_types_allowed=True)
"""Pydantic configuration of every declaration: no coercion, and nested instances are validated again."""

DnsLabel = Annotated[
    str,
    matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        "a lower-case DNS label of at most 63 letters, digits and dashes",
        example="my-service",
    ),
]
"""A lower-case DNS label of at most 63 characters."""

ServiceName = DnsLabel
"""One name everywhere: Consul service, Nomad service, Kubernetes Service and ServiceAccount, config entry.

Consul accepts more, but Nomad refuses upper case and Kubernetes anything that is no DNS label.
"""

VersionName = DnsLabel
"""Name of a version.

Which is also the name of the resolver's subset (``consul@1.22.7 agent/structs/config_entry_discoverychain.go``).
"""

EnvironmentName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9-]{0,14}[a-z0-9]",
        "a name of 2 to 16 lower-case letters, digits and dashes that starts with a letter",
        example="demo",
    ),
]
"""Part of every Azure name, so short: 2 to 16 lower-case letters, digits and dashes."""

Count = Annotated[int, Field(ge=1, le=100)]

Image = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?",
        "a reference of a container image",
        example="nicholasjackson/fake-service:v0.26.2",
    ),
]
"""A container image reference."""

EnvName = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "a name of an environment variable", example="LOG_LEVEL")]
"""Name of a process environment variable."""

EnvVars = Mapping[EnvName, Annotated[str, matching(r"[^\0]*", "a value without a zero byte", example="text")]]

Weight = Annotated[float, Field(ge=0, le=100)]
"""A share in percent, at most two decimals."""

Zone = Literal["1", "2", "3"]
"""An availability zone of an Azure region."""
