"""The scripts of a VM's boot, run for real against stand-ins."""

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.azure import ACCESS_TOKEN, Azure, running

ROOT = Path(__file__).parents[2]
BOOT = ROOT / "constructs/mesh/boot/files"
SCRIPTS = [
    *(path for path in sorted(BOOT.iterdir()) if path.read_bytes().startswith(b"#!")),
    ROOT / "tools/seed-vault",
]
SECRET = "e0c1f9f2-value-of-the-secret"  # noqa: S105 - of a stand-in
OWNER = f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sound(script: Path) -> None:
    assert os.access(script, os.X_OK)
    for command in (["bash", "-n"], [Path(sys.executable).with_name("shellcheck")]):
        result = subprocess.run([*command, script], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_consul_starts_although_its_packaged_configuration_is_gone(tmp_path: Path) -> None:
    """Systemd skips a unit whose condition fails, and calls that a success."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not on PATH")
    assert "rm -f /etc/consul.d/consul.hcl" in (BOOT / "hashistack-bootstrap").read_text()
    units = tmp_path / "etc/systemd/system"
    drop_ins = units / "consul.service.d"
    drop_ins.mkdir(parents=True)
    # As consul@1.22.7 .release/linux/package/usr/lib/systemd/system/consul.service has it.
    packaged = "[Unit]\nConditionFileNotEmpty=/etc/consul.d/consul.hcl\n[Service]\nExecStart=/bin/true\n"
    (units / "consul.service").write_text(packaged)
    command = [analyze, "condition", f"--root={tmp_path}", "--unit=consul.service"]
    if "Conditions failed" not in subprocess.run(command, capture_output=True, text=True, check=False).stderr:
        pytest.skip("systemd-analyze is older than 250")
    shutil.copy(BOOT / "consul.service.conf", drop_ins / "10-hashistack.conf")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.fixture
def azure() -> Iterator[Azure]:
    with running() as azure:
        yield azure


class Vm:
    """Folders of a VM, and how its scripts are run."""

    def __init__(self, folder: Path) -> None:
        self.state, self.run, self.bin = (folder / name for name in ("state", "run", "bin"))
        for path in (self.state, self.run, self.bin):
            path.mkdir()
        self.started: list[subprocess.Popen[str]] = []
        self.secret = folder / "secret"
        self.log = folder / "bootstrap.log"
        self.log.write_text("the last line of the log\n")

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "STATE": str(self.state),
            "RUN": str(self.run),
            "LOG": str(self.log),
            **changes,
        }

    def kv_get(self, azure: Azure, **changes: str) -> subprocess.Popen[str]:
        settings = {"IMDS": azure.url, "KV_URI": azure.url, "KV_INTERVAL": "0.1", "KV_TIMEOUT": "10", **changes}
        process = subprocess.Popen(
            [BOOT / "kv-get", "gossip", self.secret, OWNER, "0400"],
            env=self.environment(**settings),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End what a failed test left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def gate(self, *alive: str, tries: int = 1) -> subprocess.CompletedProcess[str]:
        """Run the gate where the units `alive` are active."""
        systemctl = self.bin / "systemctl"
        units = "|".join(alive) or "none"
        systemctl.write_text(
            f'#!/bin/sh\nfor unit; do :; done\ncase $unit in {units}) exit 0;; esac\necho "status of $unit"\nexit 3\n'
        )
        cloud_init = self.bin / "cloud-init"
        cloud_init.write_text("#!/bin/sh\necho 'status: running'\n")
        for stub in (systemctl, cloud_init):
            stub.chmod(0o755)
        return subprocess.run(
            [BOOT / "hashistack-gate"],
            env=self.environment(GATE_TRIES=str(tries), GATE_INTERVAL="0.1"),
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )


@pytest.fixture
def vm(tmp_path: Path) -> Iterator[Vm]:
    vm = Vm(tmp_path)
    yield vm
    vm.end()


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended and what it said, none of it secret."""
    said, _ = process.communicate(timeout=15)
    assert SECRET not in said
    assert ACCESS_TOKEN not in said
    return process.returncode, said


def test_a_secret_is_fetched_and_only_its_owner_reads_it(vm: Vm, azure: Azure) -> None:
    azure.secrets["gossip"] = SECRET
    assert _ended(vm.kv_get(azure)) == (0, "")
    assert vm.secret.read_text() == SECRET
    assert stat.S_IMODE(vm.secret.stat().st_mode) == 0o400
    assert list(vm.run.iterdir()) == []
    assert list(vm.state.iterdir()) == []


def test_a_right_may_come_late(vm: Vm, azure: Azure) -> None:
    azure.secrets["gossip"] = SECRET
    azure.answers["gossip"].extend([403, 403])
    status, said = _ended(vm.kv_get(azure))
    assert status == 0
    assert said.count("the VM may not read it yet") == 2
    assert vm.secret.read_text() == SECRET


def test_a_secret_may_come_late(vm: Vm, azure: Azure) -> None:
    process = vm.kv_get(azure)
    marker = vm.state / "waiting"
    deadline = time.monotonic() + 5
    while azure.reads["gossip"] < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert marker.read_text() == f"secret gossip of {azure.url}: it is not in the vault; run tools/seed-vault\n"
    azure.secrets["gossip"] = SECRET
    assert _ended(process)[0] == 0
    assert not marker.exists()
    assert vm.secret.read_text() == SECRET


def test_an_empty_secret_is_none(vm: Vm, azure: Azure) -> None:
    azure.secrets["gossip"] = ""
    status, said = _ended(vm.kv_get(azure))
    assert (status, said) == (1, "kv-get: gossip: empty\n")
    assert not vm.secret.exists()


def test_the_wait_for_a_secret_ends(vm: Vm, azure: Azure) -> None:
    status, said = _ended(vm.kv_get(azure, KV_TIMEOUT="0"))
    assert status == 1
    assert "kv-get: gossip: gave up" in said
    assert "it is not in the vault" in (vm.state / "waiting").read_text()
    assert list(vm.run.iterdir()) == []


def test_the_gate_lets_a_ready_vm_through(vm: Vm) -> None:
    (vm.state / "ok").write_text("hash\n")
    result = vm.gate("consul", "nomad")
    assert (result.returncode, result.stdout) == (0, "ready hash\n")


@pytest.mark.parametrize(("alive", "dead"), [("consul", "nomad"), ("nomad", "consul")])
def test_the_gate_stops_a_vm_with_a_dead_agent(vm: Vm, alive: str, dead: str) -> None:
    (vm.state / "ok").write_text("hash\n")
    result = vm.gate(alive)
    assert result.returncode == 1
    assert f"status of {dead}" in result.stderr


def test_the_gate_shows_why_a_boot_failed(vm: Vm) -> None:
    (vm.state / "failed").write_text("rc=1 line=42\n")
    result = vm.gate("consul", "nomad", tries=100)
    assert result.returncode == 1
    assert "boot failed: rc=1 line=42" in result.stderr
    assert "the last line of the log" in result.stderr


def test_the_gate_says_which_secret_a_vm_waits_for(vm: Vm, azure: Azure) -> None:
    _ended(vm.kv_get(azure, KV_TIMEOUT="0"))
    result = vm.gate(tries=2)
    assert result.returncode == 1
    assert f"waits for secret gossip of {azure.url}: it is not in the vault; run tools/seed-vault" in result.stderr


def test_what_keeps_a_vm_from_the_vault_is_said(vm: Vm, azure: Azure) -> None:
    closed = {"KV_TIMEOUT": "0", "KV_URI": "http://127.0.0.1:9"}
    assert re.search(r"the vault does not answer \(curl: .*connect", _ended(vm.kv_get(azure, **closed))[1])
    closed = {"KV_TIMEOUT": "0", "IMDS": "http://127.0.0.1:9"}
    assert re.search(r"gets no token \(curl: .*connect", _ended(vm.kv_get(azure, **closed))[1])
    azure.secrets["gossip"], azure.refusal = SECRET, "ForbiddenByFirewall"
    assert "may not read it yet (ForbiddenByFirewall)" in _ended(vm.kv_get(azure, KV_TIMEOUT="0"))[1]
    assert "seed-vault" not in (vm.state / "waiting").read_text()


def test_the_gate_ends(vm: Vm) -> None:
    result = vm.gate(tries=2)
    assert result.returncode == 1
    assert "not ready in time; cloud-init says: status: running" in result.stderr
    assert "the last line of the log" in result.stderr


def test_containers_are_kept_from_the_identity_once(vm: Vm) -> None:
    rules = vm.bin.parent / "rules"
    rules.touch()
    iptables = vm.bin / "iptables"
    iptables.write_text(
        "#!/bin/sh\nverb=$1\nshift\n"
        'case $verb in\n  -C) grep -qx -- "$*" "$RULES" ;;\n  -I) echo "$*" >>"$RULES" ;;\nesac\n'
    )
    iptables.chmod(0o755)
    for _ in range(2):
        subprocess.run([BOOT / "imds-guard"], env=vm.environment(RULES=str(rules)), check=True)
    assert rules.read_text().splitlines() == [
        f"{chain} -d 169.254.169.254 -j DROP" for chain in ("NOMAD-ADMIN", "DOCKER-USER")
    ]
