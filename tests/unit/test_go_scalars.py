"""Single values in texts, as Go's ``strconv`` parses them; what is expected is what Go 1.26 gives."""

from decimal import Decimal
from math import inf, nan

import pytest

from mesh.consul.go_scalars import fits_float64, parse_bool, parse_float, parse_int


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    assert parse_bool(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_false(text: str) -> None:
    assert parse_bool(text) is False


@pytest.mark.parametrize("text", ["", "yes", "tRUE", " 1", "\uff11"])
def test_neither_true_nor_false(text: str) -> None:
    assert parse_bool(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-15", -15),
        ("+15", 15),
        ("010", 8),
        ("0_7", 7),
        ("0x1F", 31),
        ("-0X_1f", -31),
        ("0b11", 3),
        ("0o17", 15),
        ("1_000", 1000),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0x" + "0" * 5000 + "1", 1),
    ],
)
def test_whole_numbers(text: str, number: int) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+-1",
        " 1",
        "1\n",
        "08",
        "0x",
        "0b2",
        "_1",
        "1_",
        "1__0",
        "1.0",
        "1e3",
        "\uff11",
        "\u0661",
        "9223372036854775808",
        "-9223372036854775809",
        "0x8000000000000000",
        "1" * 5000,
        "0b" + "1" * 5000,
    ],
)
def test_no_whole_numbers(text: str) -> None:
    assert parse_int(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("010", 10), ("-0", 0), ("0" * 5000 + "7", 7), ("0x1", None), ("1_0", None), ("", None)]
)
def test_whole_numbers_to_base_10(text: str, number: int | None) -> None:
    assert parse_int(text, 10) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("33.3", 33.3),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("010", 10.0),
        ("1e2", 100.0),
        ("1_0.5", 10.5),
        ("0x1p-2", 0.25),
        ("0x_1.8P1", 3.0),
        ("1e-99999999", 0.0),
        ("0" * 5000 + "1", 1.0),
        ("+Inf", inf),
        ("-infinity", -inf),
    ],
)
def test_numbers(text: str, number: float) -> None:
    assert parse_float(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "e1",
        "1e",
        " 1",
        "1 ",
        "0x1",
        "0x1.8",
        "0b1",
        "_1",
        "1_",
        "1._5",
        "+nan",
        "infi",
        "\uff11",
        "\u0131nf",
        "1e309",
        "1e99999999",
        "0x1p1024",
        "9" * 5000,
    ],
)
def test_no_numbers(text: str) -> None:
    assert parse_float(text) is None


@pytest.mark.parametrize("number", [0, -1.5, 2**1023, 10**308, Decimal("33.3"), Decimal("1e-99999999")])
def test_what_a_double_holds(number: float | Decimal) -> None:
    assert fits_float64(number)


@pytest.mark.parametrize(
    "number",
    [
        inf,
        nan,
        10**309,
        pytest.param(10**5000, id="huge"),
        Decimal("1e309"),
        Decimal("1e99999999"),
        Decimal("nan"),
        Decimal("snan"),
    ],
)
def test_what_it_does_not_hold(number: float | Decimal) -> None:
    assert not fits_float64(number)
