"""Requests into a lab as they are sent and shown, and who is read from an answer."""

import json
from typing import Any

import pytest

from mesh.lab.requests import Answer, Request


@pytest.mark.parametrize(
    ("request_", "target", "shown"),
    [
        (Request(), "/", "/"),
        (Request("/v1/x"), "/v1/x", "/v1/x"),
        (Request(query={"version": "v1"}), "/?version=v1", "/?version=v1"),
        (Request("/x", {"a": "1", "b": "2 & 3"}), "/x?a=1&b=2+%26+3", "/x?a=1&b=2+%26+3"),
        (Request(method="POST"), "/", "POST /"),
        (Request(headers={"x-a": "1", "Host": "a.io"}), "/", "/ x-a: 1 Host: a.io"),
        (Request("/x", {"a": "1"}, {"x-a": "2"}, "PUT"), "/x?a=1", "PUT /x?a=1 x-a: 2"),
    ],
)
def test_a_request_is_shown_as_it_is_sent(request_: Request, target: str, shown: str) -> None:
    assert (request_.target, str(request_)) == (target, shown)


def said(*names: str, **more: Any) -> dict[str, Any]:
    """What the first says that calls the others, one after the other."""
    first, *others = names
    calls = {"upstream_calls": {f"http://localhost:{len(others)}": said(*others, **more)}} if others else more
    return {"name": first, **calls}


def answer(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value))


def test_an_answer_names_everyone_on_its_way() -> None:
    assert answer(said("web", "shop", "api-v1")).answered_by() == ("web", "shop", "api-v1")
    assert answer(said("web")).answered_by() == ("web",)


def test_the_first_upstream_is_followed() -> None:
    calls = {"http://localhost:2": said("b", "c"), "http://localhost:1": said("d")}
    assert answer({"name": "a", "upstream_calls": calls}).answered_by() == ("a", "b", "c")


@pytest.mark.parametrize("calls", [None, {}, {"http://localhost:1": {"code": -1, "error": "refused"}}])
def test_the_way_ends_where_nobody_answers(calls: object) -> None:
    assert answer({"name": "a", "upstream_calls": calls}).answered_by() == ("a",)


@pytest.mark.parametrize("body", ["", "no healthy upstream", "[1]", '"name"', "null", "{}", '{"body": "x"}', '{"name'])
def test_an_answer_of_someone_else_names_nobody(body: str) -> None:
    assert Answer(200, body).answered_by() == ()


def test_the_last_one_reached_has_answered() -> None:
    assert answer(said("web", "api-v2", body="Response from API v2")).who == "api-v2"
    assert answer({"name": 5}).who == "5"


@pytest.mark.parametrize("status", [201, 404, 500, 503])
def test_only_a_success_has_been_answered_by_someone(status: int) -> None:
    failed = answer(said("web", "api-v2"), status)
    assert not failed.well
    assert failed.who.startswith(f'{status} {{"name": "web"')
    assert failed.answered_by() == ("web", "api-v2")


def test_without_a_name_the_status_and_the_beginning_of_the_text_are_shown() -> None:
    assert Answer(503, "  no healthy upstream\n").who == "503 no healthy upstream"
    assert Answer(200, "OK").who == "200 OK"
    assert Answer(404, "").who == "404"
    assert Answer(0, "Connection refused").who == "0 Connection refused"
    assert Answer(500, "x" * 100).who == f"500 {'x' * 80}"


def test_a_failure_is_told_by_the_one_that_failed() -> None:
    api = {"name": "api-v1", "uri": "http://localhost:9091", "code": 503, "error": "overloaded"}
    well = {"name": "other", "uri": "http://localhost:9092", "code": 200, "body": "fine"}
    web = {"name": "web", "error": "Error processing upstream request", "upstream_calls": {"b": well, "a": api}}
    assert Answer(500, json.dumps(web)).who == "500 overloaded"
    del api["error"]
    assert Answer(500, json.dumps(web)).who == "500 Error processing upstream request"
    api["body"] = "RBAC: access denied"
    assert Answer(500, json.dumps(web)).who == "500 RBAC: access denied"
