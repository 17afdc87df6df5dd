"""User data of the VMs: one cloud-config with the scripts, the staged configuration and one command.

The command is a script, because cloud-init's ``runcmd`` goes on after a failing line and its ``packages`` hides
failures. Everything is a literal known at synthesis, so that a change is seen in review, and nothing in it is secret.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources
from typing import Final, Literal

from mesh import names
from mesh.azure.vault import secrets_of
from mesh.consul import agent as consul
from mesh.model.environment import Environment
from mesh.nomad import agent as nomad

Role = Literal["server", "client"]

DATA_LUN: Final = 10
"""Where the data disk is attached."""

GATE_TIMEOUT_MINUTES: Final = 25
"""Longest time of the boot gate as Azure sees it; the script's own limit is shorter, so that it can say why."""

HASHICORP_FINGERPRINT: Final = "798AEC654E5C15428C8E42EEAA16FCBCA621E701"
"""Fingerprint of the key that signs HashiCorp's packages (https://www.hashicorp.com/trust/security)."""

_SCRIPTS: Final = {
    "/usr/local/sbin/hashistack-bootstrap": "hashistack-bootstrap",
    "/usr/local/sbin/hashistack-gate": "hashistack-gate",
    "/usr/local/sbin/kv-get": "kv-get",
}

_STATIC: Final = {
    "/etc/systemd/journald.conf.d/60-hashistack.conf": "journald.conf",
    "/etc/systemd/resolved.conf.d/consul.conf": "resolved.conf",
    "/etc/systemd/system/consul.service.d/10-hashistack.conf": "consul.service.conf",
    "/etc/systemd/system/nomad.service.d/10-hashistack.conf": "nomad.service.conf",
}

_SERVER_STATIC: Final = {"/etc/systemd/system/nomad.service.d/20-server.conf": "nomad-server.service.conf"}

_CLIENT_STATIC: Final = {
    "/etc/docker/daemon.json": "docker-daemon.json",
    "/etc/modules-load.d/hashistack.conf": "modules.conf",
    "/etc/sysctl.d/60-hashistack-bridge.conf": "sysctl.conf",
    "/etc/systemd/system/imds-guard.service": "imds-guard.service",
}

_CLIENT_SCRIPTS: Final = {"/usr/local/sbin/imds-guard": "imds-guard"}


@dataclass(frozen=True, slots=True)
class File:
    """A file that cloud-init writes, owned by root."""

    mode: str
    content: str


@dataclass(frozen=True, slots=True)
class UserData:
    """What a VM boots with.

    Attributes:
        text: The cloud-config.
        config_hash: SHA-256 of the cloud-config with an empty hash in it. The VM keeps it in its marker, Azure in a
            tag.
    """

    text: str
    config_hash: str

    @property
    def custom_data(self) -> str:
        """The cloud-config as Azure takes it: base64, at most 64 kB.

        Not compressed: the bytes would differ between builds of zlib.
        """
        return base64.b64encode(self.text.encode()).decode()


def user_data(environment: Environment, role: Role, index: int) -> UserData:
    """The user data of one VM."""
    files = _files(environment, role, index)
    settings = _settings(environment, role, index)
    config_hash = hashlib.sha256(_render(files, settings, "").encode()).hexdigest()
    return UserData(_render(files, settings, config_hash), config_hash)


def gate_script() -> str:
    """The script that waits for a VM to be ready."""
    return _read("hashistack-gate")


@cache
def static_files() -> Mapping[str, str]:
    """Text of every file of this package by its name."""
    return {path.name: path.read_text(encoding="utf-8") for path in resources("mesh.boot").joinpath("files").iterdir()}


def _read(name: str) -> str:
    return static_files()[name]


def _files(environment: Environment, role: Role, index: int) -> dict[str, File]:
    scripts = {**_SCRIPTS, **(_CLIENT_SCRIPTS if role == "client" else {})}
    static = {**_STATIC, **(_CLIENT_STATIC if role == "client" else _SERVER_STATIC)}
    consul_config, nomad_config = (
        (consul.server_config(environment, index), nomad.server_config(environment, index))
        if role == "server"
        else (consul.client_config(environment, index), nomad.client_config(environment, index))
    )
    secrets = "".join(f"{secret.name}\n" for secret in secrets_of(environment, role))
    return {
        **{path: File("0755", _read(name)) for path, name in scripts.items()},
        **{path: File("0644", _read(name)) for path, name in static.items()},
        "/etc/hashistack/consul.json": File("0640", _json(consul_config)),
        "/etc/hashistack/nomad.json": File("0640", _json(nomad_config)),
        "/etc/hashistack/secrets": File("0644", secrets),
    }


def _settings(environment: Environment, role: Role, index: int) -> dict[str, str]:
    """Variables of the bootstrap script: sourced by a shell, so without spaces and quotes."""
    platform = environment.platform
    machine = platform.server_machine if role == "server" else platform.client_machine
    enterprise = platform.enterprise
    return {
        "ROLE": role,
        "CONSUL_PACKAGE": "consul-enterprise" if enterprise else "consul",
        "CONSUL_VERSION": f"{platform.versions.consul}+ent" if enterprise else platform.versions.consul,
        "NOMAD_VERSION": platform.versions.nomad,
        "CNI_VERSION": platform.versions.cni,
        "CNI_SHA256": platform.versions.cni_sha256,
        "HASHICORP_FPR": HASHICORP_FINGERPRINT,
        "KV_URI": names.vault_uri(environment),
        "DATA_LUN": str(DATA_LUN) if machine.data_disk_gb else "",
        "NOMAD_SCHEME": "https" if platform.tls else "http",
        # One server makes the tokens; they exist nowhere else before.
        "SEED_ACL": "1" if platform.acl and role == "server" and index == 0 else "0",
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _render(files: Mapping[str, File], settings: Mapping[str, str], config_hash: str) -> str:
    """The cloud-config. JSON is YAML, so there is nothing to quote or to indent by hand."""
    lines = "".join(f"{name}={value}\n" for name, value in {**settings, "CONFIG_HASH": config_hash}.items())
    staged = {**files, "/etc/hashistack/env": File("0644", lines)}
    document = {
        "write_files": [
            {"path": path, "owner": "root:root", "permissions": file.mode, "content": file.content}
            for path, file in sorted(staged.items())
        ],
        "runcmd": [["/usr/local/sbin/hashistack-bootstrap"]],
    }
    return f"#cloud-config\n{json.dumps(document, indent=1)}\n"
