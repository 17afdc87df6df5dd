"""What ``mesh lab`` says before anything runs."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from mesh.cli import main
from mesh.lab import requirements
from mesh.lab.errors import LabError
from mesh.lab.ground import Ground

Captured = pytest.CaptureFixture[str]


SMALL = """
from ipaddress import IPv4Network

from mesh.model import Community, Environment, Flat, NetworkPlan, Nomad, Platform, Service

web = Service("web", port=9090, image="example/app:1.0", runs_on=Nomad())
network = NetworkPlan(clients=IPv4Network("10.0.1.0/29"))
platform = Platform(edition=Community(), topology=Flat(), azure=None, clients=1, network=network)
ENVIRONMENT = Environment("small", platform=platform, services=[web])
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with nothing in it, and everything that a lab needs."""
    (tmp_path / "cdktf.json").touch()
    (tmp_path / "environments").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def declare_small(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives the project an environment ``small``."""
    (project / "environments/__init__.py").touch()
    (project / "environments/small.py").write_text(SMALL)
    monkeypatch.syspath_prepend(project)
    for module in ("environments", "environments.small"):  # another project's, which another test has loaded
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.mark.parametrize("verb", ["apply", "test", "status", "down", "logs"])
def test_a_lab_is_roots(verb: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["lab", verb]) == 2
    assert capsys.readouterr().err == "error: a lab is root's: sudo .venv/bin/mesh lab ...\n"


def test_all_that_is_missing_is_said_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.chdir(root)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "PLUGIN_FOLDERS", ())
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert main(["lab", "up"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: a lab cannot run here; what is missing:\n")
    for what in ("root's rights", "iproute2", "iptables", "util-linux", "containernetworking-plugins"):
        assert what in said


def test_nothing_runs_and_there_is_nothing_to_see(capsys: Captured) -> None:
    assert main(["lab", "down"]) == 0
    assert capsys.readouterr().out == "no lab runs\n"
    assert main(["lab", "logs"]) == 2
    assert capsys.readouterr().err == "error: the lab lab does not run; start it: mesh lab up lab\n"


@pytest.mark.parametrize("count", ["-1", "x", "21", "1.5", ""])
def test_the_number_of_clients_is_small(count: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", "up", f"--clients={count}"])
    assert ended.value.code == 2
    assert "is no number from 0 to 20" in capsys.readouterr().err


def test_none_may_be_asked_for(capsys: Captured) -> None:
    assert main(["lab", "up", "nowhere", "--clients=0"]) == 2
    assert "nowhere" in capsys.readouterr().err  # it comes as far as the environment


def test_a_lab_that_does_not_run_is_not_asked(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    declare_small(project, monkeypatch)
    assert main(["lab", "test", "small"]) == 2
    assert capsys.readouterr().err == "error: the lab small does not run; start it: mesh lab up small\n"


def test_what_a_killed_command_left_is_removed(project: Path, capsys: Captured) -> None:
    (project / ".lab").mkdir()
    (project / ".lab/old.lock").touch()
    (project / ".lab/half/mesh-half-server-0").mkdir(parents=True)
    assert main(["lab", "down"]) == 0
    assert capsys.readouterr().out == "the lab half is gone\nthe lab old does not run\n"
    assert not (project / ".lab").exists()


def test_logs_are_found_by_the_beginning_of_their_names(project: Path, capsys: Captured) -> None:
    machine = project / ".lab/lab/mesh-lab-server-0"
    logs = machine / "nomad/alloc/0123456789abcdef/alloc/logs"
    logs.mkdir(parents=True)
    (machine / "consul.log").write_text("one\ntwo\nthree\n")
    (logs / "api.stdout.9").write_text("older\n")
    (logs / "api.stdout.10").write_text("newer\n")
    (logs / "api.stderr.0").write_text("")
    assert main(["lab", "logs"]) == 0
    names = ["mesh-lab-server-0/consul", "api/01234567/stderr", "api/01234567/stdout"]
    assert capsys.readouterr().out.split() == names
    assert main(["lab", "logs", "mesh-lab-server-0", "-n", "2"]) == 0
    assert capsys.readouterr().out == "== mesh-lab-server-0/consul (3 lines) ==\ntwo\nthree\n"
    api = "== api/01234567/stdout (1 lines) ==\nnewer\n"
    for of in ("api", "api/01234567", "01234567", "stdout", "api/01234567/stdout", "ap", "0123", "std"):
        assert main(["lab", "logs", of]) == 0
        assert capsys.readouterr().out == api
    for of in ("pi", "1234567", "apo"):
        assert main(["lab", "logs", of]) == 2
        assert f"there is no log {of}" in capsys.readouterr().err
    assert main(["lab", "logs", "apo"]) == 2
    said = capsys.readouterr().err
    assert 'error: there is no log apo; did you mean "api"?\nthere are:\n  mesh-lab-server-0/consul\n  api/' in said


def test_a_log_that_has_the_name_is_preferred_to_those_that_begin_so(project: Path, capsys: Captured) -> None:
    for task in ("api", "api-gateway"):
        logs = project / f".lab/lab/mesh-lab-server-0/nomad/alloc/{task}/alloc/logs"
        logs.mkdir(parents=True)
        (logs / f"{task}.stdout.0").write_text("all of it\n")
    assert main(["lab", "logs", "api"]) == 0
    assert capsys.readouterr().out.count("==\nall of it\n") == 1
    assert main(["lab", "logs", "api-"]) == 0
    assert capsys.readouterr().out.startswith("== api-gateway/")


def test_as_many_clients_as_are_asked_for_are_judged(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    declare_small(project, monkeypatch)
    assert main(["lab", "up", "small", "--clients", "4"]) == 1
    said = capsys.readouterr().err
    assert "small with clients=4" in said
    assert "platform.network.clients" in said
    assert "10.0.1.0/29 has room for 3 addresses; 4 are needed" in said


@pytest.mark.parametrize("name", ["/etc", "..", ".", "a/b", "../environments", "-", ""])
def test_a_lab_has_the_name_of_an_environment(name: str, project: Path) -> None:
    (project / ".lab").mkdir()
    with pytest.raises(LabError, match="is no name of an environment"):
        Ground(name, project)


def test_a_lab_is_found_by_its_file_as_well(project: Path, capsys: Captured) -> None:
    (project / ".lab/lab-peering").mkdir(parents=True)
    assert main(["lab", "down", "lab_peering"]) == 0
    assert capsys.readouterr().out == "the lab lab-peering is gone\n"
    assert main(["lab", "down", "lab_peering"]) == 1
    assert capsys.readouterr().out == "the lab lab-peering does not run\n"
