"""The real Terraform core over every stack of every environment: what it reads, plans and evaluates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh import names
from mesh.consul.policy import entries
from mesh.nomad.jobs import jobs, specification
from mesh.terraform import plain_json
from mesh.topology import clusters
from tests.declared import DECLARED
from tests.output import CANARY, Synthesized, unescaped
from tests.shadow import Terraform, evaluated, pending, problems, shadow
from tests.variations import VARIATIONS

pytestmark = pytest.mark.terraform

VARIABLES = {"infra": {"admin_ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample"}}


CASES = [
    (name, stack) for name, environment in {**DECLARED, **VARIATIONS}.items() for stack in names.stacks(environment)
]


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Each stack of each environment in turn."""
    environment, stack = request.param
    return environment, stack


@pytest.fixture
def synthesized(case: tuple[str, str], output_of: Callable[[str], Synthesized]) -> Synthesized:
    """The output of the environment."""
    return output_of(case[0])


@pytest.fixture
def stack_id(case: tuple[str, str]) -> str:
    """The stack."""
    return case[1]


@pytest.fixture
def ready(terraform: Path, synthesized: Synthesized, stack_id: str, tmp_path: Path) -> Terraform:
    """Terraform in a folder with the shadow of a stack."""
    stack = synthesized.stacks[stack_id]
    assert problems(stack, synthesized.texts[stack_id]) == []
    ready = Terraform(tmp_path / "stack", terraform)
    ready.write(shadow(stack, states=tmp_path / "states"))
    ready.init()
    return ready


def test_terraform_plans_what_was_meant_and_then_nothing(
    ready: Terraform, synthesized: Synthesized, stack_id: str
) -> None:
    assert ready.validate() == []
    variables = VARIABLES.get(stack_id, {})
    plan = ready.plan(variables)
    planned = evaluated(plan)
    written = {
        f"{kind}.{name}": resource
        for kind, named in synthesized.stacks[stack_id].get("resource", {}).items()
        for name, resource in named.items()
    }
    assert written.keys() <= planned.keys()
    for address, resource in written.items():
        for kind, argument in (("consul_config_entry", "config_json"), ("nomad_job", "jobspec")):
            if address.startswith(f"{kind}."):
                assert planned[address][argument] == unescaped(resource[argument]), address
        for index, values in enumerate(resource.get("values", [])):
            assert planned[address]["values"][index] == unescaped(values), address
    state = ready.apply(variables)
    assert CANARY not in json.dumps(state)
    assert pending(ready.plan(variables)) == {}


def test_terraform_gives_back_the_cores_values_byte_for_byte(
    ready: Terraform, synthesized: Synthesized, stack_id: str
) -> None:
    if stack_id not in {"policy", "workloads"}:
        return
    planned = evaluated(ready.plan())
    environment = synthesized.environment
    there = clusters(environment.platform)
    if stack_id == "policy":
        bodies = sorted(plain_json(entry.body()) for cluster in there for entry in entries(environment, cluster))
        assert sorted(item["config_json"] for item in of_type(planned, "consul_config_entry")) == bodies
    else:
        derived = [
            plain_json(specification(environment, job)) for cluster in there for job in jobs(environment, cluster)
        ]
        specs = sorted([*derived, *(job.text for job in environment.extra_jobs)])
        found = sorted(item["jobspec"] for item in of_type(planned, "nomad_job"))
        assert found == specs
        runtime = [spec for spec in found if "${NOMAD_" in spec]
        assert runtime or not any("NOMAD_" in spec for spec in specs)


def of_type(planned: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Evaluated arguments of all resources of one type."""
    return [arguments for address, arguments in planned.items() if address.startswith(f"{kind}.")]
