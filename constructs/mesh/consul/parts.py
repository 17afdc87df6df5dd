"""What config entries are made of: frozen objects with Consul's fields under Python names.

Building one never fails on a value, so that everything that is wrong is found at once, wherever it was written, and
that a rule which Consul does not have can be acknowledged. :mod:`mesh.consul.reading` looks at the values. The types
say what makes sense; what a type cannot say is said beside it, in ``Annotated``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    NamedTuple,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from mesh.rules import At, Problem, Rule
from mesh.shapes import JsonObject, go_name


class Edition(Enum):
    """The edition of Consul."""

    COMMUNITY = "community"
    ENTERPRISE = "enterprise"


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Part:
    """An object in a config entry. A class that derives from this is a frozen dataclass with keyword arguments.

    Attributes:
        DROPPED: Go names of fields that Consul knows and the pinned Terraform provider drops, and why.
        READ_ONLY: Go names of fields that are Consul's own.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {}
    READ_ONLY: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002 - for those who override it
        """Problems between this object's fields, whose values are of their types. ``at`` is where it stands."""
        yield from ()


class Fold(Enum):
    """How Consul folds the case of a value."""

    LOWER = "lower"
    UPPER = "upper"

    def __call__(self, text: str) -> str:
        return text.lower() if self is Fold.LOWER else text.upper()


class Mark(Enum):
    """What a field is, besides its type."""

    COMPUTED = "Consul computes it; it may be said, and is written as computed"
    DURATION = "a length of time as Go writes it"
    INHERITED = "on Enterprise, the entry's own when it is left out"
    POINTER = "zero is another value than none; of an object or duration, also empty or 0"
    VALUE = "an object that is the same when it is empty and when it is left out"
    LAX = "Consul accepts an entry without it"
    SIGN_CHECKED = "Consul refuses a negative length of time"
    UNCHECKED = "Consul accepts values that have no meaning"
    ZERO = "what JSON does not say is Go's zero value, not the default that Python has"
    ZERO_LEFT_OUT = "zero is the same as left out, and the server leaves it out"


@dataclass(frozen=True, slots=True)
class Check:
    """What a single value must fulfil.

    Attributes:
        rule: The rule that it breaks otherwise.
        holds: Whether a value fulfils it.
        says: What a good value is, as the end of the sentence "it must be".
    """

    rule: Rule
    holds: Callable[[Any], bool]
    says: str


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A field that only Enterprise has.

    Attributes:
        rule: What is broken when Community's entry has it.
        left_out: Whether Community's entry is read as if the field were not there, which is how Community reads it.
    """

    rule: Rule
    left_out: bool = False


class Field(NamedTuple):
    """A field of a part.

    Attributes:
        name: In Python.
        go: In Go and JSON.
        type: Its type, with what is said beside it.
        marks: What it is, besides its type.
        default: ``MISSING`` for a required one.
    """

    name: str
    go: str
    type: Any
    marks: frozenset[Mark]
    default: Any


_Derived = TypeVar("_Derived")


def per_class(derive: Callable[[type[Part]], _Derived]) -> Callable[[type[Part]], _Derived]:
    """Remembers what ``derive`` made of each class of parts."""
    return cast("Callable[[type[Part]], _Derived]", cache(cast("Callable[[type], _Derived]", derive)))


@per_class
def fields_of(part: type[Part]) -> tuple[Field, ...]:
    """The fields of a class of parts, in their order."""
    hints = get_type_hints(part, include_extras=True)
    return tuple(
        Field(
            item.name,
            go_name(item.name),
            hints[item.name],
            frozenset(mark for mark in beside(hints[item.name]) if isinstance(mark, Mark)),
            item.default if item.default_factory is MISSING else item.default_factory(),
        )
        for item in fields(cast("Any", part))  # every subclass is a dataclass
    )


def beside(hint: object) -> tuple[object, ...]:
    """What ``Annotated`` says beside a type."""
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


Inherited = Mapping[str, str]
"""Values of the entry that its parts inherit, by field."""

NOTHING_INHERITED: Final[Inherited] = {}


def plain(part: Part, *, without: frozenset[str] = frozenset(), inherited: Inherited = NOTHING_INHERITED) -> JsonObject:
    """``part`` as a JSON object with Go names.

    ``None``, empty texts, lists and maps are left out; ``False``, zero and empty objects are said.

    Args:
        part: The object.
        without: Names of fields to leave out.
        inherited: What parts inherit on Enterprise.
    """
    values = part.__dict__
    result: JsonObject = {}
    for name, go, inherits in _emitted(type(part)):
        if name in without:
            continue
        value = values[name]
        if value is None or value == "":
            if not inherits or name not in inherited:
                continue
            value = inherited[name]
        if type(value) not in _SCALARS:
            if not isinstance(value, Part) and not value and not isinstance(value, Decimal):
                continue
            value = _plain_value(value, inherited)
        result[go] = value
    return result


_SCALARS: Final = frozenset({str, int, bool, float})
"""What is emitted as it is."""


@per_class
def _emitted(part: type[Part]) -> tuple[tuple[str, str, bool], ...]:
    return tuple((item.name, item.go, Mark.INHERITED in item.marks) for item in fields_of(part))


def _plain_value(value: object, inherited: Inherited) -> object:
    if isinstance(value, Part):
        return plain(value, inherited=inherited)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: item if type(item) in _SCALARS else _plain_value(item, inherited) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [item if type(item) in _SCALARS else _plain_value(item, inherited) for item in value]
    return value
