"""Judges config entries as Consul judges them, before they are written.

Each entry is read (:mod:`mesh.consul.reading`), then all are looked at together (:mod:`mesh.consul.graph`), as if the
set were everything that Consul has.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.graph import judge_together
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.consul.value_rules import ENTRY_TWICE
from mesh.findings import Finding, Severity
from mesh.rules import ROOT, Problem, Style


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge says of one entry.

    Attributes:
        kind: As it was written; nothing if it was not.
        name: As it was written; nothing if it was not.
        entry: As the server would store it; none if it cannot be read.
        findings: What is wrong, and notes.
    """

    kind: str
    name: str
    entry: ConfigEntry | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is refused and nothing stricter."""
        return all(finding.severity is Severity.CANONICALISED for finding in self.findings)


def judge(values: Sequence[object], form: Form, edition: Edition, *, alone: bool = False) -> tuple[Judged, ...]:
    """Judges entries, in their order.

    Args:
        values: Parsed JSON.
        form: How they are written.
        edition: Of the server.
        alone: Each as if it were written to an empty Consul, instead of all together.
    """
    readings = [read(value, form, edition) for value in values]
    if alone:
        return tuple(
            judged for value, reading in zip(values, readings, strict=True) for judged in _judged([value], [reading])
        )
    return tuple(_judged(values, readings))


def _judged(values: Sequence[object], readings: Sequence[Reading]) -> list[Judged]:
    problems: list[list[Problem]] = [list(reading.problems) for reading in readings]
    by_id: dict[EntryId, list[int]] = defaultdict(list)
    for index, reading in enumerate(readings):
        if reading.entry is not None:
            by_id[reading.entry.id.folded()].append(index)
    for id_, indexes in by_id.items():
        for index in indexes[1:]:
            problems[index].append(ENTRY_TWICE(ROOT, f"{id_.kind}/{id_.name} is there {len(indexes)} times"))
    for id_, problem in judge_together(reading.entry for reading in readings if reading.entry is not None):
        problems[by_id[id_.folded()][-1]].append(problem)
    return [
        Judged(_text(value, "Kind"), _text(value, "Name"), reading.entry, tuple(_findings(found)))
        for value, reading, found in zip(values, readings, problems, strict=True)
    ]


def _findings(problems: Sequence[Problem]) -> list[Finding]:
    return [to_finding(problem, problem.at.written(Style.GO)) for problem in problems]


def to_finding(problem: Problem, path: str) -> Finding:
    """A problem as a finding at a path."""
    return Finding(path, problem.rule.id, problem.message, problem.fix, problem.rule.severity)


def _text(value: object, key: str) -> str:
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""
