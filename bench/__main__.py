"""Command line of the benchmarks; `python -m bench --help`."""

import argparse
import os
import platform
import shutil
import subprocess
import sys

from bench.harness import ScenarioError, as_json, growth, measure, table
from bench.scenarios import FLOOR, SCENARIOS


def _node_version() -> str:
    """Version of the Node that jsii will start: the first one on PATH, unless told otherwise."""
    node = shutil.which(os.environ.get("JSII_NODE", "node"))
    if node is None:
        return "not found"
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return number


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What synthesis costs, against its floor.")
    parser.add_argument("--rounds", type=_at_least_one, default=5, help="measured rounds, after one that only warms up")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="scenarios whose label contains it (repeatable)"
    )
    parser.add_argument("--list", action="store_true", help="print the labels and stop")
    parser.add_argument("--json", action="store_true", help="print every run, for a program to read")
    options = parser.parse_args()

    chosen = [one for one in SCENARIOS if not options.only or any(text in one.label for text in options.only)]
    if not chosen:
        parser.error("no scenario has such a label; --list prints them")
    if options.list:
        print(*(scenario.label for scenario in chosen), sep="\n")
        return 0
    about = {
        "python": platform.python_version(),
        "node": _node_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "rounds": options.rounds,
    }
    try:
        results = measure(chosen, FLOOR, options.rounds, progress=lambda line: print(line, file=sys.stderr))
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(as_json(results, about))
    else:
        print("\n".join(["", ", ".join(f"{name} {value}" for name, value in about.items()), "", table(results)]))
        if text := growth(results):
            print(f"\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
