"""The real Terraform on small shadowed stacks: what it evaluates, and which mistakes it still sees."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shadow import Terraform, TerraformError, evaluated, left_out, pending, problems, shadow
from tests.shadow.declarations import Json

pytestmark = pytest.mark.terraform

JOB = json.dumps(
    {
        "Job": {
            "ID": "api",
            "Env": {
                "DIR": "${NOMAD_ALLOC_DIR}/x",
                "FORMAT": "%{http_code} $${kept}",
                "ODD": '\u00e9 "quoted" \\ $1 100%',
            },
        },
    },
)
VARIABLES = {"licence": "secret-licence", "region": "koreacentral"}


def literal(text: str) -> str:
    """Return the template that Terraform reads as this text."""
    return text.replace("${", "$${").replace("%{", "%%{")


STACK: Json = {
    "//": {"metadata": {"stackName": "policy", "version": "0.21.0"}},
    "terraform": {
        "required_version": ">= 1.11",
        "required_providers": {"consul": {"source": "hashicorp/consul", "version": "2.22.1"}},
        "backend": {"local": {"path": "terraform.policy.tfstate"}},
    },
    "variable": {
        "licence": {"type": "string", "sensitive": True, "ephemeral": True},
        "region": {"type": "string"},
    },
    "provider": {
        "azurerm": [{"features": [{}]}],
        "consul": [{"address": "https://consul.${var.region}.example.com", "token": "${ephemeral.s.token.value}"}],
        "helm": [
            {
                "kubernetes": {
                    "host": "${data.azurerm_kubernetes_cluster.aks.kube_config[0].host}",
                    "client_key": "${base64decode(data.azurerm_kubernetes_cluster.aks.kube_config[0].client_key)}",
                },
            },
        ],
    },
    "data": {
        "azurerm_kubernetes_cluster": {"aks": {"name": "aks-${var.region}"}},
        "azurerm_key_vault": {"vault": {"name": "kv"}},
    },
    "ephemeral": {
        "s": {"token": {"key_vault_id": "${data.azurerm_key_vault.vault.id}", "name": "token"}},
    },
    "resource": {
        "consul_config_entry": {
            "defaults": {"kind": "service-defaults", "name": "api", "config_json": '{"Protocol":"http"}'},
            "router": {
                "//": {"uniqueId": "router"},
                "kind": "service-router",
                "name": "${consul_config_entry.defaults.name}",
                "config_json": literal('{"Routes":[{"Regex":"^/${1}/%{x}"}]}'),
                "depends_on": ["consul_config_entry.defaults"],
                "lifecycle": {"ignore_changes": ["config_json"], "prevent_destroy": True},
            },
        },
        "nomad_job": {"api": {"jobspec": literal(JOB), "json": True}},
        "helm_release": {
            "consul": {
                "name": "consul",
                "values": ["${jsonencode({datacenter = var.region, vault = data.azurerm_key_vault.vault.name})}"],
                "set_wo": [
                    {"name": "licence", "value": "${var.licence}"},
                    {"name": "token", "value": "${ephemeral.s.token.value}"},
                ],
                "set_wo_revision": 1,
                "lifecycle": {
                    "postcondition": [
                        {"condition": '${self.status == "deployed"}', "error_message": "not deployed"},
                        {"condition": '${self.name == "consul"}', "error_message": "wrong name"},
                    ],
                },
            },
            "other": {"count": 2, "name": "other-${count.index}"},
        },
    },
    "output": {
        "name": {"value": "${consul_config_entry.router.name}"},
        "others": {"value": "${helm_release.other[*].name}"},
        "cluster": {"value": "${data.azurerm_kubernetes_cluster.aks.kube_config_raw}", "sensitive": True},
    },
    "moved": [{"from": "consul_config_entry.old", "to": "consul_config_entry.router"}],
    "check": {"named": {"assert": [{"condition": '${nomad_job.api.name == "api"}', "error_message": "wrong"}]}},
}

Change = Callable[[Json], None]


@pytest.fixture
def place(terraform: Path, tmp_path: Path) -> Callable[[Json], Terraform]:
    """Terraform, initialised, with the shadow of a stack."""

    def placed(stack: Json, name: str = "stack") -> Terraform:
        ready = Terraform(tmp_path / "stacks" / name, terraform)
        ready.write(shadow(stack))
        ready.init()
        return ready

    return placed


def test_a_sound_stack_is_planned_applied_and_then_left_alone(place: Callable[[Json], Terraform]) -> None:
    assert problems(STACK, json.dumps(STACK)) == []
    ready = place(STACK)
    assert ready.validate() == []

    plan = ready.plan(VARIABLES)
    assert set(pending(plan)) == {
        "consul_config_entry.defaults",
        "consul_config_entry.router",
        "data.azurerm_key_vault.vault",
        "data.azurerm_kubernetes_cluster.aks",
        "helm_release.consul",
        "helm_release.other[0]",
        "helm_release.other[1]",
        "nomad_job.api",
    }
    state = ready.apply(VARIABLES)

    assert "secret-licence" not in json.dumps(plan) + json.dumps(state)
    assert state["values"]["outputs"]["others"]["value"] == ["other-0", "other-1"]
    assert pending(ready.plan(VARIABLES)) == {}


def test_what_terraform_evaluates_is_what_was_meant(place: Callable[[Json], Terraform]) -> None:
    found = evaluated(place(STACK).plan(VARIABLES))
    assert found["nomad_job.api"] == {"jobspec": JOB, "json": True}
    assert found["consul_config_entry.router"] == {
        "kind": "service-router",
        "name": "api",
        "config_json": '{"Routes":[{"Regex":"^/${1}/%{x}"}]}',
    }
    assert found["helm_release.consul"] == {
        "name": "consul",
        "values": ['{"datacenter":"koreacentral","vault":"kv"}'],
        "set_wo_revision": 1,
    }
    assert found["helm_release.other[1]"] == {"name": "other-1"}
    assert found["data.azurerm_kubernetes_cluster.aks"] == {"name": "aks-koreacentral"}


def test_edges_stay(place: Callable[[Json], Terraform]) -> None:
    state = place(STACK).apply(VARIABLES)
    depends_on = {
        resource["address"]: set(resource.get("depends_on", []))
        for resource in state["values"]["root_module"]["resources"]
    }
    aks = "terraform_data.data__azurerm_kubernetes_cluster__aks"
    vault = "terraform_data.data__azurerm_key_vault__vault"
    # Through the provider's configuration, its write-only arguments and the ephemeral secret that both read.
    assert depends_on["terraform_data.helm_release__consul"] == {aks, vault}
    assert depends_on["terraform_data.consul_config_entry__router"] == {
        "terraform_data.consul_config_entry__defaults",
        vault,
    }
    assert depends_on["terraform_data.nomad_job__api"] == set()


def test_a_stack_reads_the_outputs_of_another(place: Callable[..., Terraform]) -> None:
    def cloud(name: str) -> Json:
        return {"organization": "acme", "workspaces": {"name": name}}

    producer = {"terraform": {"cloud": cloud("infra")}, "output": {"id": {"value": "net-1"}}}
    read = {"infra": {"backend": "remote", "config": cloud("infra")}}
    consumer = {
        "terraform": {"cloud": cloud("policy")},
        "data": {"terraform_remote_state": read},
        "resource": {"a_b": {"c": {"id_of": "${data.terraform_remote_state.infra.outputs.id}"}}},
    }
    place(producer, "infra").apply()
    assert evaluated(place(consumer, "policy").plan())["a_b.c"] == {"id_of": "net-1"}

    wrong_output = json.loads(json.dumps(consumer).replace("outputs.id", "outputs.lost"))
    with pytest.raises(TerraformError, match="does not have an attribute named"):
        place(wrong_output, "policy").plan()
    wrong_state = json.loads(json.dumps(consumer).replace('"infra"}}', '"lost"}}'))
    with pytest.raises(TerraformError, match="Unable to find remote state"):
        place(wrong_state, "policy").plan()


def test_an_import_and_an_ignored_change(place: Callable[[Json], Terraform]) -> None:
    stack: Json = {
        "resource": {"a_b": {"c": {"x": 1, "y": {"z": 1}, "lifecycle": {"ignore_changes": ["y[0].z"]}}}},
        "import": [{"to": "a_b.c", "id": "there"}],
    }
    place(stack).apply()
    stack["resource"]["a_b"]["c"]["y"] = {"z": 2}
    assert pending(place(stack).plan()) == {}
    stack["resource"]["a_b"]["c"]["x"] = 2
    assert pending(place(stack).plan()) == {"a_b.c": ["update"]}


def test_dynamic_content_is_left_out_and_the_rest_is_checked(place: Callable[[Json], Terraform]) -> None:
    dynamic = {"set": {"for_each": ["a", "b"], "content": {"name": "${set.value}"}}}
    stack: Json = {"resource": {"a_b": {"c": {"dynamic": dynamic}}}}
    assert len(left_out(shadow(stack))) == 1
    assert evaluated(place(stack).plan())["a_b.c"] == {"dynamic": {"set": [["a", "b"]]}}

    dynamic["set"]["for_each"] = "${a_b.lost.x}"
    with pytest.raises(TerraformError, match=r'"a_b" "lost" has not been declared'):
        place(stack).validate()


def set_router(key: str, value: object) -> Change:
    """Change one argument of the router."""

    def change(stack: Json) -> None:
        stack["resource"]["consul_config_entry"]["router"][key] = value

    return change


def set_defaults(key: str, value: object) -> Change:
    """Change one argument of what the router depends on."""

    def change(stack: Json) -> None:
        stack["resource"]["consul_config_entry"]["defaults"][key] = value

    return change


def set_provider(key: str, value: object) -> Change:
    """Change one argument of the configuration of consul's provider."""

    def change(stack: Json) -> None:
        stack["provider"]["consul"][0][key] = value

    return change


def set_secret(key: str, value: object) -> Change:
    """Change one argument of the ephemeral secret."""

    def change(stack: Json) -> None:
        stack["ephemeral"]["s"]["token"][key] = value

    return change


def set_version(stack: Json) -> None:
    """Ask for a Terraform that does not exist."""
    stack["terraform"]["required_version"] = ">= 99"


def expose_cluster(stack: Json) -> None:
    """Forget that an output is sensitive."""
    stack["output"]["cluster"].pop("sensitive")


def keep_moved(stack: Json) -> None:
    """Move an object to another that is still there."""
    stack["moved"] = [{"from": "consul_config_entry.defaults", "to": "consul_config_entry.router"}]


def add_output(value: str) -> Change:
    """Add an output."""

    def change(stack: Json) -> None:
        stack["output"]["added"] = {"value": value}

    return change


MISTAKES: dict[str, tuple[str, Change, str]] = {
    "required version": ("init", set_version, "Unsupported Terraform Core version"),
    "unescaped runtime expression": ("validate", set_router("config_json", "${NOMAD_ALLOC_DIR}"), "Invalid reference"),
    "unescaped attribute": ("validate", set_router("config_json", "${attr.unique.hostname}"), "undeclared resource"),
    "unescaped directive": ("validate", set_router("config_json", "%{http_code}"), "Invalid template control keyword"),
    "unterminated": ("validate", set_router("config_json", "${consul_config_entry.defaults.id"), "Unclosed template"),
    "undeclared reference": (
        "validate",
        set_router("name", "${consul_config_entry.lost.name}"),
        'A managed resource "consul_config_entry" "lost" has not been declared',
    ),
    "undeclared data source": (
        "validate",
        set_router("name", "${data.azurerm_key_vault.lost.name}"),
        'A data resource "azurerm_key_vault" "lost" has not been declared',
    ),
    "undeclared dependency": (
        "validate",
        set_router("depends_on", ["consul_config_entry.lost"]),
        'A managed resource "consul_config_entry" "lost" has not been declared',
    ),
    "undeclared variable": ("validate", set_router("name", "${var.lost}"), "undeclared input variable"),
    "undeclared in a provider": ("validate", set_provider("address", "${consul_acl.lost.id}"), "undeclared resource"),
    "undeclared in an ephemeral resource": ("validate", set_secret("name", "${a_b.lost.id}"), "undeclared resource"),
    "undeclared dependency of an ephemeral resource": (
        "validate",
        set_secret("depends_on", ["a_b.lost"]),
        'A managed resource "a_b" "lost" has not been declared',
    ),
    "cycle of references": (
        "validate",
        set_defaults("name", "${consul_config_entry.router.kind}"),
        "Cycle: ",
    ),
    "cycle of dependencies": ("validate", set_defaults("depends_on", ["consul_config_entry.router"]), "Cycle: "),
    "cycle through a provider": (
        "validate",
        set_provider("address", "${consul_config_entry.defaults.name}"),
        "Cycle: ",
    ),
    "unknown function": ("validate", set_router("name", "${shout(var.region)}"), "Call to unknown function"),
    "ephemeral value of a secret": (
        "validate",
        set_router("name", "${ephemeral.s.token.value}"),
        "Ephemeral values are not valid for",
    ),
    "ephemeral argument of a secret": (
        "validate",
        set_router("name", "${ephemeral.s.token.name}"),
        "Ephemeral values are not valid for",
    ),
    "ephemeral value of a variable": (
        "validate",
        set_router("name", "${var.licence}"),
        "Ephemeral values are not valid for",
    ),
    "ephemeral value in an output": (
        "validate",
        add_output("${ephemeral.s.token.name}"),
        "Ephemeral value not allowed",
    ),
    "wrong trigger": (
        "plan",
        set_router("lifecycle", {"replace_triggered_by": ["consul_config_entry.lost"]}),
        "lost",
    ),
    "missing instance": ("plan", set_router("name", "${helm_release.other[5].name}"), "Invalid index"),
    "function argument": (
        "plan",
        set_router("name", "${base64decode(nomad_job.api.jobspec)}"),
        "Error in function call",
    ),
    "read of a write-only argument": ("plan", add_output("${helm_release.consul.set_wo}"), "Unsupported attribute"),
    "sensitive output": ("validate", expose_cluster, "Output refers to sensitive values"),
    "moved object still there": ("plan", keep_moved, "Moved object still exists"),
    "self-reference": ("plan", set_router("name", "${consul_config_entry.router.kind}"), "Self-referential block"),
}


@pytest.mark.parametrize(("step", "change", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_found(terraform: Path, tmp_path: Path, step: str, change: Change, message: str) -> None:
    stack = copy.deepcopy(STACK)
    change(stack)
    ready = Terraform(tmp_path, terraform)
    ready.write(shadow(stack))
    steps: dict[str, Callable[[], object]] = {
        "init": ready.init,
        "validate": ready.validate,
        "plan": lambda: ready.plan(VARIABLES),
    }
    for earlier, run in steps.items():
        if earlier == step:
            break
        run()
    with pytest.raises(TerraformError) as caught:
        steps[step]()
    assert message in str(caught.value)
    assert caught.value.diagnostics


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"licence": "x"}, "No value for required variable"),
        ({"licence": "x", "region": ["a", "b"]}, "Invalid value for input variable"),
    ],
)
def test_variables_are_checked(place: Callable[[Json], Terraform], variables: Json, message: str) -> None:
    ready = place(STACK)
    assert ready.validate() == []
    with pytest.raises(TerraformError, match=message):
        ready.plan(variables)


def test_nothing_of_the_callers_environment_reaches_terraform(
    place: Callable[[Json], Terraform],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TF_VAR_region", "elsewhere")
    monkeypatch.setenv("TF_CLI_ARGS", "-no-such-flag")
    monkeypatch.setenv("TF_WORKSPACE", "other")
    ready = place(STACK)
    with pytest.raises(TerraformError, match="No value for required variable"):
        ready.plan({"licence": "x"})


def test_a_message_names_the_command_the_place_and_the_original_object(place: Callable[[Json], Terraform]) -> None:
    stack = copy.deepcopy(STACK)
    stack["resource"]["nomad_job"]["api"]["jobspec"] = "x" * 10_000 + "${consul_acl_policy.ops.id}"
    with pytest.raises(TerraformError) as caught:
        place(stack).validate()
    text = str(caught.value)
    assert text.startswith("terraform validate -json -no-color failed in ")
    assert "cdk.tf.json:" in text
    assert "${consul_acl_policy.ops.id}" in text
    assert len(text) < 1000
