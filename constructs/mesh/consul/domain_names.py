"""Names of hosts as Consul takes them (``github.com/miekg/dns@v1.1.72 defaults.go``, ``IsDomainName``)."""

import re
from typing import Final

_WIRE: Final = 256
_LABEL: Final = 63
_THREE_DIGITS: Final = re.compile(rb"[0-9]{3}")
_BACKSLASH: Final = ord("\\")
_DOT: Final = ord(".")


def is_domain_name(text: str) -> bool:
    """Whether DNS can carry ``text`` as a name: hardly more than that its labels are not empty and not too long.

    Every IP address is one in this sense. A backslash takes the next byte, or three digits, as it is.
    """
    if not text:
        return False
    name = text.encode()
    if not _is_absolute(name):
        name += b"."
    length = begin = index = 0
    after_dot = escaped = False
    while index < len(name):
        byte = name[index]
        if byte == _DOT:
            if after_dot or (index == 0 and len(name) > 1):
                return False
            label = index - begin
            length += 1 + label
            if label > _LABEL or length > _WIRE:
                return False
            begin = index + 1
            after_dot, escaped = True, False
        elif byte == _BACKSLASH:
            skipped = 3 if _THREE_DIGITS.match(name, index + 1) else 1
            index += skipped
            begin += skipped
            after_dot, escaped = False, not escaped
        else:
            after_dot = escaped = False
        index += 1
    return not escaped


def _is_absolute(name: bytes) -> bool:
    """Whether the name ends with a dot that is not escaped."""
    if not name.endswith(b"."):
        return False
    stem = name[:-1]
    return (len(stem) - len(stem.rstrip(b"\\"))) % 2 == 0
