"""Filters of subsets: what Consul's parser takes, what it says of instances, whatever is written."""

import pytest

from mesh.consul.filters import DEEPEST, Comparison, Filter, Flaw, metadata_of, parse, why_senseless

META = ("Service", "Meta", "version")


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ('Service.Meta.version == "v1"', [(META, "==", "v1")]),
        ("Service.Meta.version==v1", [(META, "==", "v1")]),
        ('Service.Meta["version"] != `v"1`', [(META, "!=", 'v"1')]),
        (' ( Service.Meta.version == "v1" ) ', [(META, "==", "v1")]),
        ('"a" in Service.Tags', [(("Service", "Tags"), "in", "a")]),
        ("Service.Tags contains a", [(("Service", "Tags"), "in", "a")]),
        ("Service.Tags not contains a", [(("Service", "Tags"), "not in", "a")]),
        ("a not in b", [(("b",), "not in", "a")]),
        ("a.b in c", [(("c",), "in", "a.b")]),
        ("a is empty or a is not empty", [(("a",), "is empty", None), (("a",), "is not empty", None)]),
        ("a matches `^x`", [(("a",), "matches", "^x")]),
        ("not not not matches x", [(("not",), "matches", "x")]),  # two negations of a selector called not
        ("not == 3", [(("not",), "==", "3")]),
        ("not in a", [(("a",), "in", "not")]),
        ("a == -1.5)"[:-1], [(("a",), "==", "-1.5")]),
        (r'a == "\x41\101\u00e9\n\\"', [(("a",), "==", "AAé\n\\")]),
        ("a == `x\r\ny`", [(("a",), "==", "x\ny")]),
        ("a == 1\tand\r\nb == 2", [(("a",), "==", "1"), (("b",), "==", "2")]),
    ],
)
def test_what_is_a_filter(text: str, comparisons: list[tuple[tuple[str, ...], str, str | None]]) -> None:
    parsed = parse(text)
    assert isinstance(parsed, Filter)
    assert list(parsed.comparisons) == comparisons


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("  ", 3),
        ("Service.Meta.version == 1.0.0", 25),
        ("a == 007", 6),
        ("a == v1.0", 9),
        ("Service.Meta.my-key == x", 16),
        ("(a == 1", 1),
        ("a == 1)", 7),
        ("(a == 1 or )", 1),
        ("a == 1 b == 2", 8),
        ("a = 1", 2),
        ("a contains'x'", 2),
        ("a is  notempty", 2),
        ('a == "x', 6),
        ("a == `x", 6),
        (r'a == "\q"', 6),
        (r'a == "\ud800"', 6),
        (r'a == "\400"', 6),
        ('a == "x\ny"', 6),
        ("a[0] == 1", 2),
        ('a["x" == 1', 2),
        ("a in 3", 6),
        ("(" * (DEEPEST + 1), DEEPEST + 1),
    ],
)
def test_what_is_none(text: str, position: int) -> None:
    parsed = parse(text)
    assert isinstance(parsed, Flaw), parsed
    assert parsed.position == position, parsed


def test_an_error_on_the_way_is_one_even_if_the_text_can_be_read_otherwise() -> None:
    # Read as not (in in ...), a selector is missing; read as "not" in the selector "in", nothing is.
    assert isinstance(parse("(not in in)"), Filter)
    assert isinstance(parse("(not in in )"), Flaw)


@pytest.mark.parametrize(
    "text",
    [
        "not " * 50_000 + "a == 1",
        "a == 1 and " * 20_000 + "b",
        "a" + " " * 200_000 + "b",
        "(" * 50_000,
        'a["' + "x" * 200_000,
        "a." * 50_000 + "b == 1",
        "not in " * 20_000,
        "\ud800\x00 == \U0010ffff",
    ],
)
def test_odd_input_gets_an_answer(text: str) -> None:
    assert isinstance(parse(text), Filter | Flaw)
    metadata_of(text)


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ('Service.Meta.version == "v1"', {"version": "v1"}),
        (
            'Service.Meta.version == v1 and (Service.Meta["a-b"] == x and Service.Port != 0)',
            {"version": "v1", "a-b": "x"},
        ),
        ('Service.Meta.version == "v1" or Service.Meta.version == "v2"', {}),
        ('not Service.Meta.version == "v1"', {}),
        ('not not Service.Meta.version == "v1"', {"version": "v1"}),
        ('Node.Meta.version == "v1" and Service.Meta.version != "v1"', {}),
        ("(", {}),
    ],
)
def test_the_metadata_that_a_filter_asks_for(text: str, metadata: dict[str, str]) -> None:
    assert metadata_of(text) == metadata


@pytest.mark.parametrize(
    ("selector", "operator", "value", "sense"),
    [
        ("Service.Meta.version", "==", "v1", True),
        ("Service.Meta", "in", "version", True),
        ("Service.Tags", "in", "v1", True),
        ("Node.Datacenter", "matches", "dc[0-9]", True),
        ("Checks.Status", "==", "passing", True),
        ("Service.TaggedAddresses.lan.Port", "==", "0x1F", True),
        ("Service.Port", "==", "010", True),
        ("Service.Port", "==", "08", False),
        ("Service.Connect.Native", "==", "T", True),
        ("Service.Proxy.Upstreams", "is empty", None, True),
        ("Service.Metaa.version", "==", "v1", False),
        ("Meta.version", "==", "v1", False),
        ("Service.Meta.version.x", "==", "v1", False),
        ("Service", "==", "web", False),
        ("Service.Tags", "==", "v1", False),
        ("Service.Port", "==", "http", False),
        ("Service.Port", "==", "9" * 20, False),
        ("Service.Port", "==", "1" * 5000, False),
        ("Service.Port", "matches", "8.*", False),
        ("Service.Connect.Native", "==", "yes", False),
        ("Node.Node", "matches", "(", False),
    ],
)
def test_what_can_be_asked_of_an_instance(selector: str, operator: str, value: str | None, sense: bool) -> None:  # noqa: FBT001
    comparison = Comparison(tuple(selector.split(".")), operator, value)  # type: ignore[arg-type]
    assert (why_senseless(comparison) is None) == sense
