"""The judge and the real Consul say the same, on every rule from both sides and on cases by chance."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.client import HTTPConnection
from itertools import chain
from typing import Any, Final

import pytest

from mesh.consul.judge import Judged, judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form
from mesh.consul.rulebook import RULES
from mesh.durations import from_nanoseconds, parse_nanoseconds
from mesh.findings import Severity
from mesh.rules import Rule
from tests.lab import verdict
from tests.lab.agent import ConsulAgent
from tests.lab.cases import Case, deadly_cases, targeted_cases
from tests.lab.provider import Provider
from tests.lab.verdict import Verdict, compare, examples, explain, generated, run, vectors

CASES: Final = int(os.environ.get("MESH_VERDICT_CASES", "3000"))
"""Generated cases of a bounded run; `make verdict` makes a long one."""

SEED: Final = 20251125
"""Always the same cases: chance is for the long runs."""


def assert_no_disagreements(provider: Provider, cases: Iterator[Case]) -> None:
    """Fails with the whole report; what first disagreed stands before what it was shrunk to."""
    report = run(provider, cases)
    first = (f"{opinion.verdict}: {opinion.why}" for found in report.failures.values() for _, opinion in found)
    if report.failures:
        pytest.fail("\n".join(chain(report.lines(), first, explain(provider, report, keep=False))), pytrace=False)


pytestmark = pytest.mark.lab


def test_every_rule_is_judged_right_on_both_sides(provider: Provider) -> None:
    report = run(provider, examples())
    assert not report.failures, "\n".join(explain(provider, report, keep=False))
    assert not report.one_sided()
    assert report.verdicts[Verdict.BOTH_ACCEPT] >= sum(rule.judged for rule in RULES.values())


def test_counter_examples_of_earlier_runs_are_none_any_more(provider: Provider) -> None:
    cases = list(vectors())
    assert cases
    assert_no_disagreements(provider, iter(cases))


def test_on_cases_for_each_of_consuls_own_checks(provider: Provider) -> None:
    assert_no_disagreements(provider, targeted_cases())


def test_on_cases_by_chance(provider: Provider) -> None:
    assert_no_disagreements(provider, generated(CASES, SEED))


def test_what_kills_the_server_is_refused_and_nothing_like_it() -> None:
    for case in deadly_cases():
        judged = judge(case.entries, Form.AUTHORED, Edition.COMMUNITY)
        rules = {finding.rule for each in judged for finding in each.findings}
        assert rules == ({"split-headers-crash"} if case.mutated else set()), case


def lenient(*args: Any, **options: Any) -> Sequence[Judged]:
    """A judge that refuses nothing."""
    return [
        replace(each, findings=tuple(found for found in each.findings if found.severity is not Severity.REFUSED))
        for each in judge(*args, **options)
    ]


@pytest.mark.parametrize("rule", ["subset-missing", "value-unknown", "key-unknown", "meta-long", "protocol-not-http"])
def test_a_judge_that_is_looser_would_be_found(provider: Provider, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    case = Case(entries=[dict(entry) for entry in RULES[rule].example], alone=False)
    assert compare(provider, case).verdict is Verdict.BOTH_REFUSE
    monkeypatch.setattr(verdict, "judge", lenient)
    assert compare(provider, case).verdict is Verdict.LOOSER


def test_a_form_that_is_not_the_servers_would_be_found(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(entries=[{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}], alone=False)
    assert compare(provider, case).verdict is Verdict.BOTH_ACCEPT
    from mesh.consul.entries import ServiceDefaults

    def without(self: ServiceDefaults) -> dict[str, Any]:
        return {"Protocol": self.protocol}

    monkeypatch.setattr(ServiceDefaults, "body", without)
    assert compare(provider, case).verdict is Verdict.NOT_CLEAN


def test_a_judge_that_refuses_too_much_would_be_found(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    def severe(*args: Any, **options: Any) -> Sequence[Judged]:
        return [
            replace(each, findings=tuple(replace(found, severity=Severity.REFUSED) for found in each.findings))
            for each in judge(*args, **options)
        ]

    case = Case(entries=[{"Kind": "service-resolver", "Name": "Web_X"}], alone=False)
    assert compare(provider, case).verdict is Verdict.STRICTER
    monkeypatch.setattr(verdict, "judge", severe)
    assert compare(provider, case).verdict is Verdict.WRONG_CLASS


def request(consul: ConsulAgent, method: str, path: str, body: object = None) -> Any:
    connection = HTTPConnection(consul.address, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text
        return json.loads(text)
    finally:
        connection.close()


def in_gos_spelling(value: Any) -> Any:
    """A value in which every length of time is written as Go does, which says the same."""
    if isinstance(value, dict):
        return {key: in_gos_spelling(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_gos_spelling(item) for item in value]
    length = parse_nanoseconds(value) if isinstance(value, str) else None
    return value if length is None else from_nanoseconds(length)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.judged], ids=lambda rule: rule.id)
def test_what_consul_returns_is_read_as_what_was_written(consul: ConsulAgent, rule: Rule) -> None:
    written = [judged.entry for judged in judge(list(rule.instead), Form.AUTHORED, Edition.COMMUNITY)]
    entries = [entry.written() for entry in written if entry is not None]
    for entry in entries:
        # The API knows no name of a mesh entry.
        request(
            consul, "PUT", "/v1/config", {key: entry[key] for key in entry if (entry["Kind"], key) != ("mesh", "Name")}
        )
    returned = [request(consul, "GET", f"/v1/config/{entry['Kind']}/{entry['Name']}") for entry in entries]
    for entry in reversed(entries):
        request(consul, "DELETE", f"/v1/config/{entry['Kind']}/{entry['Name']}")
    read_back = judge(returned, Form.API, Edition.COMMUNITY)
    assert [in_gos_spelling(each.entry.written()) for each in read_back if each.entry] == in_gos_spelling(entries)
    assert not [finding for each in read_back for finding in each.findings]
