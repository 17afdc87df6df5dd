"""Gateways and their routes: what Consul says of them, beyond the examples of the rules."""

from itertools import product
from typing import Any

import pytest

from mesh.config_entry import ConfigEntry
from mesh.consul.entries import ApiGateway, HttpRoute, IngressGateway, TcpRoute
from mesh.consul.entries.api_gateway import ApiGatewayListener, Certificate, ListenerTls
from mesh.consul.entries.http_route import Parent, RouteMatch, RouteRule, RouteService
from mesh.consul.entries.ingress_gateway import IngressDefaults, IngressListener, IngressService
from mesh.consul.entries.tcp_route import TcpRouteService
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.rules import Style

HOST_RULES = {"host-name", "host-wildcard", "host-form", "route-host-wildcard"}


def reading(kind: str, edition: Edition = Edition.COMMUNITY, source: Form = Form.AUTHORED, **fields: Any) -> Reading:
    return read({"Kind": kind, "Name": "gateway", **fields}, source, edition)


def found(kind: str, edition: Edition = Edition.COMMUNITY, **fields: Any) -> list[str]:
    problems = reading(kind, edition, **fields).problems
    return sorted(f"{problem.rule.id} {problem.at.written(Style.GO)}" for problem in problems)


def body(kind: str, source: Form = Form.AUTHORED, **fields: Any) -> dict[str, Any]:
    entry = reading(kind, source=source, **fields).entry
    assert entry is not None
    return entry.body()


def http(**service: Any) -> dict[str, Any]:
    return {"Port": 80, "Protocol": "http", "Services": [{"Name": "web", **service}]}


def sds(cluster: str | None, resource: str | None) -> dict[str, Any]:
    return {"SDS": {key: value for key, value in {"ClusterName": cluster, "CertResource": resource}.items() if value}}


@pytest.mark.parametrize(
    ("host", "ingress", "api_gateway", "route"),
    [
        ("a.example.com", None, None, None),
        ("*.example.com", None, None, "route-host-wildcard"),
        ("*", None, "host-wildcard", "route-host-wildcard"),
        ("*example.com", "host-wildcard", "host-wildcard", "route-host-wildcard"),
        ("*.a.*.com", "host-wildcard", "host-wildcard", "route-host-wildcard"),
        ("*.", "host-form", "host-form", "route-host-wildcard"),
        ("a..b", "host-name", "host-form", "host-name"),
        (".a", "host-name", "host-form", "host-name"),
        ("a" * 64, "host-name", None, "host-name"),
        ("A.example.com", "host-form", "host-form", "host-form"),
        ("a.example.com.", "host-form", "host-form", "host-form"),
        ("a b", "host-form", "host-form", "host-form"),
        ("a:80", "host-form", "host-form", "host-form"),
        ("-a", "host-form", "host-form", "host-form"),
        ("a_b", None, None, None),
        ("10.0.0.1", None, None, None),
    ],
)
def test_hosts(host: str, ingress: str | None, api_gateway: str | None, route: str | None) -> None:
    listener = {"Name": "http", "Port": 80, "Protocol": "http", "Hostname": host}
    services = [{"Name": "web", "Weight": 1}]
    for expected, problems in (
        (ingress, found("ingress-gateway", Listeners=[http(Hosts=[host])])),
        (api_gateway, found("api-gateway", Listeners=[listener])),
        (route, found("http-route", Parents=[{"Name": "g"}], Hostnames=[host], Rules=[{"Services": services}])),
    ):
        assert {problem.split()[0] for problem in problems} == ({expected} if expected else set())


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"Listeners": [http(Hosts=["*"])], "TLS": {"Enabled": False}}, []),
        (
            {"Listeners": [{**http(Hosts=["*"]), "TLS": {"Enabled": True}}]},  # Consul only looks at the gateway's
            [],
        ),
        ({"Listeners": [http(Hosts=["a.com", "a.com"])]}, ["host-twice Listeners[0].Services[0].Hosts[1]"]),
        ({"Listeners": [http(Hosts=["a.com"]), {**http(Hosts=["a.com"]), "Port": 81}]}, []),
        ({"Listeners": [{"Port": 0, "Services": [{"Name": "db"}]}]}, ["number-range Listeners[0].Port"]),
        ({"Listeners": [{"Port": 80, "Services": []}]}, ["field-missing Listeners[0].Services"]),
        (
            {"Listeners": [{"Port": 80, "Services": [{"Name": "a"}, {"Name": "*", "Hosts": ["x.com"]}]}]},
            [
                "listener-not-http Listeners[0].Services",
                "listener-not-http Listeners[0].Services[1].Hosts",
                "listener-not-http Listeners[0].Services[1].Name",
            ],
        ),
        (
            {"Listeners": [{"Port": 80, "Services": [{"Name": "a", "RequestHeaders": {"Remove": ["x"]}}]}]},
            ["listener-not-http Listeners[0].Services[0].RequestHeaders"],
        ),
        (
            {"Listeners": [{"Port": 80, "Protocol": "https", "Services": [{"Name": "a", "Hosts": ["x.com"]}]}]},
            ["value-unknown Listeners[0].Protocol"],
        ),
        (
            {"Listeners": [http(PassiveHealthCheck={"Interval": "-5s", "MaxEjectionPercent": 101})]},
            [  # refused in service-defaults, stored here
                "duration-sign Listeners[0].Services[0].PassiveHealthCheck.Interval",
                "number-range Listeners[0].Services[0].PassiveHealthCheck.MaxEjectionPercent",
            ],
        ),
        ({"TLS": {"SDS": {"CertResource": "x"}}}, ["field-expected Listeners"]),
    ],
)
def test_ingress_gateways(fields: dict[str, Any], rules: list[str]) -> None:
    assert found("ingress-gateway", **fields) == rules


def consul_takes(
    gateway: tuple[bool, bool], listener: tuple[bool, bool], service: tuple[bool, bool], *, hosts: bool
) -> bool:
    """``validateServiceSDS``, with a cluster and a certificate, or not, at each level."""
    if not gateway[0] and gateway[1]:
        return False
    if gateway[0] and not gateway[1] and not listener[1]:
        return False
    if listener[0] and not listener[1]:
        return False
    if listener[1] and not listener[0] and not gateway[0]:
        return False
    return not service[1] or (hosts and (service[0] or listener[0] or gateway[0]))


def test_certificates_from_sds_are_looked_for_at_every_level() -> None:
    levels = [(cluster, resource) for cluster in (False, True) for resource in (False, True)]
    for gateway, listener, service, hosts in product(levels, levels, levels, (False, True)):
        tls = [
            {"TLS": sds("c" if level[0] else None, "r" if level[1] else None)} if any(level) else {}
            for level in (gateway, listener, service)
        ]
        entry: dict[str, Any] = {
            "Listeners": [{**http(**tls[2], **({"Hosts": ["a.com"]} if hosts else {})), **tls[1]}],
            **tls[0],
        }
        taken = not found("ingress-gateway", **entry)
        assert taken == consul_takes(gateway, listener, service, hosts=hosts), entry


@pytest.mark.parametrize(
    ("service", "rules"),
    [
        ({"CAFile": "/ca", "SNI": "a"}, []),
        ({"CAFile": "/ca", "CertFile": "/c", "KeyFile": "/k", "SNI": "a"}, []),
        ({"CertFile": "/c", "SNI": "a"}, ["client-certificate-partial Services[0]"]),
        ({"CAFile": "/ca", "KeyFile": "/k", "SNI": "a"}, ["client-certificate-partial Services[0]"]),
        ({"CAFile": "/ca"}, ["terminating-tls-unverified Services[0].CAFile"]),
        ({"Name": " "}, ["service-name Services[0].Name"]),
        ({"Name": "*"}, []),
        ({"Name": ""}, ["field-missing Services[0].Name"]),
        ({"Partition": "x"}, ["key-not-in-provider Services[0].Partition"]),
    ],
)
def test_terminating_gateways(service: dict[str, Any], rules: list[str]) -> None:
    assert found("terminating-gateway", Services=[{"Name": "db", **service}]) == rules


def test_services_in_every_namespace_are_refused_by_enterprise() -> None:
    services = [{"Name": "web", "Namespace": "*"}]
    assert found("terminating-gateway", Edition.ENTERPRISE, Services=services) == [
        "gateway-wildcard-namespace Services[0].Namespace"
    ]


def test_services_of_two_namespaces_are_two() -> None:
    services = [{"Name": "web"}, {"Name": "web", "Namespace": "other"}, {"Name": "web", "Namespace": "shop"}]
    assert found("terminating-gateway", Edition.ENTERPRISE, Namespace="shop", Services=services) == [
        "gateway-service-twice Services[2].Name"
    ]


LISTENER = {"Name": "http", "Port": 80, "Protocol": "http"}


@pytest.mark.parametrize(
    ("listeners", "rules"),
    [
        ([], ["field-missing Listeners"]),
        ([{**LISTENER, "Name": "a.b-1"}], []),
        ([{**LISTENER, "Name": "a."}], ["listener-name Listeners[0].Name"]),
        ([{**LISTENER, "Name": "a\n"}], ["listener-name Listeners[0].Name"]),
        ([{**LISTENER, "Port": 0}], ["listener-port Listeners[0].Port"]),
        ([{**LISTENER, "Port": 65535}], []),
        ([{**LISTENER, "Protocol": "grpc"}], ["value-unknown Listeners[0].Protocol"]),
        ([LISTENER, {**LISTENER, "Name": "b"}], []),
        ([LISTENER, {**LISTENER, "Name": "b", "Protocol": "tcp"}], ["listeners-apart Listeners[1].Port"]),
        ([LISTENER, {**LISTENER, "Name": "b", "Hostname": "a.com"}], ["listeners-apart Listeners[1].Port"]),
        ([{**LISTENER, "MaxRequestHeadersKB": 5}], ["key-not-in-provider Listeners[0].MaxRequestHeadersKB"]),
        (
            [{**LISTENER, "Default": {"JWT": {"Providers": [{"Name": "okta"}]}}}],
            ["enterprise-only Listeners[0].Default.JWT.Providers"],
        ),
        ([{**LISTENER, "Default": {"JWT": {}}}], ["field-expected Listeners[0].Default.JWT.Providers"]),
        (
            [{**LISTENER, "TLS": {"MinVersion": "TLSv1_2", "MaxVersion": "TLSv1_1", "Certificates": [{"Name": "c"}]}}],
            ["tls-versions-crossed Listeners[0].TLS.MaxVersion"],
        ),
    ],
)
def test_api_gateways(listeners: list[dict[str, Any]], rules: list[str]) -> None:
    assert found("api-gateway", Listeners=listeners) == rules


def route(**rule: Any) -> list[str]:
    return found("http-route", Parents=[{"Name": "g"}], Rules=[{"Services": [{"Name": "web", "Weight": 1}], **rule}])


@pytest.mark.parametrize(
    ("match", "rules"),
    [
        ({"Path": {"Match": "prefix", "Value": "/v1"}, "Method": "GET"}, []),
        ({"Path": {"Match": "exact", "Value": "v1"}}, ["path-slash Rules[0].Matches[0].Path.Value"]),
        ({"Path": {"Match": "prefix"}}, ["path-slash Rules[0].Matches[0].Path.Value"]),
        ({"Path": {"Match": "regex"}}, ["field-expected Rules[0].Matches[0].Path.Value"]),
        ({"Path": {"Match": "regex", "Value": "("}}, ["regex-syntax Rules[0].Matches[0].Path.Value"]),
        ({"Path": {"Value": "/v1"}}, ["field-missing Rules[0].Matches[0].Path.Match"]),  # the server makes it "/"
        ({"Method": "get"}, ["case-folded Rules[0].Matches[0].Method"]),
        ({"Method": "FOO"}, ["value-unknown Rules[0].Matches[0].Method"]),
        ({"Headers": [{"Match": "present", "Name": "x"}]}, []),
        (
            {"Headers": [{"Match": "present", "Name": "x", "Value": "1"}]},
            ["match-value Rules[0].Matches[0].Headers[0].Value"],
        ),
        ({"Query": [{"Match": "exact", "Name": "x"}]}, ["match-value Rules[0].Matches[0].Query[0].Value"]),
        (
            {"Query": [{"Match": "regex", "Name": "x", "Value": "("}]},
            ["regex-syntax Rules[0].Matches[0].Query[0].Value"],
        ),
        (
            {"Query": [{"Match": "prefix", "Name": "x", "Value": "1"}]},
            ["value-unknown Rules[0].Matches[0].Query[0].Match"],
        ),
    ],
)
def test_matches(match: dict[str, Any], rules: list[str]) -> None:
    assert route(Matches=[match]) == rules


@pytest.mark.parametrize(
    ("services", "rules"),
    [
        ([], ["field-expected Rules[0].Services"]),
        ([{"Name": "web"}], []),  # Consul does not look at the weight of an only service
        (
            [{"Name": "web", "Weight": 0}, {"Name": "api", "Weight": 1}],
            ["route-services-several Rules", "weight-zero Rules[0].Services[0].Weight"],
        ),
        (
            [{"Name": "web"}, {"Name": "api"}],
            [
                "route-services-several Rules",
                "weight-zero Rules[0].Services[0].Weight",
                "weight-zero Rules[0].Services[1].Weight",
            ],
        ),
        ([{"Name": "web", "Weight": -1}], ["weight-negative Rules[0].Services[0].Weight"]),
    ],
)
def test_weights(services: list[dict[str, Any]], rules: list[str]) -> None:
    assert route(Services=services) == rules


def test_a_route_names_one_service_once() -> None:
    web, api = ({"Services": [{"Name": name, "Weight": 1}]} for name in ("web", "api"))
    for rules in ([web, api], [web, web], [web, web, api]):
        assert found("http-route", Parents=[{"Name": "g"}], Rules=rules) == ["route-services-several Rules"]


def test_tokens_at_a_route_need_enterprise() -> None:
    providers = [{"Name": "okta"}]
    assert route(Filters={"JWT": {"Providers": providers}}) == ["enterprise-only Rules[0].Filters.JWT.Providers"]


def test_a_weight_is_1_in_python_and_0_in_json() -> None:
    services = [{"Name": "web"}]
    in_json = body("http-route", Parents=[{"Name": "g"}], Rules=[{"Services": services}])
    assert in_json["Rules"][0]["Services"] == [{"Name": "web", "Weight": 0}]
    from_the_api = body(
        "http-route", Form.API, Parents=[{"Name": "g"}], Rules=[{"Services": [{**services[0], "Weight": 0}]}]
    )
    assert from_the_api == in_json
    python = HttpRoute(
        name="r", parents=[Parent(name="g")], rules=[RouteRule(services=[RouteService(name="web")])]
    ).body()
    assert python["Rules"][0]["Services"] == [{"Name": "web", "Weight": 1}]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            IngressGateway(
                name="i",
                listeners=[IngressListener(port=80, services=[IngressService(name="db")])],
                defaults=IngressDefaults(max_connections=10),
            ),
            {
                "Listeners": [{"Port": 80, "Protocol": "tcp", "Services": [{"Name": "db"}]}],
                "Defaults": {"MaxConnections": 10, "MaxPendingRequests": 0, "MaxConcurrentRequests": 0},
            },
        ),
        (
            ApiGateway(
                name="g",
                listeners=[
                    ApiGatewayListener(
                        name="https",
                        port=443,
                        protocol="http",
                        tls=ListenerTls(certificates=[Certificate(name="shop")]),
                    )
                ],
            ),
            {
                "Listeners": [
                    {
                        "Name": "https",
                        "Port": 443,
                        "Protocol": "http",
                        "TLS": {"Certificates": [{"Kind": "inline-certificate", "Name": "shop"}]},
                    }
                ]
            },
        ),
        (
            HttpRoute(
                name="r",
                parents=[Parent(name="g")],
                rules=[RouteRule(matches=[RouteMatch(method="GET")], services=[RouteService(name="web")])],
            ),
            {
                "Parents": [{"Kind": "api-gateway", "Name": "g"}],
                "Rules": [
                    {
                        "Matches": [{"Method": "GET", "Path": {"Match": "prefix", "Value": "/"}}],
                        "Services": [{"Name": "web", "Weight": 1}],
                    }
                ],
            },
        ),
        (
            TcpRoute(name="r", parents=[Parent(name="g")], services=[TcpRouteService(name="db")]),
            {"Parents": [{"Kind": "api-gateway", "Name": "g"}], "Services": [{"Name": "db"}]},
        ),
    ],
)
def test_what_the_server_fills_in_is_said(entry: ConfigEntry, expected: dict[str, Any]) -> None:
    assert entry.body() == expected


def test_limits_of_0_are_left_out_of_services() -> None:
    listeners = [http(MaxConnections=0, MaxPendingRequests=5)]
    assert body("ingress-gateway", Listeners=listeners) == {"Listeners": [http(MaxPendingRequests=5)]}


def test_what_the_api_returns_is_read_without_a_word() -> None:
    gateway: dict[str, Any] = {
        "TLS": {"Enabled": False},
        "Listeners": [
            {
                "Port": 80,
                "Protocol": "http",
                "Services": [{"Name": "web", "Hosts": None}],
            }
        ],
        "Defaults": {"MaxConnections": 0, "MaxPendingRequests": 5, "MaxConcurrentRequests": 0},
    }
    assert reading("ingress-gateway", source=Form.API, **gateway).problems == ()
    listener = {
        **LISTENER,
        "Hostname": "",
        "TLS": {"Certificates": None, "MaxVersion": "", "MinVersion": "", "CipherSuites": None},
    }
    read_gateway = reading("api-gateway", source=Form.API, Listeners=[listener], Status={"Conditions": None})
    assert read_gateway.problems == ()
    assert read_gateway.entry is not None
    assert read_gateway.entry.body() == {"Listeners": [LISTENER]}
