"""Waiting for something outside of this process, and never for ever."""

import time
from collections.abc import Callable
from typing import Final

PAUSE_SECONDS: Final = 0.05


def within(seconds: float, ready: Callable[[], object], pause: float = PAUSE_SECONDS) -> bool:
    """Asks until something is ready; returns whether it was in time. It is asked once at least."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
