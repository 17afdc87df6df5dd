"""The CDKTF command line over the project's own output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mesh.names import STACKS
from tests.declared import ROOT
from tests.output import Synthesized
from tests.shadow import shadow

CLI = ROOT / "node_modules" / ".bin" / "cdktf"

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(not CLI.exists(), reason="the CDKTF command line is not installed; make setup does it"),
]


def cdktf(folder: Path, *arguments: str) -> str:
    """Output of a command; fails with it."""
    path = os.pathsep.join([str(CLI.parent), os.environ["PATH"]])
    result = subprocess.run(
        [CLI, *arguments],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("TF_", "CDKTF_"))},
            "PATH": path,
            "CI": "1",
            "CHECKPOINT_DISABLE": "1",
            "DISABLE_VERSION_CHECK": "1",
            "TF_VAR_admin_ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_list_names_the_stacks(tmp_path: Path) -> None:
    settings = json.loads((ROOT / "cdktf.json").read_text(encoding="utf-8"))
    app = f"{ROOT / settings['app'].split()[0]} main.py"
    (tmp_path / "cdktf.json").write_text(json.dumps({**settings, "app": app}))
    for name in ("main.py", "environments", "stacks", "imports"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    _, _, table = cdktf(tmp_path, "list").partition("Stack name")
    assert [line.split() for line in table.splitlines()[1:] if line] == [
        [stack, f"cdktf.out/stacks/{stack}"] for stack in sorted(STACKS)
    ]


@pytest.mark.usefixtures("terraform")
def test_deploy_applies_every_stack(demo: Synthesized, tmp_path: Path) -> None:
    shutil.copytree(demo.outdir, tmp_path / "cdktf.out")
    for stack, content in demo.stacks.items():
        path = tmp_path / "cdktf.out" / "stacks" / stack / "cdk.tf.json"
        path.write_text(json.dumps({**shadow(content), "//": content["//"]}), encoding="utf-8")
    settings = json.loads((ROOT / "cdktf.json").read_text(encoding="utf-8"))
    (tmp_path / "cdktf.json").write_text(json.dumps({**settings, "app": "true"}))
    cdktf(tmp_path, "deploy", "*", "--auto-approve", "--skip-synth", "--no-color")
    found = (tmp_path / "state" / "demo").glob("*.tfstate")
    states = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}
    assert states.keys() == set(STACKS)
    for stack, content in demo.stacks.items():
        wanted = sum(len(named) for named in content.get("resource", {}).values())
        managed = [item for item in states[stack]["resources"] if not item["name"].startswith("data__")]
        assert len(managed) == wanted, stack
