"""Rewriting stacks for the check with the real Terraform: what becomes of each part."""

import json
from pathlib import Path, PurePosixPath

import pytest

from tests.shadow import (
    CANNED,
    Canned,
    Sensitive,
    ShadowError,
    Terraform,
    duplicate_keys,
    evaluated,
    find_terraform,
    left_out,
    pending,
    problems,
    shadow,
)
from tests.shadow.declarations import Json
from tests.shadow.templates import references, rewrite, sole_expression, sole_reference


def texts(value: object) -> list[str]:
    return [reference.text for reference in references(value)]


class TestTemplates:
    @pytest.mark.parametrize(
        ("template", "expected"),
        [
            ("plain", []),
            ("${a.b}", ["a.b"]),
            ("${a.b.c[0].d}-${e.f}", ["a.b.c[0].d", "e.f"]),
            ("%{ if a.b }yes%{ endif }", ["a.b"]),
            ("${~ a.b ~}", ["a.b"]),
            ("${ a . b }", ["a . b"]),
            ('${a.b["k"].*.c[*].0}', ['a.b["k"].*.c[*].0']),
            ("${a.b[c.d]}", ["a.b[c.d]", "c.d"]),
            ("${f(a.b...)}", ["a.b"]),
            ("${p::f(a.b)}", ["a.b"]),
            ("${{k = a.b}}", ["a.b"]),
            ("${f(x).a.b}", []),
            ("${1.5 + a-b.c}", ["a-b.c"]),
            ('${f("}${a.b}", "\\"${c.d}")}', ["a.b", "c.d"]),
            ('${"$${a.b}"}', []),
            ("${a.b /* } c.d */}", ["a.b"]),
            ("${a.b # c.d\n}", ["a.b"]),
        ],
    )
    def test_references(self, template: str, expected: list[str]) -> None:
        assert texts(template) == expected

    @pytest.mark.parametrize(
        "template",
        ["$${a.b}", "%%{a.b}", "$$${a.b}", "%$${a.b}", "$", "a$", "{a.b}", "$ {a.b}", "a.b"],
    )
    def test_escaped_and_plain_text_has_no_references(self, template: str) -> None:
        assert texts(template) == []

    @pytest.mark.parametrize("template", ["%${a.b}", "$%{ if a.b }%{ endif }", "$}${a.b}", "{${a.b}}"])
    def test_a_mark_of_the_other_kind_is_no_escape(self, template: str) -> None:
        assert texts(template) == ["a.b"]

    @pytest.mark.parametrize("template", ["${a.b", "x ${a.b} ${", '${"a.b}', "${a.b)}", "${f(a.b}", "${<<E\na.b\nE\n}"])
    def test_what_cannot_be_read_stays_as_it_is(self, template: str) -> None:
        assert texts(template) == []
        assert rewrite(template, lambda _: "lost") == template

    def test_replacing_leaves_everything_else_alone(self) -> None:
        template = '$${a.b} ${ f("${a.b}", c.d[a.b]) } %{ if x.y }a.b%{ endif }'

        replaced = rewrite(template, lambda reference: "NEW" if reference.text == "a.b" else None)

        assert replaced == '$${a.b} ${ f("${NEW}", c.d[NEW]) } %{ if x.y }a.b%{ endif }'

    def test_keys_and_nested_values_count(self) -> None:
        assert texts({"${a.b}": [{"x": "${c.d}"}, 1, None, True]}) == ["a.b", "c.d"]

    def test_a_bare_address(self) -> None:
        reference = sole_reference("data.t.n[0]")
        assert reference is not None
        assert [step.key for step in reference.steps] == ["t", "n", "0"]
        for other in ("a.b + 1", "", "${a.b}", "a.b["):
            assert sole_reference(other) is None

    def test_a_template_that_is_one_interpolation(self) -> None:
        assert sole_expression('${a.b == "}"}') == 'a.b == "}"'
        for other in ("${a}${b}", "x${a}", "${a", "a"):
            assert sole_expression(other) is None


def stack(resource: Json | None = None, **sections: object) -> Json:
    """Return a stack with resources to refer to, and whatever else is given."""
    resources = {
        "consul_acl_policy": {
            "ops": {
                "//": {"metadata": {"path": "policy/ops"}},
                "name": "ops",
                "identity": {"type": "SystemAssigned"},
                "rule": [{"port": 80}, {"port": 443}],
                "tags": {"team": "mesh"},
                "any": "${var.any}",
            },
            "many": {"count": 2, "name": "many"},
        },
    }
    return {"resource": {**resources, **(resource or {})}, **sections}


def shadowed_reference(expression: str, canned: Canned = CANNED) -> str:
    """Return what becomes of one reference in an argument."""
    result = shadow(stack({"reader": {"x": {"value": f"${{{expression}}}"}}}), canned=canned)
    value = result["resource"]["terraform_data"]["reader__x"]["input"]["value"]
    return str(value).removeprefix("${").removesuffix("}")


def stand_in(body: Json, **sections: object) -> tuple[Json, Json]:
    """Return what becomes of one resource `helm_release.x`, and the whole shadow."""
    result = shadow(stack({"helm_release": {"x": body}}, **sections))
    return result["resource"]["terraform_data"]["helm_release__x"], result


class TestReferences:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("consul_acl_policy.ops.name", "terraform_data.consul_acl_policy__ops.input.name"),
            ("resource.consul_acl_policy.ops.name", "terraform_data.consul_acl_policy__ops.input.name"),
            ("consul_acl_policy.ops.tags.team", "terraform_data.consul_acl_policy__ops.input.tags.team"),
            ('consul_acl_policy.ops.tags["x"]', 'terraform_data.consul_acl_policy__ops.input.tags["x"]'),
            ("consul_acl_policy.ops.tags[each.key]", "terraform_data.consul_acl_policy__ops.input.tags[each.key]"),
            ("consul_acl_policy.ops.rule[1].port", "terraform_data.consul_acl_policy__ops.input.rule[1].port"),
            ("consul_acl_policy.ops.rule[*].port", "terraform_data.consul_acl_policy__ops.input.rule[*].port"),
            ("consul_acl_policy.ops.any[0].x", "terraform_data.consul_acl_policy__ops.input.any[0].x"),
            ("consul_acl_policy.ops", "terraform_data.consul_acl_policy__ops.input"),
        ],
    )
    def test_arguments_are_read_from_the_input(self, written: str, expected: str) -> None:
        assert shadowed_reference(written) == expected

    @pytest.mark.parametrize("index", ["[0]", ".0"])
    def test_a_block_written_as_an_object_has_no_index(self, index: str) -> None:
        written = f"consul_acl_policy.ops.identity{index}.type"
        assert shadowed_reference(written) == "terraform_data.consul_acl_policy__ops.input.identity.type"

    @pytest.mark.parametrize("path", ["id", "other", "other[0].deep.x", "identity[0].principal_id", "rule[0].serial"])
    def test_what_the_provider_computes_is_some_unknown_string(self, path: str) -> None:
        assert shadowed_reference(f"consul_acl_policy.ops.{path}") == "terraform_data.consul_acl_policy__ops.id"

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("consul_acl_policy.many[0].name", "terraform_data.consul_acl_policy__many[0].input.name"),
            ("consul_acl_policy.many[*].id", "terraform_data.consul_acl_policy__many[*].id"),
            ("length(consul_acl_policy.many)", "length(terraform_data.consul_acl_policy__many)"),
            (
                "consul_acl_policy.many[consul_acl_policy.ops.name].name",
                "terraform_data.consul_acl_policy__many[terraform_data.consul_acl_policy__ops.input.name].input.name",
            ),
        ],
    )
    def test_instances(self, written: str, expected: str) -> None:
        assert shadowed_reference(written) == expected

    @pytest.mark.parametrize(
        "written",
        [
            "consul_acl_policy.gone.name",
            "data.consul_acl_policy.ops.name",
            "var.x",
            "local.x",
            "each.value.name",
            "NOMAD_X",
        ],
    )
    def test_what_is_not_declared_keeps_its_name(self, written: str) -> None:
        assert shadowed_reference(written) == written

    def test_canned_values_are_unknown_until_apply(self) -> None:
        canned: Canned = {"consul_acl_policy": {"other": [{"x": 1}], "lost": 1}, "consul_acl_policy.ops": {"lost": 2}}
        written = "consul_acl_policy.ops.other[0].x"

        assert (
            shadowed_reference(written, canned=canned)
            == "terraform_data.consul_acl_policy__ops.output.canned__.other[0].x"
        )
        result = shadow(stack(), canned=canned)["resource"]["terraform_data"]
        assert result["consul_acl_policy__ops"]["input"]["canned__"] == {"other": [{"x": 1}], "lost": 2}

    def test_canned_values_may_be_sensitive(self) -> None:
        canned: Canned = {"consul_acl_policy.ops": {"secret": Sensitive([{"x": 1}])}}
        expected = "sensitive(terraform_data.consul_acl_policy__ops.output.canned__.secret)[0].x"

        assert shadowed_reference("consul_acl_policy.ops.secret[0].x", canned=canned) == expected


class TestResources:
    def test_arguments_become_the_input_and_comments_go(self) -> None:
        built, _ = stand_in({"//": {"metadata": {}}, "name": "x", "port": 80, "timeouts": {"create": "5m"}})
        assert built == {"input": {"name": "x", "port": 80, "timeouts": {"create": "5m"}}}

    def test_repetition_stays(self) -> None:
        built, _ = stand_in({"for_each": "${consul_acl_policy.ops.tags}", "name": "${each.key}"})
        assert built == {
            "for_each": "${terraform_data.consul_acl_policy__ops.input.tags}",
            "input": {"name": "${each.key}"},
        }

    def test_a_body_in_a_list_of_one(self) -> None:
        result = shadow({"resource": [{"a_b": [{"c": [{"x": 1}]}]}]})
        assert result["resource"]["terraform_data"] == {"a_b__c": {"input": {"x": 1}}}

    def test_declared_dependencies_are_renamed_and_others_kept(self) -> None:
        built, _ = stand_in({"depends_on": ["consul_acl_policy.ops", "consul_acl_policy.gone", "data.a.b", "module.m"]})
        assert built["depends_on"] == [
            "terraform_data.consul_acl_policy__ops",
            "consul_acl_policy.gone",
            "data.a.b",
            "module.m",
        ]

    def test_data_sources_become_resources_too(self) -> None:
        data = {"azurerm_subnet": {"nodes": {"name": "nodes", "depends_on": ["consul_acl_policy.ops"]}}}
        built, result = stand_in({"value": "${data.azurerm_subnet.nodes.name}"}, data=data)

        assert "data" not in result
        assert built["input"]["value"] == "${terraform_data.data__azurerm_subnet__nodes.input.name}"
        assert result["resource"]["terraform_data"]["data__azurerm_subnet__nodes"] == {
            "input": {"name": "nodes"},
            "depends_on": ["terraform_data.consul_acl_policy__ops"],
        }

    def test_built_in_resources_only_get_a_new_name(self) -> None:
        barrier = {"input": "${consul_acl_policy.ops.name}", "provisioner": [{"local-exec": {"command": "true"}}]}
        reader = {"v": "${terraform_data.barrier.output}", "depends_on": ["terraform_data.barrier"]}
        result = shadow(stack({"terraform_data": {"barrier": barrier}, "a_b": {"c": reader}}))
        resources = result["resource"]["terraform_data"]
        assert resources["terraform_data__barrier"] == {"input": "${terraform_data.consul_acl_policy__ops.input.name}"}
        assert resources["a_b__c"] == {
            "input": {"v": "${terraform_data.terraform_data__barrier.output}"},
            "depends_on": ["terraform_data.terraform_data__barrier"],
        }
        assert left_out(result) == ["terraform_data.barrier: provisioner: it would run for real"]

    def test_provisioners_go_and_leave_a_note(self) -> None:
        built, result = stand_in({"name": "x", "provisioner": [{"local-exec": {"command": "rm"}}], "connection": {}})
        assert built == {"input": {"name": "x"}}
        assert left_out(result) == [
            "helm_release.x: connection: it would run for real",
            "helm_release.x: provisioner: it would run for real",
        ]

    def test_dynamic_blocks_keep_what_they_iterate_over(self) -> None:
        dynamic = {"set": {"for_each": "${consul_acl_policy.ops.tags}", "content": {"name": "${set.key}"}}}
        built, result = stand_in({"dynamic": dynamic})
        assert built["input"] == {"dynamic": {"set": ["${terraform_data.consul_acl_policy__ops.input.tags}"]}}
        assert left_out(result) == ["helm_release.x: content of dynamic set: it is legal in a block only"]

    def test_ambiguous_types_are_refused(self) -> None:
        with pytest.raises(ShadowError, match=r"a__b\.c"):
            shadow({"resource": {"a__b": {"c": {}}}})

    def test_the_stack_itself_is_not_changed(self) -> None:
        given = stack(variable={"v": {"type": "string"}}, output={"o": {"value": "${consul_acl_policy.ops.name}"}})
        before = json.dumps(given)
        shadow(given)
        assert json.dumps(given) == before


class TestSecrets:
    def test_write_only_arguments_become_a_local_value_with_an_edge(self) -> None:
        built, result = stand_in(
            {"name": "x", "set_wo": [{"value": "${consul_acl_policy.ops.name}"}], "a": {"b_wo": 1}}
        )
        assert built == {"input": {"name": "x", "a": {}}, "depends_on": ["local.helm_release__x__write_only"]}
        assert result["locals"]["helm_release__x__write_only"] == {
            "set_wo": [{"value": "${terraform_data.consul_acl_policy__ops.input.name}"}],
            "a.b_wo": 1,
        }

    def test_write_only_arguments_per_instance_are_noted(self) -> None:
        built, result = stand_in({"count": 2, "data_wo": "${count.index}"})
        assert built == {"count": 2, "input": {}}
        assert "locals" not in result
        assert left_out(result) == [
            "helm_release.x: data_wo: a write-only argument per instance has no place outside of the resource",
        ]

    def test_ephemeral_resources_become_ephemeral_local_values(self) -> None:
        ephemeral = {
            "azurerm_key_vault_secret": {
                "ca": {
                    "name": "ca",
                    "key_vault_id": "${consul_acl_policy.ops.id}",
                    "depends_on": ["consul_acl_policy.ops"],
                },
            },
        }
        address = "ephemeral.azurerm_key_vault_secret.ca"
        read = {key: f"${{{address}.{key}}}" for key in ("value", "name", "version")}
        built, result = stand_in({"set_wo": [read], "depends_on": [address]}, ephemeral=ephemeral)

        local = "local.ephemeral__azurerm_key_vault_secret__ca"
        assert "ephemeral" not in result
        assert result["locals"] == {
            "ephemeral__azurerm_key_vault_secret__ca": f"${{var.shadow_is_ephemeral ? {local}__values : null}}",
            "ephemeral__azurerm_key_vault_secret__ca__values": {
                "name": "ca",
                "key_vault_id": "${terraform_data.consul_acl_policy__ops.id}",
                "canned__": {"value": "shadow"},
                "computed__": "computed__ephemeral.azurerm_key_vault_secret.ca",
                "depends_on": ["${terraform_data.consul_acl_policy__ops}"],
            },
            "helm_release__x__write_only": {
                "set_wo": [
                    {
                        "value": f"${{sensitive({local}.canned__.value)}}",
                        "name": f"${{{local}.name}}",
                        "version": f"${{{local}.computed__}}",
                    },
                ],
            },
        }
        assert result["variable"] == {"shadow_is_ephemeral": {"type": "bool", "ephemeral": True, "default": True}}
        assert built["depends_on"] == [local, "local.helm_release__x__write_only"]

    def test_an_ephemeral_resources_lifecycle_is_noted(self) -> None:
        result = shadow({"ephemeral": {"a_b": {"c": {"lifecycle": {"postcondition": []}}}}})
        assert left_out(result) == ["ephemeral.a_b.c: lifecycle: a local value has none"]

    def test_repeated_ephemeral_resources_are_refused(self) -> None:
        with pytest.raises(ShadowError, match=r"ephemeral\.a_b\.c"):
            shadow({"ephemeral": {"a_b": {"c": {"count": 2}}}})


PROVIDERS = {
    "helm": [
        {"kubernetes": {"host": "${data.azurerm_kubernetes_cluster.aks.kube_config[0].host}"}},
        {"alias": "west", "kubernetes": {"host": "${var.host}"}},
    ],
    "consul": [{"address": "https://consul.example.com"}],
}
CLUSTER = {"azurerm_kubernetes_cluster": {"aks": {"name": "aks"}}}


class TestProviders:
    def test_configurations_become_local_values(self) -> None:
        result = shadow({"provider": PROVIDERS, "data": CLUSTER})
        aks = "terraform_data.data__azurerm_kubernetes_cluster__aks"
        assert "provider" not in result
        assert result["locals"] == {
            "provider__helm": {"kubernetes": {"host": f"${{sensitive({aks}.output.canned__.kube_config)[0].host}}"}},
            "provider__helm__west": {"kubernetes": {"host": "${var.host}"}},
            "provider__consul": {"address": "https://consul.example.com"},
        }

    def test_resources_depend_on_a_configuration_that_reads_something(self) -> None:
        resource = {
            "helm_release": {"a": {}, "b": {"provider": "helm.west"}},
            "consul_node": {"c": {}},
            "other_thing": {"d": {}},
        }
        result = shadow({"provider": PROVIDERS, "data": CLUSTER, "resource": resource})
        edges = {
            name: body.get("depends_on")
            for name, body in result["resource"]["terraform_data"].items()
            if not name.startswith("data__")
        }
        assert edges == {
            "helm_release__a": ["local.provider__helm"],
            "helm_release__b": ["local.provider__helm__west"],
            "consul_node__c": None,
            "other_thing__d": None,
        }


class TestLifecycle:
    def test_plain_settings_stay(self) -> None:
        built, _ = stand_in(
            {"lifecycle": {"prevent_destroy": True, "create_before_destroy": True, "ignore_changes": "all"}}
        )
        assert built["lifecycle"] == {"prevent_destroy": True, "create_before_destroy": True, "ignore_changes": "all"}

    def test_ignored_attributes_are_mapped_or_noted(self) -> None:
        names = ["tags", "pool[0].size", "version", "data_wo"]
        built, result = stand_in(
            {"tags": {}, "pool": {"size": 1}, "data_wo": "x", "lifecycle": {"ignore_changes": names}},
        )
        assert built["lifecycle"] == {"ignore_changes": ["input.tags", "input.pool.size"]}
        assert left_out(result) == [
            "helm_release.x: ignore_changes version: the stand-in has no such attribute",
            "helm_release.x: ignore_changes data_wo: the stand-in has no such attribute",
        ]

    def test_triggers_are_addresses(self) -> None:
        written = ["consul_acl_policy.ops", "consul_acl_policy.ops.name", "consul_acl_policy.ops.x", "a.b"]
        built, _ = stand_in({"lifecycle": {"replace_triggered_by": written}})
        name = "terraform_data.consul_acl_policy__ops"
        assert built["lifecycle"] == {"replace_triggered_by": [name, f"{name}.input.name", f"{name}.id", "a.b"]}

    def test_conditions_on_arguments_keep_their_verdict(self) -> None:
        condition = {"condition": "${self.name != consul_acl_policy.ops.name}", "error_message": "${self.name} again"}
        built, result = stand_in({"name": "x", "lifecycle": {"postcondition": [condition]}})
        assert built["lifecycle"]["postcondition"] == [
            {
                "condition": "${self.input.name != terraform_data.consul_acl_policy__ops.input.name}",
                "error_message": "${self.input.name} again",
            },
        ]
        assert left_out(result) == []

    def test_conditions_on_computed_values_always_pass(self) -> None:
        condition = {"condition": '${self.status == "deployed"}', "error_message": "no"}
        built, result = stand_in({"lifecycle": {"postcondition": [condition]}})
        assert built["lifecycle"]["postcondition"] == [
            {"condition": '${true || can(self.id == "deployed")}', "error_message": "no"},
        ]
        [note] = left_out(result)
        assert note.startswith("helm_release.x: the verdict of ")
        assert note.endswith("only a provider knows self.status")


class TestOtherSections:
    def test_variables_stay(self) -> None:
        variable = {"v": {"type": "string", "default": "${consul_acl_policy.ops.name}", "sensitive": True}}
        assert shadow(stack(variable=variable))["variable"] == variable

    def test_validations_may_read_other_objects(self) -> None:
        condition = {"condition": "${var.v != consul_acl_policy.ops.name}", "error_message": "e"}
        result = shadow(stack(variable={"v": {"type": "string", "validation": [condition]}}))
        assert result["variable"]["v"] == {
            "type": "string",
            "validation": [
                {"condition": "${var.v != terraform_data.consul_acl_policy__ops.input.name}", "error_message": "e"},
            ],
        }

    def test_outputs_and_local_values_are_rewritten(self) -> None:
        result = shadow(
            stack(
                output={
                    "o": {
                        "value": "${consul_acl_policy.ops.name}",
                        "description": "of ${consul_acl_policy.ops.name}",
                        "sensitive": True,
                        "depends_on": ["consul_acl_policy.ops"],
                    },
                },
                locals={"l": ["${consul_acl_policy.ops.id}"]},
            ),
        )
        assert result["locals"] == {"l": ["${terraform_data.consul_acl_policy__ops.id}"]}
        assert result["output"]["o"] == {
            "value": "${terraform_data.consul_acl_policy__ops.input.name}",
            "description": "of ${consul_acl_policy.ops.name}",
            "sensitive": True,
            "depends_on": ["terraform_data.consul_acl_policy__ops"],
        }

    def test_moved_and_removed_objects_are_renamed_even_if_not_declared(self) -> None:
        result = shadow(
            stack(
                moved=[
                    {"from": "consul_acl_policy.old[0]", "to": "consul_acl_policy.ops"},
                    {"from": "module.a", "to": "module.b"},
                ],
                removed=[{"from": "consul_acl_policy.gone", "lifecycle": {"destroy": False}}],
            ),
        )
        assert result["moved"] == [
            {"from": "terraform_data.consul_acl_policy__old[0]", "to": "terraform_data.consul_acl_policy__ops"},
            {"from": "module.a", "to": "module.b"},
        ]
        assert result["removed"] == [
            {"from": "terraform_data.consul_acl_policy__gone", "lifecycle": {"destroy": False}},
        ]

    def test_imports_are_renamed(self) -> None:
        written = [
            {"to": "consul_acl_policy.ops", "id": "${consul_acl_policy.many[0].name}", "provider": "consul.west"}
        ]
        assert shadow({**stack(), "import": written})["import"] == [
            {
                "to": "terraform_data.consul_acl_policy__ops",
                "id": "${terraform_data.consul_acl_policy__many[0].input.name}",
            },
        ]

    def test_checks_keep_assertions_and_lose_their_scoped_data(self) -> None:
        check = {
            "health": {
                "data": {"http": {"leader": {"url": "https://x"}}},
                "assert": [{"condition": '${data.http.leader.url != ""}', "error_message": "e"}],
            },
        }
        result = shadow({"check": check})
        assert result["check"] == {
            "health": {
                "assert": [
                    {"condition": '${terraform_data.data__http__leader.input.url != ""}', "error_message": "e"},
                ],
            },
        }
        assert result["resource"]["terraform_data"] == {"data__http__leader": {"input": {"url": "https://x"}}}

    def test_modules_are_refused(self) -> None:
        with pytest.raises(ShadowError, match="modules"):
            shadow({"module": {"m": {"source": "./m"}}})

    def test_names_of_the_shadow_must_be_free(self) -> None:
        with pytest.raises(ShadowError, match="provider__consul"):
            shadow({"provider": {"consul": [{}]}, "locals": {"provider__consul": 1}})

    def test_unknown_sections_are_left_for_terraform_to_judge(self) -> None:
        assert shadow({"typo": {"x": 1}})["typo"] == {"x": 1}


class TestStates:
    def test_settings_of_terraform(self) -> None:
        terraform = {
            "required_version": ">= 1.11",
            "required_providers": {"consul": {"source": "hashicorp/consul"}},
            "backend": {"local": {"path": "terraform.infra.tfstate"}},
        }
        assert shadow({"terraform": terraform})["terraform"] == {
            "required_version": ">= 1.11",
            "backend": {"local": {"path": "terraform.infra.tfstate"}},
        }

    def test_local_states_can_be_relocated(self) -> None:
        terraform = {"backend": {"local": {"path": "/somewhere/terraform.infra.tfstate"}}}
        result = shadow({"terraform": terraform}, states=PurePosixPath("/states"))
        assert result["terraform"]["backend"] == {"local": {"path": "/states/somewhere-terraform.infra.tfstate"}}

    @pytest.mark.parametrize(
        ("written", "reader"),
        [
            (
                {"cloud": {"organization": "acme", "workspaces": {"name": "mesh-infra"}}},
                {"backend": "remote", "config": {"organization": "acme", "workspaces": {"name": "mesh-infra"}}},
            ),
            (
                {"backend": {"azurerm": {"storage_account_name": "s", "container_name": "c", "key": "infra.tfstate"}}},
                {
                    "backend": "azurerm",
                    "config": {"key": "infra.tfstate", "container_name": "c", "storage_account_name": "s"},
                    "workspace": "default",
                },
            ),
            (
                {"backend": {"local": {"path": "infra.tfstate"}}},
                {"backend": "local", "config": {"path": "infra.tfstate"}},
            ),
        ],
    )
    @pytest.mark.parametrize("states", [None, PurePosixPath("states")])
    def test_producer_and_consumer_agree(
        self,
        written: Json,
        reader: Json,
        states: PurePosixPath | None,
    ) -> None:
        producer = shadow({"terraform": written}, states=states)["terraform"]["backend"]
        consumer = shadow({"data": {"terraform_remote_state": {"infra": reader}}}, states=states)
        assert consumer["data"]["terraform_remote_state"]["infra"] == {
            "backend": "local",
            "config": producer["local"],
        }

    def test_different_states_stay_apart(self) -> None:
        def path(name: str) -> str:
            cloud = {"organization": "acme", "workspaces": {"name": name}}
            return str(shadow({"terraform": {"cloud": cloud}})["terraform"]["backend"]["local"]["path"])

        assert path("infra") != path("policy")

    def test_references_to_remote_state_stay(self) -> None:
        remote = {"terraform_remote_state": {"infra": {"backend": "local", "config": {"path": "x"}}}}
        built, _ = stand_in({"value": "${data.terraform_remote_state.infra.outputs.name}"}, data=remote)
        assert built["input"]["value"] == "${data.terraform_remote_state.infra.outputs.name}"


class TestProblems:
    def test_a_sound_stack_has_none(self) -> None:
        sound = stack(provider={"consul": [{"address": "${var.address}"}, {"alias": "west"}]})
        assert problems(sound, json.dumps(sound)) == []

    def test_invalid_names(self) -> None:
        assert problems({"resource": {"a_b": {"9svc": {}, "ok": {}}}, "provider": {"c": [{"alias": "-x"}]}}) == [
            "a_b.9svc: '9svc' is not a valid name",
            "provider c.-x: '-x' is not a valid name",
        ]

    def test_missing_aliases(self) -> None:
        resource = {"consul_node": {"a": {"provider": "consul.east"}, "b": {}, "c": {"provider": "consul.west"}}}
        assert problems({"resource": resource, "provider": {"consul": [{"alias": "west"}]}}) == [
            "consul_node.a: there is no provider consul.east",
            "consul_node.b: uses the default provider consul, but only aliases of it are configured",
        ]

    def test_a_provider_configured_twice(self) -> None:
        assert problems({"provider": {"consul": [{}, {}]}}) == ["provider consul: configured 2 times"]

    @pytest.mark.parametrize("through", ["consul_node.a.id", "local.one"])
    def test_a_provider_configured_from_its_own_resource(self, through: str) -> None:
        found = problems(
            {
                "resource": {"consul_node": {"a": {}}},
                "locals": {"one": "${local.two}", "two": "${consul_node.a.id}${local.one}"},
                "provider": {"consul": [{"address": f"${{{through}}}"}]},
            },
        )
        assert found == ["provider consul: configured from its own consul_node.a"]

    def test_duplicate_keys(self) -> None:
        text = '{"resource": {"a": {"x": 1, "x": {"y": 1}}, "l": [{"z": 1, "z": 2}]}, "x": 1}'
        expected = [
            "resource.a.x: the key occurs 2 times in the JSON text",
            "resource.l[0].z: the key occurs 2 times in the JSON text",
        ]
        assert duplicate_keys(text) == expected
        assert problems(json.loads(text), text)[-2:] == expected


class TestPlans:
    def test_original_addresses(self) -> None:
        def resource(name: str, instance: str, **values: object) -> dict[str, object]:
            address = f"terraform_data.{name}{instance}"
            return {"address": address, "type": "terraform_data", "name": name, "values": values}

        plan = {
            "planned_values": {
                "root_module": {
                    "resources": [
                        resource("consul_node__a__b", "", input={"x": 1, "canned__": {"y": 2}}),
                        resource("consul_node__many", '["k"]', input={}),
                        resource("data__azurerm_subnet___odd", "", input={"name": "n"}),
                        resource("terraform_data__barrier", "", id="1", input="i", output="o"),
                        resource("consul_node__unknown", ""),
                    ],
                },
            },
        }
        expected = {
            "consul_node.a__b": {"x": 1},
            'consul_node.many["k"]': {},
            "data.azurerm_subnet._odd": {"name": "n"},
            "terraform_data.barrier": {"input": "i"},
            "consul_node.unknown": {},
        }
        assert evaluated(plan) == expected
        assert evaluated({"values": plan["planned_values"]}) == expected
        assert evaluated({"format_version": "1.0"}) == {}

    def test_pending_changes(self) -> None:
        def change(name: str, *actions: str) -> dict[str, object]:
            address = f"terraform_data.{name}"
            return {"address": address, "type": "terraform_data", "name": name, "change": {"actions": list(actions)}}

        plan = {"resource_changes": [change("a_b__same", "no-op"), change("a_b__new", "delete", "create")]}
        assert pending(plan) == {"a_b.new": ["delete", "create"]}


class TestFindingTerraform:
    def test_it_may_be_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_terraform() == (None, "terraform is not on PATH")
        with pytest.raises(FileNotFoundError, match="not on PATH"):
            Terraform(tmp_path)

    @pytest.mark.parametrize(
        ("says", "reason"),
        [
            ('{"terraform_version": "1.10.5"}', "is version 1.10; at least 1.11 is needed"),
            ("nonsense", "does not tell its version"),
        ],
    )
    def test_it_may_be_useless(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, reason: str) -> None:
        executable = self.pretend(tmp_path, says)
        monkeypatch.setenv("PATH", str(tmp_path))
        found, why = find_terraform()
        assert found is None
        assert why.startswith(f"{executable} {reason}")

    def test_it_may_be_newer(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        executable = self.pretend(tmp_path, '{"terraform_version": "2.0.0-beta1"}')
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_terraform() == (executable, "")

    @staticmethod
    def pretend(folder: Path, says: str) -> Path:
        """Put a program into a folder that says one thing."""
        executable = folder / "terraform"
        executable.write_text(f"#!/bin/sh\necho '{says}'\n")
        executable.chmod(0o755)
        return executable
