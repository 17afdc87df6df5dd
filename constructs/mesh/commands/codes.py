"""Exit codes of ``mesh``, besides 0."""

from typing import Final

UNSOUND: Final = 1
"""An environment or entry has findings, or there is no such entry."""

UNREADABLE: Final = 2
"""Wrong usage, an input that does not exist or cannot be read, or no room for the output. As argparse's own."""

INTERRUPTED: Final = 130
"""Ended by Ctrl-C, as shells count it."""
