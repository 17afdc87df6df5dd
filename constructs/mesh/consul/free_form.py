"""Reads free-form maps as the server stores them: ``Config`` of proxy-defaults, ``Arguments`` of Envoy extensions."""

from collections.abc import Mapping, Sequence
from math import isfinite

from mesh.consul import value_rules
from mesh.consul.reader import UNREAD, Reader, as_mapping, show, wrong
from mesh.rules import At


def read_free_form(reader: Reader, value: object, at: At) -> object:
    """A map of anything: JSON, without the lists of one that the server takes apart."""
    mapping = as_mapping(reader, value, at)
    if mapping is UNREAD:
        return UNREAD
    read: dict[str, object] = {}
    for key, item in mapping.items():
        json = _json(reader, item, at[key])
        read[key] = _unwrapped(reader, json, at[key]) if isinstance(json, list) and len(json) == 1 else json
    return UNREAD if any(item is UNREAD for item in read.values()) else read


def _unwrapped(reader: Reader, value: list[object], at: At) -> object:
    (item,) = value
    if item is None:
        reader.found(value_rules.NULL_IN_LIST, at, "it is a list of null")
        return UNREAD
    if isinstance(item, list) and len(item) == 1:
        reader.found(value_rules.LIST_NESTED, at, f"{show(value)} is stored as {show(item)}")
        return UNREAD
    reader.found(value_rules.LIST_UNWRAPPED, at, f"{show(value)} is stored as its one item")
    return _without_lists_of_one(item)


def _without_lists_of_one(value: object) -> object:
    """What the server makes of the item of a list of one: each such list that is a value in it goes, too."""
    if isinstance(value, dict):
        return {
            key: _without_lists_of_one(item[0] if isinstance(item, list) and len(item) == 1 else item)
            for key, item in value.items()
        }
    return [_without_lists_of_one(item) for item in value] if isinstance(value, list) else value


def _json(reader: Reader, value: object, at: At) -> object:
    """A copy of a value in a free-form map, made of nothing but JSON."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return _double(reader, value, at)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        fields = {key: _json(reader, item, at[key]) for key, item in value.items()}
        return UNREAD if any(item is UNREAD for item in fields.values()) else fields
    if isinstance(value, Sequence):
        items = [_json(reader, item, at[index]) for index, item in enumerate(value)]
        return UNREAD if any(item is UNREAD for item in items) else items
    return wrong(reader, value, at, "something that JSON has")


def _double(reader: Reader, value: float, at: At) -> object:
    """A number of a free-form map: Consul keeps a double."""
    try:
        double = float(value)
    except OverflowError:
        return wrong(reader, value, at, "a number that Consul can keep")
    if not isfinite(double):
        return wrong(reader, value, at, "a finite number")
    if isinstance(value, int) and int(double) != value:
        reader.found(value_rules.NUMBER_ROUNDED, at, f"{value} is stored as {int(double)}")
    return value
