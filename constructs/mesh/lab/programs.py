"""The programs of the lab: those that are installed, or those that the repository builds from Go modules."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from mesh.errors import ProjectError

CONSUL: Final = "1.22.7"
"""The release of Consul whose rules the project knows; another one may judge otherwise."""

NOMAD: Final = "1.11.3"
"""The release of Nomad whose rules the project knows."""


class UnavailableError(ProjectError):
    """A program is not on this machine and cannot be built here; the text is the reason."""


def find_consul(root: Path) -> Path:
    """The Consul to run: ``CONSUL_BIN``, or ``consul`` of `CONSUL` on ``PATH``, or one that is built.

    Parameters:
        root: The project's folder, which holds ``tools/``.

    Raises:
        UnavailableError: there is none.
    """
    return _find(root, "Consul", CONSUL)


def find_nomad(root: Path) -> Path:
    """The Nomad to run: ``NOMAD_BIN``, or ``nomad`` of `NOMAD` on ``PATH``, or one that is built.

    Parameters:
        root: The project's folder, which holds ``tools/``.

    Raises:
        UnavailableError: there is none.
    """
    return _find(root, "Nomad", NOMAD)


def build(root: Path, name: str) -> Path:
    """The program of ``tools/NAME``, built if it is not there yet, with the progress on standard error.

    Parameters:
        root: The project's folder, which holds ``tools/``.
        name: The Go module's folder.

    Raises:
        UnavailableError: it cannot be built; most often Go is missing or too old.
    """
    command = [str(root / "tools/build-go-tool"), name]
    # A group of its own, which can be ended as a whole: compilers do not outlive whoever is interrupted.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        messages: list[str] = []
        try:
            for line in process.stderr or ():
                print(line, end="", file=sys.stderr, flush=True)  # minutes without a word look like a hang
                messages.append(line)
            program, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode:
        raise UnavailableError("".join(messages).strip())
    return Path(program.strip())


def _find(root: Path, product: str, version: str) -> Path:
    name = product.lower()
    variable = f"{name.upper()}_BIN"
    if installed := _installed(product, version):
        return installed
    if chosen := os.environ.get(variable):
        raise UnavailableError(f"{variable} ({chosen}) is no {product} {version}")
    try:
        return build(root, name)
    except UnavailableError as error:
        raise UnavailableError(f"there is no {product} {version} on PATH, and none can be built: {error}") from error


def _installed(product: str, version: str) -> Path | None:
    """The one that was chosen, or else the one on ``PATH``, if it is the right version."""
    name = product.lower()
    found = os.environ.get(f"{name.upper()}_BIN") or shutil.which(name)
    return Path(found) if found and _says(found, f"{product} v{version}") else None


def _says(executable: str, version: str) -> bool:
    """Whether the program runs and its version begins with this line."""
    try:
        answer = subprocess.run([executable, "version"], check=False, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.split("\n", 1)[0] == version


def is_ready(root: Path, product: str) -> bool:
    """Whether a product (``Consul`` or ``Nomad``) can be run without building it."""
    version = {"Consul": CONSUL, "Nomad": NOMAD}[product]
    if os.environ.get(f"{product.upper()}_BIN") or _installed(product, version):
        return True  # one that was chosen is never replaced by one that is built
    return any((root / "bin").glob(f"{product.lower()}-*"))
