"""Lengths of time as Go writes them, the notation of Consul, Nomad and Terraform.

The vocabulary of environments takes plain positive ones; config entries are read exactly as Go reads them.
"""

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
        ValueError: ``text`` is no Go duration, too long for Go, or not above zero. A number without a unit is refused
            because Consul would read it as nanoseconds (hashicorp/consul#16147).
    """
    if not _WHOLE.fullmatch(text):
        message = f'"{text}" is not a duration: write a number with a unit, such as "30s", "1m30s" or "500ms"'
        raise ValueError(message)
    if parse_nanoseconds(text) is None:
        message = f'"{text}" is longer than 292 years, which is more than Go holds'
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


_SECOND: Final = 1_000_000_000
_GO_SIZES: Final = {unit: int(length * _SECOND) for unit, length in _UNITS.items()} | {"µs": 1_000, "μs": 1_000}
_GO_PART: Final = re.compile(rf"([0-9]*+)(?:\.([0-9]*+))?+({'|'.join(_GO_SIZES)})")

_LARGEST: Final = 2**63
"""What Go's ``time.Duration`` holds, in nanoseconds: as many below zero, one less above."""

_MOST_DIGITS: Final = 19
"""Of a number up to the largest."""


def parse_nanoseconds(text: str) -> int | None:
    """The length of ``text`` in nanoseconds, of either sign, or none where Go's ``time.ParseDuration`` fails."""
    unsigned = text[1:] if text.startswith(("+", "-")) else text
    if unsigned == "0":
        return 0
    total = end = 0
    while end < len(unsigned):
        part = _GO_PART.match(unsigned, end)
        if part is None or not (part[1] or part[2]):
            return None
        whole, size = part[1].lstrip("0"), _GO_SIZES[part[3]]
        if len(whole) > _MOST_DIGITS:
            return None
        total += int(whole or "0") * size + _fraction(part[2] or "", size)
        if total > _LARGEST:
            return None
        end = part.end()
    if not unsigned or (total == _LARGEST and not text.startswith("-")):
        return None
    return -total if text.startswith("-") else total


def _fraction(digits: str, size: int) -> int:
    """Nanoseconds of the ``digits`` after the point of a unit; Go counts with a double, and drops what is too much."""
    number, scale = 0, 1.0
    for digit in digits:
        longer = number * 10 + int(digit)
        if number > (_LARGEST - 1) // 10 or longer > _LARGEST:
            break
        number, scale = longer, scale * 10
    return int(float(number) * (size / scale))


def from_nanoseconds(count: int) -> str:
    """``count`` nanoseconds as Go writes them (``time.Duration.String``): ``1m30s``, ``1.5s``, ``15ns``."""
    if count == 0:
        return "0s"
    sign, count = ("-", -count) if count < 0 else ("", count)
    if count < _SECOND:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if count >= size:
                return f"{sign}{_decimal(count, size)}{unit}"
    minutes, rest = divmod(count, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _SECOND)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    return sign + text


def _decimal(count: int, size: int) -> str:
    whole, part = divmod(count, size)
    digits = f"{part:0{len(str(size)) - 1}}".rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)
