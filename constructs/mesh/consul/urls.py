"""Addresses as Go's ``net/url`` takes them (Go 1.26)."""

import re
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_IN_HOST: Final = re.compile(r"""[^A-Za-z0-9_.~!$&'()*+,;=:\[\]<>"%\x80-\U0010ffff-]""")
_BAD_HOST_ESCAPE: Final = re.compile(r"%(?!25|[89A-Fa-f][0-9A-Fa-f])")
_USER: Final = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_ONE_COLON: Final = frozenset({"http", "https"})
"""Schemes of which Go takes no host with several colons."""

_PORT: Final = re.compile(r"(:[0-9]*)?")
_ADDRESS: Final = re.compile(r"([0-9A-Fa-f:.]+)(%25.+)?")


def why_no_url(text: str) -> str | None:
    """Why ``text`` cannot be parsed, or none if it can."""
    if _CONTROL.search(text):
        return "it has a control character"
    whole, _, fragment = text.partition("#")
    if _BAD_ESCAPE.search(fragment):
        return "it has a % that escapes nothing"
    if whole.startswith(":"):
        return "it has no scheme before the colon"
    match = _SCHEME.fullmatch(whole)
    rest = (match[2] if match else whole).partition("?")[0]
    if not rest.startswith("/"):
        if match:
            return None  # opaque
        if ":" in rest.partition("/")[0]:
            return "its first part has a colon"
    authority = ""
    if rest.startswith("//") and (match or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
    return _why_no_authority(authority, match[1] if match else "") or (
        "it has a % that escapes nothing" if _BAD_ESCAPE.search(rest) else None
    )


def why_no_request_url(text: str) -> str | None:
    """Why ``text`` cannot be requested (``net/url.ParseRequestURI``), or none: it has a scheme or is a path."""
    if _CONTROL.search(text):
        return "it has a control character"
    match = _SCHEME.fullmatch(text)
    rest = (match[2] if match else text).partition("?")[0]
    if not rest.startswith("/"):
        return None if match or text == "*" else "it has no scheme, such as https:, and is no path"
    authority = ""
    if match and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
    return _why_no_authority(authority, match[1] if match else "") or (
        "it has a % that escapes nothing" if _BAD_ESCAPE.search(rest) else None
    )


def _why_no_authority(authority: str, scheme: str) -> str | None:  # noqa: PLR0911 - one for each part
    user, at, host = authority.rpartition("@")
    if at and (not _USER.fullmatch(user) or _BAD_ESCAPE.search(user)):
        return "the user in it is not well-formed"
    if host.startswith("["):
        address, bracket, port = host[1:].rpartition("]")
        if not bracket or not _is_address(address):
            return "there is no IPv6 address in the brackets of its host"
        host = address.partition("%25")[2]
        if _BAD_ESCAPE.search(host) or _BAD_IN_HOST.search(host):
            return "the zone of its host has a character that no zone has"
        host = ""
    elif "[" in host:
        return "a bracket in its host is not at its start"
    else:
        colon = host.find(":") if scheme.lower() in _ONE_COLON else host.rfind(":")
        port = host[colon:] if colon >= 0 else ""
    if not _PORT.fullmatch(port):
        return "its port is no number"
    if _BAD_IN_HOST.search(host) or _BAD_HOST_ESCAPE.search(host) or _BAD_ESCAPE.search(host):
        return f"its host has a character that no host has: {unquote(host)}"
    return None


def _is_address(text: str) -> bool:
    match = _ADDRESS.fullmatch(text)
    try:
        return match is not None and isinstance(ip_address(match[1]), IPv6Address)
    except ValueError:
        return False
