"""Values of the Consul chart: the chart knows every key, accepts the whole, and does what the environment says."""

import json
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.consul import chart
from mesh.model import (
    ApiGateway,
    Cluster,
    Enterprise,
    Environment,
    Flat,
    IngressGateway,
    Kubernetes,
    Listener,
    Security,
)
from tests.declared import ON_AZURE, ROOT

VERSION = "1.9.11"
KEYS = json.loads((ROOT / f"tests/data/consul-k8s-{VERSION}-keys.json").read_text(encoding="utf-8"))
JSON_NAMES = {bool: "boolean", int: "number", str: "string", list: "array", dict: "object"}

OFFICE = IPv4Network("203.0.113.0/24")
BRANCH = IPv4Network("198.51.100.8/32")


def changed(environment: Environment, **platform: Any) -> Environment:
    return replace(environment, platform=replace(environment.platform, **platform))


def with_gateways(*gateways: IngressGateway | ApiGateway) -> Environment:
    return replace(DEMO, gateways=gateways)


INGRESS = IngressGateway(
    "front",
    listeners=[Listener(5000, "http", to="web"), Listener(5001, "http", to="web"), Listener(5000, "http", to="web")],
    runs_on=Kubernetes(count=2),
)
OPEN = with_gateways(replace(INGRESS, open_to=[OFFICE, BRANCH]))
ZERO_TRUST_PARTITION = changed(DEMO, security=Security.ZERO_TRUST)
ENTERPRISE_FLAT = changed(COMMUNITY_DEMO, edition=Enterprise(), topology=Flat())

ALL = {
    **ON_AZURE,
    "open ingress": OPEN,
    "two ingresses": with_gateways(INGRESS, replace(INGRESS, name="back", open_to=[OFFICE])),
    "no gateway": with_gateways(),
    "partition with three servers": changed(DEMO, servers=3),
    "partition with zero trust": ZERO_TRUST_PARTITION,
    "enterprise, flat": ENTERPRISE_FLAT,
    "enterprise, flat, ingress": replace(ENTERPRISE_FLAT, gateways=[INGRESS]),
    "another datacenter": changed(PRODUCTION, datacenter="seoul"),
}


@pytest.fixture(params=list(ALL.values()), ids=list(ALL))
def environment(request: pytest.FixtureRequest) -> Environment:
    """Every environment of the project, and some more."""
    found: Environment = request.param
    return found


@pytest.fixture
def values(environment: Environment) -> Any:
    return chart.values(environment)


# What the chart knows


def misfits(value: Any, known: Any, path: str = "") -> Iterator[str]:
    """What ``value`` says that the chart does not read, or reads as another type."""
    if known == "null":
        return
    if isinstance(known, dict):
        if not isinstance(value, dict):
            yield f"{path} is no map"
            return
        for key, item in value.items():
            if key in known:
                yield from misfits(item, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is unknown"
    elif JSON_NAMES[type(value)] != known:
        yield f"{path} is no {known}"


def all_misfits(values: Any) -> list[str]:
    # A gateway of the list has the keys of the defaults, and a name.
    gateway = {**KEYS["ingressGateways"]["defaults"], "name": "string"}
    gateways = values["ingressGateways"].get("gateways", [])
    return [*misfits(values, KEYS), *(found for item in gateways for found in misfits(item, gateway, "gateway"))]


def test_the_chart_knows_every_key(values: Any) -> None:
    assert all_misfits(values) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"controller": {"enabled": True}}, [".controller is unknown"]),
        ({"apiGateway": {"enabled": False}}, [".apiGateway is unknown"]),
        ({"client": {"enabled": "false"}}, [".client.enabled is no boolean"]),
        ({"externalServers": True}, [".externalServers is no map"]),
        ({"externalServers": {"httpsPort": True}}, [".externalServers.httpsPort is no number"]),
        ({"ingressGateways": {"gateways": [{"name": "a", "type": "ClusterIP"}]}}, ["gateway.type is unknown"]),
        ({"global": {"imageEnvoy": "envoy"}}, [".global.imageEnvoy is unknown"]),
        ({"global": {"adminPartitions": {"service": {}}}}, [".global.adminPartitions.service is unknown"]),
    ],
)
def test_the_keys_tell_what_the_chart_ignores(change: dict[str, Any], found: list[str]) -> None:
    assert all_misfits({**chart.values(DEMO), **change}) == found


def test_the_keys_are_those_of_the_deployed_chart() -> None:
    assert {environment.platform.versions.chart for environment in ALL.values()} == {VERSION}


def test_the_address_that_is_set_apart_is_known() -> None:
    assert list(misfits({"externalServers": {"k8sAuthMethodHost": "https://aks.example:443"}}, KEYS)) == []
    assert chart.AUTH_METHOD_HOST == "externalServers.k8sAuthMethodHost"


def yaml_texts(value: Any) -> Iterator[Any]:
    """Values that the chart pastes as YAML."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key in {"annotations", "additionalSpec"}:
            yield item
        else:
            yield from yaml_texts(item)


def test_what_the_chart_pastes_is_a_yaml_map(values: Any) -> None:
    for text in yaml_texts(values):
        assert isinstance(text, str)
        assert "{{" not in text  # it goes through tpl
        assert isinstance(yaml.safe_load(text), dict)


def test_only_what_the_mesh_needs_of_the_chart(values: Any) -> None:
    assert values["global"]["enabled"] is False
    assert values["server"] == {"enabled": False}
    assert values["client"] == {"enabled": False}
    assert not {"gossipEncryption", "enterpriseLicense", "image", "imageEnvoy"} & values["global"].keys()


# What the chart refuses (consul-k8s@1.9.11 charts/consul/templates, `fail`)


def refusals(values: Any) -> Iterator[str]:  # noqa: C901, PLR0912 - a list of rules
    globals_ = values["global"]
    external = values["externalServers"]
    partitions = globals_["adminPartitions"]
    mesh_gateway = values["meshGateway"]
    ingress = values["ingressGateways"]
    injected = values["connectInject"]["enabled"]
    reserved = {"system", "universal", "operator", "root"}
    if globals_["peering"]["enabled"] and not (injected and globals_["tls"]["enabled"] and mesh_gateway["enabled"]):
        yield "peering needs the injector, TLS and a mesh gateway"
    if partitions["enabled"] and not globals_["enableConsulNamespaces"]:
        yield "partitions need namespaces"
    if partitions["enabled"] and globals_.get("federation", {}).get("enabled"):
        yield "partitions and federation exclude each other"
    if partitions["enabled"] and partitions["name"] != "default" and not external["enabled"]:
        yield "a partition needs external servers"
    if partitions["enabled"] and partitions["name"] in reserved:
        yield "the partition's name is reserved"
    if values["connectInject"]["consulNamespaces"].get("consulDestinationNamespace") in reserved:
        yield "the namespace's name is reserved"
    if external["enabled"] and not external["hosts"]:
        yield "external servers need hosts"
    if external["enabled"] and values["server"]["enabled"]:
        yield "servers are either external or the chart's"
    if external.get("skipServerWatch") and not external["enabled"]:
        yield "skipping the watch needs external servers"
    if (mesh_gateway["enabled"] or ingress["enabled"]) and not injected:
        yield "gateways need the injector"
    if mesh_gateway["enabled"]:
        wan = mesh_gateway["wanAddress"]
        if wan["source"] == "Static" and not wan.get("static"):
            yield "a static WAN address needs a value"
        if wan["source"] == "Service" and mesh_gateway["service"]["type"] == "NodePort":
            yield "a WAN address of a node port needs the port"
        if globals_["acls"]["manageSystemACLs"] and mesh_gateway["consulServiceName"] != "mesh-gateway":
            yield "with ACLs the mesh gateway has one name"
    if ingress["enabled"]:
        names = [gateway["name"] for gateway in ingress["gateways"]]
        if not all(names) or len(set(names)) != len(names):
            yield "ingress gateways need names, each its own"
        if any(not gateway["service"]["ports"][0].get("port") for gateway in ingress["gateways"]):
            yield "the first entry of ports needs a port"


def test_the_chart_accepts_the_values(values: Any) -> None:
    assert list(refusals(values)) == []


@pytest.mark.parametrize(
    ("path", "value", "refusal"),
    [
        ("global.peering.enabled", True, "peering needs the injector, TLS and a mesh gateway"),
        ("global.enableConsulNamespaces", False, "partitions need namespaces"),
        ("global.adminPartitions.name", "system", "the partition's name is reserved"),
        ("externalServers.hosts", [], "external servers need hosts"),
        ("server.enabled", True, "servers are either external or the chart's"),
        ("connectInject.enabled", False, "gateways need the injector"),
        ("meshGateway.wanAddress.source", "Static", "a static WAN address needs a value"),
        (
            "ingressGateways.gateways",
            [{"name": "", "service": {"ports": [{"port": 1}]}}],
            "ingress gateways need names",
        ),
    ],
)
def test_the_rules_tell_what_the_chart_refuses(path: str, value: Any, refusal: str) -> None:
    values: Any = json.loads(json.dumps(chart.values(DEMO)))
    *folders, last = path.split(".")
    target = values
    for folder in folders:
        target = target[folder]
    target[last] = value
    assert [found for found in refusals(values) if found.startswith(refusal)] != []


# What follows from the environment


def test_servers_are_reached_as_the_platform_says(environment: Environment, values: Any) -> None:
    external = values["externalServers"]
    assert values["global"]["datacenter"] == environment.platform.datacenter
    assert len(external["hosts"]) == 1
    if environment.platform.tls:
        assert (external["httpsPort"], external["grpcPort"]) == (8501, 8503)
        assert external["tlsServerName"] == f"server.{environment.platform.datacenter}.consul"
        assert external["useSystemRoots"] is False
    else:
        assert external.keys() == {"enabled", "hosts", "httpsPort", "grpcPort"}
        assert (external["httpsPort"], external["grpcPort"]) == (8500, 8502)


def test_one_server_is_an_address_and_three_are_a_name() -> None:
    one, three = chart.values(DEMO), chart.values(PRODUCTION)
    assert one["externalServers"]["hosts"] == ["10.0.0.4"]
    assert three["externalServers"]["hosts"] == ["consul.mesh-production.internal"]


def test_zero_trust_reads_its_secrets_and_a_private_network_has_none(environment: Environment, values: Any) -> None:
    made = {(secret.name, secret.key) for secret in chart.cluster_secrets(environment.platform)}
    if environment.platform.security is Security.ZERO_TRUST:
        ca = {"secretName": "consul-ca", "secretKey": "tls.crt"}
        token = {"secretName": "consul-bootstrap-token", "secretKey": "token"}
        assert values["global"]["tls"] == {"enabled": True, "caCert": ca}
        assert values["global"]["acls"] == {"manageSystemACLs": True, "bootstrapToken": token}
        assert made == {(found["secretName"], found["secretKey"]) for found in (ca, token)}
    else:
        assert values["global"]["tls"] == {"enabled": False}
        assert values["global"]["acls"] == {"manageSystemACLs": False}
        assert made == set()


def test_a_certificate_is_base64_in_the_vault_and_a_token_is_not() -> None:
    shapes = {secret.vault_secret: secret.base64 for secret in chart.cluster_secrets(PRODUCTION.platform)}
    assert shapes == {"consul-ca": True, "consul-initial-management": False}


@pytest.mark.parametrize("demo", [DEMO, ZERO_TRUST_PARTITION])
def test_a_partition(demo: Environment) -> None:
    values: Any = chart.values(demo)
    assert values["global"]["enableConsulNamespaces"] is True
    assert values["global"]["adminPartitions"] == {"enabled": True, "name": "k8s"}
    assert values["connectInject"]["consulNamespaces"] == {
        "mirroringK8S": False,
        "consulDestinationNamespace": "default",
    }
    gateway = values["meshGateway"]
    assert gateway["containerPort"] == 8443
    assert gateway["service"]["port"] == 443
    assert gateway["wanAddress"] == {"source": "Service"}  # and with it the Service's port
    assert gateway["consulServiceName"] == "mesh-gateway"


def test_enterprise_on_a_flat_network_has_namespaces_but_no_partition() -> None:
    values: Any = chart.values(ENTERPRISE_FLAT)
    assert values["global"]["enableConsulNamespaces"] is True
    assert values["global"]["adminPartitions"] == {"enabled": False}
    assert values["meshGateway"] == {"enabled": False}


@pytest.mark.parametrize("demo", [COMMUNITY_DEMO, PRODUCTION])
def test_the_community_edition_hears_of_neither(demo: Environment) -> None:
    values: Any = chart.values(demo)
    assert values["global"]["enableConsulNamespaces"] is False
    assert values["global"]["adminPartitions"] == {"enabled": False}
    assert values["connectInject"]["consulNamespaces"] == {"mirroringK8S": False}
    assert values["meshGateway"] == {"enabled": False}
    assert values["ingressGateways"] == {"enabled": False}  # its gateway is on the VMs


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 1), (2, 2), (5, 2)])
def test_a_node_can_be_drained_without_taking_the_injector_or_the_mesh_gateway_away(nodes: int, replicas: int) -> None:
    # The chart's default budget lets no injector go, so that an upgrade of the nodes would never end.
    values: Any = chart.values(changed(DEMO, cluster=Cluster(nodes=nodes)))
    injector = values["connectInject"]
    assert injector["replicas"] == values["meshGateway"]["replicas"] == replicas
    budget = {"enabled": True, "maxUnavailable": 1} if replicas > 1 else {"enabled": False}
    assert injector["disruptionBudget"] == budget


def test_a_sidecar_reserves_what_it_needs(values: Any) -> None:
    requests = values["connectInject"]["sidecarProxy"]["resources"]["requests"]
    assert requests == {"cpu": "100m", "memory": "100Mi"}


def test_a_pod_decides_about_its_sidecar_and_has_no_transparent_proxy(values: Any) -> None:
    assert values["connectInject"]["default"] is False
    assert values["connectInject"]["transparentProxy"] == {"defaultEnabled": False}
    assert values["connectInject"]["consulNamespaces"]["mirroringK8S"] is False


# Load balancers


def load_balancers(values: Any) -> Iterator[Any]:
    if values["meshGateway"]["enabled"]:
        yield values["meshGateway"]["service"]
    for gateway in values["ingressGateways"].get("gateways", []):
        yield gateway["service"]


def is_internal(service: Any) -> bool:
    # The subnet has to be that of the nodes: Azure would otherwise take it from the nodes' pods.
    annotations = yaml.safe_load(service.get("annotations", "{}"))
    prefix = "service.beta.kubernetes.io/azure-load-balancer-internal"
    return bool(annotations == {prefix: "true", f"{prefix}-subnet": "snet-cluster-nodes"})


def test_a_load_balancer_is_internal_unless_it_is_opened_to_some(environment: Environment, values: Any) -> None:
    opened = [gateway for gateway in environment.gateways if isinstance(gateway, IngressGateway) and gateway.open_to]
    services = list(load_balancers(values))
    assert {service["type"] for service in services} <= {"LoadBalancer"}
    assert sum(not is_internal(service) for service in services) == len(opened)


def test_an_opened_load_balancer_has_exactly_these_sources() -> None:
    values: Any = chart.values(OPEN)
    [gateway] = values["ingressGateways"]["gateways"]
    spec = yaml.safe_load(gateway["service"]["additionalSpec"])
    assert spec == {"loadBalancerSourceRanges": ["203.0.113.0/24", "198.51.100.8/32"]}
    assert "annotations" not in gateway["service"]
    assert is_internal(values["meshGateway"]["service"])  # opened was the ingress alone


def test_ingress_ports_are_the_declared_listeners() -> None:
    values: Any = chart.values(OPEN)
    [gateway] = values["ingressGateways"]["gateways"]
    assert gateway["service"]["ports"] == [{"port": 5000}, {"port": 5001}]
    assert (gateway["name"], gateway["replicas"], gateway["consulNamespace"]) == ("front", 2, "default")


def test_an_api_gateway_is_not_the_charts_business() -> None:
    on_vms = ApiGateway("edge", listeners=[Listener(5000, "http", to="web")])
    values: Any = chart.values(with_gateways(on_vms))
    assert values["ingressGateways"] == {"enabled": False}
