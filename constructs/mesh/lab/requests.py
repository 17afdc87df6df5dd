"""Requests into a lab, and who answered them."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlencode

from mesh.lab.api import Connection
from mesh.lab.node import Node

SECONDS: Final = 10.0
"""How long a request may take."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a person would send it.

    Attributes:
        path: Its path.
        query: Its query parameters.
        headers: Its headers.
        method: Its method.
    """

    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"

    @property
    def target(self) -> str:
        """Path and query, as in the first line of the request."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    def __str__(self) -> str:
        method = "" if self.method == "GET" else f"{self.method} "
        return method + self.target + "".join(f" {name}: {value}" for name, value in self.headers.items())


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        body: The body, or the reason why there is no answer.
        headers: The headers, by their names in lower case.
    """

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether it is a success."""
        return self.status == http.HTTPStatus.OK

    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is none."""
        with suppress(ValueError):
            value = json.loads(self.body)
            if isinstance(value, dict):
                return value
        return {}

    def answered_by(self) -> tuple[str, ...]:
        """The instances that the request went through, as they call themselves, from the first to the last."""
        names: list[str] = []
        value = self.json()
        while "name" in value:
            names.append(str(value["name"]))
            value = next(iter((value.get("upstream_calls") or {}).values()), {})
        return tuple(names)

    @property
    def who(self) -> str:
        """The last one that the request reached, or the status if it did not get an answer."""
        if self.well and (names := self.answered_by()):
            return names[-1]
        value, reason = self.json(), ""
        while value:
            reason = str(value.get("error") or value.get("body") or reason)
            value = next((call for call in (value.get("upstream_calls") or {}).values() if call.get("code") != 200), {})  # noqa: PLR2004
        return f"{self.status} {(reason or self.body).strip()[:80]}".strip()


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    Attributes:
        node: The node that asks.
        host: The address that it asks.
        port: The port there.
    """

    node: Node
    host: str
    port: int

    def send(self, request: Request, timeout: float = SECONDS) -> Answer:
        """Sends a request by a connection of its own."""
        with self.session(timeout) as session:
            return session.send(request)

    def session(self, timeout: float = SECONDS) -> "Session":
        """One connection for many requests."""
        return Session(self, timeout)


class Session:
    """A connection that is kept as long as the other side does."""

    def __init__(self, target: Target, timeout: float) -> None:
        self._connection = Connection(target.node, target.host, target.port, timeout)
        self._host = f"{target.host}:{target.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: Request) -> Answer:
        """Sends a request and waits for the answer; a failure is one, too."""
        try:
            self._connection.request(request.method, request.target, headers=dict(request.headers))
            response = self._connection.getresponse()
            body = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Answer(0, str(error) or type(error).__name__)
        return Answer(response.status, body, {name.lower(): value for name, value in response.getheaders()})


def share(target: Target, request: Request, count: int, *, workers: int = 4) -> Counter[str]:
    """Who answers a request, out of ``count``."""
    with ThreadPoolExecutor(workers) as pool:
        batches = pool.map(_batch, [(target, request, len(range(part, count, workers))) for part in range(workers)])
        return sum(batches, Counter[str]())


def _batch(work: tuple[Target, Request, int]) -> Counter[str]:
    target, request, count = work
    with target.session() as session:
        return Counter(session.send(request).who for _ in range(count))


@dataclass(slots=True)
class Load:
    """Steady requests in the background, as long as the context lasts.

    Each second, ``rate`` requests are sent at even distances, whether or not the ones before have been answered, as
    long as no more than ``workers`` are under way; the others wait for their turn.

    Attributes:
        target: Where they go.
        requests: The requests, in turn.
        rate: Requests each second.
        answers: What came back, with the time (of `time.monotonic`) at which each was sent.
    """

    target: Target
    requests: Sequence[Request]
    rate: float
    workers: int = 8
    answers: list[tuple[float, Request, Answer]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._send, name="load")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def failures(self) -> list[tuple[float, Request, Answer]]:
        """The requests that did not succeed."""
        return [each for each in self.answers if not each[2].well]

    def by_whom(self) -> Counter[str]:
        """Who answered how many."""
        return Counter(answer.who for _, _, answer in self.answers)

    def _send(self) -> None:
        sessions = threading.local()
        opened: list[Session] = []

        def one(number: int) -> None:
            if not hasattr(sessions, "own"):
                sessions.own = self.target.session()
                opened.append(sessions.own)
            request = self.requests[number % len(self.requests)]
            sent = time.monotonic()
            self.answers.append((sent, request, sessions.own.send(request)))

        begin = time.monotonic()
        number = 0
        sent: list[Future[None]] = []
        with ThreadPoolExecutor(self.workers) as pool:
            while not self._stop.is_set():
                sent.append(pool.submit(one, number))
                number += 1
                self._stop.wait(max(0.0, begin + number / self.rate - time.monotonic()))
        for session in opened:
            session.__exit__()
        for each in sent:
            each.result()  # nothing is lost in silence
