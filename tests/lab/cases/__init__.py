"""Config entries as people write them, right and wrong: cases for the question whether we judge them as Consul does.

Everything here is made from Consul's own description of its kinds, and nothing from the project's models.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product

from tests.lab.cases import mutations, sets, valid
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.targeted import Targeted, apply, targeted

__all__ = ["Case", "Json", "cases", "deadly_cases", "targeted_cases"]


@dataclass(frozen=True, slots=True)
class Case:
    """Entries to be written together to an empty Consul.

    Attributes:
        entries: Authored JSON, with Kind and Name, in an order in which they can be written.
        alone: Whether it is one entry by itself.
        mutated: Names of what was done to valid entries; nothing was, if there are none.
    """

    entries: list[Json]
    alone: bool
    mutated: tuple[str, ...] = ()

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Case":
        found = json.loads(text)
        return cls(found["entries"], found["alone"], tuple(found["mutated"]))


@cache
def _targeted() -> dict[str, list[Targeted]]:
    found: dict[str, list[Targeted]] = {}
    for change in targeted():
        found.setdefault(change.kind, []).append(change)
    return found


def _mutated(c: Choices, entries: list[Json]) -> tuple[str, ...]:
    splitters = [entry for entry in entries if entry["Kind"] == "service-splitter"]
    if len(splitters) > 1:  # half a header modifier less in nested splits, and Consul is gone for good
        for split in (split for entry in splitters for split in entry["Splits"]):
            split.pop("RequestHeaders", None)
            split.pop("ResponseHeaders", None)
    names = []
    for _ in range(1 + c.maybe(20)):
        how = c.below(10 if len(entries) > 1 else 8)
        chosen = entries[c.below(len(entries))]
        if how >= 8:
            names.append(mutations.mutate_set(c, entries))
        elif how >= 5 and str(chosen.get("Kind")) in _targeted():
            change = c.pick(_targeted()[str(chosen["Kind"])])
            apply(chosen, change.edits)
            names.append(change.name)
        elif chosen.keys() - {"Kind"}:
            names.append(mutations.mutate(c, chosen))
    return tuple(names)


def _unique(entries: list[Json]) -> list[Json]:
    found = {json.dumps([entry.get("Kind"), entry.get("Name")]): entry for entry in reversed(entries)}
    return list(reversed(found.values()))


def _case(c: Choices) -> Case:
    kind = c.below(4)
    alone = kind < 2
    entries = [valid.alone(c)] if alone else sets.entry_set(c)
    names: tuple[str, ...] = ()
    if kind % 2:
        entries = deepcopy(entries)  # they share constants
        names = _mutated(c, entries)
    return Case(_unique(entries), alone, names)


def cases(seed: int) -> Iterator[Case]:
    """Equal parts of valid entries alone, mutated ones alone, valid sets, and mutated sets, without an end.

    None kills the server of Consul, see :func:`tests.lab.cases.chains.service_splitter`.
    """
    choices = Choices(seed)
    while True:
        yield _case(choices)


def targeted_cases() -> Iterator[Case]:
    """For each rule of Consul what breaks it, after what does not though it is close; always the same.

    Raises:
        OSError: The command ``openssl`` is not there.
    """
    seen = set()
    for change in (change for of_kind in _targeted().values() for change in of_kind):
        alone = len(change.base) == 1
        twin = Case(change.sound(), alone)
        if twin.as_json() not in seen:
            seen.add(twin.as_json())
            yield twin
        yield Case(change.broken(), alone, (change.name,))


def deadly_cases() -> Iterator[Case]:
    """Sets that kill the server of Consul and keep it from starting again (``mutated``), and sets close to them.

    Never write them to a server that others use. Where splits lead to splits, Consul merges their header modifiers into
    a map that is not there: for requests the inner Add and Set into the outer ones, for responses the other way round
    (``agent/structs/config_entry_discoverychain.go``, ``ServiceSplit.MergeParent`` and ``MergeHTTPHeaderModifiers``).
    Removes are no maps, and a side without any modifiers is not merged.
    """
    modifiers: Json = {"Add": {"x-a": "1"}, "Set": {"x-b": "2"}, "Remove": ["x-c"]}
    every = [[name for bit, name in enumerate(modifiers) if mask >> bit & 1] for mask in range(1, 8)]
    for direction in ("RequestHeaders", "ResponseHeaders"):
        for into, merged in product(every, every):
            deadly = bool((set(merged) - set(into)) & {"Add", "Set"})
            outer, inner = (into, merged) if direction == "RequestHeaders" else (merged, into)
            entries: list[Json] = [
                {"Kind": "service-defaults", "Name": "a", "Protocol": "http", "TransparentProxy": {}},
                {"Kind": "service-defaults", "Name": "b", "Protocol": "http", "TransparentProxy": {}},
                _split("b", {direction: {name: modifiers[name] for name in inner}}),
                _split("a", {"Service": "b", direction: {name: modifiers[name] for name in outer}}),
            ]
            yield Case(entries, alone=False, mutated=("deadly",) if deadly else ())


def _split(name: str, split: Json) -> Json:
    return {"Kind": "service-splitter", "Name": name, "Splits": [{"Weight": 100} | split]}
