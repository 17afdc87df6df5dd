"""The judge: everything that is wrong with an environment, all at once, before anything is synthesized.

A declaration never fails while it is built, so one run sees the whole environment: first the types and constraints of
the vocabulary, then the rules that look at more than one value.
"""

from collections.abc import Callable, Iterable
from typing import Final

from mesh.check import entries, gateways, jobs, local, network, peering, platform, services, shape
from mesh.findings import Finding, FindingsError
from mesh.model.environment import Environment

RULES: Final[tuple[Callable[[Environment], Iterable[Finding]], ...]] = (
    platform.check,
    local.check,
    peering.check,
    network.check,
    services.check,
    gateways.check,
    entries.check,
    jobs.check_extra,
)


def check(environment: Environment) -> tuple[Finding, ...]:
    """All findings, in the order of their paths.

    Rules that look at several values only run once every value has the type it should have.
    """
    found = shape.check(environment)
    if found.types_are_wrong:
        return tuple(sorted(found.findings))
    findings = {*found.findings, *(finding for rule in RULES for finding in rule(environment))}
    # What follows from a sound declaration is sound; should it not be, it must not reach Nomad either.
    return tuple(sorted(findings or jobs.check(environment)))


def require_sound(environment: Environment) -> None:
    """Does nothing for a sound environment.

    Raises:
        FindingsError: with everything that is wrong.
    """
    if findings := check(environment):
        raise FindingsError(findings)


def notes(environment: Environment) -> tuple[Finding, ...]:
    """What is written in another spelling than it was declared; nothing has to be done about it."""
    return () if shape.check(environment).types_are_wrong else entries.notes(environment)


__all__ = ["Finding", "FindingsError", "check", "notes", "require_sound"]
