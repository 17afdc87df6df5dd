"""JSON as people hand it over: one object, an array, or one object per line; read strictly."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

DEEPEST: Final = 64
"""Levels of nesting; Consul's entries have at most a dozen."""


class JsonError(ValueError):
    """A text is no JSON, or none that means one thing; the message says where and why."""


def read_objects(text: str) -> list[Any]:
    """The values in ``text``: the items of an array, or one value after the other, such as one per line.

    Raises:
        JsonError: the text is no JSON, a key is there twice, a number is none (NaN), or it is nested too deeply.
    """
    values: list[Any] = []
    position = _SPACE.match(text, 0).end()  # type: ignore[union-attr]  # it matches the empty text, too
    if position == len(text):
        raise JsonError("there is nothing in it")
    escaped = "\\u" in text
    while position < len(text):
        try:
            value, end = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise JsonError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
        except RecursionError:
            raise JsonError(_TOO_DEEP) from None
        except JsonError:
            raise
        except ValueError as error:  # an integer of more digits than Python reads
            raise JsonError(str(error)) from None
        if is_too_deep(value):
            raise JsonError(_TOO_DEEP)
        if escaped and _HALF.search(json.dumps(value, ensure_ascii=False)):
            raise JsonError("a text holds half of a surrogate pair, which is no character")
        values.append(value)
        position = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


_SPACE: Final = re.compile(r"[ \t\r\n]*")

_HALF: Final = re.compile("[\\ud800-\\udfff]")

_TOO_DEEP: Final = f"it is nested more than {DEEPEST} levels deep"


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are nested more than 64 levels deep."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, Mapping | list | tuple)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonError(f'the key "{key}" is there twice in one object')
            seen.add(key)
    return result


def _no_number(text: str) -> NoReturn:
    raise JsonError(f"{text} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonError(f"{text} is too large a number")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
