"""Reads a config entry, from JSON or from Python, and says everything that is wrong with it.

One walk over the fields of the models, for all three forms: JSON as one may write it in ``config_json``, JSON as
Consul's API returns it, and entries that were built in Python. A value with a wrong type is left out, and the rest is
still read; a value that only means nothing is kept, so that an environment can acknowledge it. What is spelt
differently from what the server stores is read as the server stores it, and noted.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from decimal import Decimal
from typing import Any, Final

from mesh.config_entry import ConfigEntry
from mesh.consul import value_rules
from mesh.consul.entries import KINDS
from mesh.consul.parts import Edition, Enterprise, Field, Mark, Part, beside, fields_of, per_class
from mesh.consul.reader import UNREAD, Form, PartT, Reader, show, wrong
from mesh.consul.values import Read, is_blank, value_reader
from mesh.rules import ROOT, At, Problem
from mesh.showing import suggest


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of an entry.

    Attributes:
        entry: The entry as the server would store it; none when something in it cannot be read.
        problems: What is wrong with it, in the order of its fields.
    """

    entry: ConfigEntry | None
    problems: tuple[Problem, ...]


def read(value: object, form: Form, edition: Edition) -> Reading:
    """Reads an entry: an object of JSON with Kind and Name, or a built entry."""
    reader = _EntryReader(form, edition)
    entry = reader.part(type(value), value, ROOT) if isinstance(value, ConfigEntry) else reader.entry(value)
    return Reading(entry, tuple(reader.problems))


_READ_ONLY: Final = frozenset({"CreateIndex", "ModifyIndex", "Hash", "Status"})

_NOT_IN_PROVIDER: Final = frozenset({"bound-api-gateway", "control-plane-request-limit", "rate-limit"})


_OVERWRITTEN: Final = {"kind": "Kind", "name": "Name"}
"""Keys of an entry that the provider writes itself, whatever they say."""


class _EntryReader(Reader):
    def entry(self, value: object) -> ConfigEntry | None:
        if not isinstance(value, Mapping):
            self.found(value_rules.NOT_AN_ENTRY, ROOT, f"{show(value)} is no object")
            return None
        kind = value.get("Kind")
        if not isinstance(kind, str):
            said = "there is no Kind" if kind is None else f"Kind is {show(kind)}, which is no text"
            self.found(value_rules.NOT_AN_ENTRY, ROOT / "kind", said)
            return None
        if kind in _NOT_IN_PROVIDER:
            self.found(value_rules.KIND_NOT_IN_PROVIDER, ROOT / "kind", f'the provider cannot write a "{kind}"')
            return None
        model = KINDS.get(kind)
        if model is None:
            self.found(
                value_rules.KIND_UNKNOWN,
                ROOT / "kind",
                f"there is no kind {show(kind)}",
                f"use one of {', '.join(sorted(KINDS))}{suggest(kind, KINDS)}",
            )
            return None
        for item in fields_of(model):
            given = value.get(item.go, "")
            if (
                item.name in model.IDENTITY
                and not isinstance(given, str)
                and not (given is None and self.form is Form.API)
            ):
                wrong(self, given, ROOT / item.name, "a text")
                return None
        return self.part(model, {key: item for key, item in value.items() if key != "Kind"}, ROOT)

    def part(self, model: type[PartT], value: object, at: At) -> PartT | None:
        """A part of type ``model``, or none if something in it cannot be read; its own rules judge what was read."""
        if isinstance(value, Part):
            if type(value) is not model:
                self.found(value_rules.WRONG_TYPE, at, f"{show(value)} is no {model.__name__}")
                return None
            given: Mapping[str, object] = value.__dict__
            by_name = {item.name: given[item.name] for item in fields_of(model)}
        elif isinstance(value, Mapping) and self.form is not Form.PYTHON:
            by_name = self._by_name(model, value, at)
        else:
            fix = f"use {model.__name__}(...)" if self.form is Form.PYTHON else "write an object, {...}"
            self.found(value_rules.WRONG_TYPE, at, f"{show(value)} is no object", fix)
            return None
        read: dict[str, Any] = {}
        whole = True
        for item in _readers(model):
            result = item.read(self, by_name.get(item.field.name, MISSING), at / item.field.name)
            if result is UNREAD:
                whole = False
            else:
                read[item.field.name] = result
        if not whole:
            return None
        part = model(**read)
        if isinstance(part, ConfigEntry):
            if part.name and not _is_reachable(part.name):
                self.found(value_rules.NAME_UNREACHABLE, at / "name", f"{show(part.name)} cannot be in an address")
            self._meta(part.meta, at / "meta")
        self.problems += part.judge(at, self.edition)
        return part

    def _by_name(self, model: type[Part], value: Mapping[str, object], at: At) -> dict[str, object]:
        """Values by the names of the model's fields; keys that are none of them are problems."""
        by_go = _by_go(model)
        of_entry = issubclass(model, ConfigEntry)
        by_name: dict[str, object] = {}
        loose: list[str] = []
        for key, item in value.items():
            if key in by_go:
                by_name[by_go[key].name] = item
            else:
                loose.append(key)
        for key in loose:
            if self._is_consuls_own(model, key, value[key], at) or self._is_dropped(model, key, at):
                continue
            own = _OVERWRITTEN.get(key) if of_entry else None
            if own is not None:
                self.found(value_rules.KEY_CASE, at.key(key), f'"{key}" is called {own}', f"write {own}")
                continue
            meant = _by_folded(model).get(key.casefold())
            # Beside its own Namespace and Partition, the provider loses any other spelling.
            identity = of_entry and meant is not None and meant.name in ConfigEntry.IDENTITY
            if meant is not None and not identity and meant.name not in by_name:
                by_name[meant.name] = value[key]
                self.found(value_rules.KEY_CASE, at.key(key), f'"{key}" is called {meant.go}', f"write {meant.go}")
            else:
                self.found(value_rules.KEY_UNKNOWN, at.key(key), f"there is no key {show(key)}", _meant(model, key))
        return by_name

    def _is_consuls_own(self, model: type[Part], key: str, value: object, at: At) -> bool:
        """Whether a key is one that Consul returns and that nobody writes; it is a problem where somebody does."""
        index = issubclass(model, ConfigEntry) and key in _READ_ONLY
        if self.form is Form.API and (index or _is_zero(value)):
            return True  # so is a field of an older or newer server that is not set
        if index or (key in model.READ_ONLY and value):
            self.found(value_rules.KEY_READ_ONLY, at.key(key), f"{key} is Consul's own")
        return index or key in model.READ_ONLY

    def _is_dropped(self, model: type[Part], key: str, at: At) -> bool:
        """Whether the provider does not know a key that Consul knows, which is a problem."""
        if key in model.DROPPED:
            message = f"the provider does not know {key}: {model.DROPPED[key]}"
            self.found(value_rules.KEY_DROPPED, at.key(key), message)
        return key in model.DROPPED

    def _meta(self, meta: Mapping[str, str], at: At) -> None:
        if len(meta) > _META_PAIRS:
            self.found(value_rules.META_MANY, at, f"{len(meta)} pairs are more than {_META_PAIRS}")
        for key, text in meta.items():
            for what, size, most in (("key", _size(key), _META_KEY), ("value", _size(text), _META_VALUE)):
                if size > most:
                    self.found(value_rules.META_LONG, at[key], f"the {what} has {size} bytes, {most} are allowed")


def _is_zero(value: object) -> bool:
    """Whether JSON is what Go makes of a value that nobody set: nothing, or an object of nothing else."""
    return all(map(_is_zero, value.values())) if isinstance(value, Mapping) else not value


def _is_reachable(name: str) -> bool:
    """Whether a name stays as it is in the address of its entry."""
    return name.isprintable() and not any(segment in {"", ".", ".."} for segment in name.split("/")[: _last(name)])


def _last(name: str) -> int:
    """How many segments of a name are cleaned: all but an empty last one, after a slash."""
    segments = name.split("/")
    return len(segments) - (len(segments) > 1 and not segments[-1])


def _size(text: str) -> int:
    """Bytes of a text in Go."""
    return len(text.encode(errors="replace"))


_META_PAIRS: Final = 64
_META_KEY: Final = 128
_META_VALUE: Final = 512


@dataclass(frozen=True, slots=True)
class _FieldReader:
    field: Field
    value: Read
    enterprise: Enterprise | None
    blank: object
    """What stands for a value that is missing: the default, or Go's zero value."""

    def read(self, reader: Reader, value: object, at: At) -> object:
        """The value of the field, or what stands for one that is not said."""
        authored, optional = reader.form is Form.AUTHORED, self.field.default is not MISSING
        if value is MISSING or value is None:
            if value is None and authored and optional:
                reader.found(value_rules.NULL_LEFT_OUT, at, f"{self.field.go} is null", "leave it out")
            return self._missing(reader, at)
        if reader.form is Form.API and optional and self._is_zero(value):
            return self.blank
        result = self.value(reader, value, at)
        if result is UNREAD:
            return result
        if self._is_nothing(result):
            if optional and authored:
                reader.found(value_rules.EMPTY_LEFT_OUT, at, f"{self.field.go} is empty", "leave it out")
            return self._missing(reader, at)
        return self._kept(reader, result, at)

    def _is_zero(self, value: object) -> bool:
        """Whether a value from the API is the same as none."""
        return Mark.POINTER not in self.field.marks and isinstance(value, bool | int | float) and not value

    def _is_nothing(self, value: object) -> bool:
        """Whether a value says no more than none would."""
        if isinstance(value, Part):
            return Mark.VALUE in self.field.marks and is_blank(value)
        return not isinstance(value, bool | int | float | Decimal) and not value

    def _kept(self, reader: Reader, value: object, at: At) -> object:
        """A value, unless the server leaves it out."""
        if value == 0 and Mark.ZERO_LEFT_OUT in self.field.marks:
            if reader.form is Form.AUTHORED:
                reader.found(value_rules.ZERO_LEFT_OUT, at, f"{self.field.go} is 0", "leave it out")
            return self.blank
        if self.enterprise and reader.edition is Edition.COMMUNITY and value != self.field.default:
            reader.found(self.enterprise.rule, at, f"{self.field.go} needs Consul Enterprise")
            if self.enterprise.left_out:
                return self.blank
        return value

    def _missing(self, reader: Reader, at: At) -> object:
        if self.field.default is MISSING:
            if self.field.name == "name" and at.is_field_of_entry():
                reader.found(value_rules.NAME_MISSING, at, "the entry has no name")
            else:
                rule = value_rules.FIELD_EXPECTED if Mark.LAX in self.field.marks else value_rules.FIELD_MISSING
                reader.found(rule, at, f"{self.field.go} is missing")
        return self.blank


@per_class
def _readers(model: type[Part]) -> tuple[_FieldReader, ...]:
    return tuple(_field_reader(item) for item in fields_of(model))


def _field_reader(item: Field) -> _FieldReader:
    said = beside(item.type)
    enterprise = next((mark for mark in said if isinstance(mark, Enterprise)), None)
    value, zero = value_reader(item.type)
    if item.default is MISSING:
        # Of an object there is no zero value that a rule could work with.
        return _FieldReader(item, value, enterprise, UNREAD if zero == {} else () if zero == [] else zero)
    return _FieldReader(item, value, enterprise, zero if Mark.ZERO in item.marks else item.default)


@per_class
def _by_go(model: type[Part]) -> Mapping[str, Field]:
    return {item.go: item for item in fields_of(model)}


@per_class
def _by_folded(model: type[Part]) -> Mapping[str, Field]:
    return {item.go.casefold(): item for item in fields_of(model)}


def _meant(model: type[Part], key: str) -> str:
    """How to put an unknown key right."""
    known = [item.go for item in fields_of(model)]
    squeezed = {name.casefold(): name for name in known}
    if meant := squeezed.get(key.replace("_", "").replace("-", "").casefold()):
        return f"write {meant}"
    return f"remove it{suggest(key, known)}; there are {', '.join(known)}"


__all__ = ["Form", "Reading", "read"]
