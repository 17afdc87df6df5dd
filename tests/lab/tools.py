"""Programs that this repository builds from Go modules."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class UnavailableError(Exception):
    """A program is not on this machine and cannot be built here; the text is the reason."""


def build(name: str) -> Path:
    """Return the program of ``tools/NAME``, built if it is not there yet, with the progress on standard error.

    Raises:
        UnavailableError: it cannot be built; most often Go is missing or too old.
    """
    command = [str(ROOT / "tools/build-go-tool"), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        messages: list[str] = []
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)  # noqa: T201  # minutes without a word look like a hang
            messages.append(line)
        program = process.stdout.read().strip()
    if process.returncode:
        raise UnavailableError("".join(messages).strip())
    return Path(program)
