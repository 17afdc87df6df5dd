"""Types and constraints of the vocabulary: one pydantic walk over the whole declaration."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mesh.findings import WRONG_TYPE, Finding
from mesh.model.environment import Environment

_VALUE_LENGTH: Final = 80

_FIXES: Final = {
    "greater_than_equal": "use at least {ge}",
    "less_than_equal": "use at most {le}",
    "literal_error": "use {expected}",
    "string_too_short": "write at least {min_length} characters",
    "string_too_long": "write at most {max_length} characters",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
    "form": "{fix}",
    "finite_number": "use a finite number",
}

_TYPE_FIXES: Final = {
    "sequence_str": "write a list, [...]",
    "dict_type": "write a mapping, {{...}}",
    "is_instance_of": "use {class}",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "string_type": 'write a text, "..."',
    "bool_type": "write True or False",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Findings of the walk, and whether a value has a type on which no other rule could work."""

    findings: tuple[Finding, ...]
    types_are_wrong: bool


@cache
def _adapter() -> TypeAdapter[Environment]:
    return TypeAdapter(Environment)


def check(environment: Environment) -> Shape:
    """Validates every value of a declaration again, strictly."""
    try:
        _adapter().validate_python(environment)
    except ValidationError as error:
        return _shape(environment, error.errors(include_url=False))
    return Shape((), types_are_wrong=False)


def _shape(environment: Environment, errors: Sequence[ErrorDetails]) -> Shape:
    findings: list[Finding] = []
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    inside = {details["loc"][:length] for details in errors for length in range(len(details["loc"]))}
    types_are_wrong = False
    for details in errors:
        path, held = path_of(environment, details["loc"])
        kind = details["type"]
        if kind == "dataclass_exact_type":
            # Of a union, pydantic reports every member that the value is not, and names the member last in the
            # location. If the value is one of them, that one has errors of its own, inside.
            if (*details["loc"][:-1], type(held).__name__) not in inside:
                expected[path, _show(held)].append(details.get("ctx", {})["class_name"])
            continue
        types_are_wrong |= not _is_about_the_value(details)
        findings.append(_finding(path, kind, details))
    for (path, shown), classes in expected.items():
        allowed = " or ".join(f"{name}(...)" for name in classes)
        findings.append(Finding(path, WRONG_TYPE, f"{shown} is not {allowed}", f"use {allowed}"))
    return Shape(tuple(findings), types_are_wrong or bool(expected))


def _is_about_the_value(details: ErrorDetails) -> bool:
    """Whether the value has the type that it should have, so that other rules can work on it."""
    if details["type"] == "literal_error":
        return isinstance(details["input"], str | int)
    return details["type"] in _FIXES or details["type"] == "value_error"


def _finding(path: str, kind: str, details: ErrorDetails) -> Finding:
    context = details.get("ctx", {})
    if kind == "value_error":
        message = str(context["error"])
    elif kind == "form":
        message = details["msg"]
    elif kind == "sequence_str" or context.get("class") == "Sequence":
        kind, message = "sequence_str", f"{_show(details['input'])} is not a list"
    else:
        message = f"{_lower(details['msg'])}, not {_show(details['input'])}"
    fix = _FIXES.get(kind) or _TYPE_FIXES.get(kind, "give a value as the field's documentation says")
    rule = f"value-{kind.replace('_', '-')}" if _is_about_the_value(details) else WRONG_TYPE
    return Finding(path, rule, message, fix.format(**context))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"


def path_of(root: object, location: Sequence[str | int]) -> tuple[str, object]:
    """A location as people read it, and the value there.

    Items of a sequence are shown by their name if they have one: ``services["web"].upstreams["api"].local_port``.
    Parts of the location that are no part of the value (pydantic names the member of a union) are left out.
    """
    path, value = "", root
    for part in location:
        if isinstance(value, Mapping) and part in value:
            path += f'["{part}"]'
            value = value[part]
        elif isinstance(part, int) and isinstance(value, Sequence) and not isinstance(value, str) and part < len(value):
            value = value[part]
            path += f'["{name}"]' if (name := _name(value)) else f"[{part}]"
        elif isinstance(part, str) and is_dataclass(value) and hasattr(value, part):
            path += f".{part}" if path else part
            value = getattr(value, part)
    return path, value


def _name(value: object) -> str | None:
    name = getattr(value, "name", None) or getattr(value, "service", None)
    return name if isinstance(name, str) else None
