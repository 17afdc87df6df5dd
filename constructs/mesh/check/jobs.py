"""Rules about Nomad jobs: of the server over those that follow from an environment, and over those written as HCL."""

import unicodedata
from collections import Counter
from collections.abc import Iterator

from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.model.job import HclJob
from mesh.nomad import rules
from mesh.nomad.hcl import HclError, job_ids
from mesh.nomad.jobs import jobs
from mesh.topology import clusters


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about every derived job by itself and about all of a cluster together."""
    for cluster in clusters(environment.platform):
        derived = jobs(environment, cluster)
        for job in derived:
            yield from rules.problems(job)
        yield from rules.problems_among(environment, derived, cluster)


def check_extra(environment: Environment) -> Iterator[Finding]:
    """Findings about the jobs that are written as HCL: what they are called, and whether they are HCL at all."""
    if not environment.extra_jobs:
        return
    derived = _derived_names(environment)
    for name, count in Counter(job.name for job in environment.extra_jobs).items():
        path = f'extra_jobs["{name}"].name'
        if name in derived:
            yield Finding(
                path,
                "nomad-job-twice",
                f'the job "{name}" also follows from a service or gateway, so the last one applied replaces the other',
                "give it another name, here and in the text",
            )
        if count > 1:
            yield Finding(
                path,
                "nomad-job-twice",
                f'{count} jobs are called "{name}", so the last one applied replaces the others',
                "give each its own name, here and in the text",
            )
    for job in environment.extra_jobs:
        yield from _text(job, f'extra_jobs["{job.name}"].text')


def _derived_names(environment: Environment) -> frozenset[str]:
    """Names of the derived jobs. An unsound declaration has findings of its own, and perhaps no jobs."""
    try:
        return frozenset(job.id for job in jobs(environment))
    except (KeyError, ValueError):
        return frozenset()


def _text(job: HclJob, path: str) -> Iterator[Finding]:
    for number, line in enumerate(job.text.split("\n"), 1):
        if not unicodedata.is_normalized("NFC", line):
            yield Finding(
                path,
                "hcl-characters",
                f"line {number} has characters that Terraform would write in another way",
                "write each letter with its accents as one character (Unicode's form NFC)",
            )
            return
    try:
        ids = job_ids(job.text)
    except HclError as error:
        yield Finding(path, "hcl-syntax", f"the text is no HCL: {error}", "correct it")
        return
    if len(ids) != 1:
        found = f"{len(ids)} job blocks" if ids else "no job block"
        yield Finding(path, "hcl-one-job", f"the text has {found}", f'write one: job "{job.name}" {{ ... }}')
    elif ids[0] != job.name:
        yield Finding(
            path,
            "hcl-job-name",
            f'the job in the text is called "{ids[0]}", not "{job.name}"',
            "call both the same",
        )
