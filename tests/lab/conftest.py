"""Consul, Nomad and the provider for all tests, or the reason why tests that need them cannot run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mesh.lab.programs import UnavailableError, build, find_consul, find_nomad
from tests.lab import ROOT
from tests.lab.agent import ConsulAgent
from tests.lab.provider import Provider

T = TypeVar("T")

REQUIRE = "MESH_REQUIRE_LAB"
"""Set where Consul, Nomad and Go must be there, so that a pipeline cannot pass by skipping."""


def found(pytestconfig: pytest.Config, find: Callable[[], T]) -> T:
    """What a search for programs finds; where it finds none, the test is skipped."""
    # The first build takes minutes; its progress is not a test's output.
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find()
    except UnavailableError as error:
        reason = str(error)
    if os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> tuple[Path, Path]:
    """Consul and the program that does what the provider does."""
    return found(pytestconfig, lambda: (find_consul(ROOT), build(ROOT, "config-entries")))


@pytest.fixture(scope="session")
def nomad_program(pytestconfig: pytest.Config) -> Path:
    """Nomad."""
    return found(pytestconfig, lambda: find_nomad(ROOT))


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
