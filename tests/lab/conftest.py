"""One Consul and one provider for all tests, or the reason why tests that need them cannot run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.agent import ConsulAgent, find_consul
from tests.lab.provider import Provider
from tests.lab.tools import UnavailableError, build

REQUIRE = "MESH_REQUIRE_LAB"
"""Set where Consul and Go must be there, so that a pipeline cannot pass by skipping."""


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> tuple[Path, Path]:
    """Consul and the program that does what the provider does."""
    # The first build takes minutes; its progress is not a test's output.
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find_consul(), build("config-entries")
    except UnavailableError as error:
        reason = str(error)
    if os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def consul(programs: tuple[Path, Path]) -> Iterator[ConsulAgent]:
    """A running Consul; what a test writes there without `provider`, it deletes."""
    with ConsulAgent(programs[0]) as agent:
        yield agent


@pytest.fixture(scope="session")
def provider(programs: tuple[Path, Path], consul: ConsulAgent) -> Iterator[Provider]:
    """What the pinned provider does with the entries of `consul`."""
    with Provider(consul.address, programs[1], restart=consul.restart) as running:
        yield running
