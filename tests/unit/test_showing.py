"""What somebody wrote, as messages show it."""

import pytest

from mesh.rules import ROOT, Style
from mesh.showing import printable, said_together, shorten, show, show_some


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("catalog", "catalog"),
        ("größe …", "größe …"),
        ("a\x1b[2J\r\nb", r"a\x1b[2J\r\nb"),
        ("a\u202eb\u2028", r"a\u202eb\u2028"),
        ("\ud800", r"\ud800"),
        ("größe\t", r"größe\t"),
    ],
)
def test_only_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_is_cut() -> None:
    assert shorten("x" * 60) == "x" * 60
    assert shorten("x" * 61) == "x" * 59 + "…"
    assert len(shorten("\0" * 1_000_000)) == 60


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a\x1b", r'"a\x1b"'), (1.5, "1.5"), (None, "None"), (["\n"], r"['\n']"), ("x" * 100, '"' + "x" * 58 + "…")],
)
def test_a_text_is_quoted(value: object, shown: str) -> None:
    assert show(value) == shown


def test_of_many_values_a_few_are_shown() -> None:
    assert show_some({"v1": 1, "v\n": 2}) == r'"v1", "v\n"'
    assert show_some(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert show_some(range(2000)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 … and 1990 more"


@pytest.mark.parametrize(
    ("names", "said"),
    [("AB", "A and B are said together"), ("ABC", "A, B and C are said together")],
)
def test_fields_are_said_together(names: str, said: str) -> None:
    assert said_together(names) == said


@pytest.mark.parametrize("style", Style)
def test_a_place_has_no_control_characters(style: Style) -> None:
    assert (ROOT["a\x1b\n"].key("\x07b")).written(style) == r'["a\x1b\n"].\x07b'
    assert ROOT[3].written(style) == "[3]"
