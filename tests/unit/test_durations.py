"""Durations as Go writes them."""

from decimal import Decimal

import pytest

from mesh.durations import nanoseconds, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", "30"), ("1m30s", "90"), ("500ms", "0.5"), ("1.5h", "5400"), ("10us", "0.00001"), ("3ns", "0.000000003")],
)
def test_seconds(text: str, expected: str) -> None:
    assert seconds(text) == Decimal(expected)


def test_nanoseconds() -> None:
    assert nanoseconds("1m0.25s") == 60_250_000_000


@pytest.mark.parametrize("text", ["", "15", "s", "-5s", "1 s", "1d", "30S", "1s "])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


def test_nothing_is_not_long_enough() -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        seconds("0s")
