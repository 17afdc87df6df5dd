"""What reading a config entry is about: its form, what was found so far, and how a value is shown."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from mesh.consul import value_rules
from mesh.consul.parts import Edition, Part
from mesh.rules import At, Problem, Rule
from mesh.showing import show as _show


class Form(Enum):
    """Where an entry comes from."""

    AUTHORED = "authored"
    API = "api"
    PYTHON = "python"


class Unread(Enum):
    """What stands for a value that cannot be read."""

    UNREAD = "unread"


UNREAD: Final = Unread.UNREAD

PartT = TypeVar("PartT", bound=Part)


@dataclass(slots=True)
class Reader(ABC):
    """Reads one entry, and collects what is wrong with it."""

    form: Form
    edition: Edition
    problems: list[Problem] = field(default_factory=list)

    def found(self, rule: Rule, at: At, message: str, fix: str | None = None) -> None:
        """Notes a problem."""
        self.problems.append(rule(at, message, fix))

    @abstractmethod
    def part(self, model: type[PartT], value: object, at: At) -> PartT | None:
        """A part of type ``model``, or none if something in it cannot be read; its own rules judge what was read."""


def wrong(reader: Reader, value: object, at: At, article: str) -> Unread:
    """A value of another type than its field, which the provider cannot decode."""
    reader.found(value_rules.WRONG_TYPE, at, f"{show(value)} is not {article}", f"write {article}")
    return UNREAD


def loose(reader: Reader, value: object, at: At, article: str) -> None:
    """A value of another type than its field, which the provider converts."""
    reader.found(value_rules.LOOSE_TYPE, at, f"{show(value)} is not {article}", f"write {article}")


def as_mapping(reader: Reader, value: object, at: At) -> Mapping[str, Any] | Unread:
    """A value as a map, as far as the provider makes one of it."""
    if isinstance(value, Mapping):
        return value
    merged = None if reader.form is Form.PYTHON else _merged(value)
    if merged is None:
        return wrong(reader, value, at, "an object, {...}")
    if value:
        loose(reader, value, at, "an object, {...}")
    return merged


def _merged(value: object) -> Mapping[str, Any] | None:
    """What the provider makes of a list where a map is expected: all maps in it become one."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list):
        return None
    merged: dict[str, Any] = {}
    for item in value:
        part = _merged(item)
        if part is None:
            return None
        merged |= part
    return merged


def show(value: object) -> str:
    """A value as a message shows it; only Python's own can be too large or nested too deeply for that."""
    try:
        return _show(value)
    except (RecursionError, ValueError):
        return f"this {type(value).__name__}"


__all__ = ["UNREAD", "Form", "PartT", "Reader", "Unread", "as_mapping", "loose", "show", "wrong"]
