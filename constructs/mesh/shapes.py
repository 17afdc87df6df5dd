"""Objects of another system's JSON API as typed Python.

Exact Go names, no unknown keys, nothing emitted that was not said.

Consul's config entries and Nomad's jobs are both made of these. Consul's Terraform provider and Nomad's JSON decoder
drop keys they do not know without a word, so a model forbids them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

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
}


def go_name(name: str) -> str:
    """The Go name of a field: ``path_prefix`` is ``PathPrefix``, ``external_sni`` is ``ExternalSNI``.

    A name that follows no rule is written as an alias in its model.
    """
    return "".join(_ACRONYMS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


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


def plain(shape: Shape, *, without: frozenset[str] = frozenset()) -> JsonObject:
    """``shape`` as a JSON object with Go names, less the fields in ``without``."""
    fields = type(shape).model_fields
    return {
        field.alias or name: _value(value)
        for name, field in fields.items()
        if name not in without and not _unsaid(value := getattr(shape, name))
    }


def _unsaid(value: object) -> bool:
    return value is None or (isinstance(value, (tuple, list, dict)) and not value)


def _value(value: object) -> object:
    if isinstance(value, Shape):
        return plain(value)
    if isinstance(value, Nanoseconds):
        return nanoseconds(value)
    if isinstance(value, (tuple, list)):
        return [_value(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
