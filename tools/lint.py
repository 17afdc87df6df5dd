"""Run every static check, also after one has failed; show the output of those that failed."""

import subprocess
import sys
import time
from pathlib import Path

from tools.check_names import ROOT, repository_files

PYTHON = [sys.executable, "-m"]
SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))


def is_shell_script(file: Path) -> bool:
    with file.open("rb") as stream:
        first = stream.readline(80).split()
    words = {word.rpartition(b"/")[2] for word in first}  # `#!/bin/sh -e`, `#!/usr/bin/env bash`
    return file.suffix == ".sh" or (bool(first) and first[0][:2] == b"#!" and bool(words & {b"sh", b"bash", b"dash"}))


def checks() -> dict[str, list[str]]:
    """Return every check's name and command."""
    scripts = [str(file.relative_to(ROOT)) for file in repository_files() if is_shell_script(file)]
    return {
        "ruff check": [*PYTHON, "ruff", "check", "--quiet", "--output-format=concise"],
        "ruff format": [*PYTHON, "ruff", "format", "--check", "--output-format=concise"],
        "mypy": [*PYTHON, "mypy", "--no-error-summary"],
        "pyright": ["pyright"],
        "shellcheck": [SHELLCHECK, *scripts],
        "names": [*PYTHON, "tools.check_names"],
    }


def passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    verdict = "FAILED" if result.returncode else "ok"
    print(f"{name:12} {verdict:6} {time.monotonic() - started:5.1f} s", flush=True)
    if result.returncode:
        print(result.stdout, flush=True)
    return result.returncode == 0


if __name__ == "__main__":
    failed = [name for name, command in checks().items() if not passes(name, command)]
    sys.exit(f"lint failed: {', '.join(failed)}" if failed else None)
