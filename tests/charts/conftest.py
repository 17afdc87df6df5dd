"""Helm, or the reason why tests that need it cannot run."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.model import Cluster
from mesh.terraform import plain_yaml

ROOT = Path(__file__).resolve().parents[2]

REQUIRE = "MESH_REQUIRE_HELM"
"""Set where Helm must be there, so that a pipeline cannot pass by skipping."""

BUILD_TIMEOUT = 1200
"""Seconds; Helm's first build compiles the client libraries of Kubernetes."""

KUBERNETES = ("--kube-version", f"{Cluster().version}.0")
"""Without a cluster, a Helm that was not built by its own makefile takes Kubernetes for 1.20."""


@dataclass(frozen=True)
class Helm:
    """A Helm that knows nothing of its user's settings, repositories and clusters.

    Attributes:
        executable: Its path.
        home: Folder for everything that it writes, and for values.
    """

    executable: str
    home: Path

    def lint(self, chart: str, values: Mapping[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Lint a chart of the package with values; warnings count."""
        return self._run("lint", "--strict", *KUBERNETES, _path(chart), *self._values(values), *arguments)

    def render(self, chart: str, values: Mapping[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Render a chart of the package, as Helm shows it."""
        return self._run("template", *KUBERNETES, "a-release", _path(chart), *self._values(values), *arguments)

    def manifests(self, chart: str, values: Mapping[str, Any], *arguments: str) -> list[Any]:
        """Render a chart that has to render, and parse what comes out."""
        rendered = self.render(chart, values, *arguments)
        assert rendered.returncode == 0, rendered.stderr
        return [manifest for manifest in yaml.safe_load_all(rendered.stdout) if manifest is not None]

    def _values(self, values: Mapping[str, Any]) -> tuple[str, str]:
        # The same text that Terraform hands over.
        file = self.home / "values.yaml"
        file.write_text(plain_yaml(values), encoding="ascii")
        return "--values", str(file)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        homes = {f"HELM_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        environment = {"PATH": os.defpath, "HOME": str(self.home), **homes}
        command = [self.executable, *arguments]
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)


def _path(chart: str) -> str:
    return str(files("mesh.kubernetes").joinpath("charts", chart))


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm 3: ``HELM_BIN``, or ``helm`` on ``PATH``, or the one that this repository builds."""
    executable, reason = _find()
    if executable is not None:
        return Helm(executable, tmp_path_factory.mktemp("helm"))
    if os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    pytest.skip(reason)


def _find() -> tuple[str | None, str]:
    """The path of a Helm 3, or None and the reason why there is none."""
    if chosen := os.environ.get("HELM_BIN"):
        return (chosen, "") if _is_helm_3(chosen) else (None, f"HELM_BIN ({chosen}) is no Helm 3")
    if (found := shutil.which("helm")) and _is_helm_3(found):
        return found, ""
    command = [str(ROOT / "tools/build-go-tool"), "helm"]
    built = subprocess.run(command, check=False, capture_output=True, text=True, timeout=BUILD_TIMEOUT)
    if built.returncode:
        return None, f"there is no Helm 3 on PATH, and none can be built: {built.stderr.strip()}"
    return built.stdout.strip(), ""


def _is_helm_3(executable: str) -> bool:
    try:
        command = [executable, "version", "--template", "{{.Version}}"]
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.startswith("v3.")
