"""The judge against Consul: does the real server, through the provider's own decoding, say what the judge says.

::

    make verdict CASES=20000

Each case is a set of entries. The judge says what it thinks; then the entries are written as they are, in the judge's
order, and a second plan is made. Of sets that the judge accepts, the canonical form is written, planned, deleted in
reverse, and written and deleted again in parallel along the judge's edges. What disagrees is shrunk and kept.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mesh.config_entry import ConfigEntry
from mesh.consul.entries import KINDS
from mesh.consul.judge import Judged, judge
from mesh.consul.ordering import dependencies, in_order
from mesh.consul.parts import Edition
from mesh.consul.reading import Form
from mesh.consul.rulebook import RULES
from mesh.findings import Severity
from tests.lab.cases import Case, cases, targeted_cases
from tests.lab.provider import Case as Steps
from tests.lab.provider import Outcome, Provider, clear, delete, parallel, plan, write

VECTORS: Final = Path(__file__).parent / "vectors"


class Verdict(StrEnum):
    """How the judge and Consul compare on one case."""

    BOTH_ACCEPT = "both accept"
    BOTH_REFUSE = "both refuse"
    STRICTER = "we are stricter"
    LOOSER = "WE ARE LOOSER"
    NOT_CLEAN = "ACCEPTED, NOT CLEAN"
    WRONG_CLASS = "REFUSED BY US ALONE"


FAILURES: Final = frozenset({Verdict.LOOSER, Verdict.NOT_CLEAN, Verdict.WRONG_CLASS})

SILENT: Final = frozenset({"entry-twice", "key-read-only", "null-in-list", "number-wraps", "service-spelt-twice"})
"""Refused rules of which neither provider nor server shows the harm on every single write."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of one case.

    Attributes:
        verdict: How the two compare.
        rules: Rules that the judge found broken.
        why: Of a failure, what disagrees.
    """

    verdict: Verdict
    rules: frozenset[str]
    why: str = ""


def compare(provider: Provider, case: Case) -> Opinion:
    """Lets both judge a case."""
    judged = judge(case.entries, Form.AUTHORED, Edition.COMMUNITY)
    rules = frozenset(finding.rule for each in judged for finding in each.findings)
    severities = {finding.severity for each in judged for finding in each.findings}
    order = _order(judged)
    entries = [case.entries[index] for index in order]
    outcomes = provider.run(Steps([*map(write, entries), *map(plan, entries)]))
    written, planned = outcomes[: len(entries)], outcomes[len(entries) :]
    refusal = _refusal(entries, written)
    if Severity.REFUSED in severities:
        clean = refusal is None and all(outcome.clean for outcome in planned)
        if clean and not rules & SILENT:
            refused = sorted(
                finding.rule for each in judged for finding in each.findings if finding.severity is Severity.REFUSED
            )
            return Opinion(Verdict.WRONG_CLASS, rules, f"refused by {', '.join(refused)}, accepted and clean")
        return Opinion(Verdict.BOTH_REFUSE, rules)
    if refusal:
        return Opinion(Verdict.LOOSER, rules, refusal)
    # What is only stricter can be acknowledged, so it has to be clean as well.
    trouble = _trouble(provider, [judged[index].entry for index in order])
    if trouble:
        return Opinion(Verdict.NOT_CLEAN, rules, trouble)
    return Opinion(Verdict.STRICTER if Severity.STRICTER in severities else Verdict.BOTH_ACCEPT, rules)


def without_refused(case: Case) -> Case | None:
    """What is left of a case without the entries that the judge refuses; none if that is nothing or everything.

    Consul refuses a set at its first problem. The rest may hide that it refuses something else.
    """
    judged = judge(case.entries, Form.AUTHORED, Edition.COMMUNITY)
    left = [
        entry
        for entry, each in zip(case.entries, judged, strict=True)
        if not any(finding.severity is Severity.REFUSED for finding in each.findings)
    ]
    if not left or len(left) == len(case.entries):
        return None
    return Case(entries=left, alone=len(left) == 1, mutated=(*case.mutated, "without what is refused"))


def _order(judged: Sequence[Judged]) -> list[int]:
    """Indexes in the order in which the entries are written: the judge's, as far as it can read them."""
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}
    positions: dict[int, int] = {}
    readable = {id(each.entry): index for index, each in enumerate(judged) if each.entry is not None}
    entries = [each.entry for each in judged if each.entry is not None]
    if len({entry.id for entry in entries}) == len(entries):
        try:
            positions = {readable[id(entry)]: position for position, entry in enumerate(in_order(entries))}
        except CycleError:
            positions = {}
    by_rank = sorted(range(len(judged)), key=lambda index: ranks.get(judged[index].kind, -1))
    ordered = iter(sorted(positions, key=positions.__getitem__))
    return [next(ordered) if index in positions else index for index in by_rank]


def _refusal(entries: Sequence[Any], written: Sequence[Outcome]) -> str | None:
    for entry, outcome in zip(entries, written, strict=True):
        who = f"{entry.get('Kind')}/{entry.get('Name')}" if isinstance(entry, dict) else repr(entry)
        if outcome.error is not None:
            return f"{who}: {outcome.stage}: {outcome.error}"
        if outcome.lost:
            return f"{who}: lost: {', '.join(outcome.lost)}"
    return None


def _trouble(provider: Provider, entries: Sequence[ConfigEntry | None]) -> str | None:
    """What goes wrong with entries that the judge accepts, in their canonical form."""
    sound = [entry for entry in entries if entry is not None]
    bodies = [entry.written() for entry in sound]
    index = {entry.id: number for number, entry in enumerate(sound)}
    before = {index[id_]: [index[other] for other in others] for id_, others in dependencies(sound).items()}
    steps = [
        *map(write, bodies),
        *map(plan, bodies),
        *(delete(body["Kind"], body["Name"]) for body in reversed(bodies)),
        parallel(bodies, before, seed=len(json.dumps(bodies))),
        parallel(bodies, before, seed=len(bodies), delete=True),
        clear(),
    ]
    outcomes = provider.run(Steps(steps))
    count = len(bodies)
    if refusal := _refusal(bodies, outcomes[:count]):
        return f"canonical form: {refusal}"
    for body, outcome in zip(bodies, outcomes[count : 2 * count], strict=True):
        if not outcome.clean:
            shown = "; ".join(f"{each.path}: {each.found!r} instead of {each.wanted!r}" for each in outcome.difference)
            return f"second plan of {body['Kind']}/{body['Name']}: {shown or outcome.error}"
    for body, outcome in zip(reversed(bodies), outcomes[2 * count : 3 * count], strict=True):
        if outcome.error is not None:
            return f"deleting {body['Kind']}/{body['Name']}: {outcome.error}"
    for name, outcome in zip(("writing", "deleting"), outcomes[3 * count : 3 * count + 2], strict=True):
        if not outcome.ok:
            errors = "; ".join(str(each.error) for each in outcome.errors.values())
            return f"{name} in parallel: {outcome.error or errors}"
    return None


@dataclass(slots=True)
class Report:
    """What came of many cases."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    stricter: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[tuple[Case, Opinion]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: Case, opinion: Opinion) -> None:
        """Counts one case."""
        self.verdicts[opinion.verdict] += 1
        self.fired.update(opinion.rules)
        self.kinds.update(str(entry.get("Kind")) for entry in case.entries)
        if opinion.verdict is Verdict.BOTH_ACCEPT:
            self.accepted.update(str(entry.get("Kind")) for entry in case.entries)
        if opinion.verdict is Verdict.STRICTER:
            self.stricter.update(rule for rule in opinion.rules if RULES[rule].severity is Severity.STRICTER)
        if opinion.verdict in FAILURES:
            self.failures[_signature(opinion)].append((case, opinion))

    def lines(self) -> Iterator[str]:
        """The report as people read it."""
        total = sum(self.verdicts.values())
        yield f"{total} cases, {sum(self.kinds.values())} entries of {len(self.kinds)} kinds"
        yield from (f"  {self.verdicts[verdict]:6} {verdict}" for verdict in Verdict)
        if self.stricter:
            yield "we are stricter by:"
            yield from (f"  {count:6} {rule}: {RULES[rule].what}" for rule, count in self.stricter.most_common())
        judged = [rule for rule in RULES.values() if rule.judged]
        missing = self.one_sided()
        yield f"rules that the server can judge: {len(judged)}, seen from both sides: {len(judged) - len(missing)}"
        if missing:
            yield f"  not seen from both sides: {', '.join(missing)}"
        others = sorted(rule.id for rule in RULES.values() if not rule.judged)
        yield f"not judged, because the Community server cannot: {', '.join(others)}"

    def one_sided(self) -> list[str]:
        """Rules that no case broke, or of whose kind Consul and the judge accepted nothing."""
        return sorted(
            rule.id
            for rule in RULES.values()
            if rule.judged and not (self.fired[rule.id] and self.accepted[rule.instead[-1]["Kind"]])
        )


def _signature(opinion: Opinion) -> str:
    """What failures of one cause have in common."""
    why = "".join(" " if char.isdigit() or char == '"' else char for char in opinion.why)
    return f"{opinion.verdict}: {why[:90]}"


def shrink(provider: Provider, case: Case, wanted: Opinion) -> Case:
    """A smaller case with the same disagreement: entries, keys and items are left out as long as it stays."""
    signature = _signature(wanted)
    best = case
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(best.entries):
            attempt = Case(entries=smaller, alone=best.alone, mutated=best.mutated)
            if _signature(compare(provider, attempt)) == signature:
                best, improved = attempt, True
                break
    return best


def _smaller(value: Any) -> Iterator[Any]:
    """The value with one part less, the largest parts first."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield [*value[:index], *value[index + 1 :]]
            yield from ([*value[:index], less, *value[index + 1 :]] for less in _smaller(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in {"Kind", "Name"}:
                yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: less} for less in _smaller(item))


def examples() -> Iterator[Case]:
    """Each rule from both sides, by its own example."""
    for rule in RULES.values():
        if rule.judged:
            for entries, name in ((rule.example, rule.id), (rule.instead, f"not {rule.id}")):
                yield Case(entries=[dict(entry) for entry in entries], alone=False, mutated=(name,))


def generated(count: int, seed: int) -> Iterator[Case]:
    """``count`` cases by chance."""
    return islice(cases(seed), count)


def vectors() -> Iterator[Case]:
    """Counter-examples of earlier runs."""
    for path in sorted(VECTORS.glob("*.json")):
        yield Case.from_json(path.read_text(encoding="utf-8"))


def run(provider: Provider, every: Iterable[Case], *, progress: bool = False) -> Report:
    """Compares all of them."""
    report = Report()
    started = time.monotonic()
    for number, case in enumerate(every, start=1):
        opinion = compare(provider, case)
        rest = without_refused(case) if opinion.verdict is Verdict.BOTH_REFUSE else None
        for each, judged in ((case, opinion), *([(rest, compare(provider, rest))] if rest else ())):
            report.add(each, judged)
            if progress and judged.verdict in FAILURES:
                print(f"  {judged.verdict}: {judged.why}\n    {json.dumps(each.entries)}", file=sys.stderr)
        if progress and not number % 1000:
            failures = sum(map(len, report.failures.values()))
            print(f"  {number} cases, {failures} failures, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return report


def explain(provider: Provider, report: Report, *, keep: bool) -> Iterator[str]:
    """Each cause of failure with its smallest case."""
    for signature, found in sorted(report.failures.items(), key=lambda item: -len(item[1])):
        case, opinion = min(found, key=lambda pair: len(json.dumps(pair[0].entries)))
        small = shrink(provider, case, opinion)
        yield f"{signature} ({len(found)} cases)"
        yield f"  {compare(provider, small).why}"
        yield f"  mutated: {', '.join(small.mutated) or 'nothing'}"
        yield from (f"  {json.dumps(entry)}" for entry in small.entries)
        if keep:
            VECTORS.mkdir(exist_ok=True)
            words = "".join(char if char.isalnum() else " " for char in signature.lower()).split()
            name = "-".join(words)[:60]
            (VECTORS / f"{name}.json").write_text(
                json.dumps(json.loads(small.as_json()), indent=2) + "\n", encoding="utf-8"
            )


def main() -> int:
    """Runs it; the exit code is 1 when the two disagree."""
    from tests.lab.agent import ConsulAgent

    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="write shrunk counter-examples to tests/lab/vectors")
    options = parser.parse_args()
    print(f"{options.cases} generated cases, seed {options.seed}")
    with (
        ConsulAgent() as consul,
        Provider(consul.address, restart=consul.restart, accident=consul.ended_by_accident) as provider,
    ):
        every = [*examples(), *vectors(), *targeted_cases(), *generated(options.cases, options.seed)]
        report = run(provider, every, progress=True)
        print("\n".join(report.lines()))
        print("\n".join(explain(provider, report, keep=options.keep)))
    return 1 if report.failures or report.one_sided() else 0


if __name__ == "__main__":
    sys.exit(main())
