"""Rules about config entries: those written directly, and all of them together."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.deployed import deployed, judge_deployed
from mesh.consul.entry_index import Located
from mesh.consul.graph import judge_together
from mesh.consul.judge import to_finding
from mesh.consul.policy import derived_entries, extra_readings
from mesh.findings import Finding, Severity
from mesh.model.environment import Environment
from mesh.rules import Problem, Style
from mesh.showing import printable, suggest
from mesh.topology import DEFAULT, clusters, partitions


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about what is written twice, about entries for places that do not exist, and what Consul would say."""
    for cluster in clusters(environment.platform):
        yield from _derived_twice(_derivable(environment, cluster))
    derived = _derivable(environment)
    if not environment.extra_entries:
        yield from _unused(environment, set())
        return
    known = {entry.id.folded() for entry in derived}
    counts = Counter(entry.id.folded() for entry in environment.extra_entries)
    for index, entry in enumerate(environment.extra_entries):
        path = f"extra_entries[{index}]"
        if entry.id.folded() in known:
            yield Finding(
                path,
                "entry-twice",
                f"{entry.id} also follows from the services and gateways",
                "remove it, and say it through the service or gateway",
            )
        elif (count := counts[entry.id.folded()]) > 1:
            yield Finding(path, "entry-twice", f"{entry.id} is written {count} times", "write it once")
        yield from _place(environment, entry, path)
    found = list(_judged(environment, derived))
    stricter = {(problem.rule.id, _who(id_)) for id_, _, problem in found if problem.rule.severity is Severity.STRICTER}
    meant = stricter & {(each.rule, each.entry) for each in environment.acknowledged}
    for id_, path, problem in found:
        if problem.rule.severity is not Severity.CANONICALISED and (problem.rule.id, _who(id_)) not in meant:
            yield to_finding(problem, path)
    yield from _unused(environment, stricter)


def notes(environment: Environment) -> tuple[Finding, ...]:
    """What is written in another spelling than it was declared; nothing has to be done about it."""
    return tuple(
        to_finding(_named(written.id, problem), _path(index, problem))
        for index, (written, reading) in enumerate(
            zip(environment.extra_entries, extra_readings(environment), strict=True)
        )
        for problem in reading.problems
        if problem.rule.severity is Severity.CANONICALISED
    )


def _judged(environment: Environment, derived: Sequence[ConfigEntry]) -> Iterator[tuple[EntryId, str, Problem]]:
    """Every problem of the entries: whose, where, what."""
    indexes: dict[EntryId, int] = {}
    entries = {entry.id: entry for entry in derived}
    for index, (written, reading) in enumerate(
        zip(environment.extra_entries, extra_readings(environment), strict=True)
    ):
        for problem in reading.problems:
            yield written.id, _path(index, problem), _named(written.id, problem)
        if reading.entry is not None:
            indexes.setdefault(reading.entry.id, index)
            entries.setdefault(reading.entry.id, reading.entry)
    together = tuple(entries.values())
    for id_, problem in _together(environment, together):
        if id_ in indexes:
            yield id_, _path(indexes[id_], problem), _named(id_, problem)
        else:
            yield id_, _derived_path(id_, problem), problem


def _together(environment: Environment, entries: Sequence[ConfigEntry]) -> Iterator[Located]:
    yield from judge_together(entries)
    yield from judge_deployed(entries, deployed(environment))


def _path(index: int, problem: Problem) -> str:
    return ".".join(part for part in (f"extra_entries[{index}]", problem.at.written(Style.PYTHON)) if part)


def _named(id_: EntryId, problem: Problem) -> Problem:
    """A problem of a written entry that says which one it is, as one acknowledges it: the path only has its number."""
    return replace(problem, message=f"{printable(_who(id_))}: {problem.message}")


def _who(id_: EntryId) -> str:
    return f"{id_.kind}/{id_.name}"


def _derived_path(id_: EntryId, problem: Problem) -> str:
    """An entry that follows from the declaration: what it is, instead of where it is written."""
    return " ".join(part for part in (str(id_), problem.at.written(Style.GO)) if part)


def _unused(environment: Environment, stricter: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """What is acknowledged and not there.

    Args:
        environment: The environment.
        stricter: Rule and entry of every finding that can be acknowledged.
    """
    for index, acknowledged in enumerate(environment.acknowledged):
        if (acknowledged.rule, acknowledged.entry) not in stricter:
            rules = sorted(rule for rule, entry in stricter if entry == acknowledged.entry)
            entries = sorted(entry for rule, entry in stricter if rule == acknowledged.rule)
            hint = suggest(acknowledged.rule, rules) or suggest(acknowledged.entry, entries)
            yield Finding(
                f"acknowledged[{index}]",
                "acknowledged-unused",
                f"{acknowledged.entry} has no finding {acknowledged.rule} that can be acknowledged",
                f"remove it{hint or '; what Consul refuses cannot be acknowledged'}",
            )


def _derived_twice(derived: Iterable[ConfigEntry]) -> Iterator[Finding]:
    """Names of routes are put together of names with dashes, so two may be the same."""
    for id_, count in Counter(entry.id for entry in derived).items():
        if count > 1 and id_.kind in {"http-route", "tcp-route"}:
            yield Finding(
                "gateways",
                "entry-twice",
                f"{count} listeners give the entry {id_}",
                "rename one of the gateways: names of gateway, port and service are joined by dashes",
            )


def _place(environment: Environment, entry: ConfigEntry, path: str) -> Iterator[Finding]:
    """Community's entries have no place: that is judged with their values."""
    if not environment.platform.enterprise:
        return
    known = partitions(environment.platform)
    if entry.partition not in known:
        yield Finding(
            f"{path}.partition",
            "entry-partition",
            f"{_partition(entry.id)} of {entry.id} does not exist in this environment",
            f"use one of {', '.join(map(str, known))}",
        )
    if entry.namespace is not None and entry.namespace != DEFAULT:
        yield Finding(
            f"{path}.namespace",
            "entry-namespace",
            f'the namespace "{entry.namespace}" of {entry.id} does not exist in this environment',
            f'use "{DEFAULT}"',
        )


def _derivable(environment: Environment, cluster: str | None = None) -> tuple[ConfigEntry, ...]:
    """The derived entries, as far as there are any: an unsound declaration has findings of its own, and no entries."""
    try:
        return derived_entries(environment, cluster)
    except (KeyError, ValueError):
        return ()


def _partition(id_: EntryId) -> str:
    return f'partition "{id_.partition}"' if id_.partition else "the partition None"
