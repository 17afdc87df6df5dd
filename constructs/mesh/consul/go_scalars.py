"""Single values in texts, as Go's ``strconv`` parses them (Go 1.26): what ``mapstructure`` and ``go-bexpr`` go by.

Every function gives none where Go's has an error, and takes time linear in the length of the text.
"""

import re
from decimal import Decimal
from math import isfinite, isinf
from typing import Final, Literal

_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def parse_bool(text: str) -> bool | None:
    """Go's ``strconv.ParseBool``."""
    return _BOOLEANS.get(text)


_PREFIXED: Final = (
    (2, re.compile(r"0[bB](?:_?[01])+")),
    (8, re.compile(r"0[oO](?:_?[0-7])+|0(?:_?[0-7])*")),
    (16, re.compile(r"0[xX](?:_?[0-9a-fA-F])+")),
)
_GROUPED: Final = re.compile(r"[1-9](?:_?[0-9])*")
_DIGITS: Final = re.compile(r"[0-9]+")
_MOST_DIGITS: Final = 19
"""Of a decimal number of 64 bits; Python refuses to read one of thousands."""


def parse_int(text: str, base: Literal[0, 10] = 0) -> int | None:
    """Go's ``strconv.ParseInt`` of 64 bits; base 0 takes what Go's literals have: ``0x1F``, ``010``, ``1_000``."""
    digits = text[1:] if text.startswith(("+", "-")) else text
    size = _literal(digits) if base == 0 else _decimal(digits)
    if size is None:
        return None
    number = -size if text.startswith("-") else size
    return number if -(2**63) <= number < 2**63 else None


def _literal(digits: str) -> int | None:
    for base, pattern in _PREFIXED:
        if pattern.fullmatch(digits):
            return int(digits, base)
    return _decimal(digits.replace("_", "")) if _GROUPED.fullmatch(digits) else None


def _decimal(digits: str) -> int | None:
    if not _DIGITS.fullmatch(digits):
        return None
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MOST_DIGITS else None


_DECIMAL_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9](?:_?[0-9])*+(?:\.(?:[0-9](?:_?[0-9])*+)?)?|\.[0-9](?:_?[0-9])*+)(?:[eE][-+]?[0-9](?:_?[0-9])*+)?"
)
_HEX_FLOAT: Final = re.compile(
    r"[-+]?0[xX](?:(?:_?[0-9a-fA-F])++(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*+)?)?|\.[0-9a-fA-F](?:_?[0-9a-fA-F])*+)"
    r"[pP][-+]?[0-9](?:_?[0-9])*+"
)
_NOT_FINITE: Final = re.compile(r"[-+]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)


def parse_float(text: str) -> float | None:
    """Go's ``strconv.ParseFloat`` of 64 bits, which takes infinities and NaN, too."""
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    plain = text.replace("_", "")
    try:
        if _HEX_FLOAT.fullmatch(text):
            return float.fromhex(plain)
        number = float(plain) if _DECIMAL_FLOAT.fullmatch(text) else None
    except OverflowError:
        return None
    return None if number is None or isinf(number) else number


def fits_float64(number: float | Decimal) -> bool:
    """Whether a number is finite and not too large for a ``float64``, which is what Go makes of a number of JSON."""
    try:
        return isfinite(number)
    except (OverflowError, ValueError):  # a whole number that is too large; a signalling NaN
        return False
