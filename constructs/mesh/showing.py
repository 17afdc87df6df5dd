"""How messages show what somebody wrote: without anything that a terminal would obey, and no longer than one reads."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

_LONGEST: Final = 60
_MOST: Final = 10
_LONGEST_COMPARED: Final = 100


def printable(text: str) -> str:
    """``text`` with everything escaped that is not printable: control characters, line breaks, half surrogates."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shorten(text: str) -> str:
    """``text``, printable, in at most 60 characters."""
    shown = printable(text[: _LONGEST + 1])
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def show(value: object) -> str:
    """A value as a message shows it: a text in quotes, anything else as Python writes it."""
    return shorten(f'"{value}"' if isinstance(value, str) else repr(value))


def show_some(values: Collection[object]) -> str:
    """The first ten of some values, and how many there are besides."""
    shown = ", ".join(map(show, islice(values, _MOST)))
    return f"{shown} … and {len(values) - _MOST} more" if len(values) > _MOST else shown


def said_together(names: Collection[str]) -> str:
    """That fields, of which there may be one, are said: ``A, B and C are said together``."""
    *others, last = names
    return f"{', '.join(others)} and {last} are said together"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Which of the known words a misspelt one may mean; none if it looks like none of them."""
    return next(iter(get_close_matches(word[:_LONGEST_COMPARED], list(known), n=1)), None)


def suggest(word: str, known: Iterable[str]) -> str:
    """The same at the end of a message; nothing if there is none."""
    close = nearest(word, known)
    return f'; did you mean "{close}"?' if close else ""
