"""What a rule of the judge is, and what it says about a place in a config entry: a problem.

A rule is data: the judge, ``mesh rules`` and ``docs/rules.md`` all read the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final

from mesh.findings import Severity
from mesh.shapes import go_name
from mesh.showing import printable

Example = Sequence[Mapping[str, Any]]
"""Entries as one may write them, with Kind and Name. An example stands alone: nothing else is in Consul."""


class Style(StrEnum):
    """How a place is written: with Consul's names, or with Python's."""

    GO = "go"
    PYTHON = "python"


class At:
    """A place in an entry.

    ``at / "routes"`` is a field by its Python name, ``at[0]`` an item, ``at["v1"]`` the value of a key in a map, and
    ``at.key("x")`` a key that is no field.
    """

    __slots__ = ("parent", "part")

    def __init__(self, parent: "At | None" = None, part: "str | _Item | _Key" = "") -> None:
        self.parent = parent
        self.part = part

    def __truediv__(self, field: str) -> "At":
        return At(self, field)

    def __getitem__(self, key: int | str) -> "At":
        return At(self, _Item(key))

    def key(self, name: str) -> "At":
        """A key that is no field, as it is written."""
        return At(self, _Key(name))

    def is_field_of_entry(self) -> bool:
        """Whether this is a field of the entry itself."""
        return self.parent is not None and self.parent.parent is None

    def written(self, style: Style) -> str:
        """The place as people read it: ``Routes[0].Match.HTTP.PathPrefix``; nothing for the entry as a whole."""
        parts: list[str] = []
        place: At | None = self
        while place is not None and place.parent is not None:
            part = place.part
            if isinstance(part, _Item):
                parts.append(f"[{part.key}]" if isinstance(part.key, int) else f'["{printable(str(part.key))}"]')
            elif isinstance(part, _Key):
                parts.append(f".{printable(part.name)}")
            else:
                parts.append(f".{go_name(part) if style is Style.GO else part}")
            place = place.parent
        return "".join(reversed(parts)).removeprefix(".")


@dataclass(frozen=True, slots=True)
class _Item:
    key: int | str


@dataclass(frozen=True, slots=True)
class _Key:
    name: str


ROOT: Final = At()
"""An entry as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """Something that can be wrong with config entries.

    Attributes:
        id: Stable name, in findings and for acknowledging.
        severity: What it means for the entry. Fixed per rule.
        what: What is wrong, as a statement about the entry.
        why: What happens, or would happen.
        source: Where Consul or the provider says so.
        fix: What to do about it.
        example: Entries of which the last one breaks this rule, and no other.
        instead: The same, put right.
        judged: Whether the Community server shows the difference; else it is taken from the source or documentation.
    """

    id: str = field(kw_only=False)
    severity: Severity
    what: str
    why: str
    source: str
    fix: str
    example: Example
    instead: Example
    judged: bool = True

    def __call__(self, at: At, message: str, fix: str | None = None) -> "Problem":
        """This rule broken at a place; ``message`` names the offending value."""
        return Problem(self, at, message, fix or self.fix)


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that is broken at a place in an entry."""

    rule: Rule
    at: At
    message: str
    fix: str


refused: Final = partial(Rule, severity=Severity.REFUSED)
"""A rule whose breach Consul or the provider refuses, or answers by losing something."""

stricter: Final = partial(Rule, severity=Severity.STRICTER)
"""A rule that Consul does not have: it accepts what cannot be meant. An environment can acknowledge it."""

canonicalised: Final = partial(
    Rule, severity=Severity.CANONICALISED, fix="nothing: it is written in the canonical form"
)
"""A spelling without loss that the server would change: noted, and written as the server stores it."""
