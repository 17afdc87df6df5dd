"""Rules of Nomad's server over the jobs that follow from an environment."""

from collections.abc import Iterator

from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.nomad import rules
from mesh.nomad.jobs import jobs


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about every job by itself and about all together."""
    derived = jobs(environment)
    for job in derived:
        yield from rules.problems(job)
    yield from rules.problems_among(environment, derived)
