"""Arguments of Envoy extensions as Consul decodes them: keys without regard to case, types to the letter.

Source: ``consul@1.22.7 agent/envoyextensions/builtin``; ``github.com/go-viper/mapstructure/v2@v2.5.0``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from mesh.consul.go_scalars import parse_bool
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.showing import nearest

_LUA: Final = {"Listener": "inbound", "Script": "-- nothing"}


def example(name: str, arguments: Mapping[str, object]) -> Example:
    """A service with one extension."""
    extension = {"Name": f"builtin/{name}", "Arguments": arguments}
    return [{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "EnvoyExtensions": [extension]}]


ARGUMENT_TYPE: Final = refused(
    "extension-argument-type",
    what="An argument of an Envoy extension has another type than the extension expects.",
    why="Consul refuses it: error decoding extension arguments.",
    source="consul@1.22.7 agent/envoyextensions/builtin, fromArguments",
    fix="give a value of the argument's type",
    example=example("lua", {**_LUA, "Script": 1}),
    instead=example("lua", _LUA),
)

ARGUMENT_UNKNOWN: Final = stricter(
    "extension-argument-unknown",
    what="An Envoy extension does not have the argument.",
    why="Consul does not look at it, so what it says does not happen.",
    source="consul@1.22.7 agent/envoyextensions/builtin, fromArguments (mapstructure without ErrorUnused)",
    fix="use the name that is meant, or remove it",
    example=example("lua", {**_LUA, "proxy_type": "api-gateway"}),
    instead=example("lua", {**_LUA, "ProxyType": "api-gateway"}),
)


class Scalar(Enum):
    """A type of values."""

    TEXT = "a text"
    FLAG = "true or false"
    NUMBER = "a number"
    COUNT = "a number from 0"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one type."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any keys, and values of one type."""

    item: "Shape"


Shape = Scalar | ListOf | MapOf | Mapping[str, "Shape"]
"""A type of arguments; a mapping is an object with these keys."""

Decoded = Mapping[str, Any]
"""Arguments by their right names, without nulls."""


@dataclass(slots=True)
class Decoding:
    """Decodes the arguments of one extension.

    Attributes:
        weak: Whether Consul converts types (``WeaklyTypedInput``).
        problems: What is wrong with them.
    """

    weak: bool
    problems: list[Problem] = field(default_factory=list)

    def read(self, value: Any, shape: Shape, at: At) -> Any:  # noqa: ANN401, PLR0911 - JSON, by its shape
        """``value`` as Consul decodes it; nothing usable where a problem was found."""
        if value is None:
            return None
        if self.weak and isinstance(value, list) and len(value) == 1 and not isinstance(shape, ListOf):
            value = value[0]
        if isinstance(shape, Scalar):
            return self._scalar(value, shape, at)
        if isinstance(shape, ListOf):
            if self.weak and not isinstance(value, list):
                value = [] if value == {} else [value]
            if not isinstance(value, list):
                return self._wrong(value, "a list", at)
            return [self.read(item, shape.item, at[index]) for index, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return self._wrong(value, "an object, {...}", at)
        if isinstance(shape, MapOf):
            return {key: self.read(item, shape.item, at[key]) for key, item in value.items()}
        return self._object(value, shape, at)

    def _object(self, value: Mapping[str, Any], shape: Mapping[str, Shape], at: At) -> Decoded:
        folded = {key.lower(): key for key in value}
        taken: dict[str, str] = {}
        for name in shape:
            key = name if name in value else folded.get(name.lower())
            if key is not None:
                taken[key] = name
        self.problems += (_unknown(key, shape, at) for key in value if key not in taken)
        read = {name: self.read(value[key], shape[name], at[key]) for key, name in taken.items()}
        return {name: item for name, item in read.items() if item is not None}

    def _scalar(self, value: Any, scalar: Scalar, at: At) -> Any:  # noqa: ANN401 - JSON
        if scalar is Scalar.ANYTHING:
            return value
        flag, number, text = isinstance(value, bool), isinstance(value, int | float), isinstance(value, str)
        good = {
            Scalar.TEXT: text,
            Scalar.FLAG: flag,
            Scalar.NUMBER: number and not flag,
            Scalar.COUNT: number and not flag and value >= 0,
        }[scalar]
        if good:
            return value
        if self.weak and scalar is Scalar.TEXT and number:
            return str(int(value)) if flag or value == int(value) else str(value)
        if self.weak and scalar is Scalar.FLAG and number:
            return bool(value)
        if self.weak and scalar is Scalar.FLAG and text and (parsed := parse_bool(value or "false")) is not None:
            return parsed
        return self._wrong(value, scalar.value, at)

    def _wrong(self, value: object, article: str, at: At) -> None:
        self.problems.append(ARGUMENT_TYPE(at, f"{_shown(value)} is not {article}", f"write {article}"))


def _unknown(key: str, shape: Mapping[str, Shape], at: At) -> Problem:
    squeezed = {name.lower(): name for name in shape}
    meant = squeezed.get(key.replace("_", "").replace("-", "").lower())
    close = meant or nearest(key, shape)
    fix = f"write {close}" if close else f"remove it; there are {', '.join(shape)}"
    return ARGUMENT_UNKNOWN(at[key], f'there is no argument "{key}"', fix)


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST: Final = 60


def exactly_one(values: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with a choice of which exactly one has to be said; ``values`` by name."""
    said = [name for name, value in values.items() if value]
    if len(said) != 1:
        yield f"{' and '.join(said)} are both said" if said else f"none of {', '.join(values)} is said"
