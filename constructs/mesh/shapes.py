"""Objects of Nomad's JSON API as typed Python, and the names of fields in Go.

Exact Go names, no unknown keys, nothing emitted that was not said. Nomad's JSON decoder drops keys it does not know
without a word, so a model forbids them. Jobs are derived, never written by hand: an object with a wrong value is a
mistake of the project and fails where it is built. What people write (config entries) is read by
:mod:`mesh.consul.reading`.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mesh.durations import nanoseconds

JsonObject = dict[str, Any]
"""A JSON object."""

_ACRONYMS: Final = {
    "http": "HTTP",
    "tls": "TLS",
    "jwt": "JWT",
    "sni": "SNI",
    "sds": "SDS",
    "id": "ID",
    "json": "JSON",
    "url": "URL",
    "ttl": "TTL",
    "ip": "IP",
    "ca": "CA",
    "mtls": "MTLS",
    "tcp": "TCP",
    "grpc": "GRPC",
    "cpu": "CPU",
    "mb": "MB",
    "uri": "URI",
    "jwks": "JWKS",
}

_IRREGULAR: Final = {"ca_certificate_provider_instance": "CaCertificateProviderInstance"}


def go_name(name: str) -> str:
    """The Go name of a field: ``path_prefix`` is ``PathPrefix``, ``external_sni`` is ``ExternalSNI``.

    A name that follows no rule is written down here.
    """
    return _IRREGULAR.get(name) or "".join(_ACRONYMS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


class Nanoseconds(str):
    """A length of time that is written as Go writes it and emitted as an integer, as Nomad's API wants it."""

    __slots__ = ()


class Shape(BaseModel):
    """An object: frozen, strict, without unknown keys. ``None`` and empty collections are not emitted."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=go_name,
        validate_by_name=True,
        validate_by_alias=True,
    )


class _AsTuple:
    """Takes any list or tuple and keeps a tuple: frozen like the rest, and validated without Python in between."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        (item,) = get_args(source)
        return core_schema.tuple_variable_schema(handler.generate_schema(item), strict=False)


_Item = TypeVar("_Item")

Many = Annotated[Sequence[_Item], _AsTuple()]
"""A list in an object."""


def plain(shape: Shape, *, without: frozenset[str] = frozenset()) -> JsonObject:
    """``shape`` as a JSON object with Go names, less the fields in ``without``."""
    values = shape.__dict__
    return {
        alias: value if type(value) in _SCALARS else _value(value)
        for name, alias in _aliases(type(shape))
        if (value := values[name]) is not None and value not in _NOTHING and name not in without
    }


_NOTHING: Final[tuple[object, ...]] = ((), {})
"""What is not emitted."""

_SCALARS: Final = frozenset({str, int, bool, float})
"""What is emitted as it is. Exactly these types: a subclass may be meant differently."""


@cache
def _aliases(shape: type[Shape]) -> tuple[tuple[str, str], ...]:
    return tuple((name, field.alias or name) for name, field in shape.model_fields.items())


def _value(value: object) -> object:
    if isinstance(value, Shape):
        return plain(value)
    if isinstance(value, tuple | list):
        return [item if type(item) in _SCALARS else _value(item) for item in value]
    if isinstance(value, dict):
        return {key: item if type(item) in _SCALARS else _value(item) for key, item in value.items()}
    if isinstance(value, Nanoseconds):
        return nanoseconds(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
