"""Single values, as the provider decodes them."""

from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from mesh.consul.entries import ProxyDefaults, ServiceDefaults, ServiceSplitter
from mesh.consul.entries.service_splitter import Split
from mesh.consul.parts import Edition
from mesh.consul.reader import show
from mesh.consul.reading import Form, Reading, read
from mesh.json_lines import DEEPEST

HUGE = 10**5000
"""More digits than Python writes."""


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def _read(kind: str, fields: dict[str, Any]) -> Reading:
    return read({"Kind": kind, "Name": "web", **fields}, Form.AUTHORED, Edition.COMMUNITY)


def _rules(reading: Reading) -> set[str]:
    return {problem.rule.id for problem in reading.problems}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("010", 8),
        ("0x10", 16),
        ("1_0", 10),
        ("", 0),
        ("9" * 19, None),
        ("9" * 5000, None),
        (" 1", None),
        ("\u0661", None),
    ],
)
def test_a_whole_number_in_a_text(text: str, number: int | None) -> None:
    reading = _read("service-defaults", {"MaxInboundConnections": text})
    assert isinstance(reading.entry, ServiceDefaults) == (number is not None)
    assert "value-type" not in _rules(reading) if number is not None else "value-type" in _rules(reading)
    if isinstance(reading.entry, ServiceDefaults):
        assert (reading.entry.max_inbound_connections or 0) == number


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        (2**63 - 1024, "number-range"),
        (2**63 - 1, "number-wraps"),
        pytest.param("9223372036854775807", "number-wraps", id="text"),
        (-(2**63), "number-range"),
        (-(2**64), "number-wraps"),
        (1e300, "number-wraps"),
        (10**309, "value-type"),
        pytest.param(-HUGE, "value-type", id="huge"),
    ],
)
def test_a_whole_number_beyond_64_bits(number: float | str, rule: str) -> None:
    assert rule in _rules(_read("service-defaults", {"MaxInboundConnections": number}))


@pytest.mark.parametrize(
    "weight",
    [
        "1e99999999",
        "9" * 5000,
        "inf",
        "nan",
        " 50",
        "\u0665",
        Decimal("1e99999999"),
        pytest.param(HUGE, id="huge"),
        pytest.param(nan, id="no number"),
    ],
)
def test_a_weight_that_no_double_holds(weight: object) -> None:
    reading = _read("service-splitter", {"Splits": [{"Weight": weight}]})
    assert reading.entry is None
    assert "value-type" in _rules(reading)


@pytest.mark.parametrize(
    ("weight", "number"), [("33.3", Decimal("33.3")), ("0x1p5", 32), (Decimal("0.1"), Decimal("0.1"))]
)
def test_a_weight_keeps_its_decimals(weight: object, number: Decimal) -> None:
    entry = _read("service-splitter", {"Splits": [{"Weight": weight}]}).entry
    assert isinstance(entry, ServiceSplitter)
    assert [split.weight for split in entry.splits] == [number]


@pytest.mark.parametrize("number", [10**25, -(10**25), 1e300])
def test_a_number_too_long_for_a_length_of_time_is_what_go_makes_of_it(number: float) -> None:
    reading = _read("service-resolver", {"ConnectTimeout": number})
    assert _rules(reading) & {"duration-negative", "duration-sign", "duration-not-positive"}
    assert reading.entry is not None
    assert reading.entry.body()["ConnectTimeout"] == "-2562047h47m16.854775808s"


@pytest.mark.parametrize("value", [nan, inf, -inf, pytest.param(HUGE, id="huge")])
@pytest.mark.parametrize(
    "field", [{"external_sni": 0}, {"max_inbound_connections": 0}, {"mutual_tls_mode": 0}, {"meta": {"a": 0}}]
)
def test_python_s_numbers_that_json_does_not_have(field: dict[str, Any], value: float) -> None:
    fields: dict[str, Any] = {key: {"a": value} if isinstance(inner, dict) else value for key, inner in field.items()}
    reading = read(ServiceDefaults(name="web", protocol="http", **fields), Form.PYTHON, Edition.COMMUNITY)
    assert reading.entry is None
    assert _rules(reading) == {"value-type"}


def test_a_key_is_kept_as_it_is_read() -> None:
    meta: dict[Any, str] = {1: "a"}
    reading = read(ServiceDefaults(name="web", protocol="http", meta=meta), Form.PYTHON, Edition.COMMUNITY)
    assert _rules(reading) == {"value-type-loose"}
    assert reading.entry is not None
    assert reading.entry.meta == {"1": "a"}


def test_a_key_that_cannot_be_read() -> None:
    meta: dict[Any, str] = {None: "a"}
    reading = read(ServiceDefaults(name="web", protocol="http", meta=meta), Form.PYTHON, Edition.COMMUNITY)
    assert reading.entry is None
    assert _rules(reading) == {"value-type"}


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        (_nested(DEEPEST), set()),
        (_nested(DEEPEST + 2), {"value-type"}),
        (_nested(5000), {"value-type"}),
        ({1: "a"}, {"value-type"}),
        ({"a": HUGE}, {"value-type"}),
    ],
)
def test_a_free_form_map_in_python(config: dict[str, Any], rules: set[str]) -> None:
    assert _rules(read(ProxyDefaults(config=config), Form.PYTHON, Edition.COMMUNITY)) == rules


@pytest.mark.parametrize("value", [HUGE, [HUGE], _nested(5000)], ids=["number", "list", "nested"])
def test_what_python_cannot_write_is_shown_by_its_type(value: object) -> None:
    assert show(value) == f"this {type(value).__name__}"


def test_a_weight_built_in_python_that_no_double_holds() -> None:
    built = ServiceSplitter(name="web", splits=[Split(weight=Decimal("1e99999999"))])
    assert _rules(read(built, Form.PYTHON, Edition.COMMUNITY)) == {"value-type"}
