"""The echo service, run as Nomad runs it: a process of its own that only its environment tells what to do."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from mesh.lab import echo

HOST: Final = "127.0.0.1"
ECHO: Final = str(Path(echo.__file__))

NAMES: Final = ("last", "first", "pair", "alone", "faulty", "caller", "late", "nobody")
"""The services of this module; nobody listens on the port of ``nobody``."""


class Recorder(BaseHTTPRequestHandler):
    """An upstream that answers with what it was sent; after a path that ends in ``/bye`` it silently hangs up."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        seen = {"method": self.command, "target": self.path, "headers": dict(self.headers), "body": body.decode()}
        text = json.dumps({"name": "recorder", "seen": seen}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Recorded", "yes")
        self.end_headers()
        self.wfile.write(text)
        self.close_connection |= self.path.endswith("/bye")

    do_GET = do_POST = do_PUT = answer  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's names
        """Nothing is logged."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Services(NamedTuple):
    """The running services: where each listens, and the file that makes ``first`` fail."""

    ports: Mapping[str, int]
    fault: Path

    def uri(self, name: str, path: str = "") -> str:
        return f"http://{HOST}:{self.ports[name]}{path}"

    def ask(self, name: str, target: str = "/", method: str = "GET", body: Any = None, **headers: str) -> Answer:
        with closing(HTTPConnection(HOST, self.ports[name], timeout=5)) as connection:
            return send(connection, target, method, body, **headers)


def send(connection: HTTPConnection, target: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named, encode_chunked="Transfer-Encoding" in named)
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())


def free_ports(count: int) -> tuple[int, ...]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return tuple(listener.getsockname()[1] for listener in listeners)


@contextmanager
def running(environments: Sequence[Mapping[str, str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """One process for each environment, all of them started at once and listening."""
    with ExitStack() as ended:
        processes = []
        for environment in environments:
            process = subprocess.Popen([sys.executable, "-I", ECHO], env=dict(environment), stdout=subprocess.PIPE)
            ended.enter_context(process)
            ended.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout
            assert b" listens on " in process.stdout.readline()
        yield processes


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    fault = tmp_path_factory.mktemp("fault") / "status"
    with ThreadingHTTPServer((HOST, 0), Recorder) as recorder:
        threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.01}).start()
        ports = {**dict(zip(NAMES, free_ports(len(NAMES)), strict=True)), "recorder": recorder.server_port}
        found = Services(ports, fault)
        environments = {
            "last": {"NAME": "api-v1", "MESSAGE": "Response from API v1"},
            "first": {"NAME": "web", "UPSTREAM_URIS": found.uri("last"), "FAULT_FILE": str(fault)},
            "pair": {"UPSTREAM_URIS": f"{found.uri('recorder', '/base')}, {found.uri('last', '/base/')}"},
            "alone": {
                "UPSTREAM_URIS": found.uri("recorder", "/base"),
                "HTTP_CLIENT_APPEND_REQUEST": "false",
                "HEALTH_CHECK_RESPONSE_CODE": "503",
            },
            "faulty": {"NAME": "api-v2", "ERROR_RATE": "1", "ERROR_CODE": "429"},
            "caller": {"UPSTREAM_URIS": f"{found.uri('last')},{found.uri('faulty')},{found.uri('nobody')}"},
            "late": {
                "TIMING_50_PERCENTILE": "40ms",
                "ERROR_RATE": "1",
                "ERROR_TYPE": "delay",
                "ERROR_DELAY": "0.06s",
            },
        }
        listening = [{"LISTEN_ADDR": f"{HOST}:{ports[name]}", **each} for name, each in environments.items()]
        try:
            with running(listening):
                yield found
        finally:
            recorder.shutdown()


def test_an_answer_says_who_was_asked_what(services: Services) -> None:
    answer = services.ask("last", "/v1/x?a=b")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    found = answer.json
    assert {name: found[name] for name in ("name", "uri", "type", "ip_addresses", "body", "code")} == {
        "name": "api-v1",
        "uri": "/v1/x?a=b",
        "type": "HTTP",
        "ip_addresses": [HOST],
        "body": "Response from API v1",
        "code": 200,
    }
    assert not found.keys() & {"upstream_calls", "error"}
    assert found["duration"].endswith("ms")
    assert found["start_time"] <= found["end_time"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_answered(services: Services, method: str) -> None:
    assert services.ask("last", method=method, body="text").json["name"] == "api-v1"


def test_it_has_a_name_and_a_text_without_being_told(services: Services) -> None:
    found = services.ask("pair").json
    assert (found["name"], found["body"]) == ("Service", "Hello World")


def test_an_upstreams_answer_is_in_the_answer(services: Services) -> None:
    found = services.ask("first", "/v1/x?version=v1&b=%20").json
    assert (found["name"], found["body"], found["code"]) == ("web", "Hello World", 200)
    call = found["upstream_calls"][services.uri("last")]
    assert (call["name"], call["body"], call["code"]) == ("api-v1", "Response from API v1", 200)
    assert call["uri"] == services.uri("last")
    assert call["headers"]["Content-Type"] == "application/json"


def test_each_upstream_is_called(services: Services) -> None:
    calls = services.ask("pair", "/x").json["upstream_calls"]
    assert [call["name"] for call in calls.values()] == ["recorder", "api-v1"]


def recorded(answer: Answer) -> Any:
    """What the recorder was sent, which is the first upstream."""
    call = next(iter(answer.json["upstream_calls"].values()))
    assert (answer.status, call["code"], call["headers"]["X-Recorded"]) == (200, 200, "yes")
    return call["seen"]


def test_a_request_is_forwarded_whole(services: Services) -> None:
    target = "/v1/x?version=v1&b=%20"
    found = recorded(services.ask("pair", target, "POST", "some text", X_Canary="yes", Cookie="a=b"))
    assert (found["method"], found["target"], found["body"]) == ("POST", f"/base{target}", "some text")
    assert (found["headers"]["X-Canary"], found["headers"]["Cookie"]) == ("yes", "a=b")


def test_what_belongs_to_one_connection_is_not_forwarded(services: Services) -> None:
    answer = services.ask("pair", "/", "PUT", "text", Host="shop.example.com", Upgrade="h2c", Connection="close")
    headers = recorded(answer)["headers"]
    assert headers["Host"] == f"{HOST}:{services.ports['recorder']}"
    assert headers["Content-Length"] == "4"
    assert not headers.keys() & {"Upgrade", "Connection"}


def test_a_request_is_not_appended_where_that_is_off(services: Services) -> None:
    found = recorded(services.ask("alone", "/v1/x?version=v1", "POST", "some text", X_Canary="yes"))
    assert (found["method"], found["target"], found["body"]) == ("GET", "/base", "")
    assert "X-Canary" not in found["headers"]


def test_an_upstream_that_hangs_up_between_two_requests_is_called_again(services: Services) -> None:
    with closing(HTTPConnection(HOST, services.ports["pair"], timeout=5)) as connection:
        for target in ("/bye", "/bye", "/"):
            assert recorded(send(connection, target))["target"] == f"/base{target}"


def test_health_and_readiness_ask_nobody(services: Services) -> None:
    for path in ("/health", "/ready", "/health?verbose=1"):
        answer = services.ask("caller", path)
        assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"OK", "text/plain; charset=utf-8")


def test_health_can_be_bad_while_the_rest_is_well(services: Services) -> None:
    assert [services.ask("alone", path).status for path in ("/health", "/ready", "/")] == [503, 200, 200]


def test_failures_can_be_asked_for(services: Services) -> None:
    for _ in range(5):
        answer = services.ask("faulty")
        assert (answer.status, answer.json["code"]) == (429, 429)
        assert answer.json["error"] == "Service error automatically injected"
        assert "body" not in answer.json
    assert services.ask("faulty", "/health").status == 200


def test_lateness_can_be_asked_for(services: Services) -> None:
    begin = time.monotonic()
    answer = services.ask("late")
    assert time.monotonic() - begin >= 0.1  # the usual time and the delay
    assert answer.status == 200
    assert float(answer.json["duration"].removesuffix("ms")) >= 100


def test_a_file_makes_requests_fail_as_long_as_it_is_there(services: Services) -> None:
    assert services.ask("first").status == 200
    services.fault.write_text("503\n", encoding="ascii")
    answer = services.ask("first")
    assert (answer.status, answer.json["code"]) == (503, 503)
    assert "upstream_calls" not in answer.json
    services.fault.write_text("", encoding="ascii")
    assert services.ask("first").status == 500
    services.fault.unlink()
    assert services.ask("first").status == 200


def test_an_upstream_that_fails_is_named(services: Services) -> None:
    answer = services.ask("caller")
    found = answer.json
    assert (answer.status, found["code"]) == (500, 500)
    assert found["error"] == f"Error processing upstream request: {services.uri('faulty')}"
    assert "body" not in found
    codes = {uri: call["code"] for uri, call in found["upstream_calls"].items()}
    assert codes == {services.uri("last"): 200, services.uri("faulty"): 429, services.uri("nobody"): -1}


def test_an_upstream_that_nobody_reaches_says_why(services: Services) -> None:
    call = services.ask("caller").json["upstream_calls"][services.uri("nobody")]
    assert call["uri"] == services.uri("nobody")
    assert call["error"].startswith("Error communicating with upstream service: ")
    assert "refused" in call["error"]


@pytest.mark.parametrize("length", ["abc", "-1", "1 2", "\xb2", str(echo.LONGEST_BODY + 1)])
def test_a_bad_length_is_refused_and_the_connection_ends(services: Services, length: str) -> None:
    answer = services.ask("last", method="POST", Content_Length=length)
    assert (answer.status, answer.body) == (400, b"bad Content-Length\n")
    assert answer.headers["Connection"] == "close"


def test_a_body_of_unknown_length_is_read_to_its_end(services: Services) -> None:
    with closing(HTTPConnection(HOST, services.ports["pair"], timeout=5)) as connection:
        for _ in range(2):  # what is left of one request would be taken for the next
            found = recorded(send(connection, "/", "POST", iter([b"some ", b"text"]), Transfer_Encoding="chunked"))
            assert found["body"] == "some text"
            assert "Transfer-Encoding" not in found["headers"]


def raw(port: int, text: bytes) -> bytes:
    """What a service answers to these bytes, up to the end of the connection."""
    with socket.create_connection((HOST, port), timeout=5) as connection, connection.makefile("rb") as answer:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return answer.read()


CHUNKED: Final = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_extensions_and_trailers_of_chunks_are_passed_over(services: Services) -> None:
    chunks = b"4;name=value\r\ntext\r\nA;x\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
    answer = raw(services.ports["pair"], CHUNKED + chunks)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"body": "text0123456789"' in answer


@pytest.mark.parametrize("chunks", [b"x\r\n", b"-1\r\n", b"\r\n", b"12345678\r\n", b"0x1\r\na\r\n", b"1\r\na\r\n"])
def test_bad_chunks_are_refused_and_the_connection_ends(services: Services, chunks: bytes) -> None:
    answer = raw(services.ports["last"], CHUNKED + chunks)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"bad chunk\n")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_head_request_gets_everything_but_the_body(services: Services) -> None:
    with closing(HTTPConnection(HOST, services.ports["last"], timeout=5)) as connection:
        head = send(connection, "/health", "HEAD")
        assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "2")
        kept = connection.sock
        assert send(connection, "/health").body == b"OK"
        assert connection.sock is kept


def test_it_ends_well_when_it_is_told_to_also_with_an_open_connection() -> None:
    (port,) = free_ports(1)
    with (
        running([{"LISTEN_ADDR": f"{HOST}:{port}"}]) as (process,),
        closing(HTTPConnection(HOST, port, timeout=5)) as connection,
    ):
        assert send(connection, "/ready").status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("50ms", 0.05),
        ("1.5s", 1.5),
        ("1m30s", 90),
        ("1h0m1s", 3601),
        ("100us", 1e-4),
        ("100µs", 1e-4),
        ("7ns", 7e-9),
        ("", 0),
    ],
)
def test_lengths_of_time_are_read_as_go_writes_them(text: str, expected: float) -> None:
    assert echo.seconds(text) == pytest.approx(expected)
