"""Providers of tokens: what Consul says of them, beyond the examples of the rules."""

from base64 import b64encode
from typing import Any

import pytest

from mesh.consul.entries import JwtProvider
from mesh.consul.entries.jwt_provider import JsonWebKeySet, RemoteJwks
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, read
from mesh.rules import Style

LOCAL = {"Local": {"Filename": "/etc/jwks.json"}}


def found(keys: Any = LOCAL, **fields: Any) -> list[str]:
    entry = {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": keys, **fields}
    problems = read(entry, Form.AUTHORED, Edition.COMMUNITY).problems
    return sorted(f"{problem.rule.id} {problem.at.written(Style.GO)}" for problem in problems)


def remote(**fields: Any) -> list[str]:
    prefix = "JSONWebKeySet.Remote."
    return [problem.replace(prefix, "") for problem in found({"Remote": {"URI": "https://a/keys", **fields}})]


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        ({}, ["jwt-key-sets JSONWebKeySet"]),
        ({"Local": {}}, ["jwt-local-keys JSONWebKeySet.Local"]),
        ({"Remote": {}}, ["field-missing JSONWebKeySet.Remote.URI"]),
        ({"Local": {"JWKS": "QQ="}}, ["jwt-keys-base64 JSONWebKeySet.Local.JWKS"]),
        ({"Local": {"JWKS": b64encode(b'{"keys": []}').decode()}}, []),
        ({"Local": {"JWKS": b64encode(b'["keys"]').decode()}}, ["jwt-keys-form JSONWebKeySet.Local.JWKS"]),
        ({"Local": {"JWKS": b64encode(b"\xff").decode()}}, ["jwt-keys-form JSONWebKeySet.Local.JWKS"]),
        ({"Local": {"JWKS": b64encode(b"[" * 100_000).decode()}}, ["jwt-keys-form JSONWebKeySet.Local.JWKS"]),
    ],
)
def test_key_sets(keys: dict[str, Any], rules: list[str]) -> None:
    assert found(keys) == rules


@pytest.mark.parametrize(
    ("uri", "rule"),
    [
        ("https://login.example.com", None),
        ("HTTP://login:8080/keys?a=b", None),
        ("https://[::1]:80/x", None),
        ("a", "jwt-keys-uri"),
        ("?x", "jwt-keys-uri"),
        (":x", "jwt-keys-uri"),
        ("https://a b/", "jwt-keys-uri"),
        ("https://a/%zz", "jwt-keys-uri"),
        ("https://a:b/", "jwt-keys-uri"),
        ("https://a:80:90/", "jwt-keys-uri"),
        ("https://a/\n", "jwt-keys-uri"),
        ("/keys", "jwt-keys-address"),
        ("*", "jwt-keys-address"),
        ("//a/b", "jwt-keys-address"),
        ("ftp://a", "jwt-keys-address"),
        ("ftp://a:80:90/", "jwt-keys-address"),
        ("login:keys", "jwt-keys-address"),
        ("https://", "jwt-keys-address"),
        ("https:///keys", "jwt-keys-address"),
        ("https://user@a/", "jwt-keys-address"),
        ("https://a/#b", "jwt-keys-address"),
    ],
)
def test_addresses_of_keys(uri: str, rule: str | None) -> None:
    assert remote(URI=uri) == ([f"{rule} URI"] if rule else [])


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"RequestTimeoutMs": 5000}, []),
        ({"RequestTimeoutMs": 500}, ["jwt-seconds-cut RequestTimeoutMs"]),
        ({"RequestTimeoutMs": -1}, ["number-range RequestTimeoutMs"]),
        ({"RetryPolicy": {"NumRetries": -1}}, ["number-range RetryPolicy.NumRetries"]),
        ({"RetryPolicy": {"RetryPolicyBackOff": {"BaseInterval": "5s"}}}, []),
        ({"RetryPolicy": {"RetryPolicyBackOff": {"BaseInterval": "5s", "MaxInterval": "5s"}}}, []),
        (
            {"RetryPolicy": {"RetryPolicyBackOff": {"BaseInterval": "1m", "MaxInterval": "59s"}}},
            ["jwt-backoff RetryPolicy.RetryPolicyBackOff.MaxInterval"],
        ),
        ({"JWKSCluster": {"DiscoveryType": "EDS", "ConnectTimeout": "5s"}}, []),
        ({"JWKSCluster": {"DiscoveryType": "strict_dns"}}, ["value-unknown JWKSCluster.DiscoveryType"]),
        ({"JWKSCluster": {"ConnectTimeout": "1.5s"}}, ["jwt-seconds-cut JWKSCluster.ConnectTimeout"]),
        ({"JWKSCluster": {"TLSCertificates": {}}}, ["jwt-trust JWKSCluster.TLSCertificates"]),
        ({"JWKSCluster": {"TLSCertificates": {"CaCertificateProviderInstance": {}}}}, []),
        (
            {"JWKSCluster": {"TLSCertificates": {"TrustedCA": {}}}},
            ["jwt-trusted-ca JWKSCluster.TLSCertificates.TrustedCA"],
        ),
        ({"JWKSCluster": {"TLSCertificates": {"TrustedCA": {"InlineString": "pem"}}}}, []),
    ],
)
def test_remote_keys(fields: dict[str, Any], rules: list[str]) -> None:
    assert remote(**fields) == rules


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"Locations": [{}]}, ["jwt-location Locations[0]"]),
        ({"Locations": [{"Header": {}}]}, ["field-missing Locations[0].Header.Name"]),
        ({"Locations": [{"QueryParam": {"Name": "token"}}]}, []),
        ({"Forwarding": {}}, ["field-missing Forwarding.HeaderName"]),
        ({"ClockSkewSeconds": -1}, ["number-range ClockSkewSeconds"]),
        ({"CacheConfig": {"Size": -1}}, ["number-range CacheConfig.Size"]),
        ({"Partition": "default"}, ["enterprise-only Partition"]),
    ],
)
def test_the_rest(fields: dict[str, Any], rules: list[str]) -> None:
    assert found(**fields) == rules


def test_the_difference_of_clocks_is_said() -> None:
    keys = JsonWebKeySet(remote=RemoteJwks(uri="https://a/keys", use_sni=True))
    assert JwtProvider(name="okta", json_web_key_set=keys).body() == {
        "JSONWebKeySet": {"Remote": {"URI": "https://a/keys", "UseSNI": True}},
        "ClockSkewSeconds": 30,
    }


def test_what_is_written_is_read_again() -> None:
    everything = {
        "Kind": "jwt-provider",
        "Name": "okta",
        "JSONWebKeySet": {
            "Remote": {
                "URI": "https://a/keys",
                "RequestTimeoutMs": 1000,
                "FetchAsynchronously": True,
                "UseSNI": True,
                "RetryPolicy": {
                    "NumRetries": 2,
                    "RetryPolicyBackOff": {"BaseInterval": "1s", "MaxInterval": "2s"},
                },
                "JWKSCluster": {
                    "DiscoveryType": "STATIC",
                    "TLSCertificates": {
                        "CaCertificateProviderInstance": {"InstanceName": "default", "CertificateName": "root"}
                    },
                    "ConnectTimeout": "3s",
                },
            }
        },
        "Issuer": "okta",
        "Audiences": ["shop"],
        "Locations": [
            {"Header": {"Name": "Authorization", "ValuePrefix": "Bearer ", "Forward": True}},
            {"Cookie": {"Name": "token"}},
        ],
        "Forwarding": {"HeaderName": "X-Token", "PadForwardPayloadHeader": True},
        "ClockSkewSeconds": 5,
        "CacheConfig": {"Size": 10},
        "Meta": {"a": "b"},
    }
    reading = read(everything, Form.AUTHORED, Edition.COMMUNITY)
    assert reading.problems == ()
    assert reading.entry is not None
    assert reading.entry.written() == everything
