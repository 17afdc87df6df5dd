"""Routes that no request reaches, because an earlier one takes all of theirs."""

from typing import Literal

import pytest

from mesh.consul.entries.service_router import HeaderMatch, HttpMatch, Match, QueryParamMatch, Route, shadowed

A, B = QueryParamMatch(name="a", exact="1"), QueryParamMatch(name="b", exact="2")
X = HeaderMatch(name="x", present=True)


def on(
    prefix: str | None = None,
    *others: QueryParamMatch | HeaderMatch,
    exact: str | None = None,
    regex: str | None = None,
    methods: tuple[Literal["GET", "PUT"], ...] = (),
    insensitive: bool | None = None,
) -> Route:
    http = HttpMatch(
        path_prefix=prefix,
        path_exact=exact,
        path_regex=regex,
        header=[other for other in others if isinstance(other, HeaderMatch)],
        query_param=[other for other in others if isinstance(other, QueryParamMatch)],
        methods=methods,
        case_insensitive=insensitive,
    )
    return Route(match=Match(http=http))


@pytest.mark.parametrize(
    "routes",
    [
        [on("/a"), on("/a/b")],
        [on("/a"), on("/ab")],
        [on("/a"), on(exact="/a")],
        [on("/"), on(regex="/x.*")],
        [on("/"), on(None, A)],
        [Route(), on("/a", A, methods=("GET",))],
        [on(None, A), on("/a", A, B)],
        [on("/a", methods=("GET", "PUT")), on("/a", methods=("GET",))],
        [on("/a", X), on("/a/b", X, A, B)],
        [
            on(regex="/v[12]"),
            on(
                regex="/v[12]",
            ),
        ],
        [on("/a", insensitive=True), on("/a", insensitive=True)],
        [on(exact="/a"), on(exact="/a", methods=("PUT",))],
    ],
)
def test_is_shadowed(routes: list[Route]) -> None:
    assert list(shadowed(routes)) == [(1, 0)]


@pytest.mark.parametrize(
    "routes",
    [
        [on("/a/b"), on("/a")],
        [on("/a"), on("/b")],
        [on("/a"), on("/A")],
        [on("/a"), on("/a", insensitive=True)],  # it takes /A, too
        [on("/a", insensitive=True), on("/a")],  # not seen: capitals would have to be folded
        [on("/a"), on(regex="/a.*")],
        [on("/a", A), on("/a")],
        [on("/a", A), on("/a", B)],
        [on("/a", methods=("GET",)), on("/a")],
        [on("/a", methods=("GET",)), on("/a", methods=("GET", "PUT"))],
        [on(exact="/a"), on("/a")],
        [on(exact="/a"), on(exact="/a/")],
        [on(regex="/a"), on(exact="/a")],
    ],
)
def test_is_reached(routes: list[Route]) -> None:
    assert not list(shadowed(routes))


def test_the_first_that_takes_them_is_named_and_what_is_shadowed_shadows_nothing() -> None:
    assert list(shadowed([on("/x"), on("/a"), on("/a/b"), on("/a/b/c")])) == [(2, 1), (3, 1)]


def test_many_conditions_are_looked_up_without_all_their_combinations() -> None:
    many = [QueryParamMatch(name=f"p{number}", present=True) for number in range(40)]
    assert list(shadowed([on("/a", many[0]), on("/a", *many), on("/a", *many)])) == [(1, 0), (2, 0)]
