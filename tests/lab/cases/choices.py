"""The choices that make up a generated case.

Not hypothesis's: it also draws numbers that stand in whatever modules are loaded, so that a seed gives other cases in
each run, and it is slow for bodies as wide as these.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]


class Choices:
    """Chooses by whole numbers, always the same ones for a seed. The first option, none and the shortest list are 0."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, bound: int) -> int:
        """A whole number from 0, less than the bound."""
        return self._random.randrange(bound)

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
