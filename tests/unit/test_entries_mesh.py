"""mesh: what the examples of its rules do not show. Verdicts are those of Consul 1.22.7."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read

_SUITE = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


def _found(entry: Mapping[str, Any], source: Form = Form.AUTHORED) -> list[str]:
    return [problem.rule.id for problem in read({"Kind": "mesh", **entry}, source, Edition.COMMUNITY).problems]


@pytest.mark.parametrize(
    ("tls", "found"),
    [
        ({"TLSMinVersion": "TLSv1_3", "TLSMaxVersion": "TLSv1_3"}, []),
        ({"TLSMinVersion": "TLSv1_3", "TLSMaxVersion": "TLS_AUTO"}, []),
        ({"TLSMinVersion": "TLS_AUTO", "TLSMaxVersion": "TLSv1_0"}, []),
        ({"TLSMaxVersion": "TLSv1_0"}, []),
        ({"TLSMinVersion": "1.2"}, ["value-unknown"]),
        ({"TLSMinVersion": "1.3", "CipherSuites": [_SUITE]}, ["value-unknown"]),
        ({"TLSMaxVersion": "TLSv1_3", "CipherSuites": [_SUITE]}, []),
        ({"TLSMinVersion": "TLS_AUTO", "CipherSuites": [_SUITE]}, []),
        ({"CipherSuites": ["x", _SUITE, ""]}, ["value-unknown", "value-unknown"]),
    ],
)
@pytest.mark.parametrize("direction", ["Incoming", "Outgoing"])
def test_tls(direction: str, tls: Mapping[str, Any], found: list[str]) -> None:
    assert _found({"Name": "mesh", "TLS": {direction: tls}}) == found


@pytest.mark.parametrize(
    ("normalization", "found"),
    [
        ({"PathWithEscapedSlashesAction": "UNESCAPE_AND_FORWARD", "HeadersWithUnderscoresAction": "DROP_HEADER"}, []),
        ({"PathWithEscapedSlashesAction": "keep_unchanged"}, ["value-unknown"]),
        ({"HeadersWithUnderscoresAction": "DENY"}, ["value-unknown"]),
    ],
)
def test_request_normalization(normalization: Mapping[str, Any], found: list[str]) -> None:
    assert _found({"Name": "mesh", "HTTP": {"Incoming": {"RequestNormalization": normalization}}}) == found


def test_the_name() -> None:
    assert _found({"Name": "mesh"}) == []
    assert _found({"Name": "foo"}) == ["name-fixed"]


def test_what_the_server_returns_has_no_name() -> None:
    reading = read(
        {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": False}, "Hash": 1}, Form.API, Edition.COMMUNITY
    )

    assert not reading.problems
    assert reading.entry
    assert reading.entry.name == "mesh"
    assert reading.entry.body() == {}


def test_cluster_peering_that_says_nothing_is_none() -> None:
    assert _found({"Name": "mesh", "Peering": {}}) == ["empty-left-out"]
    assert _found({"Peering": {}}, Form.API) == []  # as consul config read shows what is false


def test_what_is_only_false_stays_what_it_is() -> None:
    reading = read(
        {"Kind": "mesh", "HTTP": {"SanitizeXForwardedClientCert": False, "Incoming": None}},
        Form.API,
        Edition.COMMUNITY,
    )

    assert not reading.problems
    assert reading.entry
    assert reading.entry.body() == {"HTTP": {"SanitizeXForwardedClientCert": False}}
