"""Writes docs/rules.md from the rules themselves."""

import json
import re
from pathlib import Path

from mesh.consul.rulebook import RULES
from mesh.rules import Example, Rule

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "rules.md"

_INTRODUCTION = """# Rules of config entries

Written by `make docs` from the rules in the code; `mesh rules RULE` shows one. Where no other version is named, the
server is Consul 1.22.7, and the provider terraform-provider-consul 2.22.1.

* **refused**: Consul or the provider would refuse the entry, or lose something. It has to be put right.
* **stricter**: Consul accepts it, but it cannot be meant. An environment can acknowledge it, with a reason:
  `acknowledged=[Acknowledged("RULE", "KIND/NAME", "why")]`.
* **canonicalised**: another spelling without loss. It is written as the server stores it, so that no plan shows it.

A rule marked * is taken from the source or the documentation: the Community server cannot show it.
"""


def document() -> str:
    """The whole document."""
    rules = list(RULES.values())
    lines = [_INTRODUCTION, "| Rule | Class | What |", "|---|---|---|"]
    lines += [
        f"| [{rule.id}](#{rule.id}){'' if rule.judged else ' *'} | {rule.severity} | {_cell(rule.what)} |"
        for rule in rules
    ]
    for rule in rules:
        lines += ["", f"## {rule.id}", "", *_section(rule)]
    return "\n".join(lines) + "\n"


_STAR = r" \*"


def _section(rule: Rule) -> list[str]:
    return [
        f"*{rule.severity}*{_STAR if not rule.judged else ''} {rule.what}",
        "",
        f"* Why: {rule.why}",
        f"* Source: {rule.source}",
        f"* Fix: {rule.fix}",
        "",
        "```json",
        *_entries(rule.example),
        "```",
        "",
        "instead:",
        "",
        "```json",
        *_entries(rule.instead),
        "```",
    ]


_LONGEST = 400
"""Characters of an entry; some examples are about length."""


def _entries(example: Example) -> list[str]:
    texts = (json.dumps(entry, ensure_ascii=False) for entry in example)
    shown = (_PEM.sub(r"<\1>", text) for text in texts)
    return [text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …" for text in shown]


_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----(\\n)?")
"""Keys and certificates: what is in them is of no interest."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
