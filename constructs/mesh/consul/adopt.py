"""Config entries as the Python that builds them, for an environment file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING
from decimal import Decimal
from typing import Final

from mesh.config_entry import ConfigEntry
from mesh.consul.parts import Mark, Part, fields_of

_WIDTH: Final = 120
_INDENT: Final = "    "


def to_python(entries: Iterable[ConfigEntry]) -> str:
    """A module whose ``ENTRIES`` are ``entries``."""
    entries = list(entries)
    lines = ['"""Config entries that a running Consul had."""', ""]
    if any(_has_decimal(entry) for entry in entries):
        lines += ["from decimal import Decimal", ""]
    lines += [*_imports(entries), "", "ENTRIES = [", *(f"{_INDENT}{_code(entry, 1, 1)}," for entry in entries), "]", ""]
    return "\n".join(lines)


def _imports(entries: Iterable[ConfigEntry]) -> Iterator[str]:
    modules: dict[str, set[str]] = {}
    for part in _parts(entries):
        modules.setdefault(type(part).__module__, set()).add(type(part).__name__)
    for module, names in sorted(modules.items()):
        ordered = sorted(names)
        line = f"from {module} import {', '.join(ordered)}"
        if len(line) <= _WIDTH:
            yield line
        else:
            yield f"from {module} import ("
            yield from (f"{_INDENT}{name}," for name in ordered)
            yield ")"


def _parts(values: Iterable[object]) -> Iterator[Part]:
    """Every part that the code names."""
    for value in values:
        if isinstance(value, Part):
            yield value
            yield from _parts(value for _, value in _said(value))
        elif isinstance(value, Mapping):
            yield from _parts(value.values())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from _parts(value)


def _said(part: Part) -> list[tuple[str, object]]:
    """The fields of a part that are not as they would be anyway, the required ones first."""
    ordered = sorted(fields_of(type(part)), key=lambda item: item.default is not MISSING)
    values = ((item, getattr(part, item.name)) for item in ordered if Mark.COMPUTED not in item.marks)
    return [(item.name, value) for item, value in values if value != item.default]


def _has_decimal(value: object) -> bool:
    return any(isinstance(item, Decimal) for part in _parts([value]) for _, item in _said(part) if not _is_whole(item))


def _is_whole(value: object) -> bool:
    return isinstance(value, Decimal) and value == value.to_integral_value()


def _code(value: object, depth: int, after: int) -> str:
    """``value`` as code, on one line if it fits there.

    Args:
        value: What to write.
        depth: Levels of indentation.
        after: Length of what follows on its last line.
    """
    line = _line(value)
    if len(_INDENT) * depth + len(line) + after <= _WIDTH or not _items(value):
        return line
    opening, closing = _brackets(value)
    inner = _INDENT * (depth + 1)
    lines = [f"{inner}{label}{_code(item, depth + 1, len(label) + 1)}," for label, item in _items(value)]
    return "\n".join([opening, *lines, f"{_INDENT * depth}{closing}"])


def _line(value: object) -> str:
    items = _items(value)
    if items or isinstance(value, Part | Mapping | tuple | list):
        opening, closing = _brackets(value)
        return f"{opening}{', '.join(f'{label}{_line(item)}' for label, item in items)}{closing}"
    if isinstance(value, Decimal):
        return str(int(value)) if _is_whole(value) else f'Decimal("{value}")'
    return _quoted(value) if isinstance(value, str) else repr(value)


def _items(value: object) -> list[tuple[str, object]]:
    """What is inside of a value, each with what stands before it."""
    if isinstance(value, Part):
        return [(f"{name}=", item) for name, item in _said(value)]
    if isinstance(value, Mapping):
        return [(f"{_quoted(key)}: ", item) for key, item in value.items()]
    if isinstance(value, tuple | list):
        return [("", item) for item in value]
    return []


def _brackets(value: object) -> tuple[str, str]:
    if isinstance(value, Part):
        return f"{type(value).__name__}(", ")"
    return ("{", "}") if isinstance(value, Mapping) else ("[", "]")


def _quoted(text: str) -> str:
    """A text with double quotes, unless it has more of them than single ones, as formatters have it."""
    plain = repr(text)
    if plain.startswith('"') or '"' in text:
        return plain
    return f'"{plain[1:-1]}"'
