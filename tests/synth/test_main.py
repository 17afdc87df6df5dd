"""``main.py`` as a person runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a run needs, in a folder whose name has a space."""
    copy = tmp_path / "my mesh"
    copy.mkdir()
    shutil.copy(ROOT / "main.py", copy)
    for folder in ("environments", "stacks", "imports"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run(project: Path, environment: str | None, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"MESH_ENVIRONMENT", "CDKTF_OUTDIR"}}
    node = ROOT / "node_modules" / ".bin" / "node"
    if node.exists():  # an older one would announce its end of life
        env["JSII_NODE"] = str(node)
    if environment is not None:
        env["MESH_ENVIRONMENT"] = environment
    return subprocess.run(
        [sys.executable, "main.py"], cwd=project, env={**env, **variables}, capture_output=True, text=True, check=False
    )


def test_the_default_is_the_demo(project: Path) -> None:
    result = run(project, None)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "environment demo"
    assert [line.split()[0] for line in lines[2:6]] == ["infra", "consul-cluster", "policy", "workloads"]
    assert lines[4].split()[2] == "cdktf.out/stacks/policy/cdk.tf.json"
    assert not [path for path in project.iterdir() if path.name.startswith(".cdktf.out.")]


def test_an_unknown_environment_lists_those_that_exist(project: Path) -> None:
    result = run(project, "comunity")
    assert result.returncode == 1
    assert result.stderr == (
        'error: no environment is called "comunity": did you mean "community"? '
        "there are community, demo, production in environments/\n"
    )


def test_findings_are_printed_and_what_was_there_stays(project: Path) -> None:
    out = project / "cdktf.out"
    out.mkdir()
    (out / "manifest.json").write_text("as it was")
    demo = project / "environments" / "demo.py"
    text = demo.read_text()
    demo.write_text(text.replace('"v2": 100}', '"v2": 5}').replace('Upstream("api"', 'Upstream("apii"'))
    result = run(project, "demo")
    assert result.returncode == 1
    assert "environment demo has 2 problems; nothing was written" in result.stderr
    assert "[split-sum]" in result.stderr
    assert 'did you mean "api"?' in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in out.iterdir()] == ["manifest.json"]
    assert (out / "manifest.json").read_text() == "as it was"


def test_a_misspelt_keyword_is_no_traceback(project: Path) -> None:
    demo = project / "environments" / "demo.py"
    demo.write_text(demo.read_text().replace("local_port=", "localport="))
    result = run(project, "demo")
    assert result.returncode == 1
    assert result.stderr.startswith("error: environments/demo.py:")
    assert "localport" in result.stderr
    assert "Traceback" not in result.stderr


def test_terraforms_own_files_survive_a_new_synthesis(project: Path) -> None:
    stack = project / "cdktf.out" / "stacks" / "policy"
    (stack / ".terraform").mkdir(parents=True)
    (stack / ".terraform" / "kept").write_text("")
    (stack / "cdk.tf.json").write_text("old")
    assert run(project, "demo").returncode == 0
    assert (stack / ".terraform" / "kept").exists()
    assert (stack / "cdk.tf.json").read_text() != "old"


def test_the_output_folder_of_the_cli_is_used(project: Path) -> None:
    assert run(project, "demo", CDKTF_OUTDIR="elsewhere").returncode == 0
    assert (project / "elsewhere" / "manifest.json").exists()
    assert not (project / "cdktf.out").exists()
