"""The judge of jobs and the real Nomad say the same, on each rule from both sides and on jobs by chance."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.findings import Finding
from mesh.model import Environment
from mesh.nomad import rules
from mesh.nomad.job import Job
from mesh.nomad.jobs import jobs
from tests.lab import nomad_verdict
from tests.lab.agent import NomadAgent
from tests.lab.nomad_cases import changed_jobs, sound_jobs
from tests.lab.nomad_verdict import FAILURES, Server, Verdict, compare
from tests.unit.test_nomad_rules import BROKEN, SOUND
from tests.variations import VARIATIONS

CASES: Final = int(os.environ.get("MESH_NOMAD_CASES", "600"))
"""Generated jobs. Where this is set, they are other ones each time."""

BY_CHANCE: Final = settings(
    max_examples=CASES,
    deadline=None,
    derandomize="MESH_NOMAD_CASES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def nomad(nomad_program: Path) -> Iterator[Server]:
    """A running Nomad server; what a test registers there, it purges."""
    with NomadAgent(nomad_program) as agent, Server(agent.address) as server:
        yield server


@BY_CHANCE
@given(job=changed_jobs())
def test_on_jobs_by_chance(nomad: Server, job: Job) -> None:
    opinion = compare(nomad, job)
    assert opinion.verdict not in FAILURES, opinion.why
    assert not (opinion.verdict is Verdict.BOTH_ACCEPT and opinion.warnings), opinion.warnings


@pytest.mark.parametrize("job", SOUND.values(), ids=SOUND.keys())
def test_what_is_sound_is_accepted(nomad: Server, job: Job) -> None:
    opinion = compare(nomad, job)
    assert (opinion.verdict, opinion.why, opinion.warnings) == (Verdict.BOTH_ACCEPT, "", "")


@pytest.mark.parametrize("job", [job for job, _ in BROKEN.values()], ids=BROKEN.keys())
def test_what_is_broken_is_judged_as_nomad_judges(nomad: Server, job: Job) -> None:
    opinion = compare(nomad, job)
    assert opinion.verdict in {Verdict.BOTH_REFUSE, Verdict.STRICTER}, opinion.why


def settles(nomad: Server, job: Job) -> None:
    """Asserts that a second apply of a job changes nothing, and a plan says so."""
    try:
        first = nomad.register(job)
        assert nomad.plan(job)["Diff"]["Type"] == "None"
        assert nomad.register(job) == first
    finally:
        nomad.purge(job)


@settings(BY_CHANCE, max_examples=max(CASES // 6, 1))
@given(job=sound_jobs())
def test_a_second_apply_changes_nothing(nomad: Server, job: Job) -> None:
    if not list(rules.problems(job)):
        settles(nomad, job)


@pytest.mark.parametrize("mesh", [DEMO, COMMUNITY_DEMO, PRODUCTION, *VARIATIONS.values()], ids=lambda mesh: mesh.name)
def test_what_derives_is_accepted_and_settles(nomad: Server, mesh: Environment) -> None:
    derived = jobs(mesh)
    assert derived
    for job in derived:
        opinion = compare(nomad, job)
        assert (opinion.verdict, opinion.why, opinion.warnings) == (Verdict.BOTH_ACCEPT, "", "")
        settles(nomad, job)


def test_the_name_that_never_settles_is_why_it_is_refused(nomad: Server) -> None:
    with pytest.raises(AssertionError, match="Edited"):
        settles(nomad, BROKEN["a task called as Nomad's proxy"][0])


def without(rule: str) -> Any:
    def judged(job: Job) -> Iterator[Finding]:
        return (finding for finding in rules.problems(job) if finding.rule != rule)

    return judged


@pytest.mark.parametrize("name", ["deadlines", "interval", "tcp behind a sidecar", "static port twice", "no network"])
def test_a_judge_that_is_looser_would_be_found(nomad: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    job, rule = BROKEN[name]
    monkeypatch.setattr(nomad_verdict, "problems", without(rule))
    assert compare(nomad, job).verdict is Verdict.LOOSER


def test_a_judge_that_refuses_too_much_would_be_found(nomad: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nomad_verdict, "problems", lambda _: [Finding("job", "rule", "message", "fix")])
    assert compare(nomad, SOUND["sidecar"]).verdict is Verdict.WRONG_CLASS
