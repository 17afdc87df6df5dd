"""One change for each rule of Consul, with the entries that it breaks.

Sources: every ``return fmt.Errorf`` that the Community Edition can reach in ``agent/structs/config_entry*.go``,
``agent/consul/state/config_entry.go`` and ``agent/consul/discoverychain/compile.go`` of consul@1.22.7.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from tests.lab.cases.choices import Json

Edits = dict[str, Any]
"""Values by their dotted paths; an ellipsis deletes what is there."""


@dataclass(frozen=True, slots=True)
class Targeted:
    """A change that breaks exactly one rule.

    Attributes:
        name: Of the rule.
        base: Entries that Consul accepts.
        edits: What breaks the rule, in the last entry.
        good: What does not, though it is close.
        refused: Whether Consul itself refuses the changed entries. What it accepts is odd or dangerous instead.
    """

    name: str
    base: Sequence[Json]
    edits: Edits
    good: Edits = field(default_factory=dict)
    refused: bool = True

    @property
    def kind(self) -> str:
        return str(self.base[-1]["Kind"])

    def broken(self) -> list[Json]:
        return _edited(self.base, self.edits)

    def sound(self) -> list[Json]:
        return _edited(self.base, self.good)


def _edited(base: Sequence[Json], edits: Edits) -> list[Json]:
    entries = deepcopy(list(base))
    apply(entries[-1], edits)
    return entries


def apply(entry: Json, edits: Edits) -> None:
    """Makes the changes in an entry, with the objects and lists that they need."""
    for path, value in edits.items():
        keys = [int(part) if part.isdigit() else part for part in path.split(".")]
        _set(entry, keys, value)


def _holder_of(key: int | str) -> type[list[Any]] | type[dict[str, Any]]:
    return list if isinstance(key, int) else dict


def _fits(value: Any, holder: type) -> bool:
    return isinstance(value, holder)


def _keys(holder: Any) -> Any:
    """The keys of an object, the indexes of a list."""
    return range(len(holder)) if isinstance(holder, list) else holder.keys()


def _set(holder: Any, keys: Sequence[int | str], value: Any) -> None:
    key, *rest = keys
    if not _fits(holder, _holder_of(key)):
        return
    key = min(key, len(holder)) if isinstance(key, int) else key
    if rest:
        fitting = _holder_of(rest[0])
        if key not in _keys(holder) or not _fits(holder[key], fitting):
            _put(holder, key, fitting())
        _set(holder[key], rest, value)
    elif not isinstance(value, EllipsisType):
        _put(holder, key, deepcopy(value))
    elif key in _keys(holder):
        del holder[key]


def _put(holder: Any, key: int | str, value: Any) -> None:
    if isinstance(key, int):
        holder[key : key + 1] = [value]
    else:
        holder[key] = value


def targeted() -> Iterator[Targeted]:
    """All changes, kind by kind."""
    from tests.lab.cases import rules_of_gateways, rules_of_services, rules_of_the_mesh

    yield from rules_of_services.targeted()
    yield from rules_of_the_mesh.targeted()
    yield from rules_of_gateways.targeted()
