"""What breaks mesh, service-intentions, jwt-provider and exported-services entries."""

from collections.abc import Iterator

from tests.lab.cases.choices import Json
from tests.lab.cases.rules_of_services import DEFAULTS, OTHER, PLAIN, PROXY, SUBSETS, TCP
from tests.lab.cases.targeted import Edits, Targeted

MESH: Json = {"Kind": "mesh", "Name": "mesh", "TLS": {"Incoming": {"TLSMinVersion": "TLSv1_2"}}}
INTENTIONS: Json = {
    "Kind": "service-intentions",
    "Name": "a",
    "Sources": [{"Name": "web", "Action": "allow", "Type": "consul", "Precedence": 9}],
}
OKTA: Json = {
    "Kind": "jwt-provider",
    "Name": "okta",
    "JSONWebKeySet": {"Local": {"JWKS": "e30="}},
    "ClockSkewSeconds": 30,
}
REMOTE: Json = {**OKTA, "JSONWebKeySet": {"Remote": {"URI": "https://a.example.com/keys"}}}
PERMISSIONS: Json = {
    "Kind": "service-intentions",
    "Name": "a",
    "Sources": [
        {
            "Name": "web",
            "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/v1"}}],
            "Type": "consul",
            "Precedence": 9,
        }
    ],
}
EXPORTS: Json = {
    "Kind": "exported-services",
    "Name": "default",
    "Services": [{"Name": "a", "Consumers": [{"Peer": "east"}]}],
}


def targeted() -> Iterator[Targeted]:
    """All changes."""
    yield from _mesh()
    yield from _sources()
    yield from _permissions()
    yield from _providers()
    yield from _exports()
    yield from _exported_chains()


def _mesh() -> Iterator[Targeted]:
    normalization = "HTTP.Incoming.RequestNormalization"
    for way in ("Incoming", "Outgoing"):
        tls = f"TLS.{way}"
        changes: dict[str, Edits] = {
            "minimum": {tls: {"TLSMinVersion": "1.2"}},
            "maximum": {tls: {"TLSMaxVersion": "tlsv1_2"}},
            "maximum-below-minimum": {tls: {"TLSMinVersion": "TLSv1_3", "TLSMaxVersion": "TLSv1_2"}},
            "ciphers-of-1-3": {tls: {"TLSMinVersion": "TLSv1_3", "CipherSuites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}},
            "cipher-unknown": {tls: {"TLSMinVersion": "TLSv1_2", "CipherSuites": ["x"]}},
        }
        good: Edits = {
            tls: {
                "TLSMinVersion": "TLSv1_2",
                "TLSMaxVersion": "TLSv1_3",
                "CipherSuites": ["TLS_RSA_WITH_AES_128_CBC_SHA"],
            }
        }
        for name, change in changes.items():
            yield Targeted(f"mesh-{way}-{name}", [MESH], change, good)
        yield Targeted(
            f"mesh-{way}-ciphers-of-auto",
            [MESH],
            {tls: {"TLSMinVersion": "TLS_AUTO", "CipherSuites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}},
            refused=False,
        )
        yield Targeted(
            f"mesh-{way}-ciphers-of-nothing",
            [MESH],
            {tls: {"CipherSuites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]}},
            refused=False,
        )
    yield Targeted(
        "mesh-escaped-slashes",
        [MESH],
        {f"{normalization}.PathWithEscapedSlashesAction": "x"},
        {f"{normalization}.PathWithEscapedSlashesAction": "REJECT_REQUEST"},
    )
    yield Targeted(
        "mesh-underscores",
        [MESH],
        {f"{normalization}.HeadersWithUnderscoresAction": "allow"},
        {f"{normalization}.HeadersWithUnderscoresAction": "ALLOW"},
    )
    yield Targeted("mesh-unknown-key", [MESH], {"Bogus": 1})
    yield Targeted("mesh-meta", [MESH], {"Meta": {"k": "v" * 513}})
    yield Targeted("mesh-empty-objects", [MESH], {"TLS": {}, "HTTP": {}, "Peering": {}}, refused=False)


def _sources() -> Iterator[Targeted]:
    source = "Sources.0"
    web: Json = {"Name": "web", "Action": "allow"}
    changes: dict[str, Edits] = {
        "name-empty": {"Name": ""},
        "name-partial": {"Name": "a*"},
        "no-sources": {"Sources": ...},
        "empty-sources": {"Sources": []},
        "source-name-absent": {f"{source}.Name": ...},
        "source-name-empty": {f"{source}.Name": ""},
        "source-name-partial": {f"{source}.Name": "w*"},
        "peer-wildcard": {f"{source}.Peer": "*"},
        "peer-partial": {f"{source}.Peer": "e*"},
        "partition": {f"{source}.Partition": "default"},
        "namespace": {f"{source}.Namespace": "default"},
        "peer-and-partition": {f"{source}.Peer": "east", f"{source}.Partition": "default"},
        "sameness-group": {f"{source}.SamenessGroup": "g"},
        "description": {f"{source}.Description": "d" * 513},
        "action-absent": {f"{source}.Action": ...},
        "action-unknown": {f"{source}.Action": "Allow"},
        "type": {f"{source}.Type": "x"},
        "twice": {"Sources": [web, web]},
        "peer-twice": {"Sources": [{**web, "Peer": "east"}, {**web, "Peer": "east"}]},
        "legacy-meta": {f"{source}.LegacyMeta": {"a": "b"}},
        "jwt-name": {"JWT": {"Providers": [{"VerifyClaims": []}]}},
        "jwt-absent": {"JWT": {"Providers": [{"Name": "absent"}]}},
        "permissions-on-tcp": {
            f"{source}.Action": ...,
            f"{source}.Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}],
        },
    }
    for name, change in changes.items():
        yield Targeted(
            f"intentions-{name}", [INTENTIONS], change, {f"{source}.Peer": "east", f"{source}.Description": "d" * 512}
        )
    odd: dict[str, Edits] = {
        "without-type": {f"{source}.Type": ...},
        "without-precedence": {f"{source}.Precedence": ...},
        "wrong-precedence": {f"{source}.Precedence": 5},
        "wrong-order": {"Sources": [{"Name": "*", "Action": "deny"}, web]},
        "legacy-id": {f"{source}.LegacyID": "x"},
        "legacy-time": {f"{source}.LegacyCreateTime": "2024-01-01T00:00:00Z"},
        "empty-permissions": {f"{source}.Permissions": []},
        "empty-jwt": {"JWT": {}},
    }
    for name, change in odd.items():
        yield Targeted(f"intentions-{name}", [INTENTIONS], change, refused=False)
    yield Targeted(
        "intentions-wildcard-permissions",
        [PROXY, {**INTENTIONS, "Name": "*"}],
        {
            f"{source}.Action": ...,
            f"{source}.Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}],
        },
    )


def _permissions() -> Iterator[Targeted]:
    base = [DEFAULTS, OKTA, PERMISSIONS]
    permission = "Sources.0.Permissions.0"
    http = f"{permission}.HTTP"
    changes: dict[str, Edits] = {
        "and-action": {"Sources.0.Action": "allow"},
        "action-absent": {f"{permission}.Action": ...},
        "action-unknown": {f"{permission}.Action": "maybe"},
        "http-absent": {http: ...},
        "http-empty": {http: {}},
        "two-paths": {f"{http}.PathExact": "/"},
        "prefix-and-regex": {f"{http}.PathRegex": "x"},
        "prefix-without-slash": {f"{http}.PathPrefix": "x"},
        "exact-without-slash": {http: {"PathExact": "x"}},
        "header-without-name": {http: {"Header": [{"Exact": "x"}]}},
        "header-without-matcher": {http: {"Header": [{"Name": "x"}]}},
        "header-two-matchers": {http: {"Header": [{"Name": "x", "Exact": "x", "Contains": "y"}]}},
        "header-ignore-case-of-regex": {http: {"Header": [{"Name": "x", "Regex": "x", "IgnoreCase": True}]}},
        "header-ignore-case-of-present": {http: {"Header": [{"Name": "x", "Present": True, "IgnoreCase": True}]}},
        "method-unknown": {http: {"Methods": ["FOO"]}},
        "method-twice": {http: {"Methods": ["GET", "get"]}},
        "jwt-name": {f"{permission}.JWT": {"Providers": [{"Name": ""}]}},
        "jwt-absent": {f"{permission}.JWT": {"Providers": [{"Name": "absent"}]}},
        "top-jwt-absent": {"JWT": {"Providers": [{"Name": "absent"}]}},
    }
    good: Edits = {
        f"{http}.Header": [{"Name": "x", "Contains": "x", "IgnoreCase": True}],
        f"{http}.Methods": ["GET"],
        f"{permission}.JWT": {"Providers": [{"Name": "okta", "VerifyClaims": [{"Path": ["a"], "Value": "b"}]}]},
        "JWT": {"Providers": [{"Name": "okta"}]},
    }
    for name, change in changes.items():
        yield Targeted(f"permissions-{name}", base, change, good)
    yield Targeted("permissions-regex", base, {http: {"PathRegex": "("}}, refused=False)
    yield Targeted("permissions-method-lower-case", base, {f"{http}.Methods": ["get"]}, refused=False)
    yield Targeted("permissions-on-another", base, {"Name": "b"})


def _providers() -> Iterator[Targeted]:
    keys = "JSONWebKeySet"
    changes: dict[str, Edits] = {
        "name-empty": {"Name": ""},
        "keys-absent": {keys: ...},
        "keys-empty": {keys: {}},
        "local-and-remote": {f"{keys}.Remote": {"URI": "https://a.example.com"}},
        "local-empty": {f"{keys}.Local": {}},
        "local-both": {f"{keys}.Local.Filename": "/x"},
        "base64": {f"{keys}.Local.JWKS": "not base64"},
        "base64-unpadded": {f"{keys}.Local.JWKS": "e30"},
        "location-empty": {"Locations": [{}]},
        "location-two": {"Locations": [{"Header": {"Name": "x"}, "Cookie": {"Name": "y"}}]},
        "location-header": {"Locations": [{"Header": {"ValuePrefix": "x"}}]},
        "location-query": {"Locations": [{"QueryParam": {}}]},
        "location-cookie": {"Locations": [{"Cookie": {"Name": ""}}]},
        "forwarding": {"Forwarding": {"PadForwardPayloadHeader": True}},
        "namespace": {"Namespace": "default"},
    }
    good: Edits = {"Locations": [{"Header": {"Name": "x"}}], "Forwarding": {"HeaderName": "x"}}
    for name, change in changes.items():
        yield Targeted(f"jwt-{name}", [OKTA], change, good)
    remote = f"{keys}.Remote"
    back_off = f"{remote}.RetryPolicy.RetryPolicyBackOff"
    cluster = f"{remote}.JWKSCluster"
    authority = f"{cluster}.TLSCertificates"
    changes = {
        "uri-absent": {f"{remote}.URI": ...},
        "uri-relative": {f"{remote}.URI": "keys"},
        "uri-spaces": {f"{remote}.URI": "http://a b"},
        "uri-percent": {f"{remote}.URI": "http://a/%zz"},
        "back-off": {back_off: {"BaseInterval": "10s", "MaxInterval": "1s"}},
        "discovery-type": {f"{cluster}.DiscoveryType": "x"},
        "certificates-empty": {authority: {}},
        "certificates-two": {
            authority: {"CaCertificateProviderInstance": {"InstanceName": "x"}, "TrustedCA": {"Filename": "/x"}}
        },
        "authority-empty": {f"{authority}.TrustedCA": {}},
        "authority-two": {f"{authority}.TrustedCA": {"Filename": "/x", "InlineString": "x"}},
        "authority-environment-and-bytes": {
            f"{authority}.TrustedCA": {"EnvironmentVariable": "X", "InlineBytes": "eA=="}
        },
    }
    good = {
        back_off: {"BaseInterval": "1s", "MaxInterval": "1s"},
        f"{cluster}.DiscoveryType": "STATIC",
        f"{authority}.TrustedCA": {"Filename": "/x"},
    }
    for name, change in changes.items():
        yield Targeted(f"jwt-remote-{name}", [REMOTE], change, good)
    odd: dict[str, Edits] = {
        "clock-skew-zero": {"ClockSkewSeconds": 0},
        "clock-skew-absent": {"ClockSkewSeconds": ...},
        "clock-skew-negative": {"ClockSkewSeconds": -1},
        "retries-negative": {f"{remote}.RetryPolicy.NumRetries": -1},
        "bytes-not-base64": {f"{authority}.TrustedCA": {"InlineBytes": "%"}},
    }
    for name, change in odd.items():
        yield Targeted(f"jwt-{name}", [REMOTE], change, refused=False)


def _exports() -> Iterator[Targeted]:
    service = "Services.0"
    consumer = f"{service}.Consumers.0"
    changes: dict[str, Edits] = {
        "name": {"Name": "k8s"},
        "name-empty": {"Name": ""},
        "service-name-empty": {f"{service}.Name": ""},
        "service-name-absent": {f"{service}.Name": ...},
        "consumers-absent": {f"{service}.Consumers": ...},
        "consumers-empty": {f"{service}.Consumers": []},
        "peer-and-partition": {f"{consumer}.Partition": "p"},
        "peer-and-group": {f"{consumer}.SamenessGroup": "g"},
        "all-peers": {f"{consumer}.Peer": "*"},
        "all-partitions": {consumer: {"Partition": "*"}},
        "group": {consumer: {"SamenessGroup": "g"}},
        "unknown-consumer-key": {f"{consumer}.PeerName": "east"},
    }
    for name, change in changes.items():
        yield Targeted(
            f"exports-{name}", [EXPORTS], change, {"Services.1": {"Name": "*", "Consumers": [{"Peer": "vm"}]}}
        )
    odd: dict[str, Edits] = {
        "consumer-empty": {consumer: {}},
        "partition": {consumer: {"Partition": "k8s"}},
        "namespace": {f"{service}.Namespace": "default"},
        "namespace-wildcard": {f"{service}.Namespace": "*"},
        "twice": {"Services": [EXPORTS["Services"][0], EXPORTS["Services"][0]]},
        "no-services": {"Services": ...},
        "empty-services": {"Services": []},
        "consumer-twice": {f"{service}.Consumers": [{"Peer": "east"}, {"Peer": "east"}]},
        "consul": {f"{service}.Name": "consul"},
    }
    for name, change in odd.items():
        yield Targeted(f"exports-{name}", [EXPORTS], change, refused=False)


def _exported_chains() -> Iterator[Targeted]:
    ways: dict[str, Json] = {
        "redirect-to-datacenter": {"Redirect": {"Service": "b", "Datacenter": "dc2"}},
        "redirect-to-peer": {"Redirect": {"Service": "b", "Peer": "vm"}},
        "failover-to-datacenters": {"Failover": {"*": {"Datacenters": ["dc2"]}}},
        "failover-to-datacenter": {"Failover": {"*": {"Targets": [{"Datacenter": "dc2"}]}}},
    }
    for name, leaving in ways.items():
        resolver = {"Kind": "service-resolver", "Name": "a", **leaving}
        for service in ("a", "*"):
            if service == "*":  # Consul expands the wildcard over the services it knows
                yield Targeted(
                    f"exported-by-wildcard-{name}",
                    [DEFAULTS, OTHER, resolver, EXPORTS],
                    {"Services.0.Name": "*"},
                    {"Services.0.Name": "b"},
                )
            else:
                yield Targeted(
                    f"exported-{name}",
                    [
                        DEFAULTS,
                        OTHER,
                        resolver,
                        {**EXPORTS, "Services": [{"Name": "b", "Consumers": [{"Peer": "east"}]}]},
                    ],
                    {"Services.0.Name": "a"},
                )
                yield Targeted(f"exported-then-{name}", [DEFAULTS, OTHER, EXPORTS, PLAIN], leaving)
                split: Json = {"Kind": "service-splitter", "Name": "b", "Splits": [{"Weight": 100, "Service": "a"}]}
                yield Targeted(
                    f"exported-behind-splitter-{name}",
                    [PROXY, resolver, split, {**EXPORTS, "Services": [{"Name": "c", "Consumers": [{"Peer": "east"}]}]}],
                    {"Services.0.Name": "b"},
                )
    yield Targeted(
        "exported-failover-to-peer",
        [DEFAULTS, EXPORTS, PLAIN],
        {"Failover": {"*": {"Targets": [{"Peer": "vm"}]}}},
        refused=False,
    )
    yield Targeted("exported-tcp-then-redirect", [TCP, EXPORTS, PLAIN], {"Redirect": {"Service": "b"}})
    yield Targeted("exported-tcp-with-subsets", [TCP, EXPORTS, SUBSETS], {"DefaultSubset": "v1"}, refused=False)
    yield Targeted(
        "exported-without-entry",
        [{**PLAIN, **ways["redirect-to-peer"]}, EXPORTS],
        {"Services.0.Name": "*"},
        {"Services.0.Name": "x"},
    )
