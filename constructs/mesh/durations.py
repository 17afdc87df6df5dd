"""Lengths of time as Go writes them (``time.ParseDuration``), the notation of Consul, Nomad and Terraform."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_UNITS: Final = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_PART: Final = r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h)"
_WHOLE: Final = re.compile(f"(?:{_PART})+")
_PARTS: Final = re.compile(_PART)


@lru_cache(maxsize=1024)  # an environment has few different ones, and many of each
def seconds(text: str) -> Decimal:
    """The length of ``text`` in seconds.

    Raises:
        ValueError: ``text`` is no Go duration, or not above zero. A number without a unit is refused because Consul
            would read it as nanoseconds (hashicorp/consul#16147).
    """
    if not _WHOLE.fullmatch(text):
        message = f'"{text}" is not a duration: write a number with a unit, such as "30s", "1m30s" or "500ms"'
        raise ValueError(message)
    total = sum((Decimal(number) * _UNITS[unit] for number, unit in _PARTS.findall(text)), Decimal(0))
    if total <= 0:
        message = f'"{text}" must be longer than zero'
        raise ValueError(message)
    return total


@lru_cache(maxsize=1024)
def nanoseconds(text: str) -> int:
    """The length of ``text`` in nanoseconds, as Nomad's API wants it.

    Raises:
        ValueError: as :func:`seconds`.
    """
    return int(seconds(text) * 1_000_000_000)
