"""Rules about conditions on HTTP requests, which routers and intentions share.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go`` and ``config_entry_intentions.go``, ``Validate``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from mesh.consul.examples import HTTP
from mesh.consul.regular_expressions import why_not
from mesh.rules import At, Problem, refused, stricter
from mesh.shapes import go_name
from mesh.showing import said_together, shorten, show


def _routed(http: Mapping[str, object]) -> list[Mapping[str, object]]:
    """A router with one condition, and what makes its service an HTTP service."""
    route = {"Match": {"HTTP": http}, "Destination": {"Service": "web"}}
    return [HTTP, {"Kind": "service-router", "Name": "web", "Routes": [route]}]


_SOURCE: Final = (
    "consul@1.22.7 agent/structs/config_entry_discoverychain.go, ServiceRouterConfigEntry.Validate; "
    "config_entry_intentions.go, IntentionHTTPPermission"
)

PATHS_SEVERAL: Final = refused(
    "path-several",
    what="A condition has more than one of PathExact, PathPrefix and PathRegex.",
    why="Consul refuses it: should only contain at most one of PathExact, PathPrefix, or PathRegex.",
    source=_SOURCE,
    fix="keep one; write another route or permission for the other",
    example=_routed({"PathExact": "/a", "PathPrefix": "/b"}),
    instead=_routed({"PathExact": "/a"}),
)

PATH_SLASH: Final = refused(
    "path-slash",
    what="A path does not start with a slash.",
    why="Consul refuses it: PathPrefix doesn't start with '/'.",
    source=_SOURCE,
    fix="start it with /",
    example=_routed({"PathPrefix": "v1"}),
    instead=_routed({"PathPrefix": "/v1"}),
)

MATCHER_COUNT: Final = refused(
    "matcher-count",
    what="A condition on a header or query parameter has no matcher, or several.",
    why="Consul refuses it: should only contain one of Present, Exact, Prefix, Suffix, or Regex.",
    source=_SOURCE,
    fix="keep exactly one; write another condition for another",
    example=_routed({"Header": [{"Name": "x", "Exact": "a", "Prefix": "b"}]}),
    instead=_routed({"Header": [{"Name": "x", "Exact": "a"}]}),
)

METHOD_TWICE: Final = refused(
    "method-twice",
    what="A method is listed twice.",
    why='Consul refuses it: Methods contains "GET" more than once.',
    source=_SOURCE,
    fix="list it once",
    example=_routed({"Methods": ["GET", "GET"]}),
    instead=_routed({"Methods": ["GET"]}),
)

REGEX_SYNTAX: Final = stricter(
    "regex-syntax",
    what="A regular expression does not compile.",
    why="Consul stores it, and Envoy refuses the whole configuration of every proxy that gets it. The syntax is RE2's: "
    "no look-around, no back-references.",
    source=f"{_SOURCE} (not checked there); Envoy's RegexMatcher",
    fix="put it right; https://github.com/google/re2/wiki/Syntax",
    example=_routed({"PathRegex": "("}),
    instead=_routed({"PathRegex": "/v[12]/.*"}),
)


class HttpCondition(Protocol):
    """What conditions of routers and intentions have in common."""

    @property
    def path_exact(self) -> str | None: ...
    @property
    def path_prefix(self) -> str | None: ...
    @property
    def path_regex(self) -> str | None: ...
    @property
    def methods(self) -> Sequence[str]: ...


def judge_condition(condition: HttpCondition, at: At) -> Iterator[Problem]:
    """Problems of paths and methods."""
    paths = {"path_exact": condition.path_exact, "path_prefix": condition.path_prefix}
    said = [go_name(name) for name, path in (*paths.items(), ("path_regex", condition.path_regex)) if path]
    if len(said) > 1:
        yield PATHS_SEVERAL(at, said_together(said))
    for name, path in paths.items():
        if path and not path.startswith("/"):
            yield PATH_SLASH(at / name, f"{show(path)} does not start with a slash")
    yield from judge_regex(condition.path_regex, at / "path_regex")
    seen: set[str] = set()
    for index, method in enumerate(condition.methods):
        if method in seen:
            yield METHOD_TWICE((at / "methods")[index], f"{method} is listed twice")
        seen.add(method)


def judge_matchers(at: At, matchers: Mapping[str, str | bool | None]) -> Iterator[Problem]:
    """Problems of a condition on a header or query parameter, of which one matcher has to be said.

    Args:
        at: Where the condition stands.
        matchers: Values by name of field.
    """
    said = [go_name(name) for name, value in matchers.items() if value]
    if len(said) != 1:
        found = said_together(said) if said else f"none of {', '.join(map(go_name, matchers))} is said"
        yield MATCHER_COUNT(at, found)
    regex = matchers.get("regex")
    if isinstance(regex, str):
        yield from judge_regex(regex, at / "regex")


def judge_regex(regex: str | None, at: At) -> Iterator[Problem]:
    """The problem of an expression that does not compile."""
    if regex and (why := why_not(regex)):
        yield REGEX_SYNTAX(at, f"{show(regex)} does not compile: {shorten(why)}")
