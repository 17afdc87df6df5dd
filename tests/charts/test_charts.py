"""The charts of the package, rendered by Helm itself."""

import base64
import copy
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from mesh.consul.chart import cluster_secrets
from mesh.kubernetes.services import release_values
from mesh.model import Environment, Health, Kubernetes, Security, Service, Version
from tests.charts.conftest import Helm
from tests.declared import ON_AZURE
from tests.unit.examples import caller, environment, service

pytestmark = pytest.mark.helm

SERVICE = "meshed-service"
SECRETS = "consul-secrets"

PEM = "-----BEGIN CERTIFICATE-----\nMIIB+Zz/==\n-----END CERTIFICATE-----\n"
PEM_BASE64 = base64.b64encode(PEM.encode()).decode()
TOKEN = "5f0ac3f1-9d0c-4d0e-a9c1-3b1f9c2f7a11"  # noqa: S105 - made up

VERSIONS = {"v1": Version(), "v2": Version(image="example/app:2.0", count=3)}
TWO_VERSIONS = service("web", runs_on=Kubernetes(), versions=VERSIONS, split={"v1": 50, "v2": 50})

DEPLOYED = [
    pytest.param(declared, found, id=f"{declared.name}-{found.name}")
    for declared in ON_AZURE.values()
    for found in declared.services
    if isinstance(found.runs_on, Kubernetes)
]


def values_of(found: Service, **changes: Any) -> Any:
    changed = replace(found, **changes)
    return release_values(environment(service("api"), changed), changed)


def rendered(helm: Helm, values: Any) -> dict[str, list[Any]]:
    """Manifests by their kind."""
    kinds: dict[str, list[Any]] = {}
    for manifest in helm.manifests(SERVICE, values):
        kinds.setdefault(manifest["kind"], []).append(manifest)
    return kinds


def pod(deployment: Any) -> Any:
    return deployment["spec"]["template"]


def container(deployment: Any) -> Any:
    [found] = pod(deployment)["spec"]["containers"]
    return found


def annotations(deployment: Any) -> dict[str, Any]:
    prefix = "consul.hashicorp.com/"
    return {key.removeprefix(prefix): value for key, value in pod(deployment)["metadata"]["annotations"].items()}


# A meshed service


def test_there_is_something_to_render() -> None:
    assert len(DEPLOYED) >= len(ON_AZURE)


@pytest.mark.parametrize(("declared", "found"), DEPLOYED)
def test_no_warning(helm: Helm, declared: Environment, found: Service) -> None:
    linted = helm.lint(SERVICE, release_values(declared, found))
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(("declared", "found"), DEPLOYED)
def test_one_name_and_one_port_everywhere(helm: Helm, declared: Environment, found: Service) -> None:
    kinds = rendered(helm, release_values(declared, found))
    [front], [account], deployments = kinds["Service"], kinds["ServiceAccount"], kinds["Deployment"]
    assert front["metadata"]["name"] == account["metadata"]["name"] == found.name
    [port] = front["spec"]["ports"]
    assert port["port"] == port["targetPort"] == found.port
    assert len(deployments) == max(1, len(found.versions))
    for deployment in deployments:
        assert pod(deployment)["spec"]["serviceAccountName"] == found.name
        assert annotations(deployment)["connect-service"] == found.name
        assert [item["containerPort"] for item in container(deployment)["ports"]] == [found.port]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= pod(deployment)["metadata"]["labels"].items()
        assert front["spec"]["selector"].items() <= pod(deployment)["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("declared", "upstreams"), [(DEMO, "api.svc.default.ns.default.ap:9091"), (COMMUNITY_DEMO, "api:9091")]
)
def test_the_injector_is_told_exactly_this(helm: Helm, declared: Environment, upstreams: str) -> None:
    # Every value is a string: Kubernetes refuses other annotations.
    [deployment] = rendered(helm, release_values(declared, declared.services_by_name()["web"]))["Deployment"]
    assert annotations(deployment) == {
        "connect-inject": "true",
        "connect-service": "web",
        "connect-service-port": "9090",
        "transparent-proxy": "false",
        "connect-service-upstreams": upstreams,
    }


def test_without_upstreams_there_is_no_annotation(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(service("web", runs_on=Kubernetes())))["Deployment"]
    assert "connect-service-upstreams" not in annotations(deployment)


def test_each_version_is_a_deployment_that_says_so(helm: Helm) -> None:
    kinds = rendered(helm, values_of(TWO_VERSIONS))
    deployments = {deployment["metadata"]["name"]: deployment for deployment in kinds["Deployment"]}
    assert deployments.keys() == {"web-v1", "web-v2"}
    for version in ("v1", "v2"):
        found = annotations(deployments[f"web-{version}"])
        assert found["connect-service"] == "web"
        assert found["service-meta-version"] == version  # what the resolver's subsets filter by
        assert found["service-tags"] == version
    assert container(deployments["web-v2"])["image"] == "example/app:2.0"
    selectors = [tuple(sorted(item["spec"]["selector"]["matchLabels"].items())) for item in deployments.values()]
    assert max(Counter(selectors).values()) == 1  # or they would fight for each other's pods


def test_several_pods_are_spread_and_never_evicted_all_at_once(helm: Helm) -> None:
    kinds = rendered(helm, values_of(TWO_VERSIONS))
    one, three = sorted(kinds["Deployment"], key=lambda item: int(item["spec"]["replicas"]))
    assert (one["spec"]["replicas"], three["spec"]["replicas"]) == (1, 3)
    assert "topologySpreadConstraints" not in pod(one)["spec"]
    spread = pod(three)["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for one in spread:
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"  # a lost zone must not keep pods from the others
        assert one["labelSelector"]["matchLabels"] == three["spec"]["selector"]["matchLabels"]
    [budget] = kinds["PodDisruptionBudget"]  # one for a single pod would block every drain of its node
    assert budget["metadata"]["name"] == three["metadata"]["name"]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["spec"]["selector"]["matchLabels"] == three["spec"]["selector"]["matchLabels"]


def test_a_rollout_takes_no_pod_away_before_another_is_ready(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller()))["Deployment"]
    assert deployment["spec"]["strategy"] == {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert deployment["spec"]["minReadySeconds"] > 0


SIDECAR_DRAINS = 30
"""Seconds for which the sidecar of a pod that ends goes on (``connectInject.sidecarProxy.lifecycle`` of the chart)."""


def test_a_pod_that_ends_serves_until_its_callers_know(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller()))["Deployment"]
    sleep = container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < sleep < SIDECAR_DRAINS < pod(deployment)["spec"]["terminationGracePeriodSeconds"]


def test_a_slow_start_is_not_taken_for_a_hang(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller()))["Deployment"]
    found = container(deployment)
    assert found["startupProbe"]["periodSeconds"] * found["startupProbe"]["failureThreshold"] == 180
    # An application that answers too late is busy: a restart would make that worse.
    assert found["livenessProbe"].keys() == {"tcpSocket", "periodSeconds", "timeoutSeconds"}


@pytest.mark.parametrize("security", Security)
def test_a_pod_has_a_token_of_kubernetes_only_to_sign_in_to_consul(helm: Helm, security: Security) -> None:
    declared = replace(COMMUNITY_DEMO, platform=replace(COMMUNITY_DEMO.platform, security=security))
    [deployment] = rendered(helm, release_values(declared, declared.service("web")))["Deployment"]
    assert pod(deployment)["spec"]["automountServiceAccountToken"] is (security is Security.ZERO_TRUST)


def test_services_beside_it_put_no_variables_into_a_pod(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller()))["Deployment"]
    assert pod(deployment)["spec"]["enableServiceLinks"] is False


def test_a_container_has_no_more_rights_than_its_image_asks_for(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller()))["Deployment"]
    assert container(deployment)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert "securityContext" not in pod(deployment)["spec"]


def test_an_application_may_listen_on_a_port_like_80(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller(), port=80))["Deployment"]
    sysctl = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    assert pod(deployment)["spec"]["securityContext"] == {"sysctls": [sysctl]}


def test_names_that_yaml_takes_for_something_else(helm: Helm) -> None:
    versions = {"1": Version(env={"Y": "1"}), "true": Version(count=2)}
    odd = service("on", runs_on=Kubernetes(), versions=versions, split={"1": 50, "true": 50})
    kinds = rendered(helm, values_of(odd))
    assert {manifest["metadata"]["name"] for kind in ("Service", "ServiceAccount") for manifest in kinds[kind]} == {
        "on"
    }
    assert {deployment["metadata"]["name"] for deployment in kinds["Deployment"]} == {"on-1", "on-true"}
    assert {annotations(deployment)["service-meta-version"] for deployment in kinds["Deployment"]} == {"1", "true"}
    assert any({"name": "Y", "value": "1"} in container(deployment)["env"] for deployment in kinds["Deployment"])


def test_large_numbers_stay_whole(helm: Helm) -> None:
    # Helm reads numbers as floats, and Go writes a million of those as 1e+06.
    [deployment] = rendered(helm, values_of(caller(), runs_on=Kubernetes(cpu=1_000_000, memory=2_097_152)))[
        "Deployment"
    ]
    assert container(deployment)["resources"]["requests"] == {"cpu": "1000000m", "memory": "2097152Mi"}


@pytest.mark.parametrize(
    ("protocol", "probe"),
    [
        ("http", {"httpGet": {"path": "/ready", "port": "app"}}),
        ("http2", {"httpGet": {"path": "/ready", "port": "app"}}),
        ("grpc", {"tcpSocket": {"port": "app"}}),
        ("tcp", {"tcpSocket": {"port": "app"}}),
    ],
)
def test_a_pod_is_probed_as_it_speaks(helm: Helm, protocol: str, probe: dict[str, Any]) -> None:
    health = Health(path="/ready", interval="5s", timeout="2s")
    [deployment] = rendered(helm, values_of(caller(), protocol=protocol, health=health))["Deployment"]
    found = container(deployment)
    assert found["readinessProbe"] == {**probe, "periodSeconds": 5, "timeoutSeconds": 2}
    assert [port["name"] for port in found["ports"]] == ["app"]


def test_a_container_asks_for_what_is_declared_and_may_not_grow(helm: Helm) -> None:
    [deployment] = rendered(helm, values_of(caller(), runs_on=Kubernetes(cpu=250, memory=512)))["Deployment"]
    assert container(deployment)["resources"] == {
        "requests": {"cpu": "250m", "memory": "512Mi"},
        "limits": {"memory": "512Mi"},
    }


TEXTS = [
    "",
    "true",
    "5",
    "a: b",
    "- a",
    "{{ .Values.name }}",
    'say "hi"',
    "two\nlines\t",
    "\\n",
    "\\ud83d\\ude00",
    " a ",
    "#",
]
STRANGE = ["süß ☃ 😀", "e\u0301", "\ufeff", "\u2028", "\x7f", "\x85", "\x07", "\U0010ffff"]


@pytest.mark.parametrize("text", TEXTS + STRANGE)
def test_a_variable_arrives_as_it_was_declared(helm: Helm, text: str) -> None:
    [deployment] = rendered(helm, values_of(caller(), env={"TEXT": text}))["Deployment"]
    assert {"name": "TEXT", "value": text} in container(deployment)["env"]


@pytest.mark.parametrize(
    ("text", "written"), [("$(NAME)", "$$(NAME)"), ("a$$b", "a$$$$b"), ("${NAME}", "$${NAME}"), ("5$", "5$$")]
)
def test_kubernetes_expands_nothing_in_a_variable(helm: Helm, text: str, written: str) -> None:
    # Of two dollars it makes one (kubernetes third_party/forked/golang/expansion/expand.go).
    [deployment] = rendered(helm, values_of(caller(), env={"TEXT": text}))["Deployment"]
    assert {"name": "TEXT", "value": written} in container(deployment)["env"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("upstream",), "api:9091"),
        (("health", "interval"), 10),
        (("workloads", 0, "replica"), 2),
        (("resources", "cpus"), 1),
        (("port",), "9090"),
        (("port",), 0),
        (("upstreams",), ["api:9091"]),
        (("protocol",), "udp"),
        (("health", "path"), "health"),
        (("workloads", 0, "replicas"), "1"),
        (("workloads", 0, "env", "DEBUG"), True),
        (("workloads",), []),
        (("name",), "Web"),
        (("name",), "1st"),
        (("name",), "a" * 54),
        (("serviceAccountToken",), "false"),
    ],
)
def test_the_schema_refuses_what_is_misspelt_or_of_another_type(helm: Helm, path: tuple[Any, ...], value: Any) -> None:
    values = copy.deepcopy(values_of(caller()))
    target = values
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    refused = helm.render(SERVICE, values)
    assert refused.returncode != 0
    assert "values don't meet the specifications of the schema" in refused.stderr


# Secrets for the Consul chart


def declared_secrets() -> Any:
    """The values without what is write-only."""
    platform = replace(DEMO.platform, security=Security.ZERO_TRUST)
    return {"secrets": {item.name: {"key": item.key, "base64": item.base64} for item in cluster_secrets(platform)}}


SET = (
    "--set-string",
    f"secrets.consul-ca.value={PEM_BASE64}",
    "--set-string",
    f"secrets.consul-bootstrap-token.value={TOKEN}",
)
"""What Terraform's provider does with `set_wo`: the same parser, on top of the values."""


def test_secrets_without_warning(helm: Helm) -> None:
    linted = helm.lint(SECRETS, declared_secrets(), *SET)
    assert linted.returncode == 0, linted.stdout


def test_secrets_hold_the_certificate_and_the_token(helm: Helm) -> None:
    manifests = helm.manifests(SECRETS, declared_secrets(), *SET)
    assert {manifest["kind"] for manifest in manifests} == {"Secret"}
    data = {manifest["metadata"]["name"]: manifest["data"] for manifest in manifests}
    assert data == {
        "consul-ca": {"tls.crt": PEM_BASE64},
        "consul-bootstrap-token": {"token": base64.b64encode(TOKEN.encode()).decode()},
    }
    assert base64.b64decode(data["consul-ca"]["tls.crt"]).decode() == PEM


@pytest.mark.parametrize("given", [(), SET[:2], SET[2:], (*SET, "--set-string", "secrets.consul-ca.value=")])
def test_a_secret_without_its_value_is_refused(helm: Helm, given: tuple[str, ...]) -> None:
    # The provider forgets write-only values in an update that does not raise their revision.
    refused = helm.render(SECRETS, declared_secrets(), *given)
    assert refused.returncode != 0
    assert "values don't meet the specifications of the schema" in refused.stderr


@pytest.mark.parametrize("given", [PEM, PEM_BASE64[:-1], f"{PEM_BASE64}\n", "no base64"])
def test_what_should_be_base64_and_is_not_is_refused_and_not_shown(helm: Helm, given: str) -> None:
    refused = helm.render(SECRETS, declared_secrets(), *SET, "--set-string", f"secrets.consul-ca.value={given}")
    assert refused.returncode != 0
    assert "secret consul-ca is not the base64 that was expected" in refused.stderr
    assert given not in refused.stderr


def test_a_misspelt_key_of_a_secret_is_refused(helm: Helm) -> None:
    refused = helm.render(SECRETS, declared_secrets(), *SET, "--set-string", "secrets.consul-ca.vlaue=x")
    assert refused.returncode != 0
    assert "vlaue" in refused.stderr
