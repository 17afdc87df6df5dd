"""``mesh lab`` as a person uses it: up, status, test, apply, down; and as nobody should."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh import ports
from mesh.lab.api import Api
from mesh.lab.ground import Ground
from tests.lab import ROOT
from tests.lab.running import eventually

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab_ready")]

NAME = "test-command"

EARLY = 0.3
"""Seconds after which the command has hardly begun."""

DECLARATION = """
from dataclasses import replace

from environments.lab import ENVIRONMENT as LAB

ENVIRONMENT = replace(LAB, name="test-command")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project of its own: what it needs of this one, and an environment."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("main.py", "cdktf.json", "stacks", "imports", "tools", "bin"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "environments").mkdir()
    for path in (ROOT / "environments").glob("*.py"):
        shutil.copyfile(path, folder / "environments" / path.name)
    (folder / "environments/test_command.py").write_text(DECLARATION)
    yield folder
    Ground(NAME, folder).stop()


def mesh(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("mesh")), *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "MESH_ENVIRONMENT"},
    )


def run(project: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    with mesh(project, *arguments) as process:
        output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def traces(project: Path) -> dict[str, object]:
    """What a lab of the project could leave on this machine."""

    def said(*command: str) -> str:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout

    cgroups = {str(path) for path in Path("/sys/fs/cgroup").rglob("*nomad*")}
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(project) in line]
    return {
        "links": re.sub(r"\s+", " ", said("ip", "-o", "link")),
        "rules": [line for line in said("iptables-save").splitlines() if line.startswith("-A")],
        "cgroups": cgroups,
        "mounts": mounts,
        "addresses in use": sorted(map(str, Path("/var/lib/cni").rglob("*"))) if Path("/var/lib/cni").is_dir() else [],
    }


def processes(project: Path) -> list[str]:
    """Command lines of everything that belongs to a lab of the project."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if entry.name.isdecimal() and str(project) in command and entry.name != str(os.getpid()):
            found.append(command)
    return found


def assert_nothing_is_left(project: Path, before: dict[str, object]) -> None:
    deadline = time.monotonic() + 5
    while processes(project) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes(project) == []
    assert traces(project) == before
    assert not (project / ".lab").exists()


@pytest.mark.usefixtures("interruptible")
def test_a_day_with_the_lab(project: Path) -> None:
    before = traces(project)
    code, output, errors = run(project, "lab", "up", NAME)
    assert (code, errors) == (0, "")
    assert "through api-gateway, port 5000, to web and api:" in output
    assert re.search(r"/v1/x +api-v1 100 %\n", output)
    assert f"mesh lab down {NAME}" in output
    addresses = dict(re.findall(r"^(\S+) +http://(\S+?)/", output, re.MULTILINE))
    assert addresses.keys() == {"Consul", "Nomad", "api-gateway"}

    look_around(project)
    change_the_split(project)
    withdraw_a_version_in_one_apply(project)
    change_things_behind_its_back(project)
    interrupt_another_up(project)
    end_the_agents(project)
    move_to_another_datacenter(project)

    code, output, errors = run(project, "lab", "down")
    assert (code, output, errors) == (0, f"the lab {NAME} is gone\n", "")
    assert_nothing_is_left(project, before)
    code, output, errors = run(project, "lab", "status", NAME)
    assert code == 2
    assert "does not run; start it: mesh lab up test-command" in errors


def steps(output: str) -> list[str]:
    """The steps that an apply has taken."""
    return re.findall(r"(?:add|change|remove) \S+", output)


def look_around(project: Path) -> None:
    code, output, _ = run(project, "lab", "status", NAME)
    assert code == 0
    assert "job web: 1 of 1 run" in output
    code, output, _ = run(project, "lab", "apply", NAME)
    assert code == 0
    assert "nothing to do: all is as declared" in output
    code, output, _ = run(project, "lab", "logs", "-e", NAME)
    assert code == 0
    assert f"mesh-{NAME}-server-0/consul" in output.split()
    code, output, _ = run(project, "lab", "logs", "-e", NAME, "api", "-n", "1")
    assert code == 0
    assert "api-v1 listens on 127.0.0.1:9091" in output


def declare(project: Path, api: str) -> None:
    """Writes the environment with another ``api``, said by what is to be replaced of it."""
    services = f'services=[replace(LAB.service("api"), {api}), LAB.service("web")], name='
    (project / "environments/test_command.py").write_text(DECLARATION.replace("name=", services))


def change_the_split(project: Path) -> None:
    declare(project, 'split={"v1": 50, "v2": 50}')
    code, output, _ = run(project, "lab", "apply", NAME)
    assert code == 0
    assert steps(output) == ["change service-splitter/api"]
    _, output, _ = eventually(
        "the split is as declared",
        lambda: run(project, "lab", "test", "--requests", "200", NAME),
        well=lambda found: found[0] == 0,
    )
    shares = re.search(r"^  / +api-v\d ([\d.]+) %, api-v\d ([\d.]+) %$", output, re.MULTILINE)
    assert shares
    assert sum(map(float, shares.groups())) == pytest.approx(100)


def withdraw_a_version_in_one_apply(project: Path) -> None:
    declare(project, 'versions={"v2": LAB.service("api").versions["v2"]}, split={}, routes=[]')
    code, output, errors = run(project, "lab", "apply", NAME)
    assert code == 2
    assert output.startswith("hazard: service-resolver/api: ")
    assert "error: cannot change service-resolver/api: PUT /v1/config: 500 " in errors
    assert "done before: remove service-router/api" in errors
    declare(project, 'split={"v1": 50, "v2": 50}')
    code, output, _ = run(project, "lab", "apply", NAME)
    assert code == 0
    assert steps(output) == ["add service-router/api"]


def change_things_behind_its_back(project: Path) -> None:
    server = Ground(NAME, project).node(f"mesh-{NAME}-server-0")
    consul, nomad = Api(server, ports.LOOPBACK_HTTP), Api(server, ports.NOMAD_HTTP)
    web = nomad.get("/v1/job/web")
    nomad.request("POST", "/v1/jobs", {"Job": {**web, "Meta": {"changed": "by somebody"}}})
    consul.request("DELETE", "/v1/config/service-intentions/web")
    [forwarder] = [process for process in server.processes() if "forwarder.py" in " ".join(process.command)]
    forwarder.signal(signal.SIGKILL)
    code, output, _ = run(project, "lab", "status", NAME)
    assert code == 1
    assert "config entries: 10 declared, 1 step away: mesh lab apply test-command  <- not as it should be" in output
    assert "jobs: 4 declared, 1 step away: mesh lab apply test-command  <- not as it should be" in output
    assert "this machine's loopback does not lead to 4646, 5000, 8500: mesh lab apply test-command" in output
    code, output, _ = run(project, "lab", "apply", NAME)
    assert code == 0
    assert steps(output)[:2] == ["add service-intentions/web", "change job"]
    code, output, _ = run(project, "lab", "status", NAME)
    assert (code, "not as it should be" in output) == (0, False)


def interrupt_another_up(project: Path) -> None:
    with mesh(project, "lab", "up", NAME) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"the lab {NAME} stays: mesh lab up {NAME} goes on, mesh lab down {NAME} ends it" in errors
    code, output, _ = run(project, "lab", "status", NAME)
    assert (code, "not as it should be" in output) == (0, False)


def move_to_another_datacenter(project: Path) -> None:
    platform = 'platform=replace(LAB.platform, datacenter="dc9"), name='
    (project / "environments/test_command.py").write_text(DECLARATION.replace("name=", platform))
    agents = f"mesh-{NAME}-server-0/consul, mesh-{NAME}-server-0/nomad"
    code, output, _ = run(project, "lab", "status", NAME)
    assert code == 1
    assert f"declared otherwise since: {agents}; mesh lab up {NAME} makes the machines anew" in output
    code, _, errors = run(project, "lab", "apply", NAME)
    assert code == 2
    assert f"declared otherwise since: {agents}" in errors
    code, output, errors = run(project, "lab", "up", NAME)
    assert (code, errors) == (0, ""), output
    assert f"the machines are made anew: {agents}" in output
    assert re.search(r"/v1/x +api-v1 100 %\n", output)


def end_the_agents(project: Path) -> None:
    server = Ground(NAME, project).node(f"mesh-{NAME}-server-0")
    for agent in ("consul", "nomad"):
        process = server.process(agent, "agent")
        assert process
        process.signal(signal.SIGKILL)
    code, output, _ = run(project, "lab", "status", NAME)
    assert code == 1
    assert "consul: does not run  <- not as it should be" in output
    code, output, errors = run(project, "lab", "up", NAME)
    assert (code, errors) == (0, ""), output
    assert "nothing to do: all is as declared" in output
    assert re.search(r"/v1/x +api-v1 100 %\n", output)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("after", [EARLY, 1.5, 6.0])
def test_an_interrupted_up_leaves_nothing(project: Path, number: signal.Signals, after: float) -> None:
    before = traces(project)
    with mesh(project, "lab", "up", NAME) as process:
        time.sleep(after)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    # At first it is only Python that is ended, and nothing has been made.
    assert process.returncode in ({130, -number} if after == EARLY else {130}), errors
    assert "Traceback" not in errors or after == EARLY
    assert_nothing_is_left(project, before)


def test_up_goes_on_after_it_was_killed_anywhere(project: Path) -> None:
    before = traces(project)
    for after in (0.6, 1.2, 2.5, 5.0, 9.0):
        with mesh(project, "lab", "up", NAME) as process:
            time.sleep(after)
            process.kill()
    code, output, errors = run(project, "lab", "up", NAME)
    assert (code, errors) == (0, ""), output
    assert re.search(r"/v1/x +api-v1 100 %\n", output)
    assert run(project, "lab", "down")[0] == 0
    assert_nothing_is_left(project, before)


def test_two_commands_do_not_change_one_lab_at_a_time(project: Path) -> None:
    with Ground(NAME, project).locked():
        code, _, errors = run(project, "lab", "up", NAME)
    assert code == 2
    assert "another command is at work on the lab test-command" in errors


def test_an_environment_on_azure_is_no_lab(project: Path) -> None:
    code, _, errors = run(project, "lab", "up", "demo")
    assert code == 2
    assert 'the environment "demo" is on Azure' in errors
