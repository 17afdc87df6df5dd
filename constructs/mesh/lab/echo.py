"""A service for labs that answers as fake-service does: who it is, what it was asked, and what its upstreams said.

Run as a file by Nomad in place of a container; only Python's standard library is needed. It reads the environment of
fake-service (nicholasjackson/fake-service@0.26.2) as far as a mesh shows it:

| variable | meaning |
|---|---|
| ``LISTEN_ADDR`` | address and port to listen on; ``0.0.0.0:9090`` |
| ``NAME``, ``MESSAGE`` | what it calls itself, and the body of its answers |
| ``UPSTREAM_URIS`` | services that each request calls, one after the other, separated by commas |
| ``HTTP_CLIENT_APPEND_REQUEST`` | ``false``: upstreams do not get the path, query and headers of the request |
| ``HTTP_CLIENT_REQUEST_TIMEOUT`` | how long an upstream may take; ``30s`` |
| ``TIMING_50_PERCENTILE`` | how long an answer takes; ``0s`` |
| ``ERROR_RATE`` | share of requests that fail, or are late |
| ``ERROR_TYPE``, ``ERROR_CODE``, ``ERROR_DELAY`` | ``http_error`` with that status, or ``delay`` by that time |
| ``HEALTH_CHECK_RESPONSE_CODE`` | status of ``/health``; 200 |

And one of its own: as long as there is a file ``FAULT_FILE``, requests fail with the status that the file holds.
"""

import http.client
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LONGEST_BODY = 16 * 1024 * 1024

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_NOT_FORWARDED = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"})

_clients = threading.local()


def seconds(text: str) -> float:
    """A length of time as Go writes it."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def setting(name: str, default: str) -> str:
    """A variable of the environment; one that is empty is not set."""
    return os.environ.get(name) or default


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Answers any request."""
        body = self.read_body()
        if body is None:
            return
        path = urlsplit(self.path).path
        if path == "/health":
            self.say(int(setting("HEALTH_CHECK_RESPONSE_CODE", "200")), b"OK", "text/plain; charset=utf-8")
        elif path == "/ready":
            self.say(HTTPStatus.OK, b"OK", "text/plain; charset=utf-8")
        else:
            status, value = self.respond(body)
            self.say(status, json.dumps(value, indent=2).encode() + b"\n", "application/json")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815  the base class's names

    def respond(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Calls the upstreams; returns the status and the answer."""
        begin = datetime.now(tz=UTC)
        value: dict[str, Any] = {
            "name": setting("NAME", "Service"),
            "uri": self.path,
            "type": "HTTP",
            "ip_addresses": [self.connection.getsockname()[0]],
            "start_time": begin.isoformat(),
        }
        status: int = HTTPStatus.OK
        time.sleep(seconds(setting("TIMING_50_PERCENTILE", "0s")))
        if fault := injected():
            status = fault
            value["error"] = "Service error automatically injected"
        else:
            calls = {uri: self.call(uri, body) for uri in setting("UPSTREAM_URIS", "").split(",") if uri.strip()}
            if calls:
                value["upstream_calls"] = calls
            failed = [uri for uri, call in calls.items() if call["code"] != HTTPStatus.OK]
            if failed:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                value["error"] = f"Error processing upstream request: {failed[0]}"
            else:
                value["body"] = setting("MESSAGE", "Hello World")
        end = datetime.now(tz=UTC)
        value |= {"end_time": end.isoformat(), "duration": f"{(end - begin).total_seconds() * 1e3:.3f}ms"}
        value["code"] = int(status)
        return int(status), value

    def call(self, uri: str, body: bytes) -> dict[str, Any]:
        """What an upstream says."""
        address = urlsplit(uri.strip())
        appended = setting("HTTP_CLIENT_APPEND_REQUEST", "true").lower() != "false"
        target = (address.path.rstrip("/") + self.path if appended else address.path) or "/"
        headers = {name: text for name, text in self.headers.items() if name.lower() not in _NOT_FORWARDED}
        method = self.command if appended else "GET"
        try:
            status, answered, text = _ask(
                address.netloc, method, target, body if appended else b"", headers if appended else {}
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            return {"uri": uri, "code": -1, "error": f"Error communicating with upstream service: {error}"}
        value: dict[str, Any] = {"uri": uri}
        try:
            parsed = json.loads(text)
            value |= parsed if isinstance(parsed, dict) else {"body": parsed}
        except ValueError:
            value["body"] = text.decode(errors="replace")
        return value | {"uri": uri, "code": status, "headers": answered}

    def read_body(self) -> bytes | None:
        """The body of the request; ``None`` if it cannot be read, which is answered."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self.say(HTTPStatus.BAD_REQUEST, b"bad Content-Length\n", "text/plain; charset=utf-8")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            self.say(HTTPStatus.BAD_REQUEST, b"the body ends too early\n", "text/plain; charset=utf-8")
            return None
        return body

    def read_chunks(self) -> bytes | None:
        """The body of a request that does not say its length."""
        body = b""
        while len(body) <= LONGEST_BODY:
            size = self.rfile.readline(1024).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,6}", size):
                break
            chunk = self.rfile.read(int(size, 16))
            if len(chunk) < int(size, 16):
                break
            body += chunk
            while not chunk and self.rfile.readline(1024).strip():
                pass  # trailers
            if not chunk:
                return body
            self.rfile.readline(1024)
        self.close_connection = True
        self.say(HTTPStatus.BAD_REQUEST, b"bad chunk\n", "text/plain; charset=utf-8")
        return None

    def say(self, status: int, body: bytes, kind: str) -> None:
        """Sends an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Logs a request if it is asked to."""
        if setting("LOG_LEVEL", "info").lower() == "debug":
            print(f"{self.address_string()} {format % args}", flush=True)


def injected() -> int | None:
    """The status of a failure that was asked for, if this request is one of those."""
    if file := os.environ.get("FAULT_FILE"):
        with suppress(FileNotFoundError), open(file, encoding="ascii") as found:  # noqa: PTH123  pathlib loads slowly
            text = found.read().strip()
            return int(text) if text.isdigit() else HTTPStatus.INTERNAL_SERVER_ERROR
    if random.random() < float(setting("ERROR_RATE", "0")):  # noqa: S311  chance, no secret
        if setting("ERROR_TYPE", "http_error") == "delay":
            time.sleep(seconds(setting("ERROR_DELAY", "0s")))
        else:
            return int(setting("ERROR_CODE", "500"))
    return None


def _ask(
    host: str, method: str, target: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """Asks an upstream, on the connection that this thread keeps to it if there is one."""
    kept: dict[str, http.client.HTTPConnection] = _clients.__dict__.setdefault("kept", {})
    if (connection := kept.pop(host, None)) is not None:
        try:
            return _send(kept, host, connection, (method, target, body or None, headers))
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            pass  # the other side closed it while nobody used it
    timeout = seconds(setting("HTTP_CLIENT_REQUEST_TIMEOUT", "30s")) or None
    connection = http.client.HTTPConnection(host, timeout=timeout)
    return _send(kept, host, connection, (method, target, body or None, headers))


def _send(
    kept: dict[str, http.client.HTTPConnection],
    host: str,
    connection: http.client.HTTPConnection,
    request: tuple[str, str, bytes | None, dict[str, str]],
) -> tuple[int, dict[str, str], bytes]:
    try:
        connection.request(*request)
        response = connection.getresponse()
        text = response.read()
    except BaseException:
        connection.close()
        raise
    if not response.will_close:
        kept[host] = connection
    return response.status, dict(response.getheaders()), text


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the base class's names
        """Says in one line why a connection broke; most often the other side is gone."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"{client_address}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def main() -> None:
    """Serves until it is told to stop."""
    host, _, port = setting("LISTEN_ADDR", "0.0.0.0:9090").rpartition(":")
    server = Server(host.strip("[]") or "0.0.0.0", int(port))

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{setting('NAME', 'Service')} listens on {host}:{port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
