"""HTTP to what runs in a node."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.lab.errors import LabError
from mesh.lab.node import Node
from mesh.topology import LOOPBACK

_SECONDS: Final = 15.0


class RefusedError(LabError):
    """An agent answered, and said no.

    Attributes:
        status: Its HTTP status.
        answer: What it said.
    """

    def __init__(self, request: str, status: int, answer: str) -> None:
        super().__init__(f"{request}: {status} {answer}")
        self.status = status
        self.answer = answer


class UnreachableError(LabError):
    """Nobody answered."""


class Connection(http.client.HTTPConnection):
    """A connection from inside of a node's network."""

    def __init__(self, node: Node, host: str, port: int, timeout: float = _SECONDS) -> None:
        super().__init__(host, port, timeout=timeout)
        self._node = node
        self._seconds = timeout

    def connect(self) -> None:
        self.sock = self._node.connect(self.host, self.port, self._seconds)


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API of an agent.

    Attributes:
        node: The node that asks.
        port: The agent's port on the node's loopback.
    """

    node: Node
    port: int

    def get(self, path: str) -> Any:  # noqa: ANN401  parsed JSON
        """What is at ``path``.

        Raises:
            RefusedError, UnreachableError: as the names say.
        """
        return self.request("GET", path)

    def find(self, path: str) -> Any:  # noqa: ANN401  parsed JSON
        """What is at ``path``, or ``None`` if there is nothing.

        Raises:
            RefusedError, UnreachableError: as the names say.
        """
        try:
            return self.get(path)
        except RefusedError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  parsed JSON
        """Asks, and returns the parsed answer.

        Raises:
            RefusedError, UnreachableError: as the names say.
        """
        connection = Connection(self.node, LOOPBACK, self.port)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{method} {path} on {self.node.name}:{self.port}: {error}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise RefusedError(f"{method} {path}", response.status, text.strip())
        try:
            return json.loads(text)
        except ValueError:
            return text
