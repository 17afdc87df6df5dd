"""What must hold for the output of every environment."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

import imports
from mesh import names
from mesh.config_entry import EntryId
from mesh.consul.ordering import dependencies
from mesh.consul.policy import entries
from mesh.terraform import plain_json
from mesh.topology import LOOPBACK, PEER_LOOPBACK, clusters
from tests.declared import ROOT
from tests.output import CANARY, Synthesized, unescaped

TAGLESS = {
    "azurerm_key_vault_secret",
    "azurerm_nat_gateway_public_ip_association",
    "azurerm_network_security_rule",
    "azurerm_role_assignment",
    "azurerm_subnet",
    "azurerm_subnet_nat_gateway_association",
    "azurerm_subnet_network_security_group_association",
    "azurerm_virtual_machine_data_disk_attachment",
}
"""Types that have no tags."""

PUBLIC_UUIDS = {
    "6dae42f8-4368-4678-94ff-3960e28e3630",  # Entra application of every AKS API server
}

SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "32 random bytes in base64": r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])",
    "token": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "licence": r"\b02MV4UU43B",
    "bearer token": r"(?i)bearer [a-z0-9._-]{20,}",
}

PATHS_OF_A_MACHINE = r"/(?:home|Users|root|work|workspace|builds|private/var)/[\w.-]+"


def texts(synthesized: Synthesized) -> Iterator[tuple[str, str]]:
    """Every stack, and everything that is encoded in one."""
    yield from synthesized.texts.items()
    for name, machine in synthesized.resources("infra", "azurerm_linux_virtual_machine").items():
        yield f"cloud-init of {name}", base64.b64decode(machine["custom_data"]).decode()
    assets = [path for path in synthesized.outdir.rglob("assets/**/*") if path.is_file()]
    for path in assets:
        yield path.name, path.read_text(encoding="utf-8")


def test_no_secret(synthesized: Synthesized) -> None:
    for where, text in texts(synthesized):
        assert CANARY not in text, where
        for what, pattern in SECRETS.items():
            assert set(re.findall(pattern, text)) <= PUBLIC_UUIDS, f"{what} in {where}"


def test_no_path_of_this_machine(synthesized: Synthesized) -> None:
    for where, text in texts(synthesized):
        assert str(ROOT) not in text, where
        assert str(synthesized.outdir) not in text, where
        assert not re.findall(PATHS_OF_A_MACHINE, text), where


def test_no_resource_vanishes(synthesized: Synthesized) -> None:
    """Two constructs with one logical id become one resource, without a word from CDKTF."""
    for stack, content in synthesized.stacks.items():
        written = sum(len(named) for named in content.get("resource", {}).values())
        assert written == synthesized.elements[stack], stack


def test_no_key_is_written_twice(synthesized: Synthesized) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        assert not twice, twice
        return dict(pairs)

    for text in synthesized.texts.values():
        json.loads(text, object_pairs_hook=unique)


def test_no_virtual_machine_has_a_public_address(synthesized: Synthesized) -> None:
    for name, nic in synthesized.resources("infra", "azurerm_network_interface").items():
        for configuration in nic["ip_configuration"]:
            assert "public_ip_address_id" not in configuration, name


def test_every_resource_on_azure_is_tagged(synthesized: Synthesized) -> None:
    for stack, content in synthesized.stacks.items():
        for kind, named in content.get("resource", {}).items():
            for name, resource in named.items():
                if kind.startswith("azurerm_") and kind not in TAGLESS:
                    found = {tag: unescaped(value) for tag, value in resource.get("tags", {}).items()}
                    assert names.tags(synthesized.environment, stack).items() <= found.items(), f"{kind}.{name}"


def test_every_stack_says_its_backend_versions_and_providers(synthesized: Synthesized) -> None:
    wanted = {binding.provider: binding.provider_version for binding in imports.BINDINGS}
    assert list(synthesized.stacks) == sorted(names.stacks(synthesized.environment))
    for stack, content in synthesized.stacks.items():
        terraform = content["terraform"]
        assert terraform["required_version"] == ">= 1.11"
        assert ("cloud" in terraform) != ("backend" in terraform), stack
        for provider in terraform["required_providers"].values():
            assert provider["version"] == wanted[provider["source"]], stack


def test_state_of_environments_is_apart(synthesized: Synthesized) -> None:
    for stack, content in synthesized.stacks.items():
        backend = content["terraform"].get("backend", {})
        if "local" in backend:
            path = backend["local"]["path"]
            assert path == f"../../../state/{synthesized.environment.name}/{stack}.tfstate"
        cloud = content["terraform"].get("cloud", {})
        if cloud:
            assert cloud["workspaces"]["name"] == names.workspace(synthesized.environment, stack)
            assert "token" not in cloud


def test_stacks_are_deployed_in_order(synthesized: Synthesized) -> None:
    manifest = json.loads((synthesized.outdir / "manifest.json").read_text(encoding="utf-8"))
    order = {stack: written["dependencies"] for stack, written in manifest["stacks"].items()}
    if synthesized.environment.platform.azure:
        before = {"infra": [], "consul-cluster": ["infra"], "policy": ["consul-cluster"], "workloads": ["policy"]}
    else:
        before = {"policy": [], "workloads": ["policy"]}
    assert order == before


def test_no_stack_reads_the_state_of_another(synthesized: Synthesized) -> None:
    for stack, content in synthesized.stacks.items():
        assert "terraform_remote_state" not in content.get("data", {}), stack
        assert not [name for name in content.get("output", {}) if "cross-stack" in name], stack


def test_every_config_entry_is_written_once_in_canonical_form_and_in_order(synthesized: Synthesized) -> None:
    resources = synthesized.resources("policy", "consul_config_entry")
    by_provider: dict[str | None, dict[EntryId, tuple[str, Any]]] = defaultdict(dict)
    for name, item in resources.items():
        id_ = EntryId(item["kind"], item["name"], item.get("partition"), item.get("namespace"))
        by_provider[item.get("provider")][id_] = (name, item)
    assert sum(map(len, by_provider.values())) == len(resources)
    for cluster in clusters(synthesized.environment.platform):
        expected = entries(synthesized.environment, cluster)
        waits_for = dependencies(expected)
        by_id = by_provider.pop("consul.peer" if cluster else None)
        assert len(by_id) == len(expected)
        for entry in expected:
            name, item = by_id[entry.id]
            assert unescaped(item["config_json"]) == plain_json(entry.body())
            addresses = {f"consul_config_entry.{by_id[id_][0]}" for id_ in waits_for[entry.id]}
            assert set(item.get("depends_on", ())) == addresses, name
    assert not by_provider


def test_jobs_and_entries_of_a_peer_are_the_business_of_its_own_agents(synthesized: Synthesized) -> None:
    """Both clusters have the same ports; what tells them apart is the address."""
    if clusters(synthesized.environment.platform) == (None,):
        assert not [text for text in synthesized.texts.values() if PEER_LOOPBACK in text]
        return
    for stack, provider, kind in (("policy", "consul", "consul_config_entry"), ("workloads", "nomad", "nomad_job")):
        own, other = synthesized.stacks[stack]["provider"][provider]
        assert other["alias"] == "peer"
        assert other["address"] == own["address"].replace(LOOPBACK, PEER_LOOPBACK) != own["address"]
        used = {
            name.startswith("peer_"): item.get("provider") for name, item in synthesized.resources(stack, kind).items()
        }
        assert used == {False: None, True: f"{provider}.peer"}


def test_secrets_are_read_ephemerally_only(synthesized: Synthesized) -> None:
    """A data source would copy what it reads into the state; only the public certificate of Nomad's CA may."""
    for content in synthesized.stacks.values():
        for secret in content.get("data", {}).get("azurerm_key_vault_secret", {}).values():
            assert secret["name"] == "nomad-ca"
        assert "azurerm_key_vault_secret" not in content.get("resource", {})


@pytest.mark.parametrize("kind", ["random_password", "tls_private_key", "consul_acl_token"])
def test_nothing_makes_a_secret(synthesized: Synthesized, kind: str) -> None:
    for content in synthesized.stacks.values():
        assert kind not in content.get("resource", {})
