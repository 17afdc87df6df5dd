"""One real synthesis for each environment, shared by all tests of the output."""

import pytest

from mesh.project import available, load
from tests.output import ROOT, Synthesized, synthesize


@pytest.fixture(scope="session", params=available(ROOT))
def synthesized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The output of an environment; tests run once for each environment of the project."""
    return synthesize(load(request.param, ROOT), tmp_path_factory.mktemp(request.param) / "cdktf.out")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The output of the guide's environment."""
    return synthesize(load("demo", ROOT), tmp_path_factory.mktemp("only-demo") / "cdktf.out")
