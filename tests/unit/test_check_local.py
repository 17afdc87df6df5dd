"""What a mesh that is not on Azure cannot have: each rule refuses exactly what it says."""

from dataclasses import replace
from typing import Any, Final

import pytest

from mesh.check import check, local
from mesh.model import (
    ApiGateway,
    Azure,
    AzureStorage,
    Community,
    Enterprise,
    Environment,
    Flat,
    HcpTerraform,
    IngressGateway,
    Kubernetes,
    Listener,
    Nomad,
    Partition,
    Platform,
    Security,
    Upstream,
)
from mesh.model.backend import LocalState
from tests.declared import DECLARED
from tests.unit.examples import caller, environment, service, versioned

LOCAL: Final = Platform(edition=Community(), topology=Flat(), azure=None, servers=1, clients=1)
GATEWAY: Final = ApiGateway("gw", listeners=[Listener(80, "http", to="web")])

SOUND: Final = environment(
    versioned(), caller(runs_on=Nomad()), service("db", protocol="tcp"), platform=LOCAL, gateways=[GATEWAY]
)


def on(**changes: Any) -> Environment:
    """The sound environment on another platform."""
    return replace(SOUND, platform=replace(LOCAL, **changes))


def found(mesh: Environment) -> list[tuple[str, str]]:
    """What the rules of this module find, as path and rule."""
    return [(finding.path, finding.rule) for finding in local.check(mesh)]


REFUSED: Final = {
    "enterprise": (on(edition=Enterprise()), [("platform.edition", "local-enterprise")]),
    "partition": (on(topology=Partition("k8s")), [("platform.edition", "local-enterprise")]),
    "enterprise with a partition": (
        on(edition=Enterprise(), topology=Partition("k8s")),
        [("platform.edition", "local-enterprise")],
    ),
    "security": (on(security=Security.ZERO_TRUST), [("platform.security", "local-security")]),
    "three servers": (on(servers=3), [("platform.servers", "local-servers")]),
    "five servers": (on(servers=5), [("platform.servers", "local-servers")]),
    "HCP Terraform": (replace(SOUND, backend=HcpTerraform("example-org")), [("backend", "local-backend")]),
    "Azure's storage": (
        replace(SOUND, backend=AzureStorage(resource_group="rg", storage_account="tfstate42")),
        [("backend", "local-backend")],
    ),
    "services on Kubernetes": (
        environment(versioned(runs_on=Kubernetes()), caller(), service("db"), platform=LOCAL),
        [('services["api"].runs_on', "local-kubernetes"), ('services["web"].runs_on', "local-kubernetes")],
    ),
    "ingress gateway": (
        replace(SOUND, gateways=[GATEWAY, IngressGateway("in", listeners=[Listener(81, "http", to="web")])]),
        [('gateways["in"]', "local-kubernetes")],
    ),
}


@pytest.mark.parametrize(("mesh", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(mesh: Environment, expected: list[tuple[str, str]]) -> None:
    assert found(mesh) == expected


@pytest.mark.parametrize(("mesh", "expected"), REFUSED.values(), ids=REFUSED)
def test_the_judge_says_it_too(mesh: Environment, expected: list[tuple[str, str]]) -> None:
    assert set(expected) <= {(finding.path, finding.rule) for finding in check(mesh)}


@pytest.mark.parametrize("mesh", [mesh for mesh, _ in REFUSED.values()], ids=REFUSED)
def test_on_azure_nothing_of_it_is_refused(mesh: Environment) -> None:
    there = replace(mesh, platform=replace(mesh.platform, azure=Azure(region="koreacentral")))
    assert found(there) == []


def test_everything_is_said_at_once() -> None:
    mesh = replace(
        environment(service(runs_on=Kubernetes()), gateways=[IngressGateway("in", listeners=[])]),
        platform=replace(LOCAL, edition=Enterprise(), security=Security.ZERO_TRUST, servers=3),
        backend=HcpTerraform("example-org"),
    )
    assert [rule for _, rule in found(mesh)] == [
        "local-enterprise",
        "local-security",
        "local-servers",
        "local-backend",
        "local-kubernetes",
        "local-kubernetes",
    ]


def test_each_finding_says_what_to_do_or_to_go_to_azure() -> None:
    for mesh, _ in REFUSED.values():
        for finding in local.check(mesh):
            assert finding.fix.startswith("use ")
            assert finding.fix.endswith("or say where on Azure the mesh is: platform.azure=Azure(...)")


@pytest.mark.parametrize(
    "mesh",
    [
        SOUND,
        on(clients=3),
        replace(SOUND, backend=LocalState()),
        environment(service(), platform=LOCAL),
        environment(service(), service("b", upstreams=[Upstream("api", local_port=1)]), platform=LOCAL),
        DECLARED["lab"],
    ],
)
def test_sound(mesh: Environment) -> None:
    assert found(mesh) == []
    assert check(mesh) == ()
