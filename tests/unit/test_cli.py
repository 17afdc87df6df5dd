"""The ``mesh`` command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.cli import main
from mesh.project import available

ROOT = Path(__file__).resolve().parents[2]

COMMAND = [sys.executable, "-m", "mesh.cli"]

needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")

BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
"""An environment in which a process writes its output as late as it does for most people."""


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tests")  # anywhere below the root
    monkeypatch.delenv("MESH_ENVIRONMENT", raising=False)


def test_check_judges_every_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(available(ROOT))
    assert "environment demo is sound: 12 config entries, 3 Nomad jobs" in lines


def test_check_prints_every_problem(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    demo = (ROOT / "environments" / "demo.py").read_text()
    (folder / "demo.py").write_text(demo.replace('"v2": 100}', '"v2": 5}').replace('Upstream("api"', 'Upstream("apii"'))
    # A process of its own: this one has the project's environments loaded.
    result = subprocess.run([*COMMAND, "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("environment demo has 2 problems\n")
    assert "[split-sum]" in result.stdout
    assert "[upstream-unknown]" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["environments"]


def test_an_environment_that_does_not_load_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "aa.py").write_text("x = (")
    (folder / "demo.py").write_text((ROOT / "environments" / "demo.py").read_text())
    result = subprocess.run([*COMMAND, "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "error: environments/aa.py:1: '(' was never closed\n"
    assert result.stdout.startswith("environment demo is sound")


def test_entries_of_a_peered_cluster_are_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["entries", "list", "--peer", "lab-peering"]) == 0
    found = {(entry["Kind"], entry["Name"]) for entry in json.loads(capsys.readouterr().out)}
    assert ("service-defaults", "web") in found
    assert ("service-defaults", "api") not in found
    assert main(["entries", "show", "--peer", "service-defaults", "api", "lab-peering"]) == 1
    assert main(["entries", "list", "--peer", "lab"]) == 2
    assert "error: lab has no peered cluster" in capsys.readouterr().err


def test_entries_are_listed_in_the_order_of_writing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["entries", "list", "demo"]) == 0
    written = json.loads(capsys.readouterr().out)
    kinds = [entry["Kind"] for entry in written]
    assert kinds.index("service-resolver") < kinds.index("service-splitter") < kinds.index("service-router")
    assert written[0] == {
        "Kind": "proxy-defaults",
        "Name": "global",
        "Partition": "default",
        "Config": {"protocol": "http"},
        "TransparentProxy": {},
        "MeshGateway": {"Mode": "local"},
        "AccessLogs": {},
    }


def test_one_entry_is_shown_and_both_of_two_partitions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["entries", "show", "service-splitter", "api", "community"]) == 0
    assert json.loads(capsys.readouterr().out)["Splits"][1] == {"Weight": 100, "ServiceSubset": "v2"}
    assert main(["entries", "show", "proxy-defaults", "global"]) == 0
    assert [entry["Partition"] for entry in json.loads(capsys.readouterr().out)] == ["default", "k8s"]


def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["entries", "show", "service-splitter", "web"]) == 1
    assert capsys.readouterr().err == "error: demo has no entry service-splitter/web\n"
    assert main(["check", "comunity"]) == 2
    assert 'did you mean "community"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        ("service-splitr", "api", "service-splitter"),
        ("service-splitter", "apis", "api"),
        ("proxy-defaults", "globl", "global"),
    ],
)
def test_a_misspelt_entry_gets_a_suggestion(
    kind: str, name: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["entries", "show", kind, name, "demo"]) == 1
    assert capsys.readouterr().err == f'error: demo has no entry {kind}/{name}; did you mean "{meant}"?\n'


def test_outside_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "is in no project" in capsys.readouterr().err


def test_nothing_of_cdktf_is_loaded() -> None:
    program = (
        "import sys; from mesh.cli import main; main(['check'])\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'cdktf', 'jsii', 'constructs'}])"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@needs_a_full_disk
@pytest.mark.parametrize("arguments", [["rules"], ["entries", "list"], ["rules", "entry-form"], ["--help"]])
def test_output_that_does_not_fit_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=BUFFERED,
            text=True,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == "error: the output cannot be written: No space left on device\n"


@needs_a_full_disk
def test_without_output_a_full_disk_does_not_matter() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*COMMAND, "rules", "nonsense"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=BUFFERED,
            text=True,
            check=False,
        )
    assert (result.returncode, result.stderr) == (2, 'error: there is no rule "nonsense"\n')


def test_closed_output_is_no_error() -> None:
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "rules"]
    result = subprocess.run(shell, stderr=subprocess.PIPE, env=BUFFERED, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["rules"], ["rules", "entry-form"], ["--help"]])
def test_a_reader_that_has_gone_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        result = subprocess.run(
            [*COMMAND, *arguments], stdout=pipe, stderr=subprocess.PIPE, env=BUFFERED, text=True, check=False
        )
    assert (result.returncode, result.stderr) == (0, "")


def test_whoever_interrupts_it_sees_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "entries.json"
    os.mkfifo(pipe)
    # Whoever runs the tests may ignore the signal, which is inherited.
    program = (
        "import signal, sys; from mesh.cli import main; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.exit(main(['entries', 'check', {str(pipe)!r}]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED
    )
    with pipe.open("wb"):  # which waits until it reads
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130
