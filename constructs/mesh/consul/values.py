"""Reads single values: of each type that a field can have, as the provider decodes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from mesh.consul import value_rules
from mesh.consul.free_form import read_free_form
from mesh.consul.go_scalars import fits_float64, parse_bool, parse_float, parse_int
from mesh.consul.parts import Check, Fold, Mark, Part, beside, fields_of
from mesh.consul.reader import UNREAD, Form, Reader, Unread, as_mapping, loose, show, wrong
from mesh.durations import from_nanoseconds, parse_nanoseconds
from mesh.json_lines import DEEPEST, is_too_deep
from mesh.rules import At

Read = Callable[[Reader, object, At], object]
"""Reads a value that is not null and not missing."""


def value_reader(hint: object, said: tuple[object, ...] = ()) -> tuple[Read, object]:
    """The reader of a type, and Go's zero value of it as JSON.

    Args:
        hint: The type.
        said: What is said beside it further out.
    """
    if beside(hint):
        return value_reader(get_args(hint)[0], (*said, *beside(hint)))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        members = [member for member in arguments if member is not NoneType]
        return value_reader(Decimal if Decimal in members else members[0], said)
    if origin is Literal:
        return _choice(arguments, said), ""
    if origin is Mapping:
        key, item = arguments
        return (_free_form if item is Any else _mapping(value_reader(key)[0], *value_reader(item))), {}
    if origin is Sequence:
        return _listing(*value_reader(arguments[0], (_ITEM,)), _checks(said)), []
    return _scalar(hint, said)


def _scalar(hint: object, said: tuple[object, ...]) -> tuple[Read, object]:
    if isinstance(hint, type) and issubclass(hint, Part):
        return _object(hint, said), {}
    scalars: dict[object, tuple[Read, object]] = {
        str: (_duration(said) if Mark.DURATION in said else _text(_checks(said), item=_ITEM in said), ""),
        bool: (_boolean, False),
        int: (_whole(_checks(said)), 0),
        Decimal: (_number(_checks(said)), 0),
    }
    return scalars[hint]


_ITEM: Final = "an item of a list"
"""Said beside the type of items: one cannot be left out, so an empty one is judged as any other."""


def _checks(said: tuple[object, ...]) -> tuple[Check, ...]:
    return tuple(mark for mark in said if isinstance(mark, Check))


def _checked(reader: Reader, value: object, at: At, checks: tuple[Check, ...]) -> None:
    for check in checks:
        if not check.holds(value):
            reader.found(check.rule, at, f"{show(value)} is not {check.says}")
            return


def _text(checks: tuple[Check, ...], *, item: bool) -> Read:
    def read(reader: Reader, value: object, at: At) -> object:
        text = _as_text(reader, value, at)
        if isinstance(text, str) and (text or item):
            _checked(reader, text, at, checks)
        return text

    return read


def _as_text(reader: Reader, value: object, at: At) -> str | Unread:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int | float) and fits_float64(value):
        loose(reader, value, at, "a text")
        return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")
    return wrong(reader, value, at, "a text")


def _boolean(reader: Reader, value: object, at: At) -> object:
    if isinstance(value, bool):
        return value
    said: bool | None = None
    if isinstance(value, int | float) and fits_float64(value):
        said = bool(value)
    elif isinstance(value, str):
        said = parse_bool(value or "false")
    if said is None:
        return wrong(reader, value, at, "true or false")
    loose(reader, value, at, "true or false")
    return said


_SIGNED: Final = Check(
    value_rules.NUMBER_WRAPS,
    lambda number: -(2**63) <= float(number) < 2**63,  # it is rounded to 53 bits before
    "a number that fits into 64 bits with a sign",
)


def _whole(checks: tuple[Check, ...]) -> Read:
    if not any(check.rule is value_rules.NUMBER_WRAPS for check in checks):  # a field without a sign says its bits
        checks = (_SIGNED, *checks)

    def read(reader: Reader, value: object, at: At) -> object:
        number = _as_whole(reader, value, at)
        if isinstance(number, int):
            _checked(reader, number, at, checks)
        return number

    return read


def _as_whole(reader: Reader, value: object, at: At) -> int | Unread:
    number: int | None = None
    if isinstance(value, bool):
        number = int(value)
    elif isinstance(value, int | float) and fits_float64(value):
        if value != int(value):
            reader.found(value_rules.FRACTION, at, f"{value} is no whole number")
        return int(value)
    elif isinstance(value, str):
        number = parse_int(value or "0")
    if number is None:
        return wrong(reader, value, at, "a number")
    loose(reader, value, at, "a number")
    return number


def _number(checks: tuple[Check, ...]) -> Read:
    def read(reader: Reader, value: object, at: At) -> object:
        said = parse_float(value or "0") if isinstance(value, str) else value
        if not isinstance(said, int | float | Decimal):
            return wrong(reader, value, at, "a number")
        if not fits_float64(said):
            return wrong(reader, value, at, "a finite number")
        if isinstance(value, bool | str):
            loose(reader, value, at, "a number")
        number = Decimal(int(said)) if isinstance(said, bool) else Decimal(str(said))
        _checked(reader, number, at, checks)
        return number

    return read


def _duration(said: tuple[object, ...]) -> Read:
    pointer, checked = Mark.POINTER in said, Mark.SIGN_CHECKED in said

    def read(reader: Reader, value: object, at: At) -> object:
        if isinstance(value, str):
            nanoseconds = parse_nanoseconds(value)
            if nanoseconds is None:
                reader.found(value_rules.DURATION, at, f"{show(value)} is no length of time")
                return UNREAD
            text = value
        else:
            number = _as_whole(reader, value, at)
            if not isinstance(number, int):
                return number
            # Go makes the least of what it cannot hold.
            nanoseconds = number if -(2**63) <= number < 2**63 else -(2**63)
            text = from_nanoseconds(nanoseconds)
            if reader.form is not Form.API:
                reader.found(value_rules.DURATION_NUMBER, at, f"{show(value)} means {text}")
        if nanoseconds < 0:
            rule = value_rules.DURATION_NEGATIVE if checked else value_rules.DURATION_SIGN
            reader.found(rule, at, f"{show(value)} is negative")
        elif nanoseconds == 0:
            if not pointer:
                return ""
            reader.found(value_rules.DURATION_SIGN, at, f"{show(value)} is no time at all")
        return text

    return read


def _choice(allowed: tuple[Any, ...], said: tuple[object, ...]) -> Read:
    fold = next((mark for mark in said if isinstance(mark, Fold)), None)
    rule = value_rules.UNCHECKED_CHOICE if Mark.UNCHECKED in said else value_rules.CHOICE

    def read(reader: Reader, value: object, at: At) -> object:
        text = _as_text(reader, value, at)
        if not isinstance(text, str) or text in allowed or not (text or _ITEM in said):
            return text
        if fold and fold(text) in allowed:
            reader.found(value_rules.CASE_FOLDED, at, f"{show(text)} is stored as {fold(text)}", f"write {fold(text)}")
            return fold(text)
        one_of = ", ".join(allowed)
        reader.found(rule, at, f"{show(text)} is none of {one_of}", f"use one of {one_of}")
        return text

    return read


def _listing(item: Read, zero: object, checks: tuple[Check, ...]) -> Read:
    def read(reader: Reader, value: object, at: At) -> object:
        if isinstance(value, str | Mapping | bool | int | float | Part) or not isinstance(value, Sequence):
            if reader.form is Form.PYTHON or value == {}:
                return () if value == {} else wrong(reader, value, at, "a list")
            loose(reader, value, at, "a list")
            value = [value]
        items = [_item(item, zero, reader, part, at[index]) for index, part in enumerate(value)]
        if any(part is UNREAD for part in items):
            return UNREAD
        _checked(reader, items, at, checks)
        return tuple(items)

    return read


def _item(item: Read, zero: object, reader: Reader, value: object, at: At) -> object:
    if value is None and zero == {}:
        reader.found(value_rules.NULL_IN_LIST, at, "null is no object")
        return UNREAD
    if value is None:
        # Decoded into Go's zero value, not left out.
        reader.found(value_rules.LOOSE_TYPE, at, "null is no item", "remove it, or say what is meant")
        value = zero
    return item(reader, value, at)


def _mapping(key: Read, item: Read, zero: object) -> Read:
    def read(reader: Reader, value: object, at: At) -> object:
        mapping = as_mapping(reader, value, at)
        if mapping is UNREAD:
            return UNREAD
        read = {}
        for name, part in mapping.items():
            read[key(reader, name, at[name])] = _item(item, zero, reader, part, at[name])
        return UNREAD if UNREAD in read or any(part is UNREAD for part in read.values()) else read

    return read


def _free_form(reader: Reader, value: object, at: At) -> object:
    if is_too_deep(value):
        return wrong(reader, value, at, f"an object of at most {DEEPEST} levels")
    if isinstance(value, Mapping) and not all(isinstance(key, str) for key in value):
        return wrong(reader, value, at, "an object, whose keys are texts")
    return read_free_form(reader, value, at)


def _object(model: type[Part], said: tuple[object, ...]) -> Read:
    may_not_be_empty = Mark.VALUE not in said and Mark.POINTER not in said

    def read(reader: Reader, value: object, at: At) -> object:
        before = len(reader.problems)
        part = reader.part(model, value, at)
        if part is None:
            return UNREAD
        # What was said and not understood is reported already.
        if may_not_be_empty and is_blank(part) and before == len(reader.problems):
            if reader.form is Form.API and (zeros := _zeros(model, value)):
                return model(**zeros)  # that is what somebody said: else there would be no object
            reader.found(value_rules.EMPTY_OBJECT, at, "the object is empty")
        return part

    return read


def _zeros(model: type[Part], value: object) -> dict[str, Any]:
    """What an object from the API says to be false or 0, by the names of the fields."""
    said = value if isinstance(value, Mapping) else {}
    zeros = ((item, value_reader(item.type)[1]) for item in fields_of(model))
    return {item.name: zero for item, zero in zeros if zero == 0 and said.get(item.go) == zero}


def is_blank(part: Part) -> bool:
    """Whether an object says nothing."""
    return all(
        item.default is not MISSING and getattr(part, item.name) == item.default for item in fields_of(type(part))
    )
