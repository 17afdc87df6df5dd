"""Helm releases: what Terraform is told about them, and that their charts are where it looks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Kubernetes
from mesh.project import load
from tests.declared import ROOT
from tests.output import Synthesized, synthesize
from tests.unit.examples import service

STACKS = ("consul-cluster", "workloads")


def releases(synthesized: Synthesized) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack in STACKS:
        for release in synthesized.resources(stack, "helm_release").values():
            yield stack, release


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(load("production", ROOT), tmp_path_factory.mktemp("releases") / "cdktf.out")


def test_a_failed_release_leaves_nothing_in_the_way(synthesized: Synthesized) -> None:
    # The provider keeps no state of a failed installation, and Helm installs no name twice.
    for _, release in releases(synthesized):
        assert release["atomic"] is True, release["name"]
        assert release["create_namespace"] is True
        assert release["max_history"] >= 1  # or Helm keeps every revision in the cluster


def test_a_chart_is_pinned_or_lies_beside_its_stack(synthesized: Synthesized) -> None:
    for stack, release in releases(synthesized):
        if release["name"] == "consul":
            assert release["version"] == synthesized.environment.platform.versions.chart
            continue
        chart = Path(release["chart"])
        assert release["chart"].startswith("./assets/")  # a bare name would be looked for in a repository
        assert "version" not in release
        assert (synthesized.outdir / "stacks" / stack / chart / "Chart.yaml").is_file()


def test_many_services_share_one_copy_of_their_chart(tmp_path: Path) -> None:
    environment = load("community", ROOT)
    more = [service(f"more-{index}", runs_on=Kubernetes()) for index in range(3)]
    output = synthesize(replace(environment, services=[*environment.services, *more]), tmp_path / "cdktf.out")
    found = output.resources("workloads", "helm_release")
    assert len(found) == 4
    assert len({release["chart"] for release in found.values()}) == 1
    assert len(list(output.outdir.rglob("workloads/**/Chart.yaml"))) == 1


def contents(folder: Path) -> Iterator[bytes]:
    """What the files of a folder hold, in the order of their names."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from contents(path)
        else:
            yield path.read_bytes()


def test_the_path_of_a_chart_changes_with_its_content_alone(demo: Synthesized) -> None:
    """Neither times and modes of files nor where the repository lies: those would upgrade every release for nothing."""
    [release] = demo.resources("workloads", "helm_release").values()
    chart = demo.outdir / "stacks/workloads" / release["chart"]
    checksum = hashlib.md5(b"".join(contents(chart)), usedforsecurity=False).hexdigest()
    assert chart.name == checksum.upper()


def test_secrets_are_written_before_the_chart_that_reads_them(production: Synthesized) -> None:
    found = production.resources("consul-cluster", "helm_release")
    by_name = {release["name"]: (name, release) for name, release in found.items()}
    name, secrets = by_name["consul-secrets"]
    _, consul = by_name["consul"]
    assert f"helm_release.{name}" in consul["depends_on"]
    assert consul["namespace"] == secrets["namespace"] == "consul"
    written = {item["name"]: item["value"] for item in secrets["set_wo"]}
    assert written == {
        "secrets.consul-ca.value": "${ephemeral.azurerm_key_vault_secret.consul-ca.value}",
        "secrets.consul-bootstrap-token.value": "${ephemeral.azurerm_key_vault_secret.consul-initial-management.value}",
    }
    assert {item["type"] for item in secrets["set_wo"]} == {"string"}
    # Without a higher revision the provider withholds the values, and Helm would forget them.
    assert secrets["set_wo_revision"] >= 1
    assert secrets["reuse_values"] is True
    assert "value" not in json.loads(secrets["values"][0])["secrets"]["consul-ca"]


def test_only_acls_need_the_address_of_the_cluster(synthesized: Synthesized) -> None:
    found = {release["name"]: release for _, release in releases(synthesized)}
    names = [item["name"] for item in found.get("consul", {}).get("set", [])]
    assert names == (["externalServers.k8sAuthMethodHost"] if synthesized.environment.platform.acl else [])
    assert ("consul-secrets" in found) is synthesized.environment.platform.acl
