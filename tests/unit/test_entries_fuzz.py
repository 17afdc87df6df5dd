"""Whatever is handed to ``mesh entries check``: an answer, the right exit code, never a traceback."""

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.cli import main
from mesh.consul.entries import KINDS, ConfigEntry
from mesh.consul.judge import judge
from mesh.consul.parts import Edition, Part, fields_of
from mesh.consul.reading import Form, read

EXAMPLES: Final = int(os.environ.get("MESH_FUZZ", "150"))
"""How many inputs for each test."""


def _keys(part: type[Part], seen: set[type[Part]]) -> None:
    if part not in seen:
        seen.add(part)
        for other in Part.__subclasses__():
            _keys(other, seen)


_PARTS: set[type[Part]] = set()
_keys(next(iter(KINDS.values())), _PARTS)
KEYS: Final = sorted(
    {field.go for part in _PARTS for field in fields_of(part)} | {"Kind", "protocol", "service_subset"}
)

REPEATED: Final = st.builds(
    lambda before, unit, times, after: before + unit * times + after,
    st.sampled_from(["", "-", "0x", "1e", "0.", "1-", "1-1", "localhost:", "Service.Port == ", "/", ">= "]),
    st.sampled_from(["9", "0", "1", "a", "f", "_1", "1.", "1h", "x\n", " ", "(", "ä"]),
    st.sampled_from([20, 400, 5_000]),
    st.sampled_from(["", "!", "h", "x"]),
)
"""Long texts: digits, hexadecimal ones, exponents, versions, words, lines."""

SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([10**25, -(2**63) - 1, 10**309, 10**4_000, 1e300, 5e-324]),
    st.text(max_size=8),
    REPEATED,
    st.sampled_from(["http", "tcp", "*", "15s", "-5s", "default", "/v1", "GET", "allow", "v1", "global", "mesh", "("]),
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=4),
    ),
    max_leaves=12,
)
ENTRIES: Final = st.one_of(
    VALUES,
    st.builds(
        lambda kind, name, body: {**body, "Kind": kind, "Name": name},
        st.sampled_from([*KINDS, "rate-limit", "bogus"]),
        st.one_of(st.sampled_from(["web", "api", "global", "mesh", "default", "*", ""]), VALUES),
        st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5),
    ),
)

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    database=None,
)


@fuzzed
@given(st.lists(ENTRIES, max_size=4), st.sampled_from(Form), st.sampled_from(Edition), st.booleans())
def test_every_value_gets_an_answer(values: list[Any], source: Form, edition: Edition, alone: bool) -> None:  # noqa: FBT001
    judged = judge(values, Form.AUTHORED if source is Form.PYTHON else source, edition, alone=alone)
    assert len(judged) == len(values)
    for each in judged:
        assert each.entry is not None or not each.ok
        if each.entry is not None:
            again = judge([json.loads(json.dumps(each.entry.written()))], Form.AUTHORED, edition, alone=True)[0]
            assert again.entry is not None
            assert again.entry.written() == each.entry.written(), "the canonical form is its own canonical form"


def _nested(levels: int, around: Callable[[object], object]) -> object:
    value: object = 1
    for _ in range(levels):
        value = around(value)
    return value


PYTHON: Final = st.recursive(
    st.one_of(
        SCALARS,
        st.sampled_from([float("nan"), float("inf"), 1j, b"x", Ellipsis]),
        st.builds(lambda: 10**5_000),  # Hypothesis could not show it in a list
        st.decimals(allow_nan=True),
        st.sampled_from([Decimal("1e99999999"), Decimal("1e-99999999"), Decimal("snan")]),
        st.builds(
            _nested,
            st.sampled_from([60, 70, 5_000]),
            st.sampled_from([lambda value: {"a": value}, lambda value: [value], lambda value: (value,)]),
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.none(), st.integers(0, 3), st.text(max_size=3)), inner),
    ),
    max_leaves=6,
)
"""What may stand in an entry that is built in Python, and not in JSON."""


def _built(part: type[Part]) -> st.SearchStrategy[Part]:
    fields = {field.name: PYTHON for field in fields_of(part)}
    needed = {field.name: fields.pop(field.name) for field in fields_of(part) if field.default is MISSING}
    return st.lists(st.sampled_from(sorted(fields)) if fields else st.nothing(), max_size=4, unique=True).flatmap(
        lambda said: st.builds(part, **needed, **{name: fields[name] for name in said})
    )


@fuzzed
@given(st.sampled_from(sorted(KINDS.values(), key=lambda kind: kind.KIND)).flatmap(_built), st.sampled_from(Edition))
def test_every_built_entry_gets_an_answer(entry: ConfigEntry, edition: Edition) -> None:
    reading = read(entry, Form.PYTHON, edition)
    for problem in reading.problems:
        assert len(problem.message) < 100_000
    if reading.entry is None:
        assert reading.problems
    else:
        json.dumps(reading.entry.written(), allow_nan=False)


def run(data: bytes, options: Sequence[str] = ()) -> tuple[int, str, str]:
    """Exit code, output and errors of ``mesh entries check``."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(data)), io.StringIO(), io.StringIO()
    try:
        code = main(["entries", "check", *options, "-"])
        return code, sys.stdout.getvalue(), sys.stderr.getvalue()
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


@fuzzed
@given(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass")),
        st.lists(ENTRIES, max_size=3).map(lambda values: json.dumps(values).encode()),
        st.lists(ENTRIES, min_size=1, max_size=3).map(lambda values: "\n".join(map(json.dumps, values)).encode()),
    ),
    st.sets(st.sampled_from(["--alone", "--json"])),
)
def test_the_command_answers_with_the_right_exit_code(data: bytes, options: set[str]) -> None:
    code, output, errors = run(data, sorted(options))
    if code == 2:
        assert not output
        assert errors.startswith("error: standard input: ")
        return
    assert not errors
    if "--json" in options:
        answers = [json.loads(line) for line in output.splitlines()]
        assert code == (0 if all(answer["ok"] for answer in answers) else 1)
        assert all(answer.keys() == {"kind", "name", "ok", "findings", "canonical"} for answer in answers)
    else:
        assert output


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"Kind": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"Kind": "service-defaults", "Name": "\xff"}',
        b'{"a": NaN}',
        b'{"a": 1, "a": 1}',
        b"",
    ],
)
def test_what_cannot_be_read_is_said(data: bytes) -> None:
    code, output, errors = run(data)
    assert code == 2
    assert not output
    assert errors.startswith("error: standard input: ")


def test_ten_megabytes_are_judged() -> None:
    entry = {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http", "x": ["y" * 100] * 100_000}}
    code, output, _ = run(json.dumps(entry).encode(), ["--json"])
    assert code == 0
    assert json.loads(output)["ok"]
