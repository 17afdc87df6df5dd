"""JSON as people hand it over."""

from collections.abc import Callable

import pytest

from mesh.json_lines import DEEPEST, JsonError, is_too_deep, read_objects


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('[{"a": 1}, {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ("[]", []),
        ('{"a": 1}\n\n{"b": 2}\r\n', [{"a": 1}, {"b": 2}]),
        ('{\n  "a": 1\n}\n{\n  "b": 2\n}\n', [{"a": 1}, {"b": 2}]),
        ("[1]\n[2]", [[1], [2]]),
        ("3", [3]),
    ],
)
def test_an_object_an_array_or_one_after_the_other(text: str, values: list[object]) -> None:
    assert read_objects(text) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing in it"),
        (" \n", "nothing in it"),
        ("{", "line 1, column 2"),
        ('{"a": 1}\n{"b": }', "line 2, column 7"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": 1e999}', "too large a number"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', 'the key "c" is there twice'),
        (r'{"a": "\ud800"}', "half of a surrogate pair"),
        ('{"a": 1}\n' + r'{"b": ["\udc00"]}', "half of a surrogate pair"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "nested more than"),
        ("[" * 100_000, "nested more than"),
        ("[" * 100_000 + "]" * 100_000, "nested more than"),
    ],
)
def test_what_means_nothing_or_two_things_is_refused(text: str, why: str) -> None:
    with pytest.raises(JsonError, match=why):
        read_objects(text)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert read_objects(r'{"a": "\ud83d\ude00"}') == [{"a": "\U0001f600"}]


@pytest.mark.parametrize(
    "around",
    [lambda value: {"a": value}, lambda value: [value], lambda value: (value,)],
    ids=["object", "list", "tuple"],
)
def test_what_is_nested_in_python_is_measured_as_well(around: Callable[[object], object]) -> None:
    value: object = 1
    for _ in range(DEEPEST):
        value = around(value)
    assert not is_too_deep(value)
    assert is_too_deep(around(around(value)))


def test_consuls_own_depth_is_no_problem() -> None:
    assert read_objects("[" * DEEPEST + "]" * DEEPEST)
