"""``mesh entries hazards``: what goes wrong while entries are changed."""

import argparse
import sys
from collections.abc import Sequence

from mesh.commands.codes import UNREADABLE, UNSOUND
from mesh.commands.files import read_values
from mesh.config_entry import ConfigEntry
from mesh.consul.hazards import hazards
from mesh.consul.judge import judge
from mesh.consul.parts import Edition
from mesh.consul.reader import Form


def show(options: argparse.Namespace) -> int:
    """Prints the hazards; the exit code is 1 when there are any."""
    before, after = (_sound(file, Form(options.form), Edition(options.edition)) for file in options.file)
    if before is None or after is None:
        return UNREADABLE
    found = hazards(before, after)
    for hazard in found:
        print(hazard)
    if not found:
        print("one apply does it")
    return UNSOUND if found else 0


def _sound(file: str, form: Form, edition: Edition) -> Sequence[ConfigEntry] | None:
    """The entries of a file, or none if one of them is not sound, which is said."""
    judged = judge(read_values([file]), form, edition)
    entries = [each.entry for each in judged if each.ok and each.entry is not None]
    if len(entries) == len(judged):
        return entries
    print(f"error: {file}: {len(judged) - len(entries)} entries are not ok; see mesh entries check", file=sys.stderr)
    return None
