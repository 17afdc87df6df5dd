"""Jobs written as HCL: what they are called, and that anything at all gets an answer."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.check import check
from mesh.model import ApiGateway, Environment, HclJob, Listener
from mesh.nomad.hcl import HclError, job_ids
from tests.unit.examples import caller, environment, service, versioned
from tests.variations import HCL

LEGACY = HclJob("legacy", 'job "legacy" {\n  type = "batch"\n}\n')


def with_jobs(*extra: Any) -> Environment:
    gateway = ApiGateway("edge", listeners=[Listener(5000, "http", to="web")])
    return environment(versioned(), service("db"), caller(), gateways=[gateway], extra_jobs=extra)


def found(*extra: Any) -> list[tuple[str, str, str]]:
    return [(finding.path, finding.rule, finding.message) for finding in check(with_jobs(*extra))]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('job "a" {}', ("a",)),
        ("job a {}", ("a",)),
        ('variable "job" {}\n\nlocals {}\n# job "c" {}\njob "a" {}\njob "b" {}', ("a", "b")),
        ('job "label" {\n  name = "shown"\n  id = "a"\n  group "id" {}\n}', ("a",)),
        ('job "label" {\n  id = var.a\n}', ("${var.a}",)),
        ("job {}", ("",)),
        ('job "a" "b" {}', ("a b",)),
        ('group "job" {\n  job = 1\n}', ()),
        ("", ()),
        (HCL, ("old-batch",)),
        (HCL.replace("\n", "\r\n"), ("old-batch",)),
    ],
)
def test_the_jobs_of_a_text(text: str, ids: tuple[str, ...]) -> None:
    assert job_ids(text) == ids


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('job "a" {\n  x = }\n', "line 2 is not understood from '}' on"),
        ('job "a" {\n  group "b" {\n}\n', "it ends too early, on line 4"),
        ('{"job": {}}', "line 1 is not understood from '{\"job\": {}}' on"),
        (f"job a {{\n  x = {'[' * 5000}{']' * 5000}\n}}", "it is nested too deeply"),
    ],
)
def test_what_is_no_hcl_says_where(text: str, why: str) -> None:
    with pytest.raises(HclError) as caught:
        job_ids(text)
    assert str(caught.value) == why
    assert found(HclJob("a", text)) == [('extra_jobs["a"].text', "hcl-syntax", f"the text is no HCL: {why}")]


def test_one_job_of_the_name_is_sound() -> None:
    assert found(LEGACY, HclJob("old-batch", HCL)) == []


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("# nothing", "hcl-one-job", "the text has no job block"),
        (LEGACY.text * 2, "hcl-one-job", "the text has 2 job blocks"),
        ('job "new" {}', "hcl-job-name", 'the job in the text is called "new", not "legacy"'),
        ('job "legacy" {\n  id = "new"\n}', "hcl-job-name", 'the job in the text is called "new", not "legacy"'),
        (
            "\n# e\u0301\n" + LEGACY.text,
            "hcl-characters",
            "line 2 has characters that Terraform would write in another way",
        ),
    ],
)
def test_what_is_wrong_with_a_text(text: str, rule: str, message: str) -> None:
    assert found(HclJob("legacy", text)) == [('extra_jobs["legacy"].text', rule, message)]


@pytest.mark.parametrize("name", ["api-v1", "db", "edge"])
def test_a_job_that_derives_is_not_written(name: str) -> None:
    (finding,) = found(HclJob(name, f'job "{name}" {{}}'))
    assert finding[:2] == (f'extra_jobs["{name}"].name', "nomad-job-twice")


def test_a_name_is_written_once() -> None:
    (finding,) = found(LEGACY, LEGACY)
    assert finding[:2] == ('extra_jobs["legacy"].name', "nomad-job-twice")


def test_a_service_on_kubernetes_makes_no_job() -> None:
    assert found(HclJob("web", 'job "web" {}')) == []


@pytest.mark.parametrize(
    ("extra", "path", "rule"),
    [
        (HclJob("my job", 'job "my job" {}'), 'extra_jobs["my job"].name', "value-form"),
        (HclJob("legacy", ""), 'extra_jobs["legacy"].text', "value-string-too-short"),
        ("job", "extra_jobs[0]", "value-type"),
        (HclJob("legacy", 'job "\ud800" {}'), 'extra_jobs["legacy"].text', "value-type"),
        (HclJob("legacy", 1), 'extra_jobs["legacy"].text', "value-type"),  # type: ignore[arg-type]
    ],
)
def test_wrong_values(extra: Any, path: str, rule: str) -> None:
    assert (path, rule) in [finding[:2] for finding in found(extra)]


def test_an_unsound_declaration_is_no_exception() -> None:
    mesh = environment(service(runs_on=None), extra_jobs=[LEGACY])
    assert check(mesh)


def test_the_parser_is_loaded_for_such_jobs_only() -> None:
    program = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from environments.demo import ENVIRONMENT\n"
        "from mesh.check import check\n"
        "from mesh.model import HclJob\n"
        "for jobs in ([], [HclJob('a', 'job a {}')]):\n"
        "    assert check(replace(ENVIRONMENT, extra_jobs=jobs)) == ()\n"
        "    print('hcl2' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True"]


PIECES = st.sampled_from(
    ['"', "${", "%{", "}", "{", "\n", "<<EOT\n", "\0", "\ud800", "(", "[", "=", "\\", "#", "/*", "id = ", "\r", "job"]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(HCL)), st.integers(0, 20), PIECES), min_size=1, max_size=4))
def test_any_text_gets_an_answer(edits: list[tuple[int, int, str]]) -> None:
    text = HCL
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    with suppress(HclError):
        job_ids(text)
