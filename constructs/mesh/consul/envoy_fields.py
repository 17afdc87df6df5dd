"""Fields of Envoy's resources, and what a property-override patch can do to them.

Source: ``consul@1.22.7 agent/envoyextensions/builtin/property-override/structpatcher.go``. ``envoy_fields.json`` holds
the fields that a path can reach; ``tools/envoy-fields`` writes it.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

_ANY: Final = "google.protobuf.Any"
_NO_CHILDREN: Final = {
    "list": "is a list, and a path cannot lead into a list",
    "map": "is a map, and a path cannot lead into a map",
    _ANY: "can be any message, and a path cannot lead into it",
}
_WRAPPED: Final = {
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.StringValue": "string",
    **dict.fromkeys(
        (f"google.protobuf.{kind}Value" for kind in ("Int32", "Int64", "UInt32", "UInt64", "Float", "Double")), "number"
    ),
}


class Fields(NamedTuple):
    """What ``tools/envoy-fields`` wrote.

    Attributes:
        resources: The message of each kind of resource.
        messages: Fields and their types by message; a type is ``list``, ``map``, ``number``, ``string``, ``bool``,
            ``bytes``, a message or an enum.
        enums: Names of the values by enum.
        statuses: HTTP statuses that Envoy knows (``envoy.type.v3.StatusCode``).
    """

    resources: Mapping[str, str]
    messages: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, tuple[str, ...]]
    statuses: tuple[int, ...]


@cache
def envoy_fields() -> Fields:
    """The fields, read once, and only where a patch is judged."""
    read = json.loads(files("mesh.consul").joinpath("envoy_fields.json").read_text())
    enums = {name: tuple(values) for name, values in read["enums"].items()}
    return Fields(read["resources"], read["messages"], enums, tuple(read["statuses"]))


def why_no_path(resource: str, path: str) -> str | None:
    """Why ``path`` leads to no field of a kind of resource, or none if it does."""
    found = _walk(resource, path)
    return found if isinstance(found, str) else None


def why_no_value(resource: str, path: str, value: object) -> str | None:
    """Why a value cannot be added at a path that leads to a field, or none if it can.

    Consul reads JSON, where a list is a list of anything, and so cannot set any list.
    """
    found = _walk(resource, path)
    if isinstance(found, str):
        return None
    name, kind = found
    if isinstance(value, Mapping) and kind != "map":
        fields = envoy_fields().messages.get(kind)
        if fields is None:
            return f"{name} is a {_shown(kind)}, and cannot be set to an object"
        for child, part in value.items():
            if child not in fields:
                return f"{name} has no field {child}"
            if not _takes(fields[child], part):
                return f"{child} in {name} is a {_shown(fields[child])}, and cannot be set to {_json(part)}"
        return None
    return None if _takes(kind, value) else f"{name} is a {_shown(kind)}, and cannot be set to {_json(value)}"


def _walk(resource: str, path: str) -> tuple[str, str] | str:
    """Name and type of the field that ``path`` leads to, or why there is none."""
    known = envoy_fields()
    message = known.resources[resource]
    names = path.lstrip("/").split("/")
    if names == [""]:
        return "it names no field"
    for index, name in enumerate(names):
        if not name:
            return "a name in it is empty"
        kind = known.messages[message].get(name)
        if kind is None:
            return f"{message} has no field {name}"
        if index == len(names) - 1:
            return name, kind
        if kind not in known.messages or kind in _NO_CHILDREN:
            return f"{name} {_NO_CHILDREN.get(kind, f'is a {_shown(kind)} and has no fields')}"
        message = kind
    raise AssertionError


def _takes(kind: str, value: object) -> bool:
    kind = _WRAPPED.get(kind, kind)
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int | float):
        return kind == "number"
    if isinstance(value, str):
        return kind == "string" or value in envoy_fields().enums.get(kind, ())
    return False


def _shown(kind: str) -> str:
    return _WRAPPED.get(kind, kind)


def _json(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST: Final = 60
