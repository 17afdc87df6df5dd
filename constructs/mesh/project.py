"""The project that a declaration lives in: finds and loads its environments."""

import re
import sys
import traceback
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mesh import model
from mesh.consul.parts import Part
from mesh.errors import ProjectError
from mesh.model import Environment
from mesh.showing import nearest, suggest

FOLDER: Final = "environments"
"""Folder with a module for each environment; modules that start with an underscore are helpers."""


DEFAULT_ENVIRONMENT: Final = "demo"


def find_root(start: Path) -> Path:
    """The project that ``start`` lies in: the nearest folder with environments.

    Raises:
        ProjectError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder
    raise ProjectError(f"{start} is in no project: there is no folder {FOLDER}/ here or above")


def available(root: Path) -> tuple[str, ...]:
    """Names of the environments of the project at ``root``."""
    return tuple(sorted(path.stem for path in (root / FOLDER).glob("[!_]*.py")))


def load(name: str, root: Path) -> Environment:
    """The environment ``name`` of the project at ``root``, not yet judged; a file's name has underscores for dashes.

    Raises:
        ProjectError: there is no such environment, or its module does not load.
    """
    known = available(root)
    called, name = name, name if name in known else name.replace("-", "_")  # as the environment is called, too
    if name not in known:
        close = nearest(name, known)
        hint = f'did you mean "{close}"? ' if close else ""
        message = f'no environment is called "{called}": {hint}there are {", ".join(known) or "none"} in {FOLDER}/'
        raise ProjectError(message)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        module = import_module(f"{FOLDER}.{name}")
    except Exception as error:
        raise ProjectError(_explain(error, root / FOLDER)) from error
    environment = getattr(module, "ENVIRONMENT", None)
    if not isinstance(environment, Environment):
        message = f"{FOLDER}/{name}.py: there is no ENVIRONMENT = Environment(...)"
        raise ProjectError(message)
    if environment.name != name.replace("_", "-"):
        message = (
            f'{FOLDER}/{name}.py declares the environment "{environment.name}": call it "{name}", or the file '
            f'"{environment.name}.py". State, Azure names and workspaces follow from the name'
        )
        raise ProjectError(message)
    return environment


def _explain(error: Exception, folder: Path) -> str:
    """Where in the environment's file an error came from, and what it says."""
    if isinstance(error, SyntaxError):
        where, what = f"{_relative(error.filename, folder)}:{error.lineno}", error.msg
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
        where = f"{_relative(frames[-1].filename, folder)}:{frames[-1].lineno}" if frames else f"{FOLDER}/"
        what = _describe(error)
    return f"{where}: {what}"


def _relative(filename: str | None, folder: Path) -> str:
    path = Path(filename or "")
    return path.relative_to(folder.parent).as_posix() if path.is_relative_to(folder.parent) else path.as_posix()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}{_meant(str(error))}"


def _meant(message: str) -> str:
    """What a misspelt keyword of the vocabulary may have meant."""
    found = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", message)
    return suggest(found[2], _fields(found[1])) if found else ""


def _fields(name: str) -> list[str]:
    """Fields of a class of the vocabulary, or of a part of a config entry, by the class's name."""
    declared = getattr(model, name, None)
    classes = [declared] if declared is not None and is_dataclass(declared) else _parts_called(name)
    return [field.name for each in classes for field in fields(each)]


def _parts_called(name: str) -> list[Any]:
    found: list[Any] = []
    todo: list[type[Part]] = [Part]
    while todo:
        part = todo.pop()
        todo += part.__subclasses__()
        if part.__name__ == name and part is not Part:
            found.append(part)
    return found
