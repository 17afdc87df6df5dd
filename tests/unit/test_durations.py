"""Durations as Go writes them."""

from decimal import Decimal

import pytest

from mesh.durations import from_nanoseconds, nanoseconds, parse_nanoseconds, seconds


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


@pytest.mark.parametrize("text", ["2562048h", "9" * 1_000_000 + "h", "2562047h" + "1h" * 5000])
def test_more_than_go_holds(text: str) -> None:
    with pytest.raises(ValueError, match="more than Go holds"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-0", 0),
        ("-1.5h", -5_400_000_000_000),
        ("1.s.5s", 1_500_000_000),
        ("+1µs1μs", 2_000),
        ("0.9ns", 0),
        ("0.100000000000000000000h", 360_000_000_000),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("9223372036854775807ns", 2**63 - 1),
        ("-9223372036854775808ns", -(2**63)),
        ("0" * 5000 + "1s", 1_000_000_000),
        ("0." + "3" * 5000 + "m", 20_000_000_000),
    ],
)
def test_config_entries_have_whatever_go_takes(text: str, expected: int) -> None:
    assert parse_nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "-",
        "00",
        "15",
        ".s",
        "-.s",
        "1S",
        "1msx",
        "1 s",
        "--1s",
        "1d",
        "\uff11s",
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "2562048h",
        "9" * 1000000 + "h",
        "9" * 1000000 + "x",
    ],
)
def test_what_go_does_not_take(text: str) -> None:
    assert parse_nanoseconds(text) is None


@pytest.mark.parametrize("count", [0, 15, -1_500_000_000, 2**63 - 1, -(2**63)])
def test_what_go_writes_can_be_read(count: int) -> None:
    assert parse_nanoseconds(from_nanoseconds(count)) == count


def test_nothing_is_not_long_enough() -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        seconds("0s")
