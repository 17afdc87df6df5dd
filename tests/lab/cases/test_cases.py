"""The cases themselves: they have the shapes, the variety and the balance that the comparison needs."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from tests.lab.cases import Case, cases, deadly_cases, targeted_cases
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.go_fields import GO_FIELDS, paths
from tests.lab.cases.sets import MOST_ENTRIES, entry_set
from tests.lab.cases.targeted import Targeted, apply, targeted
from tests.lab.cases.valid import ALONE, alone

OPAQUE = {"Config", "Arguments", "Meta", "Add", "Set"}
MAPS = {"Subsets", "Failover"}


SEED = 1


@pytest.fixture(scope="module")
def examples() -> list[Case]:
    return list(islice(cases(SEED), 600))


@pytest.fixture(scope="module")
def entry_sets() -> list[list[Json]]:
    choices = Choices(SEED)
    return [entry_set(choices) for _ in range(500)]


@pytest.fixture(scope="module")
def changes() -> list[Targeted]:
    return list(targeted())


def fields(value: Any, above: str = "") -> Iterator[str]:
    """The dotted paths of all fields in an entry; of the keys of a map, ``*``."""
    if isinstance(value, list):
        for item in value:
            yield from fields(item, above)
    elif isinstance(value, dict):
        name = above.rsplit(".", maxsplit=1)[-1]
        for key, item in value.items():
            path = f"{above}.{'*' if name in MAPS else key}".lstrip(".")
            yield path
            if key not in OPAQUE:
                yield from fields(item, path)


def empties(value: Any, above: str = "") -> Iterator[str]:
    """Where a valid entry has an empty object or list."""
    if isinstance(value, dict | list):
        if not value:
            yield above
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from empties(item, f"{above}.{key}".lstrip("."))


def identity(entry: Json) -> str:
    return json.dumps([entry.get("Kind"), entry.get("Name")])


@pytest.mark.parametrize("kind", GO_FIELDS)
def test_every_field_of_a_kind_is_seen_and_no_other(kind: str, entry_sets: list[list[Json]]) -> None:
    leaves = paths(kind)
    found = [entry for entries_ in entry_sets for entry in entries_ if entry["Kind"] == kind]
    seen: set[str] = set()
    choices = Choices(SEED)
    for count in (200, 1000):  # few are enough for most kinds
        found += [alone(choices, kind) for _ in range(count)]
        seen = {path for entry in found for path in fields(entry)} - {"Kind", "Name"}
        if leaves <= seen:
            break
    prefixes = {path[: len(path) - len(rest)].rstrip(".") for path in leaves for rest in _tails(path)}
    assert leaves <= seen
    assert seen <= leaves | prefixes


def _tails(path: str) -> Iterator[str]:
    parts = path.split(".")
    for index in range(1, len(parts)):
        yield ".".join(parts[index:])


@pytest.mark.parametrize("kind", ALONE)
def test_a_valid_entry_has_a_kind_and_a_name_and_no_empty_object_but_the_canonical_ones(kind: str) -> None:
    choices = Choices(SEED)
    for entry in (alone(choices, kind) for _ in range(100)):
        assert entry["Kind"] == kind
        assert entry["Name"]
        assert set(empties(entry)) <= {"TransparentProxy", "AccessLogs"}


def test_a_set_is_small_and_without_an_entry_twice(entry_sets: list[list[Json]]) -> None:
    for entries_ in entry_sets:
        assert 1 <= len(entries_) <= MOST_ENTRIES
        assert len({identity(entry) for entry in entries_}) == len(entries_)


def test_a_set_refers_to_what_it_has(entry_sets: list[list[Json]]) -> None:
    found: Counter[str] = Counter()
    for entries_ in entry_sets:
        names = {entry["Name"] for entry in entries_ if entry["Kind"] != "service-intentions"}
        for entry in entries_:
            for path, value in _texts(entry):
                found[path] += value in names
    for path in (
        "Splits.Service",
        "Routes.Destination.Service",
        "Redirect.Service",
        "Failover.*.Targets.Service",
        "Listeners.Services.Name",
        "Rules.Services.Name",
        "Parents.Name",
        "Listeners.TLS.Certificates.Name",
        "JWT.Providers.Name",
        "Services.Name",
        "Sources.Name",
    ):
        assert found[path], path


def _texts(value: Any, above: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield above, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, above)
    elif isinstance(value, dict):
        name = above.rsplit(".", maxsplit=1)[-1]
        for key, item in value.items():
            yield from _texts(item, f"{above}.{'*' if name in MAPS else key}".lstrip("."))


def test_the_four_ways_are_about_equally_frequent(examples: list[Case]) -> None:
    ways = Counter((case.alone, bool(case.mutated)) for case in examples)
    assert set(ways) == {(False, False), (False, True), (True, False), (True, True)}
    assert min(ways.values()) > len(examples) / 10


def test_a_case_survives_json(examples: list[Case]) -> None:
    for case in examples:
        assert Case.from_json(case.as_json()) == case


def test_a_case_has_each_entry_once_and_is_alone_only_with_one(examples: list[Case]) -> None:
    for case in examples:
        assert len({identity(entry) for entry in case.entries}) == len(case.entries)
        assert len(case.entries) == 1 or not case.alone


def test_a_mutation_changes_nothing_outside_its_case(examples: list[Case]) -> None:
    """Bodies share constants; a changed one would make all later cases differ."""
    assert examples
    again = list(islice(cases(SEED), 600))
    assert again == examples


def test_mutations_are_of_both_sorts(examples: list[Case], changes: list[Targeted]) -> None:
    names = {change.name for change in changes}
    done = Counter(name in names for case in examples for name in case.mutated)
    assert min(done[True], done[False]) > 50


def test_targeted_changes_have_names_of_their_own_and_change_something(changes: list[Targeted]) -> None:
    assert len({change.name for change in changes}) == len(changes)
    for change in changes:
        assert change.broken() != change.sound(), change.name
        assert len({identity(entry) for entry in change.sound()}) == len(change.base), change.name


def test_targeted_changes_are_there_for_every_kind(changes: list[Targeted]) -> None:
    refused = Counter(change.kind for change in changes if change.refused)
    assert set(refused) == set(ALONE)


def test_targeted_cases_are_always_the_same_and_show_both_sides(changes: list[Targeted]) -> None:
    found = list(targeted_cases())
    assert found == list(targeted_cases())
    sound = [case.entries for case in found if not case.mutated]
    broken = {name: case.entries for case in found for name in case.mutated}
    for change in changes:
        assert change.sound() in sound, change.name
        assert broken[change.name] == change.broken(), change.name


def test_nested_splits_never_have_half_a_header_modifier(examples: list[Case]) -> None:
    """Consul dies of them."""
    for case in examples:
        splitters = [entry for entry in case.entries if entry.get("Kind") == "service-splitter"]
        for splitter in splitters if len(splitters) > 1 else []:
            for path, value in _objects(splitter):
                if path.endswith(("RequestHeaders", "ResponseHeaders")):
                    assert {"Add", "Set"} <= value.keys()


def test_deadly_cases_show_both_sides_of_both_directions() -> None:
    sides = Counter(("RequestHeaders" in case.as_json(), bool(case.mutated)) for case in deadly_cases())
    assert set(sides) == {(False, False), (False, True), (True, False), (True, True)}


def _objects(value: Any, above: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, above)
    elif isinstance(value, dict):
        yield above, value
        for key, item in value.items():
            yield from _objects(item, f"{above}.{key}")


def test_apply_makes_what_is_missing_on_the_way() -> None:
    entry: Json = {"Kind": "x", "A": "text", "L": [1, 2]}
    apply(entry, {"A.B.0.C": 1, "L.0": ..., "Z": ..., "M.0.1": 2, "L.9": 3})
    assert entry == {"Kind": "x", "A": {"B": [{"C": 1}]}, "L": [2, 3], "M": [[2]]}
