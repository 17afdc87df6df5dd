"""Deriving once."""

from mesh.once import once


def test_the_last_argument_is_remembered_by_identity() -> None:
    asked: list[list[int]] = []

    @once
    def total(numbers: list[int]) -> int:
        asked.append(numbers)
        return sum(numbers)

    first, equal = [1, 2], [1, 2]
    assert [total(first), total(first), total(equal), total(first)] == [3, 3, 3, 3]
    assert asked == [first, equal, first]
