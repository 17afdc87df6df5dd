"""``mesh check``, and loading environments."""

import argparse
import os
import sys
from pathlib import Path

from mesh.check import check, notes
from mesh.commands.codes import UNREADABLE, UNSOUND
from mesh.consul.policy import entries
from mesh.errors import ProjectError
from mesh.findings import report
from mesh.model import Environment
from mesh.nomad.jobs import jobs
from mesh.project import DEFAULT_ENVIRONMENT, available, find_root, load
from mesh.topology import clusters


def check_all(options: argparse.Namespace) -> int:
    """``mesh check``."""
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
            mesh = clusters(environment.platform)
            written = sum(len(entries(environment, cluster)) for cluster in mesh)
            running = sum(len(jobs(environment, cluster)) for cluster in mesh) + len(environment.extra_jobs)
            print(f"environment {name} is sound: {written} config entries, {running} Nomad jobs")
        for note in notes(environment):
            print(f"  note: {note.path}: {note.message} [{note.rule}]")
    return status


def sound(name: str | None) -> Environment | None:
    """The environment ``name``, or the usual one; none if it has findings, which are printed.

    Raises:
        ProjectError: there is no such environment, or it does not load.
    """
    environment = load(name or os.environ.get("MESH_ENVIRONMENT") or DEFAULT_ENVIRONMENT, find_root(Path.cwd()))
    if findings := check(environment):
        print(report(environment.name, findings), file=sys.stderr)
        return None
    return environment
