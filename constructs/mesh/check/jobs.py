"""Rules of Nomad's server over the jobs that follow from an environment."""

from collections.abc import Iterator

from pydantic import ValidationError

from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.nomad import rules
from mesh.nomad.job import Job
from mesh.nomad.jobs import jobs


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about every job by itself and about all together."""
    derived = _derivable(environment)
    for job in derived:
        yield from rules.problems(job)
    yield from rules.problems_among(environment, derived)


def _derivable(environment: Environment) -> tuple[Job, ...]:
    """The jobs, as far as there are any: an unsound declaration has findings of its own, and no jobs."""
    try:
        return jobs(environment)
    except ValidationError:
        return ()
