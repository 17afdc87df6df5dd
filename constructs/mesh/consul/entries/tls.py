"""TLS versions and cipher suites, of the mesh and of gateways.

Source: ``consul@1.22.7 types/tls.go`` and ``agent/structs/config_entry_mesh.go``, ``validateTLSConfig``.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from mesh.consul.entries.common import TlsVersion
from mesh.rules import At, Example, Problem, refused

CipherSuite = Literal[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
]
"""A cipher suite of TLS 1.2 and earlier that Consul can give to Envoy (``ValidateEnvoyCipherSuites``)."""

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_mesh.go, validateTLSConfig"


def _mesh(**incoming: object) -> Example:
    return [{"Kind": "mesh", "Name": "mesh", "TLS": {"Incoming": incoming}}]


TLS_VERSIONS_CROSSED: Final = refused(
    "tls-versions-crossed",
    what="The highest TLS version is lower than the lowest.",
    why="Consul refuses it: configuring max version TLSv1_2 less than the configured min version TLSv1_3 is invalid.",
    source=_SOURCE,
    fix="raise the highest version, or lower the lowest",
    example=_mesh(TLSMinVersion="TLSv1_3", TLSMaxVersion="TLSv1_2"),
    instead=_mesh(TLSMinVersion="TLSv1_2", TLSMaxVersion="TLSv1_3"),
)

TLS_SUITES_UNUSED: Final = refused(
    "tls-suites-unused",
    what="Cipher suites are listed, and the lowest TLS version is 1.3, whose suites cannot be chosen.",
    why="Consul refuses it: configuring CipherSuites is only applicable to connections negotiated with TLS 1.2 or "
    "earlier.",
    source=_SOURCE,
    fix="remove the cipher suites, or lower the lowest version",
    example=_mesh(TLSMinVersion="TLSv1_3", CipherSuites=["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]),
    instead=_mesh(TLSMinVersion="TLSv1_2", CipherSuites=["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]),
)

_ORDER: Final = ("TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3")
"""The versions that have an order; TLS_AUTO has no place in it."""


def judge_tls(
    at: At,
    *,
    min_version: TlsVersion | None,
    max_version: TlsVersion | None,
    cipher_suites: Sequence[str],
    prefix: str = "tls_",
) -> Iterator[Problem]:
    """Problems between TLS versions and cipher suites.

    Args:
        at: Where the object stands.
        min_version: The lowest version.
        max_version: The highest version.
        cipher_suites: The suites of TLS 1.2 and earlier.
        prefix: What the names of the two fields start with, before ``min_version`` and ``max_version``.
    """
    if min_version in _ORDER and max_version in _ORDER and _ORDER.index(max_version) < _ORDER.index(min_version):
        yield TLS_VERSIONS_CROSSED(at / f"{prefix}max_version", f"{max_version} is lower than {min_version}")
    if cipher_suites and min_version == "TLSv1_3":
        yield TLS_SUITES_UNUSED(at / "cipher_suites", "TLSv1_3, the lowest version, has no suites to choose from")
