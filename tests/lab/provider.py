"""``consul_config_entry`` without Terraform: the decoding, the writes and the second plan of the pinned provider.

::

    with ConsulAgent() as consul, Provider(consul.address) as provider:
        decoded, written, planned = provider.run(Case([decode(entry), write(entry), plan(entry)]))
        for outcomes in provider.run_many(cases):
            ...

A case is a sequence of steps against a Consul without entries: after each case the provider deletes what it wrote. One
``Provider`` does one case after the other. Entries are plain JSON values with ``Kind``, ``Name`` and the keys of
``config_json``; ``Namespace`` and ``Partition`` at the top become the resource's arguments. Entries that are not even
objects are outcomes with an error, too.

An entry can be the end of Consul itself. With ``Provider(consul.address, restart=consul.restart)`` that is an outcome
as well, and the next case finds a new Consul. What is only an accident of Consul's is tried again with
``accident=consul.ended_by_accident``.
"""

import json
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, NewType, Self

from mesh.lab.programs import build
from tests.lab import ROOT

Step = NewType("Step", Mapping[str, Any])
"""What the functions of this module return."""

_AHEAD: Final = 256
"""How many cases are sent before the first result is read; the program takes 1024 without anybody reading."""

_ATTEMPTS: Final = 3
"""So often a case is tried at most in which Consul ends by accident."""

_STOP_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Case:
    """Steps in their order.

    Attributes:
        steps: What to do.
        stop: Whether the first step with an error ends the case, so that there are fewer outcomes than steps.
    """

    steps: Sequence[Step]
    stop: bool = False


@dataclass(frozen=True)
class Difference:
    """One value that a second plan would change.

    Attributes:
        path: Where it is, in Go's names; empty for the whole entry, such as one that cannot be found.
        found: What Consul returned. None also stands for a nil list, map or pointer, in contrast to an empty one.
        wanted: What the configuration says.
    """

    path: str
    found: Any
    wanted: Any


@dataclass(frozen=True)
class Outcome:
    """What came of one step. What a step does not tell has its default.

    Attributes:
        error: The text of the provider or of Consul, None when the step succeeded. Of `parallel` only that the step
            itself makes no sense.
        stage: Where the error arose: ``decode`` (the provider refused), ``write``, ``read`` or ``delete`` (Consul
            refused), ``step`` (the step is wrong, or the client panicked) or ``crash``: Consul ended, there are no
            outcomes of later steps. When it ended while the entries of a case were deleted, that is one outcome more.
        lost: Paths of keys that the provider dropped without a word, of `decode` and `write`.
        sent: The body that the provider would send, of `decode`.
        clean: Whether a second plan shows no difference, of `plan`; None when it failed.
        difference: What the plan shows.
        errors: The outcome of each entry that failed, by its index, of `parallel`.
        skipped: Indexes of entries that were not tried because something before them failed, of `parallel`.
    """

    error: str | None = None
    stage: str | None = None
    lost: tuple[str, ...] = ()
    sent: Mapping[str, Any] | None = None
    clean: bool | None = None
    difference: tuple[Difference, ...] = ()
    errors: Mapping[int, "Outcome"] = field(default_factory=dict[int, "Outcome"])
    skipped: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed; differences and lost keys are no failures."""
        return self.error is None and not self.errors


_END_SECONDS: Final = 10.0


class ProviderError(Exception):
    """The program ended, or could not delete what a case had written: no later result can be trusted."""


def decode(entry: Any) -> Step:
    """Only what the provider does before it asks Consul."""
    return Step({"op": "decode", "entry": entry})


def write(entry: Any) -> Step:
    """Decode and send. What the provider reads after it is up to `plan`."""
    return Step({"op": "write", "entry": entry})


def plan(entry: Any) -> Step:
    """Read, and compare as a plan after the apply does."""
    return Step({"op": "plan", "entry": entry})


def delete(kind: str, name: str) -> Step:
    """Delete an entry; that it is not there is no error."""
    return Step({"op": "delete", "kind": kind, "name": name})


def clear() -> Step:
    """Delete everything that the case has written so far."""
    return Step({"op": "clear"})


def parallel(
    entries: Sequence[Any],
    before: Mapping[int, Iterable[int]],
    *,
    seed: int = 0,
    workers: int = 10,
    delete: bool = False,
) -> Step:
    """Write entries as Terraform does.

    Args:
        entries: What to write.
        before: For the index of an entry, the indexes of those that must be written first.
        seed: Chooses among the entries that may go next.
        workers: How many at once, as Terraform's ``-parallelism``; with 1 the seed alone decides the order.
        delete: Delete the entries instead, along the same edges backwards.
    """
    edges = {str(index): list(firsts) for index, firsts in before.items()}
    wanted = {"entries": list(entries), "before": edges, "seed": seed, "workers": workers, "delete": delete}
    return Step({"op": "parallel", **wanted})


class Provider:
    """A context in which the program of ``tools/config-entries`` runs.

    Args:
        address: Consul's HTTP API, as ``host:port``.
        executable: The program; built when it is not given.
        restart: Replaces a Consul that has ended and returns the new address; without it that is a `ProviderError`.
        accident: Whether the Consul that has ended would hardly end again with the same case, which is then repeated.
    """

    _input: IO[bytes]
    _output: IO[bytes]
    _messages: IO[bytes]
    _process: subprocess.Popen[bytes]

    def __init__(
        self,
        address: str,
        executable: Path | None = None,
        *,
        restart: Callable[[], str] | None = None,
        accident: Callable[[], bool] = lambda: False,
    ) -> None:
        self._address = address
        self._executable = executable
        self._restart = restart
        self._accident = accident
        self._resources = ExitStack()
        self._sent: deque[bytes] = deque()  # without an answer yet

    def __enter__(self) -> Self:
        """Start the program.

        Raises:
            UnavailableError: it cannot be built.
        """
        command = [str(self._executable or build(ROOT, "config-entries")), "-address", self._address]
        with ExitStack() as resources:
            # A file, not a pipe: nobody has to read it while the program runs.
            self._messages = resources.enter_context(tempfile.TemporaryFile())
            pipe = subprocess.PIPE
            process = self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._messages)
            resources.callback(_stop, process)
            assert process.stdin is not None
            assert process.stdout is not None
            self._input, self._output = process.stdin, process.stdout
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def run(self, case: Case) -> list[Outcome]:
        """The outcomes of the steps of one case.

        Raises:
            ProviderError: the program ended, or Consul still holds entries of the case.
        """
        assert not self._sent, "another run is not finished"
        self._send(case)
        return self._receive()

    def run_many(self, cases: Iterable[Case]) -> Generator[list[Outcome]]:
        """The outcomes of each case in turn; the program works while the caller makes further cases.

        A generator: no other case can run before it is exhausted or closed.

        Raises:
            ProviderError: the program ended, or Consul still holds entries of a case.
        """
        try:
            for case in cases:
                self._send(case)
                if len(self._sent) > _AHEAD:
                    yield self._receive()
            while self._sent:
                yield self._receive()
        finally:
            while self._sent:
                self._answer()

    def _send(self, case: Case) -> None:
        line = json.dumps({"steps": list(case.steps), "stop": case.stop}, allow_nan=False) + "\n"
        self._sent.append(line.encode("ascii"))
        self._write(self._sent[-1])

    def _write(self, line: bytes) -> None:
        # The answer tells what is wrong when the program has ended.
        with suppress(BrokenPipeError):
            self._input.write(line)
            self._input.flush()

    def _receive(self) -> list[Outcome]:
        answer = self._answer()
        if problem := answer.get("error"):
            raise ProviderError(f"not understood: {problem}")
        if leftovers := answer.get("leftovers"):
            raise ProviderError(f"Consul still holds entries of a case: {'; '.join(leftovers)}")
        return [_outcome(result) for result in answer["results"]]

    def _answer(self) -> dict[str, Any]:
        """The answer to the oldest case; after it the program runs, or no case is left that waits for it."""
        attempt = 0
        while True:
            attempt += 1
            line = self._output.readline()
            answer: dict[str, Any] = json.loads(line or "{}")
            if not line or (answer.get("gone") and self._restart is None):
                self._sent.clear()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_SECONDS)  # its last words come after its last answer
                self._messages.seek(0)
                raise ProviderError(f"the program ended: {self._messages.read().decode(errors='replace')}")
            if self._restart is None or not answer.get("gone"):
                self._sent.popleft()
                return answer
            again = attempt < _ATTEMPTS and self._accident()
            if not again:
                self._sent.popleft()
            self._resources.close()
            self._address = self._restart()
            self.__enter__()
            for waiting in self._sent:
                self._write(waiting)
            if not again:
                return answer


def _outcome(result: Mapping[str, Any]) -> Outcome:
    return Outcome(
        error=result.get("error"),
        stage=result.get("stage"),
        lost=tuple(result.get("lost", ())),
        sent=result.get("sent"),
        clean=result.get("clean"),
        difference=tuple(Difference(**each) for each in result.get("difference", ())),
        errors={int(index): _outcome(each) for index, each in result.get("errors", {}).items()},
        skipped=tuple(result.get("skipped", ())),
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # what is buffered for a program that has ended
        process.stdin.close()
    process.stdout.close()  # nor does it wait for a reader
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
