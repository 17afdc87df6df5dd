"""The config entries that the guide prints, as it prints them: the findings say what is wrong with each."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from mesh.consul.judge import judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form

PRINTED: Final = json.loads(
    (Path(__file__).parent.parent / "data" / "guide-config-entries.json").read_text(encoding="utf-8")
)


def entry(resource: dict[str, Any]) -> dict[str, Any]:
    """A ``consul_config_entry`` as one object: the arguments overwrite what is in ``config_json``."""
    places = {key.title(): resource[key] for key in ("partition", "namespace") if key in resource}
    return {**resource["config_json"], "Kind": resource["kind"], "Name": resource["name"], **places}


def found(edition: Edition) -> dict[str, set[tuple[str, str]]]:
    judged = judge([entry(resource) for resource in PRINTED], Form.AUTHORED, edition)
    return {
        resource["resource"]: {(finding.rule, finding.path) for finding in each.findings}
        for resource, each in zip(PRINTED, judged, strict=True)
    }


MISSPELT: Final = {
    (rule, f"Routes[{route}].Match.HTTP.{path}")
    for route in (2, 3)
    for rule, path in (
        ("key-case", "queryParam"),
        ("value-type-loose", "QueryParam"),
        ("key-case", "QueryParam[0].name"),
        ("key-case", "QueryParam[0].exact"),
    )
}


@pytest.mark.parametrize(
    ("resource", "rules"),
    [
        ("proxy_defaults", {("config-key", 'Config["Protocol"]')}),
        ("exported_services_k8s", set()),
        ("exported_services_vm", set()),
        ("ingress_gateway", {("ingress-protocol", "Listeners[0].Services[0]")}),  # no proxy-defaults in its partition
        ("web-consul", {("key-unknown", "UpstreamConfig.Defaults.passive_health_check")}),
        ("api", set()),
        ("service_router", MISSPELT),
        ("service_splitter", set()),
        ("service_resolver", set()),
    ],
)
def test_on_enterprise_as_the_guide_is_meant(resource: str, rules: set[tuple[str, str]]) -> None:
    assert found(Edition.ENTERPRISE)[resource] == rules


def test_on_community_every_partition_is_found_too() -> None:
    community = {resource: {rule for rule, _ in rules} for resource, rules in found(Edition.COMMUNITY).items()}
    assert community["exported_services_k8s"] == {
        "enterprise-ignored",  # a consumer that is a partition: exported to nobody
        "enterprise-lost",
        "enterprise-only",
        "exports-name",
    }
    assert "enterprise-ignored" in community["service_router"]
    for resource in ("exported_services_vm", "ingress_gateway", "web-consul", "api"):
        assert "enterprise-only" in community[resource]
    assert not community["service_splitter"] | community["service_resolver"]


def test_what_the_server_fills_in_is_written_so_that_no_plan_shows_it() -> None:
    router = next(resource for resource in PRINTED if resource["resource"] == "service_router")
    (judged,) = judge([{**entry(router), "Partition": "default"}], Form.AUTHORED, Edition.ENTERPRISE, alone=True)
    assert judged.entry
    destinations = [route["Destination"] for route in judged.entry.body()["Routes"]]
    assert all((to["Namespace"], to["Partition"]) == ("default", "default") for to in destinations)
