"""What the judge says about an environment: findings are data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WRONG_TYPE: Final = "value-type"
"""Rule of a value on which no other rule can work."""


class Severity(StrEnum):
    """What a finding means.

    ``REFUSED``: Consul, Nomad or a Terraform provider would refuse it, or lose something.
    ``STRICTER``: they accept it, but it cannot be meant.
    ``CANONICALISED``: a note; it is written in another spelling, without loss.
    """

    REFUSED = "refused"
    STRICTER = "stricter"
    CANONICALISED = "canonicalised"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem: where it is, what is wrong, how to fix it.

    Attributes:
        path: Where, as a path into the environment, e.g. ``services["web"].upstreams["api"].local_port``.
        rule: Stable identifier of the rule that was broken, e.g. ``upstream-unknown``.
        message: What is wrong, with the offending value.
        fix: What to do about it.
        severity: What it means.
    """

    path: str
    rule: str
    message: str
    fix: str
    severity: Severity = Severity.REFUSED

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.rule}]\n    fix: {self.fix}"


def report(name: str, findings: Sequence[Finding], *, after: str = "") -> str:
    """Findings about an environment as people read them.

    Args:
        name: Name of the environment.
        findings: At least one.
        after: Said after the count.
    """
    count = f"{len(findings)} problem" + ("s" if len(findings) > 1 else "")
    lines = [f"environment {name} has {count}{after}", "", *map(str, findings)]
    if any(finding.rule == WRONG_TYPE for finding in findings):
        lines += ["", "More rules look at the whole, once every value has the right type."]
    return "\n".join(lines)


class FindingsError(Exception):
    """Raised where an environment that has findings would otherwise be used."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
