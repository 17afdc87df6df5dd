"""Every rule: its example breaks it and nothing else, what is put right breaks nothing, and it is documented."""

from collections.abc import Sequence

import pytest

from mesh.consul.judge import judge
from mesh.consul.parts import Edition
from mesh.consul.reading import Form
from mesh.consul.rulebook import RULES
from mesh.findings import Severity
from mesh.rules import Example, Rule
from tools.rules_doc import DOCUMENT, document

NEEDS_AN_ENVIRONMENT = {
    "certificate-missing",
    "mesh-gateway-missing",
    "route-gateway-missing",
    "service-unknown",
    "subset-without-instances",
}
"""Rules about what is deployed: alone, nothing is known of that. See test_check_entries.py."""

ALSO_BROKEN = {"service-spelt-twice": {"service-name"}, "weight-zero": {"route-services-several"}}
"""What else an example cannot but break: of two spellings, one has capitals; of several services, there are several."""

JUDGED_HERE = [rule for rule in RULES.values() if rule.id not in NEEDS_AN_ENVIRONMENT]


def broken(entries: Example) -> Sequence[set[str]]:
    """The rules that each entry breaks. Examples with a partition are Enterprise's."""
    edition = Edition.ENTERPRISE if any("Partition" in entry for entry in entries) else Edition.COMMUNITY
    judged = judge(list(entries), Form.AUTHORED, edition)
    return [{finding.rule for finding in each.findings} for each in judged]


@pytest.mark.parametrize("rule", JUDGED_HERE, ids=lambda rule: rule.id)
def test_the_example_breaks_its_rule_and_no_other(rule: Rule) -> None:
    *others, last = broken(rule.example)
    assert last == {rule.id} | ALSO_BROKEN.get(rule.id, set())
    assert not any(others)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_what_is_put_right_breaks_nothing(rule: Rule) -> None:
    assert not any(broken(rule.instead))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_says_what_it_is(rule: Rule) -> None:
    assert rule.what.endswith(".")
    assert rule.why.endswith(".")
    assert rule.source
    assert rule.fix
    assert rule.example != rule.instead


def test_a_rule_about_the_environment_is_silent_about_files() -> None:
    for name in NEEDS_AN_ENVIRONMENT:
        assert not any(broken(RULES[name].example)), name


@pytest.mark.parametrize("rule", [rule for rule in JUDGED_HERE if rule.severity is Severity.CANONICALISED])
def test_another_spelling_is_ok_and_written_as_the_right_one(rule: Rule) -> None:
    spelt, right = (
        judge(list(entries), Form.AUTHORED, Edition.COMMUNITY)[-1] for entries in (rule.example, rule.instead)
    )
    assert spelt.ok
    assert spelt.entry
    assert right.entry
    assert spelt.entry.written() == right.entry.written()


def test_the_document_is_that_of_the_rules() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make docs`"
