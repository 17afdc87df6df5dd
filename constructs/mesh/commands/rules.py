"""``mesh rules``: what the judge knows."""

import argparse
import json
import sys
from textwrap import fill

from mesh.commands.codes import UNREADABLE
from mesh.consul.rulebook import RULES
from mesh.rules import Example, Rule
from mesh.showing import suggest


def show(options: argparse.Namespace) -> int:
    """``mesh rules``: a line for each, or one in full."""
    if options.rule is None:
        width = max(len(rule) for rule in RULES)
        for rule in RULES.values():
            print(f"{rule.id:{width}}  {rule.severity:13}  {rule.what}")
        return 0
    if options.rule not in RULES:
        print(f'error: there is no rule "{options.rule}"{suggest(options.rule, RULES)}', file=sys.stderr)
        return UNREADABLE
    print("\n".join(_explained(RULES[options.rule])))
    return 0


def _explained(rule: Rule) -> list[str]:
    return [
        f"{rule.id} ({rule.severity})",
        "",
        fill(rule.what, 100),
        fill(rule.why, 100),
        "",
        fill(f"fix: {rule.fix}", 100),
        fill(f"source: {rule.source}", 100),
        "",
        "example:",
        *_entries(rule.example),
        "instead:",
        *_entries(rule.instead),
    ]


def _entries(example: Example) -> list[str]:
    return [f"  {json.dumps(entry)}" for entry in example]
