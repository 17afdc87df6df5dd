"""Plain values as Terraform string literals: the one place that escapes.

A string in a synthesized stack is a template: Terraform evaluates ``${...}`` and ``%{...}``. The core's values are
plain, so whatever reaches Terraform as text (``config_json``, ``jobspec``, chart values, cloud-init) passes through
here exactly once. Values hold no CDKTF tokens; a construct that needs one passes it as an argument of its own.
"""

import json
import re
from typing import Final

HIDDEN_ID: Final = "Default"
"""Construct id that CDKTF leaves out of resource names.

It makes ``nomad_job.api-v1`` of ``nomad_job.api-v1_job_1A2B3C4D``.

A construct that is one resource gives it this id, and a stack gives it to a construct whose children are named uniquely
by themselves.
"""


def resource_name(name: str) -> str:
    """``name`` as a resource can be called: Terraform's names do not begin with a digit, services' may."""
    return f"_{name}" if name[:1].isdigit() else name


def literal(text: str) -> str:
    """``text`` so that Terraform evaluates it back to ``text``."""
    return text.replace("${", "$${").replace("%{", "%%{")


def json_literal(value: object) -> str:
    """``value`` as compact JSON with sorted keys, escaped.

    ASCII only: Terraform normalises strings to NFC and drops a leading byte-order mark.
    """
    return literal(plain_json(value))


def plain_json(value: object) -> str:
    """The text that :func:`json_literal` evaluates to."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def yaml_literal(value: object) -> str:
    """``value`` for an argument that is read as YAML, escaped."""
    return literal(plain_yaml(value))


def plain_yaml(value: object) -> str:
    """The text that :func:`yaml_literal` evaluates to: JSON, but for what YAML refuses of it.

    That is a character beyond 16 bits as two surrogates, and an unescaped delete character. ASCII only, as
    :func:`json_literal`.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[^\\x00-\\x7e]", _yaml_escape, text)


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what four digits hold
