"""How a lab's agents are brought to a declaration, against a server that speaks as much of their APIs as that needs."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest

from mesh.config_entry import ConfigEntry
from mesh.consul import policy
from mesh.consul.entries import Mesh, ServiceDefaults, ServiceIntentions, ServiceResolver
from mesh.consul.entries.service_intentions import Source
from mesh.consul.ordering import in_order
from mesh.lab.api import Api, RefusedError, UnreachableError
from mesh.lab.apply import (
    Step,
    StoppedError,
    Verb,
    differs,
    parsed_job,
    policy_steps,
    run,
    workload_steps,
    written_entries,
)
from mesh.lab.errors import LabError
from mesh.lab.node import Node
from mesh.model import HclJob
from mesh.nomad.jobs import jobs
from mesh.shapes import JsonObject
from tests.declared import DECLARED


class Here(Node):
    """A node whose network is this machine's."""

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((host, port), timeout)


class Agents(ThreadingHTTPServer):
    """The HTTP APIs of Consul and Nomad, as far as an apply asks them.

    Attributes:
        entries: Consul's config entries by kind and name.
        jobs: Nomad's jobs by name.
        written: Every request that changes something, as method and path.
        contended: Whether someone else always writes an entry at the same time.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.entries: dict[tuple[str, str], JsonObject] = {}
        self.jobs: dict[str, JsonObject] = {}
        self.written: list[str] = []
        self.contended = False

    def consul(self, method: str, path: Sequence[str], body: JsonObject) -> Any:
        """What Consul answers; a `LookupError` if there is nothing."""
        match method, *path:
            case "GET", "config", kind:
                found = [entry for (its, _), entry in self.entries.items() if its == kind]
                return [{**entry, "CreateIndex": 7, "ModifyIndex": 9} for entry in found]
            case "PUT", "config":
                self.entries[body["Kind"], body.get("Name", "mesh")] = body
                return not self.contended
            case "DELETE", "config", kind, name:
                return {"was": self.entries.pop((kind, name))}
        raise LookupError("there is nothing")

    def nomad(self, method: str, path: Sequence[str], body: JsonObject) -> Any:
        """What Nomad answers; a `LookupError` if there is nothing, a `ValueError` if it cannot read the request."""
        match method, *path:
            case "GET", "jobs":
                return [{"ID": name} for name in self.jobs]
            case "POST", "jobs" if json.loads(body["Submission"]["Source"]) == body["Job"]:
                self.jobs[body["Job"]["ID"]] = body["Job"]
                return {"EvalID": "1"}
            case "POST", "jobs", "parse" if "job" in body["JobHCL"]:
                return {"ID": "parsed", "Text": body["JobHCL"], "Canonicalize": body["Canonicalize"]}
            case "POST", "job", name, "plan" if body["Diff"]:
                return {"Diff": {"Type": "None" if self.jobs[name] == body["Job"] else "Edited"}}
            case "DELETE", "job", name:
                return {"was": self.jobs.pop(name)}
        raise ValueError("1:1: a job block is missing")


class _Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        agents = self.server
        assert isinstance(agents, Agents)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or "{}")
        _, _, *path = map(unquote, urlsplit(self.path).path.split("/"))
        if self.command != "GET" and path[-1] not in {"parse", "plan"}:
            agents.written.append(f"{self.command} {self.path}")
        ask = agents.nomad if path[0] in {"job", "jobs"} else agents.consul
        try:
            self.say(200, json.dumps(ask(self.command, path, body)))
        except ValueError as error:
            self.say(500, str(error))
        except LookupError as error:
            self.say(404, str(error))

    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(f"{text}\n".encode())

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's names
        """Nothing is logged."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture
def agents() -> Iterator[Agents]:
    with Agents() as server, serving(server):
        yield server


def api(port: int) -> Api:
    return Api(Here("server", Path(), 0), port)


@pytest.fixture
def agent(agents: Agents) -> Api:
    """Consul's and Nomad's API; they share no paths."""
    return api(agents.server_port)


def quiet(_: str) -> None:
    """Says nothing."""


def named(*names: str, log: list[str] | None = None) -> list[Step]:
    """Steps that note in ``log`` that they ran."""
    return [Step(Verb.ADD, name, partial(([] if log is None else log).append, name)) for name in names]


def failing(name: str, error: Exception) -> Step:
    def fail() -> None:
        raise error

    return Step(Verb.CHANGE, name, fail)


def test_steps_run_in_their_order_and_each_is_said_when_it_is_done() -> None:
    log: list[str] = []
    run(named("a", "b", "c", log=log), lambda said: log.append(f"said {said}"))
    assert log == ["a", "said add a", "b", "said add b", "c", "said add c"]


def test_a_failure_says_what_was_done_what_failed_and_what_is_left() -> None:
    log: list[str] = []
    steps = [*named("a", "b", log=log), failing("c", LabError("it is full")), *named("d", "e", log=log)]
    said: list[str] = []
    with pytest.raises(StoppedError) as caught:
        run(steps, said.append)
    error = caught.value
    assert (log, said) == (["a", "b"], ["add a", "add b"])
    assert (error.done, error.failed, error.left) == (tuple(steps[:2]), steps[2], tuple(steps[3:]))
    assert str(error).splitlines() == [
        "cannot change c: it is full",
        "  done before: add a, add b",
        "  not done: add d, add e",
        "  correct the cause and apply again: it goes on from here",
    ]


def test_the_only_step_may_fail() -> None:
    with pytest.raises(StoppedError) as caught:
        run([failing("c", LabError("why"))], quiet)
    assert str(caught.value).splitlines() == [
        "cannot change c: why",
        "  done before: nothing",
        "  correct the cause and apply again: it goes on from here",
    ]


def test_what_is_no_failure_of_the_lab_is_not_taken_for_one() -> None:
    with pytest.raises(ZeroDivisionError):
        run([failing("c", ZeroDivisionError())], quiet)


DECLARATION: Final = [
    *policy.entries(DECLARED["lab"]),
    Mesh(allow_enabling_permissive_mutual_tls=True),
    ServiceIntentions(name="*", sources=[Source(name="*", action="deny")]),
]


def applied(agent: Api, entries: Sequence[ConfigEntry]) -> list[str]:
    """Applies entries, and returns the steps that took."""
    steps = policy_steps(agent, entries)
    run(steps, quiet)
    return [str(step) for step in steps]


def test_entries_are_added_each_after_those_it_reads_and_then_nothing_is_left(agent: Api) -> None:
    assert applied(agent, DECLARATION) == [f"add {entry.id}" for entry in in_order(DECLARATION)]
    assert applied(agent, DECLARATION) == []
    assert {id_: entry.written() for id_, entry in written_entries(agent).items() if entry} == {
        entry.id: entry.written() for entry in DECLARATION
    }


def test_the_mesh_entry_is_written_without_a_name(agent: Api, agents: Agents) -> None:
    applied(agent, DECLARATION)
    assert [key for key, entry in agents.entries.items() if "Name" not in entry] == [("mesh", "mesh")]


def test_only_what_differs_is_changed(agent: Api) -> None:
    before = [ServiceDefaults(name="a", protocol="http"), ServiceDefaults(name="b", protocol="tcp")]
    applied(agent, before)
    after = [ServiceDefaults(name="a", protocol="grpc"), before[1]]
    assert applied(agent, after) == ["change service-defaults/a"]
    assert applied(agent, after) == []


def test_what_is_not_declared_goes_first_each_before_those_it_reads(agent: Api, agents: Agents) -> None:
    applied(agent, DECLARATION)
    agents.written.clear()
    new = ServiceDefaults(name="new", protocol="tcp")
    removed = [f"remove {entry.id}" for entry in reversed(in_order(DECLARATION))]
    assert applied(agent, [new]) == [*removed, "add service-defaults/new"]
    assert agents.entries.keys() == {("service-defaults", "new")}
    assert agents.written[-1] == "PUT /v1/config"
    assert "DELETE /v1/config/service-intentions/%2A" in agents.written


def test_an_entry_that_the_project_has_no_words_for_is_removed_or_replaced(agent: Api, agents: Agents) -> None:
    for name in ("old", "kept"):
        agents.entries["service-resolver", name] = {"Kind": "service-resolver", "Name": name, "ConnectTimeout": [1]}
    assert set(written_entries(agent).values()) == {None}
    assert applied(agent, [ServiceResolver(name="kept", connect_timeout="5s")]) == [
        "remove service-resolver/old",
        "change service-resolver/kept",
    ]


def test_an_entry_that_someone_else_wrote_meanwhile_is_not_taken_for_written(agent: Api, agents: Agents) -> None:
    agents.contended = True
    with pytest.raises(StoppedError, match=r"cannot add service-defaults/a: .* someone else"):
        applied(agent, [ServiceDefaults(name="a", protocol="tcp")])


JOBS: Final = [job.api_json() for job in jobs(DECLARED["lab"])]


def deployed(agent: Api, declared: Sequence[JsonObject]) -> list[str]:
    """Applies jobs, and returns the steps that took."""
    steps = workload_steps(agent, declared)
    run(steps, quiet)
    return [str(step) for step in steps]


def test_jobs_are_added_in_their_order_and_then_nothing_is_left(agent: Api, agents: Agents) -> None:
    assert deployed(agent, JOBS) == [f"add job {job['ID']}" for job in JOBS]
    assert list(agents.jobs.values()) == JOBS
    assert deployed(agent, JOBS) == []


def test_a_job_that_nomad_would_change_is_written_again(agent: Api) -> None:
    deployed(agent, JOBS)
    changed = {**JOBS[0], "Priority": 70}
    assert differs(agent, changed)
    assert not differs(agent, JOBS[0])
    assert deployed(agent, [changed, *JOBS[1:]]) == [f"change job {changed['ID']}"]


def test_a_job_that_is_not_declared_goes_first_and_for_good(agent: Api, agents: Agents) -> None:
    for name in ("z/old job", "a"):
        agents.jobs[name] = {"ID": name}
    assert deployed(agent, JOBS[:1]) == ["remove job a", "remove job z/old job", f"add job {JOBS[0]['ID']}"]
    assert agents.written == [
        "DELETE /v1/job/a?purge=true",
        "DELETE /v1/job/z%2Fold%20job?purge=true",
        "POST /v1/jobs",
    ]


def test_a_job_in_hcl_is_read_by_nomad(agent: Api) -> None:
    text = 'job "old" {}'
    assert parsed_job(agent, HclJob("old", text)) == {"ID": "parsed", "Text": text, "Canonicalize": False}


def test_a_job_that_nomad_cannot_read_is_named_with_the_reason(agent: Api) -> None:
    with pytest.raises(LabError, match=r"^extra job old: Nomad cannot read it: 1:1: a job block is missing$"):
        parsed_job(agent, HclJob("old", "group {}"))


def test_a_refusal_says_what_was_asked_and_answered(agent: Api) -> None:
    with pytest.raises(RefusedError) as caught:
        agent.request("PUT", "/v1/nothing", {})
    assert caught.value.status == 404
    assert str(caught.value) == "PUT /v1/nothing: 404 there is nothing"
    assert agent.find("/v1/nothing") is None


def test_an_agent_that_is_not_there_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match=rf"^GET /v1/jobs on server:{port}: .*refused"):
        workload_steps(api(port), JOBS)
