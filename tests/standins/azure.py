"""The managed-identity endpoint of a VM and the REST API of a Key Vault, on the loopback."""

import json
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

ACCESS_TOKEN = "access-token-of-the-identity"  # noqa: S105 - of a stand-in


class Azure(ThreadingHTTPServer):
    """One vault, and an identity that may read it.

    Attributes:
        vault: Name of the vault; requests for another one find nothing.
        secrets: Its content.
        writes: Names of the secrets that were set, in order.
        answers: Statuses to answer the next requests for a secret with, by its name, instead of the truth.
        refusal: Code with which every request for the vault is refused, if any.
        signed_in: What ``az account show`` finds.
        reads: How often each secret was asked for.
    """

    daemon_threads = True

    def __init__(self, vault: str = "kv-test", address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((address, port), _Handler)
        self.vault = vault
        self.secrets: dict[str, str] = {}
        self.writes: list[str] = []
        self.answers: defaultdict[str, deque[int]] = defaultdict(deque)
        self.refusal: str | None = None
        self.signed_in = True
        self.reads: defaultdict[str, int] = defaultdict(int)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    @property
    def _azure(self) -> Azure:
        assert isinstance(self.server, Azure)
        return self.server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/metadata/identity/oauth2/token":
            known = self.headers["Metadata"] == "true"
            self._answer(200, {"access_token": ACCESS_TOKEN}) if known else self._answer(400, {"error": "bad_request"})
        elif path == "/account":
            self._answer(200 if self._azure.signed_in else 401, {"vault": self._azure.vault})
        elif self._refused():
            pass
        elif path == "/secrets":
            self._answer(200, {"value": [{"id": f"{self._azure.url}/secrets/{name}"} for name in self._azure.secrets]})
        else:
            self._secret(path.removeprefix("/secrets/"))

    def do_PUT(self) -> None:
        name = urlsplit(self.path).path.removeprefix("/secrets/")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._refused():
            self._azure.secrets[name] = body["value"]
            self._azure.writes.append(name)
            self._answer(200, {"id": name})

    def _secret(self, name: str) -> None:
        self._azure.reads[name] += 1
        status = self._azure.answers[name].popleft() if self._azure.answers[name] else None
        if status:
            self._answer(status, {"error": {"code": HTTPStatus(status).phrase}})
        elif name in self._azure.secrets:
            self._answer(200, {"value": self._azure.secrets[name], "id": name})
        else:
            self._answer(404, {"error": {"code": "SecretNotFound"}})

    def _refused(self) -> bool:
        if self.headers["Authorization"] != f"Bearer {ACCESS_TOKEN}":
            self._answer(401, {"error": {"code": "Unauthorized"}})
            return True
        if self._azure.refusal:
            self._answer(403, {"error": {"code": "Forbidden", "innererror": {"code": self._azure.refusal}}})
            return True
        return False

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Be quiet."""


@contextmanager
def running(vault: str = "kv-test") -> Iterator[Azure]:
    """A running stand-in."""
    with Azure(vault) as azure:
        thread = Thread(target=azure.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield azure
        finally:
            azure.shutdown()
            thread.join()


AZ = Path(__file__).with_name("az")
"""A stand-in for the command ``az`` that talks to the address in ``AZURE_STANDIN``."""
