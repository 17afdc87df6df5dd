"""One real synthesis for each mesh, shared by all tests of the output."""

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.declared import DECLARED
from tests.output import Synthesized, synthesize
from tests.variations import VARIATIONS


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Programs that a test starts can be interrupted.

    They inherit whether that is ignored, as it is in what a shell has put into the background, or nohup has started.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGHUP, before[1])


@pytest.fixture(scope="session")
def output_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesized]:
    """The output of an environment of the project, or of a variation, by name; synthesized when first asked for."""
    found: dict[str, Synthesized] = {}

    def output(name: str) -> Synthesized:
        if name not in found:
            found[name] = synthesize({**DECLARED, **VARIATIONS}[name], tmp_path_factory.mktemp(name) / "cdktf.out")
        return found[name]

    return output


@pytest.fixture(scope="session", params=[*DECLARED, *VARIATIONS])
def synthesized(request: pytest.FixtureRequest, output_of: Callable[[str], Synthesized]) -> Synthesized:
    """Each output in turn: what must hold holds for all."""
    return output_of(request.param)


@pytest.fixture(scope="session", params=DECLARED)
def declared(request: pytest.FixtureRequest, output_of: Callable[[str], Synthesized]) -> Synthesized:
    """The output of each environment of the project."""
    return output_of(request.param)


@pytest.fixture(scope="session")
def demo(output_of: Callable[[str], Synthesized]) -> Synthesized:
    """The output of the guide's environment."""
    return output_of("demo")
