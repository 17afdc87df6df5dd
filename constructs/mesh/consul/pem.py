"""PEM and base64 as Go reads them (``encoding/pem``, ``encoding/base64`` of Go 1.26)."""

import base64
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")

_BLOCK: Final = re.compile(
    rb"^-----BEGIN ([^\n]*)-----[ \t]*\r?\n"  # the label
    rb"(?:[^\n:]*:[^\n]*\n)*"  # headers, such as Proc-Type
    rb"([A-Za-z0-9+/=\s]*)"
    rb"^-----END \1-----[ \t]*\r?$",
    re.MULTILINE,
)


class Block(NamedTuple):
    """What stands between a BEGIN and an END."""

    label: str
    content: bytes


def decode_base64(text: bytes) -> bytes | None:
    """The content of standard base64 with padding, in which line breaks do not count; none if it is not well-formed."""
    joined = text.replace(b"\r", b"").replace(b"\n", b"")
    return base64.b64decode(joined) if _BASE64.fullmatch(joined) else None


def pem_blocks(text: str) -> Iterator[Block]:
    """The blocks in ``text``; what is around them, or is not well-formed, does not count."""
    for label, content in _BLOCK.findall(text.encode()):
        decoded = decode_base64(content.replace(b" ", b"").replace(b"\t", b""))
        if decoded is not None:
            yield Block(label.decode(), decoded)
