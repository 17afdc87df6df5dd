"""Filters of a service-resolver's subsets, as Consul's parser reads them.

Source: ``go-bexpr@0.1.2 grammar.peg``, the version that ``consul@1.22.7 go.mod`` names. That parser is a generated one
with a peculiarity: an error found on the way, say an unknown escape in a literal, is one even if another reading of the
text succeeds. So each place is read once, and the first such error is kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from mesh.consul.go_scalars import parse_bool, parse_int
from mesh.consul.regular_expressions import why_not
from mesh.showing import suggest

Operator = Literal["==", "!=", "in", "not in", "matches", "not matches", "is empty", "is not empty"]
"""How a selector is compared. ``contains`` is ``in`` the other way round."""


class Comparison(NamedTuple):
    """A comparison in a filter.

    Attributes:
        selector: What of an instance is compared: ``("Service", "Meta", "version")``.
        operator: How.
        value: With what; none for emptiness.
    """

    selector: tuple[str, ...]
    operator: Operator
    value: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that Consul's parser takes.

    Attributes:
        comparisons: All of them, in their order.
        required: Those that every instance fulfils that the filter takes: those that stand in no ``or`` and no ``not``.
        depth: How deep its parentheses are nested.
    """

    comparisons: tuple[Comparison, ...]
    required: tuple[Comparison, ...]
    depth: int


class Flaw(NamedTuple):
    """Why a text is no filter.

    Attributes:
        position: Number of the character, from 1.
        reason: What is wrong there.
    """

    position: int
    reason: str


DEEPEST: Final = 20
"""Parentheses that are nested deeper are not read: Consul's parser would be busy for months."""

_Required = tuple[Comparison, ...]


class _Read(NamedTuple):
    """An expression that was read: where it ends, and what it requires."""

    end: int
    required: _Required


_SPACE: Final = re.compile(r"[ \t\r\n]*")
_IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_AFTER_NUMBER: Final = re.compile(r"[ \t\r\n)]|\Z")
_STRING: Final = re.compile(r'`[^`]*`|"[^"]*"')
_NOT: Final = re.compile(r"not[ \t\r\n]+")
_AND: Final = re.compile(r"[ \t\r\n]+and[ \t\r\n]+")
_OR: Final = re.compile(r"[ \t\r\n]+or[ \t\r\n]+")
_SELECTOR_FIRST: Final = re.compile(
    r"[ \t\r\n]*(?P<equal>[=!]=)[ \t\r\n]*"
    r"|[ \t\r\n]+(?P<not>not[ \t\r\n]+)?(?P<word>contains|matches)[ \t\r\n]+"
)
_EMPTY: Final = re.compile(r"[ \t\r\n]+is[ \t\r\n]+(?P<not>not[ \t\r\n]+)?empty")
_IN: Final = re.compile(r"[ \t\r\n]+(?P<not>not[ \t\r\n]+)?in[ \t\r\n]+")


@lru_cache(maxsize=1024)
def parse(text: str) -> Filter | Flaw:
    """Reads a filter, in time linear in its length."""
    return _Parser(text).parse()


def metadata_of(text: str) -> Mapping[str, str]:
    """The service metadata that an instance must have for the filter to take it; nothing if it is no filter.

    ``Service.Meta.version == "v1" and Service.Port != 0`` asks for ``{"version": "v1"}``.
    """
    parsed = parse(text)
    if isinstance(parsed, Flaw):
        return {}
    return {
        comparison.selector[2]: comparison.value
        for comparison in parsed.required
        if comparison.operator == "==" and comparison.value is not None
        if comparison.selector[:2] == ("Service", "Meta") and len(comparison.selector) == _META_SELECTOR
    }


_META_SELECTOR: Final = 3


@dataclass(slots=True)
class _Parser:
    """One method per rule of the grammar; each gives none where its rule does not match."""

    text: str
    comparisons: list[Comparison] = field(default_factory=list)
    flaw: Flaw | None = None
    farthest: int = 0
    depth: int = 0
    deepest: int = 0

    def parse(self) -> Filter | Flaw:
        read = self._any_of(self._space(0))
        if read is not None:
            self.farthest = max(self.farthest, self._space(read.end))
            if self._space(read.end) == len(self.text) and self.flaw is None:
                return Filter(tuple(self.comparisons), read.required, self.deepest)
        if self.flaw is not None:
            return self.flaw
        at_end = self.farthest >= len(self.text)
        return Flaw(self.farthest + 1, "it ends too early" if at_end else "it does not go on like this")

    def _space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _error(self, at: int, reason: str) -> None:
        if self.flaw is None:
            self.flaw = Flaw(at + 1, reason)

    def _token(self, pattern: re.Pattern[str], at: int) -> re.Match[str] | None:
        self.farthest = max(self.farthest, at)
        return pattern.match(self.text, at)

    def _any_of(self, at: int) -> _Read | None:
        """OrExpression."""
        read = self._all_of(at)
        while read is not None and (more := self._token(_OR, read.end)):
            following = self._all_of(more.end())
            if following is None:
                break
            read = _Read(following.end, ())
        return read

    def _all_of(self, at: int) -> _Read | None:
        """AndExpression."""
        read = self._negated(at)
        if read is None:
            return None
        end, required = read.end, [read.required]
        while more := self._token(_AND, end):
            following = self._negated(more.end())
            if following is None:
                break
            end = following.end
            required.append(following.required)
        return _Read(end, tuple(comparison for part in required for comparison in part))

    def _negated(self, at: int) -> _Read | None:
        """NotExpression. ``not`` may be a selector, too: the last one that is none counts."""
        starts = [at]
        while negation := self._token(_NOT, starts[-1]):
            starts.append(negation.end())
        for negations in reversed(range(len(starts))):
            read = self._grouped(starts[negations])
            if read is not None:
                return read if negations % 2 == 0 else _Read(read.end, ())
        return None

    def _grouped(self, at: int) -> _Read | None:
        """ParenthesizedExpression."""
        if not self.text.startswith("(", at):
            return self._comparison(at)
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if self.depth > DEEPEST:
            self._error(at, f"more than {DEEPEST} parentheses are open, which Consul takes months to read")
            return None
        read = self._any_of(self._space(at + 1))
        self.depth -= 1
        if read is None:
            return None
        end = self._space(read.end)
        if not self.text.startswith(")", end):
            self._error(at, "the parenthesis is not closed")
            return None
        return _Read(end + 1, read.required)

    def _comparison(self, at: int) -> _Read | None:
        """MatchExpression."""
        selector = self._selector(at)
        if selector is not None:
            names, end = selector
            if operator := self._token(_SELECTOR_FIRST, end):
                value = self._value(operator.end())
                return None if value is None else self._compared(names, _operator(operator), *value)
            if operator := self._token(_EMPTY, end):
                return self._compared(names, "is not empty" if operator["not"] else "is empty", None, operator.end())
        value = self._value(at) if selector is None else (".".join(selector[0]), selector[1])
        operator = self._token(_IN, value[1]) if value else None
        if value is None or operator is None:
            return None
        selector = self._selector(operator.end())
        if selector is None:
            self._error(operator.end(), "there must be a selector, such as Service.Tags")
            return None
        return self._compared(selector[0], "not in" if operator["not"] else "in", value[0], selector[1])

    def _compared(self, selector: tuple[str, ...], operator: Operator, value: str | None, end: int) -> _Read:
        comparison = Comparison(selector, operator, value)
        self.comparisons.append(comparison)
        return _Read(end, (comparison,))

    def _selector(self, at: int) -> tuple[tuple[str, ...], int] | None:
        found = self._token(_IDENTIFIER, at)
        if found is None:
            return None
        names, end = [found[0]], found.end()
        while True:
            if self.text.startswith(".", end) and (found := self._token(_IDENTIFIER, end + 1)):
                names.append(found[0])
                end = found.end()
            elif self.text.startswith("[", end) and (index := self._index(end)):
                names.append(index[0])
                end = index[1]
            else:
                return tuple(names), end

    def _index(self, at: int) -> tuple[str, int] | None:
        literal = self._string(self._space(at + 1))
        if literal is None:
            self._error(at, 'an index must be a quoted text, such as ["my-key"]')
            return None
        end = self._space(literal[1])
        if not self.text.startswith("]", end):
            self._error(at, "the index is not closed")
            return None
        return literal[0], end + 1

    def _value(self, at: int) -> tuple[str, int] | None:
        selector = self._selector(at)
        if selector is not None:
            return ".".join(selector[0]), selector[1]
        number = self._token(_NUMBER, at)
        if number is None:
            return self._string(at)
        if not _AFTER_NUMBER.match(self.text, number.end()):
            self._error(at, "it is no number, and must be quoted")
            return None
        return number[0], number.end()

    def _string(self, at: int) -> tuple[str, int] | None:
        found = self._token(_STRING, at)
        if found is None:
            if self.text[at : at + 1] in {'"', "`"}:
                self._error(at, "the quotation is not closed")
            return None
        value = _unquoted(found[0])
        if value is None:
            self._error(at, "the quoted text has a line break, or a backslash that means nothing")
        return value or "", found.end()


def _operator(found: re.Match[str]) -> Operator:
    if found["equal"]:
        return "==" if found["equal"] == "==" else "!="
    if found["word"] == "contains":
        return "not in" if found["not"] else "in"
    return "not matches" if found["not"] else "matches"


_QUOTED: Final = re.compile(
    r"""(?P<same>[^\\\n]+)|\\(?:(?P<plain>[abfnrtv\\"])|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"""|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))""",
)
_PLAIN: Final = {**dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)), "\\": "\\", '"': '"'}
_MOST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def _unquoted(literal: str) -> str | None:
    """What a literal in quotation marks stands for, or none where Go's ``strconv.Unquote`` fails."""
    inside = literal[1:-1]
    if literal.startswith("`"):
        return inside.replace("\r", "")
    result = bytearray()
    end = 0
    while end < len(inside):
        found = _QUOTED.match(inside, end)
        if found is None:
            return None
        end = found.end()
        if found["byte"] or found["octal"]:
            result.append(int(found["byte"] or found["octal"], 16 if found["byte"] else 8))
            continue
        text = found["same"] or _PLAIN.get(found["plain"])
        if text is None:
            code = int(found["short"] or found["long"], 16)
            if code > _MOST_CODE_POINT or code in _SURROGATES:
                return None
            text = chr(code)
        result += text.encode(errors="replace")
    return result.decode(errors="replace")


class _Field(NamedTuple):
    """What can be compared of an instance.

    Attributes:
        operators: That may compare it.
        holds: What kind of value it has.
        below: Its fields by name; the empty name is any key of a map.
    """

    operators: frozenset[Operator]
    holds: Literal["text", "number", "flag"]
    below: "Mapping[str, _Field]"


_EQUALITY: Final[frozenset[Operator]] = frozenset({"==", "!="})
_MEMBERSHIP: Final[frozenset[Operator]] = frozenset({"in", "not in"})
_EMPTINESS: Final[frozenset[Operator]] = frozenset({"is empty", "is not empty"})
_PATTERNS: Final[frozenset[Operator]] = frozenset({"matches", "not matches"})
_TEXT: Final = _Field(_EQUALITY | _MEMBERSHIP | _PATTERNS, "text", {})
_NUMERIC: Final = _Field(_EQUALITY, "number", {})
_FLAG: Final = _Field(_EQUALITY, "flag", {})
_TEXTS: Final = _Field(_MEMBERSHIP | _EMPTINESS, "text", {})


def _part(below: Mapping[str, _Field]) -> _Field:
    return _Field(frozenset(), "text", below)


def _map_of(item: _Field) -> _Field:
    return _Field(_MEMBERSHIP | _EMPTINESS, "text", {"": item})


def _list_of(below: Mapping[str, _Field]) -> _Field:
    return _Field(_EMPTINESS, "text", below)


def _fields(text: str = "", number: str = "", flag: str = "", **others: _Field) -> Mapping[str, _Field]:
    return {
        **dict.fromkeys(text.split(), _TEXT),
        **dict.fromkeys(number.split(), _NUMERIC),
        **dict.fromkeys(flag.split(), _FLAG),
        **others,
    }


_GATEWAY: Final = _part(_fields("Mode"))

_NODE: Final = _fields(
    "ID Node Partition PeerName Address Datacenter", TaggedAddresses=_map_of(_TEXT), Meta=_map_of(_TEXT)
)

_UPSTREAM: Final = _fields(
    "DestinationType DestinationNamespace DestinationPartition DestinationPeer DestinationName Datacenter "
    "LocalBindAddress LocalBindSocketPath LocalBindSocketMode",
    "LocalBindPort",
    MeshGateway=_GATEWAY,
)

_PROXY: Final = _fields(
    "DestinationServiceName DestinationServiceID LocalServiceAddress LocalServiceSocketPath Mode",
    "LocalServicePort",
    EnvoyExtensions=_list_of(_fields("Name ConsulVersion EnvoyVersion", flag="Required")),
    Upstreams=_list_of(_UPSTREAM),
    MeshGateway=_GATEWAY,
    Expose=_part(
        _fields(
            flag="Checks",
            Paths=_list_of(_fields("Path Protocol", "ListenerPort LocalPathPort", "ParsedFromCheck")),
        )
    ),
    TransparentProxy=_part(_fields(number="OutboundListenerPort", flag="DialedDirectly")),
    AccessLogs=_part(_fields("Type Path JSONFormat TextFormat", flag="Enabled DisableListenerLogs")),
)

_SERVICE: Final = _fields(
    "Kind ID Service Address SocketPath PeerName",
    "Port",
    "EnableTagOverride",
    Tags=_TEXTS,
    TaggedAddresses=_map_of(_part(_fields("Address", "Port"))),
    Meta=_map_of(_TEXT),
    Weights=_part(_fields(number="Passing Warning")),
    Proxy=_part(_PROXY),
    Connect=_part(_fields(flag="Native")),
)

_CHECK: Final = _fields(
    "Node CheckID Name Status Notes Output ServiceID ServiceName Type Interval Timeout PeerName",
    "ExposedPort",
    ServiceTags=_TEXTS,
)

_INSTANCE: Final = _part({"Node": _part(_NODE), "Service": _part(_SERVICE), "Checks": _list_of(_CHECK)})
"""An instance of a service (``consul@1.22.7 agent/structs/structs.go``, ``CheckServiceNode``)."""


def why_senseless(comparison: Comparison) -> str | None:
    """Why no instance can be compared like this, or none if it can.

    Consul does not look at it when the entry is written, but fails whenever it filters (``go-bexpr@0.1.2 validate.go``,
    ``validateRecurse``).
    """
    place, selected = _INSTANCE, ".".join(comparison.selector)
    for name in comparison.selector:
        below = place.below.get(name) or place.below.get("")
        if below is None:
            return f"there is no {selected} of an instance, {name} is unknown{suggest(name, place.below)}"
        place = below
    if comparison.operator not in place.operators:
        possible = ", ".join(sorted(place.operators)) or "nothing, but its fields can"
        return f'{selected} cannot be compared with "{comparison.operator}"; {possible} can be'
    return None if comparison.value is None else _why_no_value(comparison.value, comparison, place, selected)


def _why_no_value(value: str, comparison: Comparison, place: _Field, selected: str) -> str | None:
    if comparison.operator in _PATTERNS:
        why = why_not(value)
        return f'"{value}" is no regular expression: {why}' if why else None
    if place.holds == "number" and parse_int(value) is None:
        return f'{selected} is a number, and "{value}" is none'
    if place.holds == "flag" and parse_bool(value) is None:
        return f'{selected} is true or false, and "{value}" is neither'
    return None
