"""What the lab says about Consul is what Consul says: answers that are known, for each step and each way it can end."""

import http.client
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.agent import ConsulAgent
from tests.lab.cases import deadly_cases
from tests.lab.provider import (
    Case,
    Difference,
    Outcome,
    Provider,
    ProviderError,
    clear,
    decode,
    delete,
    parallel,
    plan,
    write,
)

pytestmark = pytest.mark.lab

CLEAN = {"Kind": "service-defaults", "Name": "api", "Protocol": "http", "TransparentProxy": {}}
DRIFTING = {"Kind": "service-defaults", "Name": "api", "Protocol": "http"}
LOSING = {**CLEAN, "UpstreamConfig": {"Defaults": {"passive_health_check": {"MaxFailures": 3}}}, "Protocoll": "grpc"}
PROXY: dict[str, Any] = {
    "Kind": "proxy-defaults",
    "Name": "global",
    "Config": {"protocol": "http"},
    "TransparentProxy": {},
    "AccessLogs": {},
}
SUBSETS = {name: {"Filter": f'Service.Meta.version == "{name}"'} for name in ("v1", "v2")}
RESOLVER = {"Kind": "service-resolver", "Name": "api", "Subsets": SUBSETS}
SPLITS = [{"Weight": weight, "ServiceSubset": subset} for weight, subset in ((90, "v1"), (10, "v2"))]
SPLITTER = {"Kind": "service-splitter", "Name": "api", "Splits": SPLITS}
CHAIN = (PROXY, RESOLVER, SPLITTER)
EDGES = {2: (0, 1)}

# With one worker the seed alone decides, so these are the same orders every time.
SEEDS = range(12)


@pytest.fixture(autouse=True)
def nothing_stays(consul: ConsulAgent) -> Iterator[None]:
    """No case leaves an entry in Consul."""
    yield
    assert [kind for kind in ("proxy-defaults", "service-defaults", "service-resolver") if stored(consul, kind)] == []


def stored(consul: ConsulAgent, kind: str) -> list[Any]:
    connection = http.client.HTTPConnection(consul.address, timeout=60)
    try:
        connection.request("GET", f"/v1/config/{kind}")
        answer: list[Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def test_a_clean_entry(provider: Provider) -> None:
    decoded, written, planned = provider.run(Case([decode(CLEAN), write(CLEAN), plan(CLEAN)]))
    assert decoded.sent is not None
    assert {key: decoded.sent[key] for key in CLEAN} == CLEAN
    assert written == Outcome()
    assert planned == Outcome(clean=True)


def test_a_drifting_entry(provider: Provider) -> None:
    written, planned = provider.run(Case([write(DRIFTING), plan(DRIFTING)]))
    assert written.ok
    assert planned == Outcome(clean=False, difference=(Difference("TransparentProxy", found={}, wanted=None),))


def test_differences_inside_maps_lists_and_pointers(provider: Provider) -> None:
    entry = {
        "Kind": "service-router",
        "Name": "api",
        "Routes": [
            {"Match": {"HTTP": {"PathPrefix": "/"}}},
            {"Match": {"HTTP": {"Methods": ["get"]}}, "Destination": {"RequestTimeout": "3s"}},
        ],
    }
    other = json.loads(json.dumps(entry))
    other["Routes"][0]["Destination"] = {"Service": "web"}
    other["Routes"][1]["Destination"]["RequestTimeout"] = "4s"
    extended = {**PROXY, "Config": {**PROXY["Config"], "a": ["x"]}}
    outcomes = provider.run(
        Case([write(PROXY), write(entry), plan(entry), plan(other), write(extended), plan(extended)])
    )
    assert outcomes[2].difference == (Difference("Routes[1].Match.HTTP.Methods[0]", found="GET", wanted="get"),)
    paths = {each.path: (each.found, each.wanted) for each in outcomes[3].difference}
    assert paths.keys() == {
        "Routes[0].Destination",
        "Routes[1].Match.HTTP.Methods[0]",
        "Routes[1].Destination.RequestTimeout",
    }
    assert paths["Routes[1].Destination.RequestTimeout"] == ("3s", "4s")
    assert outcomes[5].difference == (Difference("Config.a", found="x", wanted=["x"]),)


def test_an_entry_that_is_not_read_by_its_own_name(provider: Provider) -> None:
    entry = {"Kind": "mesh", "Name": "other"}
    written, planned = provider.run(Case([write(entry), plan(entry)]))
    assert written.ok
    assert planned == Outcome(clean=False, difference=(Difference("", found=None, wanted="an entry"),))


def test_lost_keys(provider: Provider) -> None:
    lost = ("Protocoll", "UpstreamConfig.Defaults.passive_health_check")
    decoded, written, planned = provider.run(Case([decode(LOSING), write(LOSING), plan(LOSING)]))
    assert (decoded.lost, written.lost) == (lost, lost)
    assert decoded.sent is not None
    assert "PassiveHealthCheck" not in decoded.sent["UpstreamConfig"]["Defaults"]
    assert planned.clean  # nobody would ever learn of it


@pytest.mark.parametrize(
    ("entry", "stage", "error"),
    [
        (
            {**CLEAN, "Protocol": "https"},
            "write",
            "Unexpected response code: 500 (1 error occurred:\n\t* invalid value",
        ),
        (
            {**SPLITTER, "Splits": [{"Weight": 100}]},
            "write",
            'Unexpected response code: 500 (discovery chain "api" uses a protocol "tcp" that does not permit',
        ),
        (
            {"Kind": "control-plane-request-limit", "Name": "x"},
            "write",
            "Unexpected response code: 400 (Request decoding failed: invalid config entry kind",
        ),
        (
            {**CLEAN, "Partition": "k8s"},
            "write",
            'Unexpected response code: 400 (Request decoding failed: 1 error occurred:\n\t* invalid config key "Partit',
        ),
        ({"Kind": "rate-limit", "Name": "x"}, "decode", "invalid config entry kind: rate-limit"),
        ({**RESOLVER, "ConnectTimeout": "15"}, "decode", "1 error(s) decoding:\n\n* error decoding 'ConnectTimeout'"),
        ({"Name": "x"}, "decode", "Kind is missing"),
        ({"Kind": 1}, "decode", "Kind must be a string"),
        ([CLEAN], "decode", "failed to unmarshal configMap: "),
        (None, "decode", "Kind is missing"),
        ({**CLEAN, "Name": "a\nb"}, "step", "not written: "),
    ],
)
def test_a_refused_entry(provider: Provider, entry: Any, stage: str, error: str) -> None:
    (refused,) = provider.run(Case([write(entry)]))
    assert refused.stage == stage
    assert refused.error is not None
    assert refused.error.startswith(error)


def test_parallel_writes_need_edges(provider: Provider) -> None:
    without = [provider.run(Case([parallel(CHAIN, {}, seed=seed, workers=1)]))[0] for seed in SEEDS]
    assert {None if each.ok else tuple(each.errors) for each in without} == {None, (2,)}
    refused = {each.errors[2].error for each in without if not each.ok}
    assert any('does not have a subset named "v1"' in str(error) for error in refused)
    assert any('discovery chain "api" uses a protocol "tcp"' in str(error) for error in refused)
    for workers in (1, 10):
        cases = [Case([parallel(CHAIN, EDGES, seed=seed, workers=workers), plan(SPLITTER)]) for seed in SEEDS]
        for written, planned in provider.run_many(cases):
            assert written == Outcome()
            assert planned.clean


def test_parallel_deletes_go_backwards(provider: Provider) -> None:
    written = [write(entry) for entry in CHAIN]
    gone = [plan(entry) for entry in CHAIN]
    for seed in SEEDS:
        *_, backwards, first, second, third = provider.run(
            Case([*written, parallel(CHAIN, EDGES, seed=seed, delete=True), *gone])
        )
        assert backwards == Outcome()
        assert [each.difference[0].wanted for each in (first, second, third)] == ["an entry"] * 3
    without = [
        provider.run(Case([*written, parallel(CHAIN, {}, seed=seed, workers=1, delete=True)]))[-1] for seed in SEEDS
    ]
    assert {each.ok for each in without} == {True, False}
    assert {each.errors[index].stage for each in without for index in each.errors} == {"delete"}


def test_what_follows_a_failure_is_skipped(provider: Provider) -> None:
    entries = [{**CLEAN, "Protocol": "https"}, {**CLEAN, "Name": "b"}, {**CLEAN, "Name": "c"}, {**CLEAN, "Name": "d"}]
    (outcome,) = provider.run(Case([parallel(entries, {1: [0], 2: [1], 3: []})]))
    assert not outcome.ok
    assert list(outcome.errors) == [0]
    assert outcome.skipped == (1, 2)


@pytest.mark.parametrize("before", [{0: [1], 1: [0]}, {0: [0]}, {0: [2]}, {-1: [0]}])
def test_edges_that_make_no_sense(provider: Provider, before: dict[int, list[int]]) -> None:
    (outcome,) = provider.run(Case([parallel([CLEAN, PROXY], before)]))
    assert outcome.stage == "step"


def test_delete_in_the_wrong_order_is_refused(provider: Provider) -> None:
    wrong, right, then = delete("service-resolver", "api"), delete("service-splitter", "api"), clear()
    *written, refused, first, second, cleared, planned = provider.run(
        Case([*map(write, CHAIN), wrong, right, wrong, then, plan(PROXY)])
    )
    assert all(each.ok for each in (*written, first, second, cleared))
    assert refused.stage == "delete"
    assert 'does not have a subset named "v1"' in (refused.error or "")
    assert planned.difference == (Difference("", found=None, wanted="an entry"),)


@pytest.mark.parametrize("name", ["a/b", "a/../b", "..", "a//b", "a?b", "a%2Fb", "a b"])
def test_cases_do_not_see_each_other_whatever_the_names(consul: ConsulAgent, provider: Provider, name: str) -> None:
    (written,) = provider.run(Case([write({**CLEAN, "Name": name})]))
    assert written.ok
    assert stored(consul, "service-defaults") == []


def test_a_case_stops_at_the_first_error(provider: Provider) -> None:
    steps = [write(CLEAN), write({**CLEAN, "Protocol": "https"}), plan(CLEAN)]
    assert len(provider.run(Case(steps))) == 3
    assert len(provider.run(Case(steps, stop=True))) == 2


def test_many_cases_keep_their_order_and_may_be_left(provider: Provider) -> None:
    def cases(count: int) -> Iterable[Case]:
        # Large enough to fill every pipe many times over.
        return (Case([decode({**CLEAN, "Name": f"{index}-{'x' * 2000}"})]) for index in range(count))

    for index, (outcome,) in enumerate(provider.run_many(cases(600))):
        assert outcome.sent is not None
        assert outcome.sent["Name"].startswith(f"{index}-")
    left = provider.run_many(cases(600))
    next(left)
    left.close()
    assert provider.run(Case([decode(CLEAN)]))[0].ok


CRASHING = {**PROXY, "Config": {"a": {"b": [None]}}}


def test_the_end_of_consul_is_an_outcome(consul: ConsulAgent, provider: Provider) -> None:
    cases = [Case([write(PROXY), plan(PROXY)]) for _ in range(20)]
    cases[3:3] = [Case([write(CLEAN), write(CRASHING), plan(CLEAN)])] * 2
    first = consul.process
    for number, outcomes in enumerate(provider.run_many(cases)):
        if number in {3, 4}:
            assert [each.stage for each in outcomes] == [None, "crash"]
        else:
            assert outcomes == [Outcome(), Outcome(clean=True)]
    assert consul.process is not first
    (alone,) = provider.run(Case([parallel([CRASHING], {})]))
    assert alone.stage == "crash"
    assert provider.run(Case([write(CLEAN)])) == [Outcome()]


def test_a_lost_consul_is_no_refusal(programs: tuple[Path, Path]) -> None:
    consul, program = programs
    with ConsulAgent(consul) as agent, Provider(agent.address, program) as provider:
        assert provider.run(Case([write(CLEAN)])) == [Outcome()]
        agent.__exit__()
        with pytest.raises(ProviderError, match="Consul does not answer any more"):
            list(provider.run_many([Case([write(CLEAN)]), Case([write(CLEAN)])]))
        with pytest.raises(ProviderError, match="Consul does not answer any more"):
            provider.run(Case([write(CLEAN)]))


@pytest.mark.parametrize("accidents", [[False], [True, False], [True, True]], ids=["none", "one", "always"])
def test_a_case_in_which_consul_ends_is_repeated_after_an_accident(
    programs: tuple[Path, Path], accidents: list[bool]
) -> None:
    deadly = next(case for case in deadly_cases() if case.mutated)
    with ConsulAgent(programs[0]) as consul:
        restarts: list[str] = []

        def restart() -> str:
            restarts.append(consul.restart())
            return restarts[-1]

        left = iter(accidents)
        with Provider(consul.address, programs[1], restart=restart, accident=lambda: next(left)) as provider:
            first, second = provider.run_many([Case([*map(write, deadly.entries)]), Case([write(CLEAN)])])
    assert any(outcome.error for outcome in first)
    assert all(outcome.ok for outcome in second)
    assert len(restarts) == len(accidents) + accidents[-1]
    assert next(left, None) is None
