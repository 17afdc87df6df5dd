"""Our judge of jobs against the real Nomad: does its server say what we say."""

import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final, Self
from urllib.parse import quote

from mesh.findings import Severity
from mesh.nomad.job import Job
from mesh.nomad.rules import problems

_SECONDS: Final = 30


class Verdict(StrEnum):
    """How the judge and Nomad compare on one job."""

    BOTH_ACCEPT = "both accept"
    BOTH_REFUSE = "both refuse"
    STRICTER = "we are stricter"
    LOOSER = "WE ARE LOOSER"
    WRONG_CLASS = "REFUSED BY US ALONE"


FAILURES: Final = frozenset({Verdict.LOOSER, Verdict.WRONG_CLASS})


class RefusedError(Exception):
    """Nomad did not do what it was asked for; the text is its answer."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of one job.

    Attributes:
        verdict: How the two compare.
        rules: Rules that the judge found broken.
        why: What Nomad refused it for, if it did.
        warnings: What Nomad did not like, and accepts.
    """

    verdict: Verdict
    rules: frozenset[str]
    why: str = ""
    warnings: str = ""


class Server:
    """The HTTP API of a Nomad server, over one connection."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address, timeout=_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def warnings(self, job: Job) -> str:
        """What Nomad warns of in a job that it accepts, in the check of a job and in the plan for it.

        Raises:
            RefusedError: it does not accept it.
        """
        checked = self.request("POST", "/v1/validate/job", {"Job": job.api_json()})
        if checked["Error"] or checked["ValidationErrors"]:
            raise RefusedError(str(checked["Error"] or checked["ValidationErrors"]))
        return str(checked["Warnings"] or self.plan(job)["Warnings"])

    def plan(self, job: Job) -> Any:
        """What applying the job would change.

        Raises:
            RefusedError: Nomad does not accept it.
        """
        return self.request("POST", f"{self._path(job)}/plan", {"Job": job.api_json(), "Diff": True})

    def register(self, job: Job) -> int:
        """Apply the job, and return the index of its last change.

        Raises:
            RefusedError: Nomad does not accept it.
        """
        self.request("POST", "/v1/jobs", {"Job": job.api_json()})
        return int(self.request("GET", self._path(job))["JobModifyIndex"])

    def purge(self, job: Job) -> None:
        """Take the job away, without a trace."""
        self.request("DELETE", f"{self._path(job)}?purge=true")

    def request(self, method: str, path: str, body: object = None) -> Any:
        """The answer to a request.

        Raises:
            RefusedError: the answer is an error.
        """
        self._connection.request(method, path, None if body is None else json.dumps(body))
        response = self._connection.getresponse()
        text = response.read().decode()
        if response.status != HTTPStatus.OK:
            raise RefusedError(f"{response.status} {text}")
        return json.loads(text)

    @staticmethod
    def _path(job: Job) -> str:
        return f"/v1/job/{quote(job.id, safe='')}"


def compare(server: Server, job: Job) -> Opinion:
    """Lets both judge a job."""
    findings = list(problems(job))
    rules = frozenset(finding.rule for finding in findings)
    refused = {finding.rule for finding in findings if finding.severity is Severity.REFUSED}
    try:
        warnings = server.warnings(job)
    except RefusedError as error:
        return Opinion(Verdict.BOTH_REFUSE if findings else Verdict.LOOSER, rules, str(error))
    if refused:
        return Opinion(Verdict.WRONG_CLASS, rules, f"refused by {', '.join(sorted(refused))}, accepted", warnings)
    return Opinion(Verdict.STRICTER if findings else Verdict.BOTH_ACCEPT, rules, "", warnings)
