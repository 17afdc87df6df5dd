"""What a lab stands on: its folder and its nodes, whatever they run."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final

from mesh.lab import node
from mesh.lab.errors import LabError
from mesh.lab.node import Node

FOLDER: Final = ".lab"
"""Folder of a project with its labs."""

_LOCK: Final = ".lock"


class Ground:
    """The ground of a lab, whether it runs or not.

    Attributes:
        name: The environment's name.
        root: The project's folder.
        folder: Where everything of the lab is.
    """

    def __init__(self, name: str, root: Path) -> None:
        """A lab by the name of its environment, or of its environment's file.

        Raises:
            LabError: it is no name of an environment; whole folders are removed by it.
        """
        name = name.replace("_", "-")
        if re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name) is None:
            raise LabError(f"{name!r} is no name of an environment")
        self.name = name
        self.root = root
        self.folder = root / FOLDER / name

    @staticmethod
    def names(root: Path) -> list[str]:
        """The labs of a project of which something is there."""
        with suppress(FileNotFoundError):
            return sorted({path.name.removesuffix(_LOCK) for path in (root / FOLDER).iterdir()})
        return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As long as it lasts, no other command changes this lab.

        Raises:
            LabError: one does already.
        """
        path = self.folder.with_suffix(_LOCK)
        path.parent.mkdir(exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise LabError(f"another command is at work on the lab {self.name}; try again when it has ended") from error
        try:
            yield
        finally:
            if not self.folder.exists():  # nothing is left of the lab, so neither is this
                path.unlink(missing_ok=True)
                with suppress(OSError):
                    path.parent.rmdir()
            os.close(lock)

    def is_there(self) -> bool:
        """Whether anything of it is there."""
        return self.folder.exists() or bool(self.nodes())

    def nodes(self) -> dict[str, Node]:
        """The running nodes by their name."""
        return {each.name: each for each in node.running(self.folder)}

    def node(self, name: str) -> Node:
        """A running node.

        Raises:
            LabError: it does not run.
        """
        try:
            return self.nodes()[name]
        except KeyError:
            raise self.is_down() from None

    def is_down(self) -> LabError:
        """The error for something that only a running lab can do."""
        return LabError(f"the lab {self.name} does not run; start it: mesh lab up {self.name}")

    def stop(self) -> None:
        """Ends everything, and removes all that the lab has left behind.

        Raises:
            LabError: something does not end.
        """
        for each in node.running(self.folder):
            each.end()
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    def logs(self) -> dict[str, Path]:
        """The logs by their names: of agents ``MACHINE/AGENT``, of what runs ``TASK/ALLOCATION/STREAM``."""
        found = {f"{path.parent.name}/{path.stem}": path for path in sorted(self.folder.glob("*/*.log"))}
        for path in sorted(self.folder.glob("*/nomad/alloc/*/alloc/logs/*.*.[0-9]*"), key=_numbered):
            task, stream, _ = path.name.rsplit(".", 2)
            found[f"{task}/{path.parents[2].name[:8]}/{stream}"] = path  # the last file of several
        return found


def text_of(file: Path) -> str:
    """What a lab's file says; nothing if it is not there."""
    with suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace")
    return ""


def _numbered(log: Path) -> tuple[str, int]:
    return str(log.with_suffix("")), int(log.suffix[1:])
