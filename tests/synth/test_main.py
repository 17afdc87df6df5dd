"""``main.py`` as a person runs it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.project import available
from stacks.synthesis import _move_all

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
    known = ", ".join(available(project))
    assert result.stderr == (
        f'error: no environment is called "comunity": did you mean "community"? there are {known} in environments/\n'
    )


def test_the_next_step_is_about_the_same_environment(project: Path) -> None:
    assert "MESH_ENVIRONMENT=community npx cdktf deploy" in run(project, "community").stdout
    assert "MESH_ENVIRONMENT" not in run(project, "demo").stdout
    underscored = run(project, "lab_peering").stdout  # the environment itself is called lab-peering
    assert "MESH_ENVIRONMENT=lab_peering npx cdktf deploy" in underscored
    assert "mesh lab up lab_peering" in underscored


def test_a_copied_environment_needs_a_name_of_its_own(project: Path) -> None:
    shutil.copy(project / "environments" / "demo.py", project / "environments" / "mine.py")
    result = run(project, "mine")
    assert result.returncode == 1
    assert 'environments/mine.py declares the environment "demo"' in result.stderr


def test_a_failed_write_leaves_everything_as_it_was(project: Path) -> None:
    assert run(project, "demo").returncode == 0
    out = project / "cdktf.out"
    shutil.rmtree(out / "stacks" / "workloads")
    (out / "stacks" / "workloads").write_text("in the way")
    remembered = out / "stacks" / "policy" / ".terraform" / "terraform.tfstate"
    remembered.parent.mkdir()
    remembered.write_text("{}")
    before = contents(out)
    result = run(project, "community")
    assert result.returncode == 1
    assert result.stderr.startswith("error: cannot write ")
    assert "Traceback" not in result.stderr
    assert contents(out) == before
    assert not list(project.glob(".cdktf.out.*"))


def test_moves_are_undone_when_one_fails(tmp_path: Path) -> None:
    new, old, before = (tmp_path / name for name in ("new", "old", "before"))
    for folder in (new, old):
        folder.mkdir()
        for name in ("first", "second"):
            (folder / name).write_text(f"{folder.name} {name}")
    moves = [(new / "first", old / "first"), (new / "second", old / "second"), (new / "missing", old / "third")]
    with pytest.raises(FileNotFoundError):
        _move_all(moves, before)
    assert contents(old) == {"first": b"old first", "second": b"old second"}
    assert contents(new) == {"first": b"new first", "second": b"new second"}


def test_an_output_that_is_a_file_is_no_traceback(project: Path) -> None:
    (project / "cdktf.out").write_text("mine")
    result = run(project, "demo")
    assert result.returncode == 1
    assert result.stderr.startswith("error: cannot write ")
    assert "Traceback" not in result.stderr
    assert (project / "cdktf.out").read_text() == "mine"


def test_without_node_it_says_so(project: Path) -> None:
    result = run(project, "demo", JSII_NODE="/nonexistent/node")
    assert result.returncode == 1
    assert result.stderr == (
        "error: CDKTF needs Node 20 to 24, and there is none: run make setup, or put one on PATH\n"
    )


def test_another_environment_does_not_inherit_the_backend_that_terraform_remembers(project: Path) -> None:
    """Terraform would offer to migrate the state of one environment into that of the other."""
    assert run(project, "demo").returncode == 0
    remembered = project / "cdktf.out" / "stacks" / "policy" / ".terraform" / "terraform.tfstate"
    remembered.parent.mkdir()
    remembered.write_text("{}")
    assert run(project, "demo").returncode == 0
    assert remembered.exists()
    assert run(project, "community").returncode == 0
    assert not remembered.exists()


def test_assets_that_no_stack_refers_to_any_more_are_removed(project: Path) -> None:
    assert run(project, "production").returncode == 0
    assets = project / "cdktf.out" / "stacks" / "consul-cluster" / "assets"
    assert assets.is_dir()
    assert run(project, "demo").returncode == 0
    assert not assets.exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(project: Path, ending: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED_RUN], cwd=project, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(ending)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list(project.glob("*cdktf.out*"))


INTERRUPTED_RUN = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a pipeline may have started us with it ignored
sys.path.insert(0, ".")
from stacks import application, synthesis
class Slow:
    def synth(self):
        print("writing", flush=True)
        time.sleep(30)
application.compose = lambda *_, **__: Slow()
sys.exit(synthesis.run("demo", root=Path.cwd()))
"""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


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
    assert 'did you mean "local_port"?' in result.stderr
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
