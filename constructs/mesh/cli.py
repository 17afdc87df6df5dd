"""The ``mesh`` command: what can be said about a declaration without synthesizing it."""

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mesh.check import check
from mesh.config_entry import ConfigEntry
from mesh.consul.policy import entries
from mesh.findings import report
from mesh.model import Environment
from mesh.nomad.jobs import jobs
from mesh.project import DEFAULT_ENVIRONMENT, ProjectError, available, find_root, load
from mesh.shapes import JsonObject

UNSOUND: Final = 1
"""Exit code: an environment has findings, or there is no such entry."""

UNREADABLE: Final = 2
"""Exit code: wrong usage, or an environment that does not exist or load. As argparse's own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    gc.disable()  # a short run that frees nothing
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return UNREADABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mesh", description="Says what a declared mesh is, and what is wrong with it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    judge = commands.add_parser("check", help="judge environments; exit code 1 when one has a problem")
    judge.add_argument("environment", nargs="*", help="all of the project when none is given")
    judge.set_defaults(run=_check)

    about = commands.add_parser("entries", help="the config entries of an environment")
    verbs = about.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="all of them as JSON, in the order in which they are written")
    listing.set_defaults(run=_list)
    one = verbs.add_parser("show", help="one of them as JSON; several if partitions have one each")
    one.add_argument("kind")
    one.add_argument("name")
    one.set_defaults(run=_show)
    for verb in (listing, one):
        verb.add_argument(
            "environment",
            nargs="?",
            default=os.environ.get("MESH_ENVIRONMENT") or DEFAULT_ENVIRONMENT,
            help="default: MESH_ENVIRONMENT, or demo",
        )
    return parser


def _check(options: argparse.Namespace) -> int:
    root = find_root(Path.cwd())
    status = 0
    for name in options.environment or available(root):
        try:
            environment = load(name, root)
        except ProjectError as error:
            print(f"error: {error}", file=sys.stderr)
            status = UNREADABLE
            continue
        if findings := check(environment):
            print(report(name, findings))
            status = max(status, UNSOUND)
        else:
            written, running = entries(environment), jobs(environment)
            print(f"environment {name} is sound: {len(written)} config entries, {len(running)} Nomad jobs")
    return status


def _list(options: argparse.Namespace) -> int:
    environment = _sound(options.environment)
    if environment is None:
        return UNSOUND
    _print([_as_written(entry) for entry in entries(environment)])
    return 0


def _show(options: argparse.Namespace) -> int:
    environment = _sound(options.environment)
    if environment is None:
        return UNSOUND
    found = [entry for entry in entries(environment) if (entry.KIND, entry.name) == (options.kind, options.name)]
    if not found:
        print(f"error: {options.environment} has no entry {options.kind}/{options.name}", file=sys.stderr)
        return UNSOUND
    written = [_as_written(entry) for entry in found]
    _print(written if len(written) > 1 else written[0])
    return 0


def _sound(name: str) -> Environment | None:
    environment = load(name, find_root(Path.cwd()))
    if findings := check(environment):
        print(report(name, findings), file=sys.stderr)
        return None
    return environment


def _as_written(entry: ConfigEntry) -> JsonObject:
    """The entry with its identity, as Consul's API takes it."""
    identity = {"Kind": entry.KIND, "Name": entry.name, "Partition": entry.partition, "Namespace": entry.namespace}
    return {**{key: value for key, value in identity.items() if value is not None}, **entry.body()}


def _print(value: object) -> None:
    print(json.dumps(value, indent=2))


if __name__ == "__main__":
    sys.exit(main())
