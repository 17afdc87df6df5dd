"""``mesh entries``: config entries of an environment, and of files."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesh.commands.codes import UNSOUND
from mesh.commands.files import read_values
from mesh.consul.judge import Judged, judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.errors import ProjectError
from mesh.findings import Finding, Severity
from mesh.shapes import JsonObject
from mesh.showing import printable, suggest

if TYPE_CHECKING:
    from mesh.model import Environment


def check(options: argparse.Namespace) -> int:
    """``mesh entries check``."""
    values = read_values(options.file)
    judged = judge(values, Form(options.form), Edition(options.edition), alone=options.alone)
    if options.json:
        for each in judged:
            print(json.dumps(_as_json(each)))
    else:
        print("\n".join(_as_text(judged)))
    return 0 if all(each.ok for each in judged) else UNSOUND


def adopt(options: argparse.Namespace) -> int:
    """``mesh entries adopt``."""
    from mesh.consul.adopt import to_python

    values = read_values(options.file)
    edition = Edition(options.edition)
    for line in _findings(judge(values, Form.API, edition)):
        print(line, file=sys.stderr)
    readings = [read(value, Form.API, edition) for value in values]
    entries = [reading.entry for reading in readings if reading.entry is not None and not _loses(reading)]
    if len(entries) < len(readings):
        lost = f"{len(readings) - len(entries)} of {len(readings)} entries"
        print(f"error: {lost} cannot be adopted: something in them would be lost", file=sys.stderr)
        return UNSOUND
    print(to_python(entries), end="")
    return 0


def _loses(reading: Reading) -> bool:
    """Whether an entry says something that its Python would not say."""
    return any(problem.rule.severity is Severity.REFUSED for problem in reading.problems)


def show_list(options: argparse.Namespace) -> int:
    """``mesh entries list``."""
    from mesh.commands.environments import sound
    from mesh.consul.policy import entries

    environment = sound(options.environment)
    if environment is None:
        return UNSOUND
    _print([entry.written() for entry in entries(environment, _cluster(environment, options))])
    return 0


def show(options: argparse.Namespace) -> int:
    """``mesh entries show``."""
    from mesh.commands.environments import sound
    from mesh.consul.entries import KINDS
    from mesh.consul.policy import entries

    environment = sound(options.environment)
    if environment is None:
        return UNSOUND
    written = entries(environment, _cluster(environment, options))
    names = [entry.name for entry in written if options.kind == entry.KIND]
    found = [entry.written() for entry in written if (entry.KIND, entry.name) == (options.kind, options.name)]
    if not found:
        hint = suggest(options.name, names) if options.kind in KINDS else suggest(options.kind, KINDS)
        print(f"error: {environment.name} has no entry {options.kind}/{options.name}{hint}", file=sys.stderr)
        return UNSOUND
    _print(found if len(found) > 1 else found[0])
    return 0


def _cluster(environment: "Environment", options: argparse.Namespace) -> str | None:
    """The cluster that is asked about.

    Raises:
        ProjectError: the peered one is, and there is none.
    """
    from mesh.topology import clusters

    if not options.peer:
        return None
    for cluster in clusters(environment.platform)[1:]:
        return cluster
    raise ProjectError(f"{environment.name} has no peered cluster")


def _print(value: object) -> None:
    print(json.dumps(value, indent=2))


def _as_json(judged: Judged) -> JsonObject:
    return {
        "kind": judged.kind,
        "name": judged.name,
        "ok": judged.ok,
        "findings": [
            {
                "rule": finding.rule,
                "class": finding.severity,
                "path": finding.path,
                "message": finding.message,
                "fix": finding.fix,
            }
            for finding in judged.findings
        ],
        "canonical": judged.entry.written() if judged.entry is not None else None,
    }


def _as_text(judged: Sequence[Judged]) -> Iterator[str]:
    yield from _findings(judged)
    counts = dict.fromkeys(Severity, 0)
    for each in judged:
        for finding in each.findings:
            counts[finding.severity] += 1
    good = sum(each.ok for each in judged)
    found = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
    entries = f"{len(judged)} entr{'y' if len(judged) == 1 else 'ies'}"
    yield f"{entries}: {good} ok" + (f"; findings: {found}" if found else "")


def _findings(judged: Sequence[Judged]) -> Iterator[str]:
    for index, each in enumerate(judged, start=1):
        who = f"{each.kind}/{each.name}" if each.kind else f"entry {index}"
        for finding in each.findings:
            yield from map(printable, _lines(who, finding))


def _lines(who: str, finding: Finding) -> Iterator[str]:
    where = f"{who}: {finding.path}" if finding.path else who
    if finding.severity is Severity.CANONICALISED:
        yield f"{where}: note: {finding.message} [{finding.rule}]"
    else:
        yield f"{where}: {finding.message} [{finding.rule}, {finding.severity}]"
        yield f"    fix: {finding.fix}"
