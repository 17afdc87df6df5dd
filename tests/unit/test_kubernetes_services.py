"""Values of the chart of a service on Kubernetes."""

from dataclasses import replace

import pytest
import yaml

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.kubernetes.services import namespace, release_values
from mesh.model import Environment, Flat, Health, Kubernetes, Security, Upstream, Version
from mesh.terraform import plain_yaml, yaml_literal
from tests.unit.examples import ENTERPRISE, caller, environment, service

WEB = {
    "name": "web",
    "protocol": "http",
    "port": 9090,
    "serviceAccountToken": False,
    "upstreams": "api.svc.default.ns.default.ap:9091",
    "health": {"path": "/health", "intervalSeconds": 10, "timeoutSeconds": 3},
    "workloads": [
        {
            "name": "web",
            "image": "nicholasjackson/fake-service:v0.26.2",
            "replicas": 1,
            "env": {
                "LISTEN_ADDR": "0.0.0.0:9090",
                "NAME": "web",
                "UPSTREAM_URIS": "http://localhost:9091",
                "MESSAGE": "Hello World",
            },
        }
    ],
    "resources": {"cpu": 100, "memory": 64},
}


def web(declared: Environment) -> dict[str, object]:
    return release_values(declared, declared.services_by_name()["web"])


def test_web_of_the_guide() -> None:
    assert web(DEMO) == WEB


@pytest.mark.parametrize("declared", [COMMUNITY_DEMO, PRODUCTION])
def test_an_upstream_of_the_community_edition_is_a_bare_name(declared: Environment) -> None:
    assert web(declared)["upstreams"] == "api:9091"


def test_a_pod_can_sign_in_to_consul_where_it_has_to() -> None:
    secured = replace(COMMUNITY_DEMO.platform, security=Security.ZERO_TRUST)
    assert web(replace(COMMUNITY_DEMO, platform=secured)) == {
        **WEB,
        "upstreams": "api:9091",
        "serviceAccountToken": True,
    }


def test_an_upstream_says_where_it_lives_only_in_enterprise() -> None:
    # `other` runs beside its caller, in AKS's partition; `api` on the VMs, in `default`.
    upstreams = (Upstream("api", local_port=9191), Upstream("other", local_port=9192))
    services = (service("api"), service("other", runs_on=Kubernetes()), caller("web", *upstreams))
    assert web(environment(*services))["upstreams"] == "api:9191,other:9192"
    assert web(environment(*services, platform=ENTERPRISE))["upstreams"] == (
        "api.svc.default.ns.default.ap:9191,other.svc.default.ns.k8s.ap:9192"
    )
    assert web(environment(*services, platform=replace(ENTERPRISE, topology=Flat())))["upstreams"] == (
        "api.svc.default.ns.default.ap:9191,other.svc.default.ns.default.ap:9192"
    )


def test_without_upstreams_nothing_is_annotated() -> None:
    alone = service("web", runs_on=Kubernetes())
    assert web(environment(alone))["upstreams"] == ""


def test_each_version_is_a_workload_of_the_one_service() -> None:
    versions = {"v1": Version(), "v2": Version(image="example/app:2.0", count=3, env={"MODE": "new"})}
    split = service("web", runs_on=Kubernetes(count=2), versions=versions, split={"v1": 50, "v2": 50}, env={"A": "1"})
    values = web(environment(split))
    assert values["name"] == "web"
    assert values["workloads"] == [
        {
            "name": "web-v1",
            "version": "v1",
            "image": "example/app:1.0",
            "replicas": 2,
            "env": {"LISTEN_ADDR": "0.0.0.0:9091", "NAME": "web-v1", "A": "1"},
        },
        {
            "name": "web-v2",
            "version": "v2",
            "image": "example/app:2.0",
            "replicas": 3,
            "env": {"LISTEN_ADDR": "0.0.0.0:9091", "NAME": "web-v2", "A": "1", "MODE": "new"},
        },
    ]


def test_durations_are_whole_seconds_and_never_none() -> None:
    health = Health(path="/ready", interval="1500ms", timeout="250ms")
    probed = service("web", runs_on=Kubernetes(), health=health)
    assert web(environment(probed))["health"] == {"path": "/ready", "intervalSeconds": 2, "timeoutSeconds": 1}


def test_resources_and_namespace_are_the_declared_ones() -> None:
    declared = service("web", runs_on=Kubernetes(namespace="shop", cpu=250, memory=512))
    assert web(environment(declared))["resources"] == {"cpu": 250, "memory": 512}
    assert namespace(declared) == "shop"


def test_a_service_of_the_demo_is_not_in_the_namespace_of_the_consul_chart() -> None:
    assert namespace(DEMO.services_by_name()["web"]) == "demo"


def test_a_service_on_nomad_has_no_release() -> None:
    api = DEMO.services_by_name()["api"]
    with pytest.raises(TypeError, match='"api" does not run on Kubernetes'):
        release_values(DEMO, api)
    with pytest.raises(TypeError, match='"api" does not run on Kubernetes'):
        namespace(api)


@pytest.mark.parametrize(
    "text", ["a", "ü", "\u2028", "😀", "\U0010ffff", "\x7f", "\x85", "\\ud83d", 'a"b', "${a} %{b}"]
)
def test_values_are_yaml_whatever_they_say(text: str) -> None:
    # JSON's two surrogates for one character are an error in YAML.
    written = plain_yaml({text: [text, 1, True, None]})
    assert written.isascii()
    assert yaml.safe_load(written) == {text: [text, 1, True, None]}


def test_yaml_is_escaped_for_terraform() -> None:
    assert yaml_literal({"a": "${b}"}) == '{"a":"$${b}"}'
