"""What a VM boots with."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mesh.azure.vault import secrets_of
from mesh.boot.cloud_init import Role, UserData, user_data
from mesh.model import Environment
from mesh.project import load

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {name: load(name, ROOT) for name in ("demo", "community", "production")}
LIMIT = 64 * 1024


def _machines(environment: Environment) -> list[tuple[Role, int]]:
    platform = environment.platform
    servers: list[tuple[Role, int]] = [("server", index) for index in range(platform.servers)]
    clients: list[tuple[Role, int]] = [("client", index) for index in range(platform.clients)]
    return servers + clients


def _user_data(environment: Environment) -> list[UserData]:
    return [user_data(environment, role, index) for role, index in _machines(environment)]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs), "a key is there twice"
    return dict(pairs)


def _parsed(data: UserData) -> dict[str, Any]:
    first, _, rest = data.text.partition("\n")
    assert first == "#cloud-config"
    parsed: dict[str, Any] = json.loads(rest, object_pairs_hook=_once)
    return parsed


def _files(data: UserData) -> dict[str, str]:
    entries = _parsed(data)["write_files"]
    assert len({entry["path"] for entry in entries}) == len(entries)
    return {entry["path"]: entry["content"] for entry in entries}


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> Environment:
    return ENVIRONMENTS[request.param]


def test_nothing_but_files_and_one_command(environment: Environment) -> None:
    for data in _user_data(environment):
        parsed = _parsed(data)
        assert set(parsed) == {"write_files", "runcmd"}
        assert parsed["runcmd"] == [["/usr/local/sbin/hashistack-bootstrap"]]
        assert "/usr/local/sbin/hashistack-bootstrap" in _files(data)


def test_permissions_are_octal_texts(environment: Environment) -> None:
    for data in _user_data(environment):
        for entry in _parsed(data)["write_files"]:
            assert re.fullmatch(r"0[0-7]{3}", entry["permissions"])
            assert (entry["permissions"] == "0755") == entry["path"].startswith("/usr/local/sbin/")


def test_nothing_lies_where_the_data_disk_is_mounted(environment: Environment) -> None:
    assert not [path for data in _user_data(environment) for path in _files(data) if path.startswith("/opt/")]


def test_it_fits_azures_limit(environment: Environment) -> None:
    assert all(len(data.custom_data) < LIMIT for data in _user_data(environment))


def test_two_renderings_are_the_same(environment: Environment) -> None:
    assert _user_data(environment) == _user_data(environment)


def test_the_hash_is_that_of_the_text_without_it(environment: Environment) -> None:
    for data in _user_data(environment):
        assert data.text.count(data.config_hash) == 1
        without = data.text.replace(data.config_hash, "")
        assert hashlib.sha256(without.encode()).hexdigest() == data.config_hash


def test_one_server_makes_the_tokens_where_there_are_some(environment: Environment) -> None:
    settings = [_files(data)["/etc/hashistack/env"].splitlines() for data in _user_data(environment)]
    seeding = ["SEED_ACL=1" in lines for lines in settings]
    assert seeding == [environment.platform.acl, *([False] * (len(settings) - 1))]


def test_a_shell_reads_the_settings_as_they_are_written(environment: Environment) -> None:
    for data in _user_data(environment):
        for line in _files(data)["/etc/hashistack/env"].splitlines():
            assert re.fullmatch(r"[A-Z_0-9]+=[A-Za-z0-9.:/+-]*", line)


def test_a_machine_asks_for_the_secrets_of_its_role(environment: Environment) -> None:
    for (role, _), data in zip(_machines(environment), _user_data(environment), strict=True):
        asked = _files(data)["/etc/hashistack/secrets"].splitlines()
        assert asked == [secret.name for secret in secrets_of(environment, role)]


def test_the_bootstrap_uses_every_secret_that_a_machine_asks_for(environment: Environment) -> None:
    for (role, _), data in zip(_machines(environment), _user_data(environment), strict=True):
        files = _files(data)
        script = files["/usr/local/sbin/hashistack-bootstrap"].replace("${ROLE}", role)
        unused = [name for name in files["/etc/hashistack/secrets"].split() if name not in script]
        assert unused == []


def test_the_community_edition_hears_of_no_licence() -> None:
    for name in ("community", "production"):
        for data in _user_data(ENVIRONMENTS[name]):
            files = _files(data)
            said = "".join(content for path, content in files.items() if path.startswith("/etc/hashistack/"))
            assert "license" not in said
            assert "CONSUL_PACKAGE=consul\n" in said
    assert "consul-license" in _files(_user_data(ENVIRONMENTS["demo"])[0])["/etc/hashistack/secrets"]


def test_cloud_init_accepts_it(environment: Environment, tmp_path: Path) -> None:
    command = shutil.which("cloud-init")
    if not command:
        if os.environ.get("MESH_REQUIRE_CLOUD_INIT"):
            pytest.fail("MESH_REQUIRE_CLOUD_INIT is set, and there is no cloud-init on PATH")
        pytest.skip("cloud-init is not on PATH")
    machines = _machines(environment)
    for role, index in (machines[0], machines[-1]):
        file = tmp_path / "user-data.yaml"
        file.write_text(user_data(environment, role, index).text)
        result = subprocess.run([command, "schema", "--config-file", file], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
