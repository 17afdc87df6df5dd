"""Run commands side by side and compare them.

Absolute times say more about the machine and its other tenants than about the program. So every round runs every
scenario once, each against the baseline of the same round, and what is reported is the ratio: slow minutes hit both.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile

ROOT = Path(__file__).resolve().parents[1]

_NOT_INHERITED = ("MESH_LAZY_NODE", "NODE_OPTIONS", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
"""Variables that would make a run differ from a user's."""

_BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


def python(*arguments: str) -> tuple[str, ...]:
    """Command line: this interpreter, run in the project's root."""
    return (sys.executable, *arguments)


@contextmanager
def cold_jsii_cache() -> Iterator[Mapping[str, str]]:
    """Make jsii unpack its packages anew, as on a machine that has never run it."""
    with TemporaryDirectory() as folder:
        yield {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": folder}


@dataclass(frozen=True)
class Scenario:
    """One command to time."""

    label: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment."""
    fresh: Callable[[], AbstractContextManager[Mapping[str, str]]] = lambda: nullcontext({})
    """Entered before each run, outside the time; what it gives is added to the environment."""
    size: int = 0
    """How many services it handles; 0 where growth is not the question."""


@dataclass(frozen=True)
class Sample:
    """One run."""

    seconds: float
    megabytes: float
    """Peak of the largest single process: Python itself, or the Node that it has started."""


@dataclass(frozen=True)
class Result:
    """All runs of a scenario, in the order of the rounds."""

    label: str
    seconds: list[float]
    ratios: list[float]
    """Each round's time over the baseline's time in the same round."""
    megabytes: float
    size: int = 0

    @property
    def per_service(self) -> float:
        """What one service adds to the baseline, in thousandths of it."""
        return (self.ratio - 1) * 1000 / self.size

    @property
    def ratio(self) -> float:
        """The figure to compare and to quote."""
        return median(self.ratios)


class ScenarioError(Exception):
    """A measured command failed: its time means nothing."""


def run(scenario: Scenario) -> Sample:
    """Run the command once, to its end, with an output folder of its own."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    with TemporaryDirectory() as output, scenario.fresh() as fresh, TemporaryFile() as errors:
        environ = {**inherited, "CDKTF_OUTDIR": output, **scenario.environ, **fresh}
        start = time.perf_counter()
        process = subprocess.Popen(
            scenario.command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)  # unlike `wait`, tells the memory of this one child
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            complaint = errors.read().decode(errors="replace")
            raise ScenarioError(f"{scenario.label}: exit status {process.returncode}\n{complaint}")
    return Sample(seconds, usage.ru_maxrss * _BYTES_OF_MAXRSS / 1e6)


def measure(
    scenarios: Sequence[Scenario], baseline: Scenario, rounds: int, progress: Callable[[str], None] = lambda _: None
) -> list[Result]:
    """Time the scenarios and the baseline, interleaved; results in the given order, the baseline first."""
    everyone = [baseline, *(scenario for scenario in scenarios if scenario != baseline)]
    samples: dict[str, list[Sample]] = {scenario.label: [] for scenario in everyone}
    if len(samples) != len(everyone):
        raise ValueError("two scenarios have the same label")
    for number in range(rounds + 1):
        # Forwards and backwards in turn, so that nobody always runs after the same neighbour.
        for scenario in everyone if number % 2 == 0 else reversed(everyone):
            progress(f"round {number} of {rounds}: {scenario.label}")
            sample = run(scenario)
            if number > 0:  # the first round only fills the caches
                samples[scenario.label].append(sample)
    floor = samples[baseline.label]
    return [_result(scenario, samples[scenario.label], floor) for scenario in everyone]


def _result(scenario: Scenario, own: Sequence[Sample], floor: Sequence[Sample]) -> Result:
    return Result(
        scenario.label,
        seconds=[sample.seconds for sample in own],
        ratios=[sample.seconds / base.seconds for sample, base in zip(own, floor, strict=True)],
        megabytes=max(sample.megabytes for sample in own),
        size=scenario.size,
    )


def table(results: Sequence[Result]) -> str:
    """Lay the results out for reading; medians, with the range beside them."""
    rows = [("", "x floor", "range", "seconds", "range", "peak MB")]
    rows += [
        (
            result.label,
            f"{result.ratio:.2f}",
            f"{min(result.ratios):.2f}-{max(result.ratios):.2f}",
            f"{median(result.seconds):.2f}",
            f"{min(result.seconds):.2f}-{max(result.seconds):.2f}",
            f"{result.megabytes:.0f}",
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def growth(results: Sequence[Result]) -> str:
    """What one service costs at each size, beyond the floor."""
    return "\n".join(
        f"{result.label}: {result.per_service:.2f} thousandths of the floor for each service"
        for result in results
        if result.size
    )


def as_json(results: Sequence[Result], about: Mapping[str, object]) -> str:
    """Say the same to a program, with every single run."""
    return json.dumps({**about, "results": [{**asdict(result), "ratio": result.ratio} for result in results]}, indent=2)
