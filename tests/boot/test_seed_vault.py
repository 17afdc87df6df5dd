"""``tools/seed-vault`` with the real openssl and jq, against a stand-in for Azure."""

import base64
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.azure.vault import secrets
from mesh.project import load
from tests.standins.azure import AZ, Azure, running

ROOT = Path(__file__).parents[2]
SHM = Path("/dev/shm")  # noqa: S108 - the place is the script's choice


class Operator:
    """Someone who runs the script, with a vault."""

    def __init__(self, azure: Azure, folder: Path) -> None:
        self.azure, self.folder = azure, folder
        (folder / "az").symlink_to(AZ)

    def seed(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it. No secret of the vault may be in what it says, and none may stay on the disk."""
        result = subprocess.run(
            [ROOT / "tools/seed-vault", *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "AZURE_STANDIN": self.azure.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        said = result.stdout + result.stderr
        assert [name for name, value in self.azure.secrets.items() if value in said] == []
        for place in (SHM, Path(tempfile.gettempdir())):
            assert list(place.glob("seed-vault.*")) == []
        return result


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with running("kv-mesh-demo") as azure:
        yield Operator(azure, tmp_path)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The vault of production, seeded once; tests that change it put it back."""
    with running("kv-mesh-production") as azure:
        operator = Operator(azure, tmp_path_factory.mktemp("production"))
        result = operator.seed("production")
        assert result.returncode == 0, result.stderr
        yield operator


def _openssl(*arguments: str | Path) -> str:
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def _pems(azure: Azure, folder: Path) -> dict[str, Path]:
    """The PEM texts of the vault as files."""
    found = {}
    for name, value in azure.secrets.items():
        if name.endswith(("-ca", "-cert", "-key")) and "gossip" not in name:
            found[name] = folder / f"{name}.pem"
            found[name].write_bytes(base64.b64decode(value, validate=True))
    return found


def _form_is_right(form: str, value: str) -> bool:
    if form == "gossip-key":
        return len(base64.b64decode(value, validate=True)) == 32
    if form == "token":
        return str(uuid.UUID(value)) == value and uuid.UUID(value).version == 4
    label = "CERTIFICATE" if form == "certificate" else "EC PRIVATE KEY"
    return base64.b64decode(value, validate=True).startswith(f"-----BEGIN {label}-----\n".encode())


def test_everything_that_production_needs(production: Operator) -> None:
    needed = {secret.name: secret.form for secret in secrets(load("production", ROOT))}
    made = production.azure.secrets
    assert set(made) == set(needed)
    assert [name for name, form in needed.items() if not _form_is_right(form, made[name])] == []
    assert len(set(made.values())) == len(made)


def test_certificates_belong_to_their_ca_and_key(production: Operator, tmp_path: Path) -> None:
    pems = _pems(production.azure, tmp_path)
    for name, days in {"consul-server": 365, "nomad-server": 365, "nomad-client": 365, "consul-ca": 3650}.items():
        leaf = not name.endswith("-ca")
        certificate, key = pems[f"{name}-cert" if leaf else name], pems[f"{name}-key"]
        ca = pems[f"{name.partition('-')[0]}-ca"]
        for purpose in ("sslserver", "sslclient") if leaf else ("any",):
            _openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, certificate)
        assert _openssl("x509", "-in", certificate, "-noout", "-pubkey") == _openssl("pkey", "-in", key, "-pubout")
        day = 24 * 60 * 60
        _openssl("x509", "-in", certificate, "-noout", "-checkend", str((days - 1) * day))
        later = ["openssl", "x509", "-in", str(certificate), "-noout", "-checkend", str((days + 1) * day)]
        assert subprocess.run(later, stdout=subprocess.DEVNULL, check=False).returncode == 1


def test_certificates_carry_the_names_they_are_called_by(production: Operator, tmp_path: Path) -> None:
    pems = _pems(production.azure, tmp_path)
    servers = {f"IP Address:{ip}" for ip in ("127.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.6")}
    zone = "mesh-production.internal"
    expected = {
        "consul-server-cert": {"DNS:server.dc1.consul", "DNS:localhost", f"DNS:consul.{zone}", *servers},
        "nomad-server-cert": {"DNS:server.global.nomad", "DNS:localhost", f"DNS:nomad.{zone}", *servers},
        "nomad-client-cert": {"DNS:client.global.nomad", "DNS:localhost", "IP Address:127.0.0.1"},
    }
    for name, names in expected.items():
        text = _openssl("x509", "-in", pems[name], "-noout", "-ext", "subjectAltName")
        assert set(text.strip().splitlines()[1].strip().split(", ")) == names


def test_a_second_run_changes_nothing(production: Operator) -> None:
    before, writes = dict(production.azure.secrets), len(production.azure.writes)
    result = production.seed("production")
    assert result.returncode == 0
    assert {line.split()[1] for line in result.stdout.splitlines()} == {"exists"}
    assert (production.azure.secrets, len(production.azure.writes)) == (before, writes)


def test_a_certificate_is_renewed_with_its_key_alone(production: Operator, tmp_path: Path) -> None:
    before = dict(production.azure.secrets)
    result = production.seed("production", "--rotate", "nomad-client-cert")
    assert result.returncode == 0
    after = production.azure.secrets
    assert {name for name in after if after[name] != before[name]} == {"nomad-client-cert", "nomad-client-key"}
    pems = _pems(production.azure, tmp_path)
    _openssl("verify", "-CAfile", pems["nomad-ca"], pems["nomad-client-cert"])


def test_a_run_that_ended_early_is_completed(production: Operator, tmp_path: Path) -> None:
    before = dict(production.azure.secrets)
    del production.azure.secrets["nomad-server-cert"]
    assert production.seed("production").returncode == 0
    after = production.azure.secrets
    assert {name for name in after if after[name] != before[name]} == {"nomad-server-cert"}
    pems = _pems(production.azure, tmp_path)
    _openssl("verify", "-CAfile", pems["nomad-ca"], pems["nomad-server-cert"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nomad-ca", "--rotate nomad-server-cert"),
        ("consul-ca-key", "--rotate consul-server-cert"),
        ("consul-gossip-key", "consul keyring"),
        ("nomad-management-token", "nomad acl token create"),
        ("nomad-clint-cert", "nomad-client-cert"),
    ],
)
def test_what_would_break_the_mesh_is_not_renewed(production: Operator, name: str, reason: str) -> None:
    writes = len(production.azure.writes)
    result = production.seed("production", "--rotate", name)
    assert result.returncode == 2
    assert reason in result.stderr
    assert len(production.azure.writes) == writes


@pytest.mark.parametrize(
    ("lost", "hint"),
    [
        (["consul-server-key"], "--rotate consul-server-cert"),
        (["consul-ca-key"], "recover"),
        (["consul-ca", "consul-ca-key"], "recover"),
    ],
)
def test_a_lost_half_is_never_replaced_silently(production: Operator, lost: list[str], hint: str) -> None:
    before = dict(production.azure.secrets)
    for name in lost:
        del production.azure.secrets[name]
    result = production.seed("production")
    assert result.returncode == 1
    assert hint in result.stderr
    production.azure.secrets.update(before)
    assert production.azure.secrets == before


def test_everything_that_the_demo_needs(operator: Operator) -> None:
    licence = operator.folder / "licence.hclic"
    licence.write_text("02MV4UU43BK5HGYYTOJZWFQMTMNNEWU33J\n")
    result = operator.seed("demo", "--license", licence.name)
    assert result.returncode == 0, result.stderr
    made = operator.azure.secrets
    assert set(made) == {"consul-license", "consul-gossip-key", "nomad-gossip-key"}
    assert made["consul-license"] == licence.read_text().strip()
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["created"] * 3
    assert operator.seed("demo").returncode == 0, "the licence is there, nobody has to name it again"


def test_a_missing_licence_is_asked_for(operator: Operator) -> None:
    result = operator.seed("demo")
    assert result.returncode == 2
    assert "--license FILE" in result.stderr


def test_who_is_not_signed_in_learns_how(operator: Operator) -> None:
    operator.azure.signed_in = False
    result = operator.seed("demo")
    assert (result.returncode, result.stdout) == (1, "")
    assert "run `az login`" in result.stderr


@pytest.mark.parametrize(
    ("code", "hint"), [("ForbiddenByRbac", "Key Vault Secrets Officer"), ("ForbiddenByFirewall", "operator_networks")]
)
def test_who_is_refused_learns_why(operator: Operator, code: str, hint: str) -> None:
    operator.azure.refusal = code
    result = operator.seed("demo")
    assert result.returncode == 1
    assert hint in result.stderr


def test_a_vault_that_is_not_there_yet(operator: Operator) -> None:
    result = operator.seed("community")
    assert result.returncode == 1
    assert "there is no vault kv-mesh-community: deploy the stack `infra` first" in result.stderr


def test_an_unknown_environment_is_named(operator: Operator) -> None:
    result = operator.seed("dmo")
    assert result.returncode == 2
    assert 'did you mean "demo"?' in result.stderr


def test_help_and_wrong_usage(operator: Operator) -> None:
    asked = operator.seed("--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith("usage: tools/seed-vault ENVIRONMENT")
    for arguments in (
        [],
        ["demo", "production"],
        ["demo", "--rotate"],
        ["demo", "--force"],
        ["demo", "--license", "no"],
    ):
        assert operator.seed(*arguments).returncode == 2
