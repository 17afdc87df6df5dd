"""Check names in the repository's files: none of a package registry, none of the machine, no `constructs` package.

Where packages come from is a setting of whoever installs them. The lock files say what a package is, by hashes alone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# Written in two halves, so that this file does not contain what it looks for.
REGISTRIES = [
    ".".join(halves)
    for halves in (
        ("crates", "io"),
        ("deb.debian", "org"),
        ("npmjs", "com"),
        ("npmjs", "org"),
        ("proxy.golang", "org"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo.maven.apache", "org"),
        ("repo1.maven", "org"),
        ("security.debian", "org"),
        ("sum.golang", "org"),
    )
]


def repository_files() -> list[Path]:
    """Every file that is or could be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = (ROOT / name for name in listed.split("\0") if name)
    return [file for file in files if file.is_file()]


def machine_paths() -> list[str]:
    """Return paths that tell of this machine; too short a path (`/app`, `/root`) may be meant for another one."""
    return [str(path) for path in (ROOT, Path.home()) if len(path.parts) > 2]  # noqa: PLR2004  the first part is "/"


def forbidden(file: Path, words: list[str]) -> Iterator[str]:
    text = file.read_bytes().decode(errors="replace")
    for word in words:
        if word in text:
            line = text[: text.index(word)].count("\n") + 1
            yield f"{file.relative_to(ROOT)}:{line}: names {word}"


def python_lock(lock: dict[str, Any]) -> Iterator[str]:
    if lock["_meta"]["sources"] != []:
        yield "Pipfile.lock: names its sources (make relock)"
    for section in lock.keys() - {"_meta"}:
        for name, package in lock[section].items():
            if "index" in package:
                yield f"Pipfile.lock: {name} names its index (make relock)"
            if "hashes" not in package and "path" not in package:
                yield f"Pipfile.lock: {name} has no hash"


def node_lock(lock: dict[str, Any]) -> Iterator[str]:
    for name, package in lock["packages"].items():
        if "resolved" in package:
            yield f"package-lock.json: {name} says where it came from (make relock)"
        if name and "integrity" not in package and not package.get("inBundle"):
            yield f"package-lock.json: {name} has no integrity hash"


def layout() -> Iterator[str]:
    for path in ("constructs/__init__.py", "tests/constructs"):
        if (ROOT / path).exists():
            yield f"{path}: hides the library called constructs"


def problems() -> Iterator[str]:
    words = REGISTRIES + machine_paths()
    for file in repository_files():
        yield from forbidden(file, words)
    yield from python_lock(json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8")))
    yield from node_lock(json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8")))
    yield from layout()


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
