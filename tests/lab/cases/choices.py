"""The choices that make up a generated case.

Bodies of config entries are wide and a draw is slow: one draw decides about all fields of an object.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Self, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
Json = dict[str, Any]


@cache
def _below(bound: int) -> SearchStrategy[int]:
    return st.integers(0, bound - 1)


class Choices:
    """Chooses by whole numbers. The first option, no option and the shortest list are the simplest.

    Args:
        below: Gives a whole number from 0, less than the bound: `random.Random.randrange`, say.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below

    @classmethod
    def drawn(cls, draw: Callable[[SearchStrategy[int]], int]) -> Self:
        """Choices of a hypothesis ``draw``."""
        return cls(lambda bound: draw(_below(bound)))

    def below(self, bound: int) -> int:
        """A whole number from 0, less than the bound."""
        return self._below(bound) if bound > 1 else 0

    def maybe(self, percent: int = 50) -> bool:
        """Yes, this often."""
        return self.below(100) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def distinct(self, options: Sequence[T], most: int = 3) -> list[T]:
        """Between one and ``most`` of the options, none twice, in their order round a circle."""
        count = 1 + self.below(min(most, len(options)))
        first = self.below(len(options))
        return [options[(first + step) % len(options)] for step in range(count)]

    def many(self, make: Callable[[], T], most: int = 3) -> list[T]:
        """A list of one to ``most`` items."""
        return [make() for _ in range(1 + self.below(most))]

    def some(self, **fields: Callable[[], Any]) -> Json:
        """Any of the fields, each about half the time; perhaps none."""
        return self._chosen(fields, self.below(1 << len(fields)))

    def any_of(self, **fields: Callable[[], Any]) -> Json:
        """At least one of the fields."""
        return self._chosen(fields, 1 + self.below((1 << len(fields)) - 1))

    def one_of(self, **fields: Callable[[], Any]) -> Json:
        """Exactly one of the fields."""
        return self._chosen(fields, 1 << self.below(len(fields)))

    @staticmethod
    def _chosen(fields: dict[str, Callable[[], Any]], mask: int) -> Json:
        return {name: make() for bit, (name, make) in enumerate(fields.items()) if mask >> bit & 1}
