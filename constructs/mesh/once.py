"""Deriving something once, although several ask for it."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_Declared = TypeVar("_Declared")
_Derived = TypeVar("_Derived")


def once(derive: Callable[[_Declared], _Derived]) -> Callable[[_Declared], _Derived]:
    """Remembers what ``derive`` made of its last argument: the judge and the stacks ask for the same.

    By identity: declarations are frozen, and comparing two would cost as much as deriving. Only the last is kept.
    """
    last: list[tuple[_Declared, _Derived]] = []

    @wraps(derive)
    def remembered(declared: _Declared) -> _Derived:
        if not last or last[0][0] is not declared:
            last[:] = [(declared, derive(declared))]
        return last[0][1]

    return remembered
