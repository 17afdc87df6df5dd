"""What breaks gateway, route and certificate entries."""

from collections.abc import Iterator

from tests.lab.cases.choices import Json
from tests.lab.cases.pems import pems
from tests.lab.cases.rules_of_services import DEFAULTS, OTHER, PROXY, SPLITTER_OF_OWN, TCP
from tests.lab.cases.targeted import Edits, Targeted

CIPHER = "TLS_RSA_WITH_AES_128_CBC_SHA"
INGRESS_TCP: Json = {
    "Kind": "ingress-gateway",
    "Name": "ingress",
    "Listeners": [{"Port": 5000, "Protocol": "tcp", "Services": [{"Name": "db"}]}],
}
INGRESS: Json = {
    "Kind": "ingress-gateway",
    "Name": "ingress",
    "Listeners": [
        {
            "Port": 5000,
            "Protocol": "http",
            "Services": [{"Name": "a", "Hosts": ["a.example.com"]}, {"Name": "b", "Hosts": ["b.example.com"]}],
        }
    ],
}
ANY: Json = {
    "Kind": "ingress-gateway",
    "Name": "ingress",
    "Listeners": [{"Port": 5000, "Protocol": "http", "Services": [{"Name": "*"}]}],
}
TERMINATING: Json = {
    "Kind": "terminating-gateway",
    "Name": "egress",
    "Services": [{"Name": "a", "CAFile": "/ca.pem", "CertFile": "/crt.pem", "KeyFile": "/key.pem"}],
}
GATEWAY: Json = {
    "Kind": "api-gateway",
    "Name": "front",
    "Listeners": [
        {
            "Name": "http",
            "Port": 8080,
            "Protocol": "http",
            "TLS": {"Certificates": [{"Kind": "inline-certificate", "Name": "c"}]},
        },
        {"Name": "tcp", "Port": 9090, "Protocol": "tcp"},
    ],
}
HTTP_ROUTE: Json = {
    "Kind": "http-route",
    "Name": "route",
    "Parents": [{"Kind": "api-gateway", "Name": "front"}],
    "Rules": [
        {
            "Matches": [{"Path": {"Match": "prefix", "Value": "/"}}],
            "Services": [{"Name": "a", "Weight": 1}],
        }
    ],
}
TCP_ROUTE: Json = {
    "Kind": "tcp-route",
    "Name": "route",
    "Parents": [{"Kind": "api-gateway", "Name": "front"}],
    "Services": [{"Name": "a"}],
}
FILES: Json = {"Kind": "file-system-certificate", "Name": "c", "Certificate": "/crt.pem", "PrivateKey": "/key.pem"}


def targeted() -> Iterator[Targeted]:
    """All changes."""
    yield from _ingress()
    yield from _ingress_sds()
    yield from _ingress_protocols()
    yield from _terminating()
    yield from _api_gateway()
    yield from _routes()
    yield from _certificates()


def _ingress() -> Iterator[Targeted]:
    first = "Listeners.0"
    service = f"{first}.Services.0"
    tcp: dict[str, Edits] = {
        "two-services": {f"{first}.Services.1": {"Name": "e"}},
        "wildcard": {f"{service}.Name": "*"},
        "hosts": {f"{service}.Hosts": ["a.b"]},
        "request-headers": {f"{service}.RequestHeaders": {"Remove": ["x"]}},
        "response-headers": {f"{service}.ResponseHeaders": {"Set": {"x": "y"}}},
        "protocol": {f"{first}.Protocol": "https"},
        "no-services": {f"{first}.Services": ...},
        "empty-services": {f"{first}.Services": []},
        "service-name-empty": {f"{service}.Name": ""},
        "service-name-absent": {f"{service}.Name": ...},
        "port-twice": {"Listeners.1": INGRESS_TCP["Listeners"][0]},
        "tls-version": {"TLS": {"TLSMinVersion": "x"}},
        "listener-tls-version": {f"{first}.TLS": {"TLSMaxVersion": "x"}},
        "ciphers": {"TLS": {"TLSMinVersion": "TLSv1_3", "CipherSuites": [CIPHER]}},
        "cipher-unknown": {f"{first}.TLS": {"TLSMinVersion": "TLSv1_2", "CipherSuites": ["x"]}},
        "partition": {f"{service}.Partition": "default"},
        "namespace": {f"{service}.Namespace": "default"},
        "namespace-wildcard": {f"{service}.Namespace": "*"},
        "port-text": {f"{first}.Port": "http"},
        "meta": {"Meta": {"k": "v" * 513}},
    }
    good: Edits = {
        "Listeners.1": {"Port": 5001, "Protocol": "http", "Services": [{"Name": "*"}]},
        "TLS": {"Enabled": True, "TLSMinVersion": "TLSv1_2", "CipherSuites": [CIPHER]},
        f"{service}.MaxConnections": 10,
    }
    for name, change in tcp.items():
        yield Targeted(f"ingress-{name}", [INGRESS_TCP], change, good)
    odd: dict[str, Edits] = {
        "without-protocol": {f"{first}.Protocol": ...},
        "protocol-upper-case": {f"{first}.Protocol": "TCP"},
        "port-zero": {f"{first}.Port": 0},
        "port-negative": {f"{first}.Port": -1},
        "port-too-high": {f"{first}.Port": 70000},
        "defaults-in-part": {"Defaults": {"MaxConnections": 10}},
        "defaults-empty": {"Defaults": {}},
        "limit-negative": {f"{service}.MaxConnections": -1},
        "limit-zero": {f"{service}.MaxConnections": 0},
        "no-listeners": {"Listeners": ...},
        "empty-listeners": {"Listeners": []},
        "name-empty": {"Name": ""},
        "health-check-percent": {f"{service}.PassiveHealthCheck": {"MaxEjectionPercent": 101}},
        "health-check-negative": {"Defaults.PassiveHealthCheck": {"Interval": "-1s"}},
    }
    for name, change in odd.items():
        yield Targeted(f"ingress-{name}", [INGRESS_TCP], change, refused=name == "name-empty")
    http: dict[str, Edits] = {
        "service-twice": {f"{first}.Services.1.Name": "a"},
        "host-twice": {f"{first}.Services.1.Hosts": ["a.example.com"]},
        "host-empty": {f"{service}.Hosts": [""]},
        "host-dots": {f"{service}.Hosts": ["a..b"]},
        "host-label-long": {f"{service}.Hosts": [f"{'l' * 64}.b"]},
        "host-wildcard-inside": {f"{service}.Hosts": ["a.*.b"]},
        "host-wildcard-twice": {f"{service}.Hosts": ["*.*.b"]},
        "host-wildcard-part": {f"{service}.Hosts": ["a*.b"]},
        "host-any-with-tls": {f"{service}.Hosts": ["*"], "TLS.Enabled": True},
        "wildcard-with-hosts": {f"{service}.Name": "*"},
    }
    good = {f"{service}.Hosts": ["*.example.org", "*"], f"{service}.RequestHeaders": {"Remove": ["x"]}}
    for name, change in http.items():
        yield Targeted(f"ingress-{name}", [DEFAULTS, OTHER, INGRESS], change, good)
    yield Targeted(
        "ingress-host-with-port", [DEFAULTS, OTHER, INGRESS], {f"{service}.Hosts": ["a.b:80"]}, refused=False
    )
    yield Targeted("ingress-any-service-with-hosts", [ANY], {f"{service}.Hosts": ["a.b"]})
    yield Targeted("ingress-any-service-headers", [ANY], {f"{service}.RequestHeaders": {"Bogus": {}}})


def _ingress_sds() -> Iterator[Targeted]:
    base = [DEFAULTS, OTHER, INGRESS]
    listener = "Listeners.0.TLS.SDS"
    service = "Listeners.0.Services.0"
    cert, cluster = {"CertResource": "c"}, {"ClusterName": "s"}
    changes: dict[str, Edits] = {
        "gateway-without-cluster": {"TLS.SDS": cert},
        "gateway-without-certificate": {"TLS.SDS": cluster},
        "listener-without-certificate": {listener: cluster},
        "listener-without-cluster": {listener: cert},
        "service-without-cluster": {f"{service}.TLS.SDS": cert},
        "service-without-hosts": {f"{service}.TLS.SDS": cert | cluster, f"{service}.Hosts": ...},
    }
    goods: tuple[Edits, ...] = (
        {"TLS.SDS": cluster, listener: cert},
        {listener: cert | cluster, f"{service}.TLS.SDS": cert},
        {"TLS.SDS": cert | cluster, f"{service}.TLS.SDS": cert},
    )
    for number, (name, change) in enumerate(changes.items()):
        yield Targeted(f"ingress-sds-{name}", base, change, goods[number % len(goods)])


def _ingress_protocols() -> Iterator[Targeted]:
    service = "Listeners.0.Services.0"
    yield Targeted(
        "ingress-of-tcp-service",
        [TCP, OTHER, {**INGRESS, "Name": "i"}],
        {"Name": "ingress"},
        {f"{service}.Name": "b", "Listeners.0.Services.1": ...},
    )
    yield Targeted("ingress-grpc-of-http-service", [DEFAULTS, OTHER, INGRESS], {"Listeners.0.Protocol": "grpc"})
    yield Targeted("ingress-tcp-of-http-service", [DEFAULTS, INGRESS_TCP], {f"{service}.Name": "a"})
    http_later: Json = {"Kind": "service-defaults", "Name": "x", "Protocol": "tcp"}
    yield Targeted(
        "service-to-http-behind-tcp-ingress",
        [INGRESS_TCP, http_later],
        {"Name": "db", "Protocol": "http"},
        refused=False,
    )
    yield Targeted(
        "splitter-behind-tcp-ingress",
        [INGRESS_TCP, {**DEFAULTS, "Name": "db"}, {**DEFAULTS, "Name": "x"}, {**SPLITTER_OF_OWN, "Name": "x"}],
        {"Name": "db"},
    )
    yield Targeted("service-to-tcp-behind-http-ingress", [PROXY, INGRESS, {**TCP, "Name": "x"}], {"Name": "a"})
    yield Targeted("proxy-defaults-behind-ingress", [PROXY, {**INGRESS, "Name": "i"}], {"Listeners.0.Protocol": "grpc"})
    yield Targeted("gateway-names", [{**TERMINATING, "Name": "egress"}, INGRESS_TCP], {"Name": "egress"})
    yield Targeted("gateway-names-reversed", [INGRESS_TCP, TERMINATING], {"Name": "ingress"})
    yield Targeted("api-gateway-with-the-same-name", [INGRESS_TCP, GATEWAY], {"Name": "ingress"}, refused=False)


def _terminating() -> Iterator[Targeted]:
    service = "Services.0"
    changes: dict[str, Edits] = {
        "service-name-empty": {f"{service}.Name": ""},
        "service-name-absent": {f"{service}.Name": ...},
        "twice": {"Services.1": {"Name": "a"}},
        "without-authority": {f"{service}.CAFile": ...},
        "without-certificate": {f"{service}.CertFile": ...},
        "without-key": {f"{service}.KeyFile": ...},
        "certificate-alone": {service: {"Name": "a", "CertFile": "/c"}},
        "key-alone": {service: {"Name": "a", "KeyFile": "/c"}},
        "namespace": {f"{service}.Namespace": "default"},
        "namespace-wildcard": {f"{service}.Namespace": "*"},
        "partition": {f"{service}.Partition": "default"},
        "meta": {"Meta": {"k" * 129: "v"}},
    }
    for name, change in changes.items():
        yield Targeted(f"terminating-{name}", [TERMINATING], change, {"Services.1": {"Name": "*", "CAFile": "/ca.pem"}})
    odd: dict[str, Edits] = {
        "service-name-blank": {f"{service}.Name": " "},
        "empty-services": {"Services": []},
        "no-services": {"Services": ...},
        "name-empty": {"Name": ""},
    }
    for name, change in odd.items():
        yield Targeted(f"terminating-{name}", [TERMINATING], change, refused=name == "name-empty")


def _api_gateway() -> Iterator[Targeted]:
    first = "Listeners.0"
    certificate = f"{first}.TLS.Certificates.0"
    requirement = {"JWT": {"Providers": [{"Name": "okta"}]}}
    changes: dict[str, Edits] = {
        "no-listeners": {"Listeners": ...},
        "empty-listeners": {"Listeners": []},
        "name-upper-case": {f"{first}.Name": "Http"},
        "name-empty": {f"{first}.Name": ""},
        "name-dash": {f"{first}.Name": "-a"},
        "name-dots": {f"{first}.Name": "a..b"},
        "name-twice": {"Listeners.1.Name": "http"},
        "port-zero": {f"{first}.Port": 0},
        "port-too-high": {f"{first}.Port": 65536},
        "port-shared-protocols": {"Listeners.1.Port": 8080},
        "port-shared-hostnames": {"Listeners.1": {"Name": "x", "Port": 8080, "Protocol": "http", "Hostname": "a.b"}},
        "protocol": {f"{first}.Protocol": "grpc"},
        "protocol-absent": {f"{first}.Protocol": ...},
        "hostname-of-tcp": {"Listeners.1.Hostname": "a.b"},
        "hostname-wildcard": {f"{first}.Hostname": "a.*.b"},
        "hostname-any": {f"{first}.Hostname": "*"},
        "certificate-kind": {f"{certificate}.Kind": "x"},
        "certificate-name": {f"{certificate}.Name": ""},
        "certificate-namespace": {f"{certificate}.Namespace": "default"},
        "certificate-partition": {f"{certificate}.Partition": "default"},
        "tls-version": {f"{first}.TLS.MinVersion": "x"},
        "tls-versions": {f"{first}.TLS.MinVersion": "TLSv1_3", f"{first}.TLS.MaxVersion": "TLSv1_2"},
        "ciphers": {f"{first}.TLS.MinVersion": "TLSv1_3", f"{first}.TLS.CipherSuites": [CIPHER]},
        "cipher-unknown": {f"{first}.TLS.MinVersion": "TLSv1_2", f"{first}.TLS.CipherSuites": ["x"]},
        "override": {f"{first}.Override": requirement},
        "default": {f"{first}.Default": requirement},
        "default-claims": {
            f"{first}.Default": {"JWT": {"Providers": [{"Name": "o", "VerifyClaims": [{"Path": ["a"], "Value": "b"}]}]}}
        },
        "name-of-entry": {"Name": ""},
    }
    good: Edits = {
        f"{first}.Hostname": "*.example.com",
        "Listeners.1": {"Name": "x.y-1", "Port": 8080, "Protocol": "http", "Hostname": "*.example.com"},
        f"{first}.TLS.MinVersion": "TLSv1_2",
        f"{first}.TLS.CipherSuites": [CIPHER],
    }
    for name, change in changes.items():
        yield Targeted(f"api-gateway-{name}", [GATEWAY], change, good)
    odd: dict[str, Edits] = {
        "protocol-upper-case": {f"{first}.Protocol": "HTTP"},
        "certificate-without-kind": {f"{certificate}.Kind": ...},
        "hostname-odd": {f"{first}.Hostname": "a..b"},
        "status": {"Status": {"Conditions": []}},
        "header-size": {f"{first}.MaxRequestHeadersKB": 96},
    }
    for name, change in odd.items():
        yield Targeted(f"api-gateway-{name}", [GATEWAY], change, refused=False)


def _routes() -> Iterator[Targeted]:
    rule = "Rules.0"
    match = f"{rule}.Matches.0"
    service = f"{rule}.Services.0"
    parent = {"Kind": "api-gateway", "Name": "front"}
    parents: dict[str, Edits] = {
        "parent-kind": {"Parents.0.Kind": "ingress-gateway"},
        "parent-twice": {"Parents": [parent, parent]},
        "parent-twice-without-kind": {"Parents": [parent, {"Name": "front"}]},
        "parent-namespace": {"Parents.0.Namespace": "default"},
        "parent-partition": {"Parents.0.Partition": "default"},
        "name": {"Name": ""},
        "meta": {"Meta": {"k": "v" * 513}},
    }
    changes: dict[str, Edits] = {
        "host-wildcard": {"Hostnames": ["*.a"]},
        "host-empty": {"Hostnames": [""]},
        "host-dots": {"Hostnames": ["a..b"]},
        "path-without-slash": {f"{match}.Path": {"Match": "prefix", "Value": "x"}},
        "exact-without-slash": {f"{match}.Path": {"Match": "exact", "Value": "x"}},
        "path-type": {f"{match}.Path": {"Match": "x", "Value": "/"}},
        "method": {f"{match}.Method": "FOO"},
        "header-type": {f"{match}.Headers": [{"Match": "x", "Name": "x"}]},
        "header-name": {f"{match}.Headers": [{"Match": "exact", "Value": "x"}]},
        "query-type": {f"{match}.Query": [{"Match": "prefix", "Name": "x"}]},
        "query-name": {f"{match}.Query": [{"Match": "exact", "Name": ""}]},
        "service-namespace": {f"{service}.Namespace": "default"},
        "service-partition": {f"{service}.Partition": "default"},
        "jwt": {f"{rule}.Filters.JWT": {"Providers": [{"Name": "okta"}]}},
        "service-jwt": {f"{service}.Filters.JWT": {"Providers": [{"Name": "okta"}]}},
        "timeout": {f"{rule}.Filters.TimeoutFilter": {"RequestTimeout": "x"}},
    }
    good: Edits = {
        "Hostnames": ["a.example.com"],
        f"{match}.Path": {"Match": "regex", "Value": "x"},
        f"{match}.Method": "GET",
        f"{match}.Headers": [{"Match": "suffix", "Name": "x", "Value": "y"}],
        f"{match}.Query": [{"Match": "present", "Name": "x"}],
        "Parents.1": {"Kind": "api-gateway", "Name": "front", "SectionName": "x"},
    }
    for name, change in {**parents, **changes}.items():
        yield Targeted(f"http-route-{name}", [HTTP_ROUTE], change, good)
    tcp: dict[str, Edits] = {**parents, "two-services": {"Services.1": {"Name": "b"}}, "rules": {"Rules": []}}
    for name, change in tcp.items():
        yield Targeted(f"tcp-route-{name}", [TCP_ROUTE], change, {"Parents.1": {"Kind": "api-gateway", "Name": "x"}})
    odd: dict[str, Edits] = {
        "without-path": {match: {"Method": "GET"}},
        "path-without-type": {f"{match}.Path": {"Value": "/"}},
        "retries-negative": {f"{rule}.Filters.RetryFilter": {"NumRetries": -1}},
        "match-empty": {match: {}},
        "method-lower-case": {f"{match}.Method": "get"},
        "parent-without-kind": {"Parents.0.Kind": ...},
        "weight-negative": {f"{service}.Weight": -1},
        "weight-absent": {f"{service}.Weight": ...},
        "without-matches": {f"{rule}.Matches": ...},
        "without-services": {f"{rule}.Services": ...},
        "without-rules": {"Rules": ...},
        "without-parents": {"Parents": ...},
        "parent-name-empty": {"Parents.0.Name": ""},
        "service-name-empty": {f"{service}.Name": ""},
        "status": {"Status": {"Conditions": []}},
        "regex-broken": {f"{match}.Path": {"Match": "regex", "Value": "("}},
    }
    for name, change in odd.items():
        yield Targeted(f"http-route-{name}", [HTTP_ROUTE], change, refused=False)
    yield Targeted("tcp-route-parent-without-kind", [TCP_ROUTE], {"Parents.0.Kind": ...}, refused=False)
    yield Targeted("tcp-route-service-name-empty", [TCP_ROUTE], {"Services.0.Name": ""}, refused=False)


def _certificates() -> Iterator[Targeted]:
    known = pems()
    base = [{"Kind": "inline-certificate", "Name": "c", "Certificate": known.certificate, "PrivateKey": known.key}]
    elliptic, elliptic_key = known.elliptic
    weak, weak_key, weak_key_pkcs1 = known.weak
    body = known.certificate.split("-----")[2]
    changes: dict[str, Edits] = {
        "key-absent": {"PrivateKey": ...},
        "key-garbage": {"PrivateKey": "garbage"},
        "certificate-absent": {"Certificate": ...},
        "certificate-garbage": {"Certificate": "garbage"},
        "certificate-truncated": {
            "Certificate": f"-----BEGIN CERTIFICATE-----\n{body[1:65]}\n-----END CERTIFICATE-----\n"
        },
        "certificate-is-the-key": {"Certificate": known.key},
        "key-is-the-certificate": {"PrivateKey": known.certificate},
        "without-a-name": {"Certificate": known.nameless},
        "key-of-another": {"PrivateKey": weak_key},
        "key-of-another-algorithm": {"PrivateKey": elliptic_key},
        "elliptic-with-rsa-key": {"Certificate": elliptic},
        "weak-pkcs1": {"Certificate": weak, "PrivateKey": weak_key_pkcs1},
        "key-type": {"PrivateKey": known.key.replace("PRIVATE KEY", "RSA PRIVATE KEY")},
        "meta": {"Meta": {"k": "v" * 513}},
        "name": {"Name": ""},
    }
    good: Edits = {"PrivateKey": known.key_pkcs1}
    for name, change in changes.items():
        twin = {"Certificate": elliptic, "PrivateKey": elliptic_key} if "elliptic" in name else good
        yield Targeted(f"certificate-{name}", base, change, twin)
    yield Targeted("certificate-weak-pkcs8", base, {"Certificate": weak, "PrivateKey": weak_key}, refused=False)
    yield Targeted("certificate-with-text-before", base, {"Certificate": f"text\n{known.certificate}"}, refused=False)
    yield Targeted("certificate-chain", base, {"Certificate": known.certificate + elliptic}, refused=False)
    for key in ("Certificate", "PrivateKey"):
        yield Targeted(f"files-without-{key}", [FILES], {key: ...}, refused=False)
        yield Targeted(f"files-empty-{key}", [FILES], {key: ""}, refused=False)
    yield Targeted("files-name", [FILES], {"Name": ""})
    yield Targeted("files-meta", [FILES], {"Meta": {"k": "v" * 513}})
