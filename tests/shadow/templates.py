"""Find and replace references in Terraform template strings.

Terraform reads every string of its JSON syntax as a template: `${...}` and `%{...}` hold expressions, `$${` and
`%%{` are plain text, and an expression may hold quoted strings that are templates again. A regular expression
cannot follow that nesting, so this module scans, the way HCL's own scanner does.

A template that cannot be read to its end is handed back unchanged: Terraform must see the mistake as it was made.
The same goes for heredocs inside an interpolation, which CDKTF never writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Piece: TypeAlias = "str | Reference"
Replace: TypeAlias = "Callable[[Reference], str | None]"
"""What stands in for a reference, or None to leave it alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: `.name`, `[0]`, `.0`, `["key"]`, `[each.key]`, `[*]` or `.*`."""

    kind: Literal["attribute", "index", "splat"]
    text: str
    key: str | None = None
    """The attribute's name or the literal index; None where only Terraform can know it."""
    inner: tuple[Piece, ...] = ()
    """What stands between the brackets, for references in there."""

    def rewritten(self, replace: Replace) -> str:
        """Return the step with the references inside its brackets replaced."""
        return f"[{_joined(self.inner, replace)}]" if self.inner else self.text


@dataclass(frozen=True, slots=True)
class Reference:
    """A name and the path that follows it, as in `data.azurerm_subnet.nodes["a"].id`."""

    root: str
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """The reference exactly as written."""
        return self.root + "".join(step.text for step in self.steps)

    def rewritten(self, replace: Replace) -> str:
        """Return what `replace` makes of this reference, or else of the references inside its brackets."""
        replacement = replace(self)
        if replacement is not None:
            return replacement
        return self.root + "".join(step.rewritten(replace) for step in self.steps)


def references(value: object) -> list[Reference]:
    """Return every reference in a template, or in all strings of a JSON value, keys included.

    A template that cannot be read to its end has none.
    """
    match value:
        case str():
            return list(_references_among(_template_pieces(value) or ()))
        case dict():
            return [found for item in value.items() for part in item for found in references(part)]
        case list():
            return [found for part in value for found in references(part)]
        case _:
            return []


def rewrite(template: str, replace: Replace) -> str:
    """Return the template with its references replaced; unchanged if it cannot be read to its end."""
    pieces = _template_pieces(template)
    return template if pieces is None else _joined(pieces, replace)


def sole_reference(expression: str) -> Reference | None:
    """Read a bare address such as those of `depends_on`; None if the text is anything else."""
    try:
        pieces = _Scanner(expression).expression(closing=None)
    except _UnreadableError:
        return None
    match pieces:
        case [Reference() as reference]:
            return reference
        case _:
            return None


def sole_expression(template: str) -> str | None:
    """Return what stands in the braces if the template is one interpolation and nothing else."""
    scanner = _Scanner(template)
    if not template.startswith("${"):
        return None
    scanner.at = len("${")
    try:
        scanner.expression(closing="}")
    except _UnreadableError:
        return None
    return template[len("${") : -len("}")] if scanner.at == len(template) else None


def is_name(text: str) -> bool:
    """Whether Terraform takes the text as the name of an object."""
    return _NAME.fullmatch(text) is not None


class _UnreadableError(Exception):
    """The text ends inside a template sequence, or brackets do not match."""


_BARE_MARKER = re.compile(r"(?P<sequence>\$+|%+)\{")
_QUOTED_MARKER = re.compile(r'(?P<sequence>\$+|%+)\{|(?P<quote>")|\\.', re.DOTALL)
_TOKEN = re.compile(
    r"""
    (?P<space>   \s+ | \#[^\n]* | //[^\n]* | /\*.*?\*/ )
    | (?P<name>    [^\W\d][\w-]* )
    | (?P<number>  \d+(?:\.\d+)?(?:[eE][+-]?\d+)? )
    | (?P<quote>   " )
    | (?P<heredoc> << )
    | (?P<open>    [(\[{] )
    | (?P<close>   [)\]}] )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[^\W\d][\w-]*")
_DOTTED_STEP = re.compile(r"\s*\.\s*(?:(?P<attribute>[^\W\d][\w-]*)|(?P<index>\d+)|(?P<splat>\*))")
_LITERAL_INDEX = re.compile(r'\s*(?:(?P<number>\d+)|"(?P<key>[^"\\$%]*)")\s*')
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class _Scanner:
    """One pass over a text. The pieces that a method returns always join to the text it consumed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def template(self, *, quoted: bool) -> list[Piece]:
        """Read a template up to its closing quote, or to the end of the text if it is not quoted."""
        pieces: list[Piece] = []
        pattern = _QUOTED_MARKER if quoted else _BARE_MARKER
        while marker := pattern.search(self.text, self.at):
            pieces.append(self.text[self.at : marker.end()])
            self.at = marker.end()
            # A doubled (or longer) run before the brace is an escape: plain text.
            if marker.lastgroup == "sequence" and len(marker["sequence"]) == 1:
                pieces += self.expression(closing="}")
            elif marker.lastgroup == "quote":
                return pieces
        if quoted:
            raise _UnreadableError
        pieces.append(self.text[self.at :])
        return pieces

    def expression(self, closing: str | None) -> list[Piece]:
        """Read an expression up to and with its closing bracket, or to the end of the text if there is none."""
        pieces: list[Piece] = []
        after_dot = False
        while token := _TOKEN.match(self.text, self.at):
            if token.lastgroup == "name" and not after_dot:
                pieces.append(self._reference())
                continue
            self.at = token.end()
            pieces.append(token.group())
            if token.lastgroup == "close":
                if token.group() == closing:
                    return pieces
                raise _UnreadableError
            pieces += self._nested(token)
            # In `f(x).name` the name belongs to the result of the call: it starts no reference.
            after_dot = token.group() == "." or (after_dot and token.lastgroup == "space")
        if closing:
            raise _UnreadableError
        return pieces

    def _nested(self, token: re.Match[str]) -> list[Piece]:
        match token.lastgroup:
            case "quote":
                return self.template(quoted=True)
            case "open":
                return self.expression(_CLOSING[token.group()])
            case "heredoc":
                raise _UnreadableError
            case _:
                return []

    def _reference(self) -> Reference:
        name = _NAME.match(self.text, self.at)
        if name is None:  # pragma: no cover - the caller has just seen a name here
            raise _UnreadableError
        self.at = name.end()
        steps: list[Step] = []
        while step := self._step():
            steps.append(step)
        return Reference(name.group(), tuple(steps))

    def _step(self) -> Step | None:
        if dotted := _DOTTED_STEP.match(self.text, self.at):
            self.at = dotted.end()
            kind: Literal["attribute", "index", "splat"] = "splat"
            if dotted["attribute"]:
                kind = "attribute"
            elif dotted["index"]:
                kind = "index"
            return Step(kind, dotted.group(), dotted["attribute"] or dotted["index"])
        if self.text.startswith("[", self.at):
            return self._bracket_step()
        return None

    def _bracket_step(self) -> Step:
        start = self.at
        self.at += 1
        inner = self.expression(closing="]")
        text = self.text[start : self.at]
        between = text[1:-1]
        if between.strip() == "*":
            return Step("splat", text)
        literal = _LITERAL_INDEX.fullmatch(between)
        key = (literal["number"] or literal["key"]) if literal else None
        return Step("index", text, key, tuple(inner[:-1]))


def _template_pieces(template: str) -> list[Piece] | None:
    if "{" not in template:
        return [template]
    try:
        return _Scanner(template).template(quoted=False)
    except _UnreadableError:
        return None


def _joined(pieces: Iterable[Piece], replace: Replace) -> str:
    return "".join(piece if isinstance(piece, str) else piece.rewritten(replace) for piece in pieces)


def _references_among(pieces: Iterable[Piece]) -> Iterator[Reference]:
    for piece in pieces:
        if isinstance(piece, Reference):
            # A lone name is a keyword, a function or a loop variable.
            if piece.steps:
                yield piece
            for step in piece.steps:
                yield from _references_among(step.inner)
