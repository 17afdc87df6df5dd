"""Snapshots: what changed in the output. What must hold is asserted elsewhere."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from tests.output import Synthesized
from tests.synth.decoded import files

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_snapshots(declared: Synthesized) -> None:
    folder = SNAPSHOTS / declared.environment.name
    new = files(declared)
    old = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if os.environ.get("MESH_UPDATE_SNAPSHOTS"):
        assert not os.environ.get("CI"), "snapshots are never written in CI"
        _write(folder, new, old)
        return
    changes = [_difference(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    report = "\n".join(change for change in changes if change)
    if report:
        pytest.fail(f"the output changed; look at it, then run make snapshots\n{report}", pytrace=False)


def _write(folder: Path, new: dict[str, str], old: dict[str, str]) -> None:
    for name in old.keys() - new.keys():
        (folder / name).unlink()
    for name, text in new.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _difference(name: str, old: str | None, new: str | None) -> str:
    if old == new:
        return ""
    if old is None:
        return f"{name}: new"
    if new is None:
        return f"{name}: gone"
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"{name} (before)", f"{name} (now)", lineterm="", n=2
    )
    return "\n".join(lines)
