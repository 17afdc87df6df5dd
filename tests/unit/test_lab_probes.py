"""What a lab asks to show a declaration, and who has to answer how often."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import comb
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.lab.probes import CHANCE, Outcome, Probe, doors, expected, plausible, probes
from mesh.lab.requests import Request
from mesh.model import (
    ApiGateway,
    Environment,
    IngressGateway,
    Kubernetes,
    Listener,
    Route,
    Service,
    Upstream,
    Version,
)
from tests.declared import DECLARED
from tests.unit.examples import environment, service, versioned

V1: Final = {"api-v1": 1.0}
V2: Final = {"api-v2": 1.0}
SPLIT: Final = {"api-v1": 0.25, "api-v2": 0.75}


def routed(*routes: Route) -> Service:
    """``api`` with a split that no route can be mistaken for."""
    return versioned(split={"v1": 25, "v2": 75}, routes=routes)


def test_without_a_route_the_split_decides() -> None:
    assert expected(routed(), Request("/v1?x")) == SPLIT
    assert expected(versioned(split={"v1": 33.33, "v2": 66.67}), Request()) == pytest.approx(
        {"api-v1": 0.3333, "api-v2": 0.6667}
    )


def test_a_version_without_a_share_answers_nobody() -> None:
    assert expected(versioned(split={"v1": 0, "v2": 100}), Request()) == V2


def test_the_only_version_answers_everybody() -> None:
    assert expected(versioned(versions={"v1": Version()}, split={}), Request()) == V1


def test_a_service_without_versions_answers_by_its_name() -> None:
    assert expected(service(), Request()) == {"api": 1.0}


MATCHING: Final = {
    "path_prefix": (
        Route(to="v1", path_prefix="/v1"),
        [Request("/v1"), Request("/v1/x"), Request("/v10"), Request("/v1", method="POST")],
        [Request("/"), Request("/v2"), Request("/x/v1"), Request("/V1")],
    ),
    "path_exact": (
        Route(to="v1", path_exact="/v1"),
        [Request("/v1"), Request("/v1", {"a": "b"})],
        [Request("/v1/"), Request("/v10"), Request("/")],
    ),
    "path_regex": (
        Route(to="v1", path_regex="/v[0-9]+(/x)?"),
        [Request("/v1"), Request("/v42/x")],
        [Request("/v"), Request("/v1/y"), Request("/x/v1"), Request("/v1/x/x")],
    ),
    "query": (
        Route(to="v1", query={"a": "1", "b": "2"}),
        [Request("/x", {"a": "1", "b": "2"}), Request("/", {"b": "2", "c": "3", "a": "1"})],
        [Request("/"), Request("/", {"a": "1"}), Request("/", {"a": "1", "b": "3"})],
    ),
    "headers": (
        Route(to="v1", headers={"x-a": "1", "x-b": "2"}),
        [Request("/x", headers={"x-a": "1", "x-b": "2"}), Request("/", {}, {"x-b": "2", "x-a": "1", "x-c": "3"})],
        [Request("/"), Request("/", headers={"x-a": "1"}), Request("/", {"x-a": "1", "x-b": "2"})],
    ),
    "methods": (
        Route(to="v1", methods=["POST", "PUT"]),
        [Request(method="POST"), Request("/x", method="PUT")],
        [Request(), Request(method="DELETE")],
    ),
    "all conditions": (
        Route(to="v1", path_prefix="/x", query={"a": "1"}, headers={"x-a": "1"}, methods=["POST"]),
        [Request("/x/y", {"a": "1"}, {"x-a": "1"}, "POST")],
        [
            Request("/y", {"a": "1"}, {"x-a": "1"}, "POST"),
            Request("/x", {}, {"x-a": "1"}, "POST"),
            Request("/x", {"a": "1"}, {}, "POST"),
            Request("/x", {"a": "1"}, {"x-a": "1"}, "GET"),
        ],
    ),
}


@pytest.mark.parametrize("condition", MATCHING)
def test_a_route_that_matches_goes_past_the_split(condition: str) -> None:
    route, matching, others = MATCHING[condition]
    api = routed(route)
    assert [expected(api, request) for request in matching] == [V1] * len(matching)
    assert [expected(api, request) for request in others] == [SPLIT] * len(others)


def test_the_first_route_that_matches_wins() -> None:
    wide, narrow = Route(to="v1", path_prefix="/a"), Route(to="v2", path_exact="/a/b")
    assert expected(routed(wide, narrow), Request("/a/b")) == V1
    assert expected(routed(narrow, wide), Request("/a/b")) == V2
    assert expected(routed(narrow, wide), Request("/a/c")) == V1


def entered(*listeners: Listener, gateway: str = "gateway") -> ApiGateway:
    return ApiGateway(gateway, listeners=listeners)


HTTP: Final = Listener(80, "http", to="api")


def found(mesh: Environment) -> list[Probe]:
    return list(probes(mesh))


def asked(mesh: Environment) -> dict[str, Mapping[str, float]]:
    """What each request is expected to get, of a mesh whose requests are all different."""
    every = found(mesh)
    answers = {str(probe.request): probe.expected for probe in every}
    assert len(answers) == len(every)
    return answers


def test_the_split_and_each_route_are_asked_for() -> None:
    routes = [
        Route(to="v1", path_prefix="/p"),
        Route(to="v2", path_prefix="/q/"),
        Route(to="v1", path_exact="/exact"),
        Route(to="v2", path_regex="/only.*patterns"),
        Route(to="v1", query={"version": "v1"}),
        Route(to="v2", headers={"x-version": "v2"}),
        Route(to="v1", methods=["PUT", "POST"]),
        Route(to="v2", path_prefix="/get", methods=["POST", "GET"]),
    ]
    assert asked(environment(routed(*routes), gateways=[entered(HTTP)])) == {
        "/": SPLIT,
        "/p/x": V1,
        "/q/x": V2,
        "/exact": V1,
        "/?version=v1": V1,
        "/ x-version: v2": V2,
        "PUT /": V1,
        "/get/x": V2,
    }


def test_an_example_of_a_route_is_answered_by_an_earlier_one_that_matches() -> None:
    routes = [Route(to="v1", path_prefix="/a"), Route(to="v2", path_prefix="/a/b"), Route(to="v2", path_regex="/a.*")]
    assert asked(environment(routed(*routes), gateways=[entered(HTTP)])) == {"/": SPLIT, "/a/x": V1, "/a/b/x": V1}


def test_what_two_routes_would_ask_is_asked_once() -> None:
    routes = [
        Route(to="v1", methods=["GET"]),
        Route(to="v2", path_exact="/x", query={"a": "1"}),
        Route(to="v1", path_exact="/x", query={"a": "1"}),
    ]
    assert asked(environment(routed(*routes), gateways=[entered(HTTP)])) == {"/": V1, "/x?a=1": V1}


def test_each_http_listener_of_each_api_gateway_is_asked() -> None:
    mesh = environment(
        service(),
        service("db", protocol="tcp"),
        gateways=[
            entered(Listener(80, "http", to="api"), Listener(5432, "tcp", to="db"), Listener(81, "http", to="api")),
            IngressGateway("legacy", listeners=[HTTP]),
            entered(Listener(82, "http", to="api"), gateway="other"),
        ],
    )
    assert [(probe.gateway.name, probe.listener.port) for probe in found(mesh)] == [
        ("gateway", 80),
        ("gateway", 81),
        ("other", 82),
    ]


def test_without_an_http_listener_there_is_nothing_to_ask() -> None:
    tcp = service("db", protocol="tcp")
    assert found(environment(tcp, gateways=[entered(Listener(5432, "tcp", to="db"))])) == []
    assert found(environment(service(runs_on=Kubernetes()), gateways=[IngressGateway("in", listeners=[HTTP])])) == []
    assert found(environment(service())) == []


@pytest.mark.parametrize(
    ("hosts", "headers"),
    [
        ([], {}),
        (["shop.example.com"], {"Host": "shop.example.com"}),
        (["a.example.com", "b.example.com"], {"Host": "a.example.com"}),
        (["*.example.com"], {"Host": "any.example.com"}),
        (["*"], {"Host": "any"}),
    ],
)
def test_a_listener_is_asked_for_a_host_that_it_answers(hosts: list[str], headers: dict[str, str]) -> None:
    api = routed(Route(to="v1", headers={"x-a": "1"}))
    by_split, by_route = found(environment(api, gateways=[entered(Listener(80, "http", to="api", hosts=hosts))]))
    assert (by_split.request.headers, by_split.expected) == (headers, SPLIT)
    assert (by_route.request.headers, by_route.expected) == ({**headers, "x-a": "1"}, V1)


def calling(name: str, *upstreams: str, **changes: Any) -> Service:
    """A service on Nomad that calls others."""
    calls = [Upstream(upstream, local_port=9200 + index) for index, upstream in enumerate(upstreams)]
    return service(name, upstreams=calls, **changes)


def chain_of(*services: Service) -> list[str]:
    (probe,) = found(environment(*services, gateways=[entered(Listener(80, "http", to=services[0].name))]))
    return [each.name for each in probe.chain]


def test_a_request_goes_on_to_first_upstreams_and_the_last_one_answers() -> None:
    web, shop = calling("web", "shop", "api"), calling("shop", "api")
    assert chain_of(web, shop, service()) == ["web", "shop", "api"]
    mesh = environment(web, shop, routed(), gateways=[entered(Listener(80, "http", to="web"))])
    (probe,) = found(mesh)
    assert probe.expected == SPLIT


def test_only_routes_of_the_last_service_are_asked_for() -> None:
    web = versioned("web", routes=[Route(to="v1", path_prefix="/web")], upstreams=[Upstream("api", local_port=9200)])
    api = routed(Route(to="v1", path_prefix="/api"))
    assert asked(environment(web, api, gateways=[entered(Listener(80, "http", to="web"))])) == {
        "/": SPLIT,
        "/api/x": V1,
    }


def asked_and_not(*services: Service, listener: Listener = HTTP) -> tuple[list[str], list[str]]:
    """The requests through a listener for the first service, and what is not asked there."""
    (door,) = doors(environment(*services, gateways=[entered(replace(listener, to=services[0].name))]))
    return [str(probe.request) for probe in door.probes], list(door.not_asked)


@pytest.mark.parametrize(
    ("calls", "circle"),
    [
        ({"a": "a"}, "a"),
        ({"a": "b", "b": "a"}, "a, b"),
        ({"a": "b", "b": "c", "c": "b"}, "b, c"),
        ({"a": "bc", "b": "", "c": "a"}, "a, c"),
    ],
)
def test_calls_that_go_round_are_not_asked(calls: dict[str, str], circle: str) -> None:
    services = [calling(name, *upstreams) for name, upstreams in calls.items()]
    assert asked_and_not(*services) == ([], [f"calls go round without end: {circle}"])


def test_calls_of_one_service_by_two_do_not_go_round() -> None:
    assert asked_and_not(calling("a", "b", "c"), calling("b", "c"), calling("c")) == (["/"], [])


MUTE: Final = {
    "api speaks grpc, and the echo service in its place only HTTP/1.1": service(protocol="grpc"),
    "api speaks http2, and the echo service in its place only HTTP/1.1": service(protocol="http2"),
    "api fails on purpose (ERROR_RATE=0.5)": service(env={"ERROR_RATE": "0.5"}),
    "api fails on purpose (ERROR_RATE=1)": versioned(versions={"v1": Version(env={"ERROR_RATE": "1"})}, split={}),
    "api fails on purpose (HEALTH_CHECK_RESPONSE_CODE=503)": service(env={"HEALTH_CHECK_RESPONSE_CODE": "503"}),
}
"""Services of which no answer shows what is declared, by the reason."""


@pytest.mark.parametrize("why", MUTE)
def test_a_service_that_fails_or_speaks_otherwise_is_not_asked_wherever_it_is_called(why: str) -> None:
    api = MUTE[why]
    assert asked_and_not(api) == ([], [why])
    assert asked_and_not(calling("web", "api"), api) == ([], [why])
    assert asked_and_not(calling("web", "stock", "api"), service("stock"), api) == ([], [why])
    assert asked_and_not(service("stock"), calling("web", "api"), api) == (["/"], [])


@pytest.mark.parametrize(
    "env",
    [
        {"ERROR_RATE": "0.0"},
        {"ERROR_RATE": ""},
        {"HEALTH_CHECK_RESPONSE_CODE": "204"},
        {"TIMING_50_PERCENTILE": "1s"},
    ],
)
def test_a_service_that_does_not_fail_is_asked(env: dict[str, str]) -> None:
    assert asked_and_not(service(env=env)) == (["/"], [])


def test_a_version_may_undo_what_its_service_is_told() -> None:
    versions = {"v1": Version(env={"ERROR_RATE": "0"})}
    assert asked_and_not(versioned(versions=versions, split={}, env={"ERROR_RATE": "1"})) == (["/"], [])


def test_a_tcp_service_that_is_called_answers_as_any_other() -> None:
    assert asked_and_not(calling("web", "db"), service("db", protocol="tcp")) == (["/"], [])


def test_a_tcp_listener_is_not_asked() -> None:
    assert asked_and_not(service(protocol="tcp"), listener=Listener(80, "tcp", to="api")) == (
        [],
        ["a listener for tcp tells nothing of who answers"],
    )


BODILESS: Final = "an answer without a body does not say whose it is"
HEALTH: Final = "the echo service in place of api answers /health without its name"
LATE: Final = "api takes at least 1s, and its route gives it 500ms"
SLOW: Final = {"TIMING_50_PERCENTILE": "1s"}


@pytest.mark.parametrize(
    ("route", "asked", "why"),
    [
        (Route(to="v1", path_regex="/a.*"), ["/"], "/a.*: no example is known of what a pattern matches"),
        (Route(to="v1", methods=["HEAD"]), ["/"], f"HEAD /: {BODILESS}"),
        (Route(to="v1", methods=["CONNECT"]), ["/"], f"CONNECT /: {BODILESS}"),
        (Route(to="v1", methods=["TRACE", "POST"]), ["/"], f"TRACE /: {BODILESS}"),
        (Route(to="v1", path_exact="/health"), ["/"], f"/health: {HEALTH}"),
        (Route(to="v1", path_exact="/health", query={"a": "1"}), ["/"], f"/health?a=1: {HEALTH}"),
        (Route(to="v1", path_exact="/a", prefix_rewrite="/health"), ["/"], f"/a: {HEALTH}"),
        (Route(to="v1", path_exact="/health", prefix_rewrite="/a"), ["/", "/health"], None),
        (Route(to="v1", path_prefix="/health"), ["/", "/health/x"], None),
        (Route(to="v1", path_prefix="/", prefix_rewrite="/health"), ["/x"], f"/: {HEALTH}"),
        (Route(to="slow", timeout="500ms"), [], f"/: {LATE}"),
        (Route(to="slow", path_exact="/a", timeout="500ms"), ["/"], f"/a: {LATE}"),
        (Route(to="slow", path_exact="/a", timeout="2s"), ["/", "/a"], None),
        (Route(to="v1", path_exact="/a", timeout="500ms"), ["/", "/a"], None),
    ],
)
def test_a_route_whose_answer_cannot_be_judged_is_not_asked(route: Route, asked: list[str], why: str | None) -> None:
    versions = {"v1": Version(), "v2": Version(), "slow": Version(env=SLOW)}
    api = versioned(versions=versions, split={"v1": 25, "v2": 75}, routes=[route])
    assert asked_and_not(api) == (asked, [why] if why else [])


def test_the_route_that_a_request_takes_decides_whether_it_is_late() -> None:
    versions = {"v1": Version(), "slow": Version(env=SLOW)}
    first, second = Route(to="v1", path_prefix="/a"), Route(to="slow", path_exact="/a/b", timeout="500ms")
    api = versioned(versions=versions, split={"v1": 100}, routes=[first, second])
    assert asked_and_not(api) == (["/", "/a/x", "/a/b"], [])


def test_a_route_waits_for_all_that_is_called_behind_it() -> None:
    web = versioned("web", routes=[Route(to="v1", timeout="1.5s")], upstreams=[Upstream("api", local_port=9200)])
    assert asked_and_not(web, service(env=SLOW)) == (["/"], [])
    assert asked_and_not(replace(web, env=SLOW), service(env=SLOW)) == (
        [],
        ["/: web takes at least 2s, and its route gives it 1.5s"],
    )


def test_health_is_answered_by_the_first_service_that_is_asked_for_it() -> None:
    web = versioned("web", upstreams=[Upstream("api", local_port=9200)])
    api = routed(Route(to="v1", path_exact="/health", prefix_rewrite="/a"))
    why = "/health: the echo service in place of web answers /health without its name"
    assert asked_and_not(web, api) == (["/"], [why])
    around = replace(web, routes=[Route(to="v1", path_exact="/health", prefix_rewrite="/b")])
    assert asked_and_not(around, api) == (["/", "/health"], [])


def test_a_service_is_asked_for_what_the_one_before_has_received() -> None:
    rewrites = [Route(to="v1", path_prefix="/old", prefix_rewrite="/new")]
    web = versioned("web", routes=rewrites, upstreams=[Upstream("api", local_port=9200)])
    api = routed(Route(to="v1", path_prefix="/new"), Route(to="v2", path_prefix="/old"))
    assert asked(environment(web, api, gateways=[entered(Listener(80, "http", to="web"))])) == {
        "/": SPLIT,
        "/new/x": V1,
        "/old/x": V1,
    }


def test_an_upstream_that_nobody_declares_ends_the_chain() -> None:
    assert chain_of(calling("a", "nobody")) == ["a"]


def test_what_the_lab_is_asked() -> None:
    v1, v2 = {"api-v1": 1.0}, {"api-v2": 1.0}
    assert asked(DECLARED["lab"]) == {"/": v2, "/v1/x": v1, "/v2/x": v2, "/?version=v1": v1, "/?version=v2": v2}


def outcome(shares: Mapping[str, float], **answered: int) -> Outcome:
    (probe,) = found(environment(service(), gateways=[entered(HTTP)]))
    probe = Probe(probe.gateway, probe.listener, probe.chain, probe.request, shares)
    return Outcome(probe, Counter({name.replace("_", "-"): count for name, count in answered.items()}))


def test_it_is_well_if_everyones_share_is_as_declared() -> None:
    assert outcome(SPLIT, api_v1=25, api_v2=75).well
    assert outcome(SPLIT, api_v1=33, api_v2=67).well
    assert outcome(V1, api_v1=100).well


def test_it_is_not_well_if_someone_else_answers_or_someone_too_often() -> None:
    assert not outcome(SPLIT, api_v1=75, api_v2=25).well
    assert not outcome(SPLIT, api_v2=100).well
    assert not outcome(SPLIT, api_v1=25, api_v2=74, api=1).well
    assert not outcome(V1, api_v1=99, api_v2=1).well


def exactly(count: int, total: int, part: Fraction, chance: Fraction) -> bool:
    """`plausible` by its definition: neither so few nor so many are too rare."""
    chances = [comb(total, k) * part**k * (1 - part) ** (total - k) for k in range(total + 1)]
    return min(sum(chances[: count + 1]), sum(chances[count:])) > chance / 2


PERCENT: Final = (0, 1, 5, 25, 50, 70, 99, 100)


@pytest.mark.parametrize("chance", [CHANCE, 1e-3, 0.05])
@pytest.mark.parametrize("total", [1, 2, 7, 10, 20, 40])
def test_it_is_the_exact_test_of_a_binomial(total: int, chance: float) -> None:
    for percent in PERCENT:
        by_definition = [
            exactly(count, total, Fraction(percent, 100), Fraction(str(chance))) for count in range(total + 1)
        ]
        assert [plausible(count, total, percent / 100, chance) for count in range(total + 1)] == by_definition


def test_it_can_be_said_no_to() -> None:
    assert [plausible(count, 100, 0.5) for count in (0, 20, 30, 50, 70, 80, 100)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]


@given(st.integers(0, 300), st.integers(0, 300))
def test_nothing_and_everything_are_exact(count: int, total: int) -> None:
    assert plausible(count, total, 0) is (count == 0)
    assert plausible(count, total, 1) is (count == total)


TOTALS: Final = st.integers(1, 500)
WEIGHTS: Final = st.integers(0, 10_000)
"""Percent with two decimals, as a split has them."""


@given(TOTALS, WEIGHTS)
def test_what_is_expected_is_always_plausible(total: int, weight: int) -> None:
    assert plausible(round(total * weight / 10_000), total, weight / 10_000)


@given(TOTALS, WEIGHTS, st.data())
def test_a_share_is_as_plausible_as_the_share_of_the_rest(total: int, weight: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    rest = plausible(total - count, total, (10_000 - weight) / 10_000)
    assert plausible(count, total, weight / 10_000) is rest
