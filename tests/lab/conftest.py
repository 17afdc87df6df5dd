"""Consul, Nomad and the provider for all tests, or the reason why tests that need them cannot run."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mesh.lab.programs import UnavailableError, build, find_consul, find_nomad
from mesh.lab.requirements import missing
from tests.lab import ROOT
from tests.lab.agent import ConsulAgent
from tests.lab.deployments import Reverted, deploy_a_broken_version
from tests.lab.provider import Provider
from tests.lab.running import complaints, keep_logs

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
def lab_ready(pytestconfig: pytest.Config, programs: tuple[Path, Path], nomad_program: Path) -> None:
    """Everything that a lab needs is there."""
    del programs, nomad_program  # built, if they were not there

    def find() -> None:
        if lacking := missing(ROOT):
            raise UnavailableError("; ".join(map(str, lacking)))

    found(pytestconfig, find)


@pytest.fixture(scope="session")
def reverted(lab_ready: None) -> Iterator[Future[Reverted]]:  # noqa: ARG001  or there is none
    """A broken version, deployed in the background: most of it is five minutes of waiting for its health."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(deploy_a_broken_version)


_FAULTS: pytest.StashKey[list[tuple[str, int, int, int, float]]] = pytest.StashKey()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Callable[[str, int, int, int, float], None]:
    """Takes a row of the table: the fault, requests, failed ones, wrong answers, and for how long they failed."""
    rows = pytestconfig.stash.setdefault(_FAULTS, [])
    return lambda *row: rows.append(row)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table of faults."""
    if rows := config.stash.get(_FAULTS, []):
        terminalreporter.section("what was lost")
        terminalreporter.write_line(f"{'fault':<36} {'requests':>8} {'failed':>7} {'wrong':>6}  failed for")
        for fault, requests, failed, wrong, lasted in rows:
            terminalreporter.write_line(f"{fault:<36} {requests:>8} {failed:>7} {wrong:>6} {lasted:>9.1f} s")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keeps the agents' logs of a failed test."""
    report = yield
    if report.failed:
        for folder in keep_logs(item.nodeid):
            report.sections.append(("logs of the lab", complaints(folder)))
    return report


@pytest.fixture(scope="session")
def consul(programs: tuple[Path, Path]) -> Iterator[ConsulAgent]:
    """A running Consul; what a test writes there without `provider`, it deletes."""
    with ConsulAgent(programs[0]) as agent:
        yield agent


@pytest.fixture(scope="session")
def provider(programs: tuple[Path, Path], consul: ConsulAgent) -> Iterator[Provider]:
    """What the pinned provider does with the entries of `consul`."""
    with Provider(consul.address, programs[1], restart=consul.restart, accident=consul.ended_by_accident) as running:
        yield running
