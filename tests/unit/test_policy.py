"""Config entries that follow from an environment."""

from dataclasses import replace
from typing import Any

from mesh.config_entry import ConfigEntry
from mesh.consul.policy import entries
from mesh.model import (
    ApiGateway,
    CircuitBreaker,
    Environment,
    IngressGateway,
    Listener,
    Nomad,
    Retry,
    Route,
    Security,
    Upstream,
    Version,
)
from tests.unit.examples import COMMUNITY, ENTERPRISE, caller, environment, service, versioned


def bodies(mesh: Environment) -> dict[str, Any]:
    """Body of every entry by kind and name, qualified by its partition if it has one."""
    return {_key(entry): entry.body() for entry in entries(mesh)}


def _key(entry: ConfigEntry) -> str:
    return "/".join(part for part in (entry.KIND, entry.partition, entry.name) if part)


def test_a_service_alone_has_defaults_and_nobody_may_call_it() -> None:
    assert bodies(environment(service())) == {
        "proxy-defaults/global": {"AccessLogs": {}, "Config": {"protocol": "http"}, "TransparentProxy": {}},
        "service-defaults/api": {"Protocol": "http", "TransparentProxy": {}},
    }


def test_versions_become_quoted_subsets_and_a_split() -> None:
    found = bodies(environment(versioned()))
    assert found["service-resolver/api"] == {
        "Subsets": {
            "v1": {"Filter": 'Service.Meta.version == "v1"'},
            "v2": {"Filter": 'Service.Meta.version == "v2"'},
        }
    }
    assert found["service-splitter/api"] == {
        "Splits": [{"ServiceSubset": "v1", "Weight": 0}, {"ServiceSubset": "v2", "Weight": 100}]
    }


def test_a_version_fails_over_to_another() -> None:
    failing_over = versioned(versions={"v1": Version(failover="v2"), "v2": Version()})
    found = bodies(environment(failing_over))["service-resolver/api"]
    assert found["Failover"] == {"v1": {"ServiceSubset": "v2"}}


def test_access_logs_are_json_when_they_are_wanted() -> None:
    found = bodies(environment(service(), platform=replace(COMMUNITY, access_logs=True)))["proxy-defaults/global"]
    assert found["AccessLogs"] == {"Enabled": True}  # JSON unless a format is given


def test_weights_are_exact_numbers() -> None:
    split = {"v1": 33.33, "v2": 66.67}
    weights = [item["Weight"] for item in bodies(environment(versioned(split=split)))["service-splitter/api"]["Splits"]]
    assert weights == [33.33, 66.67]


def test_a_single_version_takes_everything() -> None:
    only = versioned(versions={"v1": versioned().versions["v1"]}, split={})
    assert bodies(environment(only))["service-splitter/api"] == {"Splits": [{"ServiceSubset": "v1", "Weight": 100}]}


def test_routes_keep_their_order_and_every_condition() -> None:
    routes = [
        Route(
            to="v1",
            path_prefix="/old",
            prefix_rewrite="/",
            query={"version": "v1"},
            headers={"x-debug": "1"},
            methods=["GET"],
            timeout="5s",
            retry=Retry(2, on_status_codes=[503]),
        ),
        Route(to="v2", path_regex="/v[2-9]/.*"),
    ]
    assert bodies(environment(versioned(routes=routes)))["service-router/api"]["Routes"] == [
        {
            "Match": {
                "HTTP": {
                    "PathPrefix": "/old",
                    "Header": [{"Name": "x-debug", "Exact": "1"}],
                    "QueryParam": [{"Name": "version", "Exact": "v1"}],
                    "Methods": ["GET"],
                }
            },
            "Destination": {
                "Service": "api",
                "ServiceSubset": "v1",
                "PrefixRewrite": "/",
                "RequestTimeout": "5s",
                "NumRetries": 2,
                "RetryOnConnectFailure": True,
                "RetryOnStatusCodes": [503],
            },
        },
        {"Match": {"HTTP": {"PathRegex": "/v[2-9]/.*"}}, "Destination": {"Service": "api", "ServiceSubset": "v2"}},
    ]


def test_a_circuit_breaker_is_the_callers_setting_for_that_upstream() -> None:
    breaker = CircuitBreaker(interval="30s", max_failures=5)
    web = caller("web", Upstream("api", local_port=9191, circuit_breaker=breaker))
    found = bodies(environment(service(), web))
    assert found["service-defaults/web"]["UpstreamConfig"] == {
        "Overrides": [
            {
                "Name": "api",
                "PassiveHealthCheck": {"Interval": "30s", "MaxFailures": 5, "EnforcingConsecutive5xx": 100},
            }
        ]
    }
    assert "UpstreamConfig" not in found["service-defaults/api"]


def test_every_upstream_and_listener_is_allowed_with_computed_precedence() -> None:
    gateway = ApiGateway("gw", listeners=[Listener(5000, "http", to="web")])
    found = bodies(environment(service(), caller(), gateways=[gateway]))
    allow = {"Action": "allow", "Precedence": 9, "Type": "consul"}
    assert found["service-intentions/api"] == {"Sources": [{"Name": "web", **allow}]}
    assert found["service-intentions/web"] == {"Sources": [{"Name": "gw", **allow}]}


def test_an_api_gateway_has_a_listener_for_each_port_and_a_route_for_each_service() -> None:
    database = service("db", protocol="tcp")
    gateway = ApiGateway(
        "gw", listeners=[Listener(5000, "http", to="api", hosts=["a.example.com"]), Listener(5432, "tcp", to="db")]
    )
    found = bodies(environment(service(), database, gateways=[gateway]))
    assert found["api-gateway/gw"]["Listeners"] == [
        {"Name": "http-5000", "Port": 5000, "Protocol": "http"},
        {"Name": "tcp-5432", "Port": 5432, "Protocol": "tcp"},
    ]
    assert found["http-route/gw-5000-api"] == {
        "Parents": [{"Kind": "api-gateway", "Name": "gw", "SectionName": "http-5000"}],
        "Hostnames": ["a.example.com"],
        "Rules": [{"Services": [{"Name": "api", "Weight": 1}]}],
    }
    assert found["tcp-route/gw-5432-db"] == {
        "Parents": [{"Kind": "api-gateway", "Name": "gw", "SectionName": "tcp-5432"}],
        "Services": [{"Name": "db"}],
    }


def test_an_ingress_gateway_joins_listeners_of_one_port() -> None:
    gateway = IngressGateway(
        "in",
        listeners=[
            Listener(80, "http", to="api", hosts=["a.example.com"]),
            Listener(80, "http", to="web", hosts=["w.example.com"]),
        ],
    )
    listeners = bodies(environment(service(), caller(), gateways=[gateway]))["ingress-gateway/in"]["Listeners"]
    assert listeners == [
        {
            "Port": 80,
            "Protocol": "http",
            "Services": [{"Name": "api", "Hosts": ["a.example.com"]}, {"Name": "web", "Hosts": ["w.example.com"]}],
        }
    ]


def test_partitions_get_defaults_exports_and_full_names() -> None:
    web = caller(export_to=["default"])
    gateway = IngressGateway("in", listeners=[Listener(5000, "http", to="web")])
    found = bodies(
        environment(versioned(routes=[Route(to="v1", path_prefix="/v1")]), web, platform=ENTERPRISE, gateways=[gateway])
    )
    for partition in ("default", "k8s"):
        assert found[f"proxy-defaults/{partition}/global"]["MeshGateway"] == {"Mode": "local"}
    assert found["service-defaults/default/api"]["MeshGateway"] == {"Mode": "local"}
    assert "MeshGateway" not in found["service-defaults/k8s/web"]
    assert found["exported-services/default/default"] == {
        "Services": [{"Name": "api", "Namespace": "default", "Consumers": [{"Partition": "k8s"}]}]
    }
    assert found["exported-services/k8s/k8s"] == {
        "Services": [{"Name": "web", "Namespace": "default", "Consumers": [{"Partition": "default"}]}]
    }
    assert found["service-intentions/default/api"]["Sources"][0]["Partition"] == "k8s"
    destination = found["service-router/default/api"]["Routes"][0]["Destination"]
    assert (destination["Namespace"], destination["Partition"]) == ("default", "default")
    behind = found["ingress-gateway/k8s/in"]["Listeners"][0]["Services"][0]
    assert (behind["Namespace"], behind["Partition"], behind["Hosts"]) == ("default", "k8s", ["*"])


def test_the_community_edition_never_speaks_of_partitions_or_namespaces() -> None:
    gateway = ApiGateway("gw", listeners=[Listener(5000, "http", to="web")], runs_on=Nomad())
    mesh = environment(versioned(routes=[Route(to="v1", path_prefix="/v1")]), caller(), gateways=[gateway])
    for entry in entries(mesh):
        assert entry.partition is None
        assert entry.namespace is None
        assert "Partition" not in str(entry.body())
        assert "Namespace" not in str(entry.body())


def test_zero_trust_demands_tls_1_2_between_sidecars() -> None:
    found = bodies(environment(platform=replace(COMMUNITY, security=Security.ZERO_TRUST)))
    assert found["mesh/mesh"]["TLS"]["Incoming"] == {"TLSMinVersion": "TLSv1_2"}
    assert "mesh/mesh" not in bodies(environment())
