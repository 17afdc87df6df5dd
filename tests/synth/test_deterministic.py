"""The same declaration gives the same bytes: on every run, in every directory, on every Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OTHER_PYTHONS = os.environ.get("MESH_OTHER_PYTHONS", "").split()
"""Interpreters of other Python versions that have the locked packages."""


def output(python: str, folder: Path, seed: str) -> dict[str, bytes]:
    """Every file of a synthesis of ``production``, run in a copy of the project at ``folder``."""
    shutil.copytree(ROOT / "environments", folder / "environments", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("stacks", "imports"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", folder)
    env = {**os.environ, "MESH_ENVIRONMENT": "production", "PYTHONHASHSEED": seed, "TZ": f"Etc/GMT+{seed}"}
    env.pop("CDKTF_OUTDIR", None)
    subprocess.run([python, "main.py"], cwd=folder, env=env, capture_output=True, check=True)
    out = folder / "cdktf.out"
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return output(sys.executable, tmp_path_factory.mktemp("first"), "1")


def test_on_every_run_and_in_every_directory(first: dict[str, bytes], tmp_path: Path) -> None:
    second = tmp_path / "another directory" / "deeper"
    second.mkdir(parents=True)
    assert output(sys.executable, second, "2") == first


@pytest.mark.skipif(not OTHER_PYTHONS, reason="MESH_OTHER_PYTHONS names no other Python that has the locked packages")
@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_on_every_python(first: dict[str, bytes], tmp_path: Path, python: str) -> None:
    assert output(python, tmp_path, "1") == first
