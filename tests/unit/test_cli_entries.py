"""``mesh entries check``, ``adopt``, ``hazards`` and ``mesh rules``."""

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.cli import main
from mesh.consul.rulebook import RULES

GOOD = {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "TransparentProxy": {}}
SPELT = {"Kind": "service-defaults", "Name": "web", "Protocol": "HTTP"}
BAD = {"Kind": "service-router", "Name": "api", "Routes": [{"Match": {"HTTP": {"PathPrefix": "v1"}}}]}

Captured = pytest.CaptureFixture[str]


def written(folder: Path, *entries: Any, name: str = "entries.json") -> str:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, entries)))
    return str(path)


@pytest.mark.parametrize(
    ("entries", "code"), [([GOOD], 0), ([SPELT], 0), ([BAD], 1), ([GOOD, BAD], 1), ([{"Kind": "bogus"}], 1), ([[]], 0)]
)
def test_the_exit_code_says_whether_all_are_ok(tmp_path: Path, entries: list[Any], code: int) -> None:
    assert main(["entries", "check", written(tmp_path, *entries)]) == code


def test_json_has_an_object_for_each_entry(tmp_path: Path, capsys: Captured) -> None:
    assert main(["entries", "check", "--json", written(tmp_path, SPELT, BAD)]) == 1
    spelt, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert spelt == {
        "kind": "service-defaults",
        "name": "web",
        "ok": True,
        "findings": [
            {
                "rule": "case-folded",
                "class": "canonicalised",
                "path": "Protocol",
                "message": '"HTTP" is stored as http',
                "fix": "write http",
            }
        ],
        "canonical": GOOD,
    }
    assert not bad["ok"]
    assert {finding["class"] for finding in bad["findings"]} == {"refused", "stricter"}


def test_files_are_judged_together_and_alone_each_for_itself(tmp_path: Path) -> None:
    splitter = {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100}]}
    files = [written(tmp_path, GOOD, name="a.json"), written(tmp_path, splitter, name="b.json")]
    assert main(["entries", "check", *files]) == 0
    assert main(["entries", "check", "--alone", *files]) == 1


def test_the_edition_decides(tmp_path: Path) -> None:
    file = written(tmp_path, {**GOOD, "Partition": "k8s", "Namespace": "default"})
    assert main(["entries", "check", file]) == 1
    assert main(["entries", "check", "--edition", "enterprise", file]) == 0


def test_what_the_api_returns_is_read_as_such(tmp_path: Path) -> None:
    file = written(tmp_path, {**GOOD, "ExternalSNI": "", "UpstreamConfig": None, "CreateIndex": 5, "ModifyIndex": 6})
    assert main(["entries", "check", "--form", "api", file]) == 0
    assert main(["entries", "check", file]) == 1


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "binary.json").write_bytes(b"\xff")
    files = [str(tmp_path / name) for name in ("broken.json", "binary.json", "missing.json", ".")]
    assert main(["entries", "check", *files, written(tmp_path, GOOD)]) == 2
    output = capsys.readouterr()
    assert not output.out
    assert [line.split(": ")[-1].split(",")[0] for line in output.err.splitlines()] == [
        "Expecting property name enclosed in double quotes",
        "it is no UTF-8 text (byte 0)",
        "No such file or directory",
        "Is a directory",
    ]


def test_what_is_adopted_can_be_judged_again(tmp_path: Path, capsys: Captured) -> None:
    assert main(["entries", "adopt", written(tmp_path, GOOD)]) == 0
    assert 'ServiceDefaults(name="web", protocol="http")' in capsys.readouterr().out


def test_nothing_is_adopted_that_would_lose_something(tmp_path: Path, capsys: Captured) -> None:
    assert main(["entries", "adopt", written(tmp_path, {**GOOD, "Protocoll": "x"})]) == 1
    output = capsys.readouterr()
    assert not output.out
    assert "1 of 1 entries cannot be adopted" in output.err


def test_hazards_of_a_change(tmp_path: Path, capsys: Captured) -> None:
    def entries(*subsets: str) -> list[Any]:
        filters = {name: {"Filter": f'Service.Meta.version == "{name}"'} for name in subsets}
        splits = [{"Weight": 100 // len(subsets), "ServiceSubset": name} for name in subsets]
        return [
            GOOD,
            {"Kind": "service-resolver", "Name": "web", "Subsets": filters},
            {"Kind": "service-splitter", "Name": "web", "Splits": splits},
        ]

    before, after = (
        written(tmp_path, *entries(*names), name=f"{len(names)}.json") for names in (("v1", "v2"), ("v2",))
    )
    assert main(["entries", "hazards", before, after]) == 1
    assert "    apply 2: the change of service-resolver/web\n" in capsys.readouterr().out
    assert main(["entries", "hazards", before, before]) == 0
    assert main(["entries", "hazards", before, written(tmp_path, BAD)]) == 2
    assert main(["entries", "hazards", before, str(tmp_path / "missing")]) == 2


def test_every_rule_is_listed_and_explained(capsys: Captured) -> None:
    assert main(["rules"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RULES)
    for rule in RULES.values():
        assert main(["rules", rule.id]) == 0
        assert capsys.readouterr().out.startswith(f"{rule.id} ({rule.severity})\n")


def test_a_misspelt_rule_gets_a_suggestion(capsys: Captured) -> None:
    assert main(["rules", "subset-mising"]) == 2
    assert 'did you mean "subset-missing"?' in capsys.readouterr().err
