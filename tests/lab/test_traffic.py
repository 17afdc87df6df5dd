"""Requests through real proxies are answered by whom the declaration says, and refused where it says so."""

import json
import re
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from cryptography import x509

from mesh.lab.errors import LabError
from mesh.lab.lab import Lab
from mesh.lab.probes import plausible
from mesh.lab.requests import Request, Target, share
from mesh.model import CircuitBreaker, Upstream, Version
from tests.lab import shop
from tests.lab.running import answered, changed, door, eventually, folder_of, instances, running, silent, version

pytestmark = pytest.mark.lab

NAME = "test-traffic"


@pytest.fixture(scope="module")
def lab(lab_ready: None) -> Iterator[Lab]:  # noqa: ARG001  or there is none
    with running(shop.shop(NAME)) as started:
        yield started


@pytest.fixture(scope="module")
def target(lab: Lab) -> Target:
    return door(lab)


def versions(target: Target, request: Request, count: int = 40) -> dict[str, int]:
    """How many of the requests each version answered."""
    found: Counter[str] = Counter()
    for who, number in share(target, request, count).items():
        found[version(who)] += number
    return dict(found)


@pytest.mark.parametrize(
    ("request_", "who"),
    [
        (Request("/"), "api-v2"),
        (Request("/v1"), "api-v1"),
        (Request("/v1/x"), "api-v1"),
        (Request("/v10"), "api-v1"),
        (Request("/v2/x"), "api-v2"),
        (Request("/exactly"), "api-v1"),
        (Request("/exactly/not"), "api-v2"),
        (Request("/items/17"), "api-v1"),
        (Request("/items/x"), "api-v2"),
        (Request("/", {"version": "v1"}), "api-v1"),
        (Request("/", {"version": "v2"}), "api-v2"),
        (Request("/", {"version": "v10"}), "api-v2"),
        (Request("/anywhere", {"a": "b", "version": "v1"}), "api-v1"),
        (Request("/", headers={"x-version": "v1"}), "api-v1"),
        (Request("/", headers={"X-Version": "v1"}), "api-v1"),
        (Request("/", headers={"x-version": "v2"}), "api-v2"),
        (Request("/posted", method="POST"), "api-v1"),
        (Request("/posted"), "api-v2"),
        # The first route that matches wins.
        (Request("/v1/x", {"version": "v2"}), "api-v1"),
        (Request("/v2/x", {"version": "v1"}, {"x-version": "v1"}), "api-v2"),
        (Request("/", {"version": "v2"}, {"x-version": "v1"}), "api-v2"),
    ],
    ids=str,
)
def test_a_request_is_answered_by_the_version_of_the_first_route_that_matches(
    target: Target, request_: Request, who: str
) -> None:
    assert versions(target, request_) == {who: 40}


def test_path_and_query_arrive_as_they_were_sent(target: Target) -> None:
    answer = target.send(Request("/v1/a%20b", {"q": "x y", "version": "v2"})).json()
    assert (answer["name"], answer["uri"]) == ("web", "/v1/a%20b?q=x+y&version=v2")


@pytest.mark.parametrize("split", [{"v1": 90, "v2": 10}, {"v1": 50, "v2": 50}, {"v1": 0.5, "v2": 99.5}], ids=str)
def test_the_split_is_what_is_declared(lab: Lab, split: dict[str, float]) -> None:
    count = 1000
    with changed(lab, shop.shop(NAME, api=shop.api(split=split, routes=shop.WITH_ARRIVED)), shop.ARRIVED) as other:
        found = versions(door(other), Request("/shared"), count)
    assert found.keys() <= {"api-v1", "api-v2"}
    shares = {name: plausible(found.get(f"api-{name}", 0), count, weight / 100) for name, weight in split.items()}
    assert all(shares.values()), f"declared {split}, answered {found}"


def test_nothing_reaches_a_version_without_a_share(target: Target) -> None:
    assert versions(target, Request("/shared"), 500) == {"api-v2": 500}


def test_a_version_without_instances_fails_over_and_takes_over_again(lab: Lab, target: Target) -> None:
    nomad = lab.clusters()[0].nomad
    assert versions(target, Request("/v1/x")) == {"api-v1": 40}
    nomad.request("DELETE", "/v1/job/api-v1")
    try:
        eventually(
            "v2 answers for v1",
            lambda: versions(target, Request("/v1/x"), 10),
            well=lambda found: found == {"api-v2": 10},
            seconds=30,
        )
        assert versions(target, Request("/v1/x")) == {"api-v2": 40}
    finally:
        lab.apply(silent)
    eventually(
        "v1 answers for itself",
        lambda: versions(target, Request("/v1/x"), 10),
        well=lambda found: found == {"api-v1": 10},
    )


def test_a_version_is_withdrawn_in_two_steps_as_the_hazards_say(lab: Lab) -> None:
    unused = shop.shop(NAME, api=shop.api(split={"v2": 100}, routes=()))
    gone = shop.shop(NAME, api=shop.api(versions={"v2": Version()}, split={}, routes=()))
    assert [str(hazard.entry) for hazard in Lab(gone, lab.root).hazards()] == ["service-resolver/api"]
    with changed(lab, unused, Request("/v1/x")):
        other = Lab(gone, lab.root)
        assert not other.hazards()
        other.apply(silent)
        target = door(other)
        assert instances(other, "api-v1") == []
        assert versions(target, Request("/v1/x"), 100) == {"api-v2": 100}


# Who may call whom


def asked(lab: Lab, request: Request) -> dict[str, int]:
    """What the stranger is told by each service that it calls."""
    [allocation] = instances(lab, "caller")
    nomad = lab.clusters()[0].nomad
    address = nomad.get(f"/v1/allocation/{allocation['ID']}")["NetworkStatus"]["Address"]
    calls = Target(nomad.node, address, shop.CALLER_PORT).send(request).json()["upstream_calls"]
    return {name: calls[uri]["code"] for name, uri in shop.CALLER_UPSTREAMS.items()}


def test_who_is_not_declared_as_a_caller_is_refused(lab: Lab) -> None:
    assert asked(lab, Request("/public"))["api"] == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("/public"), HTTPStatus.OK),
        (Request("/public/x", {"a": "b"}), HTTPStatus.OK),
        (Request("/public", method="POST"), HTTPStatus.FORBIDDEN),
        (Request("/private"), HTTPStatus.FORBIDDEN),
        (Request("/"), HTTPStatus.FORBIDDEN),
    ],
    ids=str,
)
def test_an_intention_lets_through_what_its_permissions_say(lab: Lab, request_: Request, status: HTTPStatus) -> None:
    eventually("the answer", lambda: asked(lab, request_)["stock"], well=lambda found: found == status)


def sidecar(lab: Lab, service: str) -> tuple[str, int]:
    """Where a sidecar of a service listens for others."""
    [found, *_] = lab.clusters()[0].consul.get(f"/v1/health/service/{service}-sidecar-proxy?passing")
    return found["Service"]["Address"] or found["Node"]["Address"], found["Service"]["Port"]


def test_a_sidecar_does_not_speak_without_tls(lab: Lab) -> None:
    consul = lab.clusters()[0].consul
    host, port = sidecar(lab, "api")
    consul.node.connect(host, port, 5.0).close()  # it listens
    answer = Target(consul.node, host, port).send(Request())
    assert answer.status == 0, f"plain HTTP is answered: {answer}"
    assert re.search("closed|reset", answer.body), answer


def handshake(lab: Lab, service: str, tmp_path: Path, client: str | None) -> tuple[dict[str, Any], bytes]:
    """Speaks HTTP over TLS to a sidecar, as a client of the mesh or none; returns who it is and what it says."""
    consul = lab.clusters()[0].consul
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    roots = consul.get("/v1/connect/ca/roots")["Roots"]
    context.load_verify_locations(cadata="".join(root["RootCert"] for root in roots))
    if client:
        leaf = consul.get(f"/v1/agent/connect/ca/leaf/{client}")
        pair = tmp_path / "leaf.pem"
        pair.write_text(leaf["CertPEM"] + leaf["PrivateKeyPEM"])
        context.load_cert_chain(pair)
    host, port = sidecar(lab, service)
    with context.wrap_socket(consul.node.connect(host, port, 5.0)) as stream:
        certificate = x509.load_der_x509_certificate(stream.getpeercert(binary_form=True) or b"")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        stream.sendall(b"GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n")
        return {"uris": uris, "trust_domain": consul.get("/v1/connect/ca/roots")["TrustDomain"]}, stream.recv(65536)


def test_a_sidecar_refuses_a_client_without_a_certificate_of_the_mesh(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError), match=r"(?i)certificate required|reset|EOF"):
        handshake(lab, "api", tmp_path, None)


def test_a_sidecar_proves_who_it_is_and_asks_who_calls(lab: Lab, tmp_path: Path) -> None:
    names, answer = handshake(lab, "api", tmp_path, "web")
    assert names["uris"] == [f"spiffe://{names['trust_domain']}/ns/default/dc/dc1/svc/api"]
    assert b"HTTP/1.1 200" in answer, answer
    _, answer = handshake(lab, "api", tmp_path, "caller")
    assert b"HTTP/1.1 403" in answer, answer


# Failures


def failing(lab: Lab, status: int) -> Path:
    """The file that makes the first instance of v1 fail with a status."""
    [first] = [each for each in instances(lab, "api-v1") if each["Name"].endswith("[0]")]
    file = folder_of(lab, first) / shop.FAULT_FILE
    file.write_text(str(status))
    return file


def test_a_circuit_breaker_takes_a_failing_instance_out_and_back_in(lab: Lab) -> None:
    breaker = CircuitBreaker(interval="500ms", max_failures=3, max_ejection=100, base_ejection="5s")
    web = shop.web(upstreams=[Upstream("api", local_port=9091, circuit_breaker=breaker)])
    # With a failover, Envoy would give the other version a share as soon as half of the instances are out.
    alone = {**shop.VERSIONS, "v1": replace(shop.VERSIONS["v1"], failover=None)}
    api = shop.api(versions=alone, routes=shop.WITH_ARRIVED)
    with changed(lab, shop.shop(NAME, api=api, web=web), shop.ARRIVED) as other:
        target, request = door(other), Request("/v1/x")
        both = {"api-v1-0", "api-v1-1"}
        eventually("both answer", lambda: set(share(target, request, 20)), well=lambda found: found == both)
        seen: Counter[str] = Counter()

        def asked_in_turn() -> Counter[str]:
            found = share(target, request, 50, workers=1)
            seen.update(found)
            return found

        fault = failing(other, 500)
        try:
            # While both are in, each gets every other request. Each time that it is out, it is out for longer.
            eventually(
                "the failing instance is out",
                asked_in_turn,
                well=lambda found: found == {"api-v1-1": 50},
                seconds=60,
            )
        finally:
            fault.unlink()
        eventually(
            "both answer again", lambda: set(share(target, request, 20)), well=lambda found: found == both, seconds=60
        )
        assert any(who.startswith("500") for who in seen), "nothing failed, so nothing was shown"


def test_a_retried_route_hides_a_failing_instance(lab: Lab, target: Target) -> None:
    fault = failing(lab, 503)
    try:
        eventually(
            "an unretried route shows it",
            lambda: share(target, Request("/v1/x"), 20, workers=1),
            well=lambda found: any(who.startswith("500") for who in found),
        )
        # One after the other: among requests at the same time, Envoy may choose the same instance again and again.
        assert share(target, Request("/retried"), 100, workers=1) == {"api-v1-1": 100}
    finally:
        fault.unlink()


def test_a_route_has_its_own_timeout(target: Target) -> None:
    [call] = target.send(Request("/slow")).json()["upstream_calls"].values()
    assert (call["code"], call["body"]) == (HTTPStatus.GATEWAY_TIMEOUT, "upstream request timeout")
    assert target.send(Request("/patient")).who == "api-slow"


# Gateways and logs


def test_a_listener_answers_its_host_names_only(lab: Lab) -> None:
    named = door(lab, shop.NAMED_DOOR)
    answered(named, Request(headers={"Host": shop.HOST}))
    assert named.send(Request(headers={"Host": "other.example"})).status == HTTPStatus.NOT_FOUND
    assert named.send(Request()).status == HTTPStatus.NOT_FOUND
    assert door(lab).send(Request(headers={"Host": "other.example"})).well


def test_every_proxy_logs_a_request_as_json(lab: Lab, target: Target) -> None:
    path = f"/v1/{time.time_ns()}"
    assert target.send(Request(path)).well
    logs = [log for name, log in lab.logs().items() if name.endswith("/stdout")]

    def lines() -> list[dict[str, Any]]:
        texts = (log.read_text(errors="replace") for log in logs)
        found = (line for text in texts for line in text.splitlines(keepends=True) if path in line)
        return [json.loads(line) for line in found if line.endswith("\n")]  # the last one may be half written

    # The gateway, web's sidecar on its way in and out, and api's sidecar. Envoy writes its log every ten seconds.
    found = eventually("four lines", lines, well=lambda lines: len(lines) >= 4, seconds=30)
    assert [(line["method"], line["path"], line["response_code"]) for line in found] == [("GET", path, 200)] * 4


def test_a_second_apply_has_nothing_to_do(lab: Lab) -> None:
    said: list[str] = []
    assert lab.apply(said.append) == 0
    assert said == []


def test_an_apply_ends_when_the_catalog_knows_what_the_agents_know(lab: Lab) -> None:
    consul = lab.clusters()[0].consul
    [instance] = consul.get("/v1/health/service/api-gateway")
    check = next(check for check in instance["Checks"] if check["ServiceID"])

    def write(status: str) -> None:
        """Past the agent, who tells its own servers otherwise only in a minute or two."""
        body = {"Node": check["Node"], "SkipNodeUpdate": True, "Check": {**check, "Status": status}}
        consul.request("PUT", "/v1/catalog/register", body)

    write("critical")
    later = Timer(2, write, ["passing"])
    later.start()
    with pytest.raises(LabError, match="no instance of api-gateway is healthy"):
        door(lab)
    said = f"api-gateway: {check['Name']}: passing, but the catalog does not say so yet"
    assert [line for line, well in lab.status() if not well] == [said]
    told: list[str] = []
    assert lab.apply(told.append) == 0
    assert later.finished.is_set()
    assert told == ["not in Consul's catalog: 1; waiting"]
    door(lab)


def test_what_is_not_declared_any_more_goes(lab: Lab) -> None:
    less = shop.shop(NAME, extra_entries=[], extra_jobs=[])
    said: list[str] = []
    Lab(less, lab.root).apply(said.append)
    try:
        assert said[:2] == ["remove service-intentions/stock", "remove job caller"]
    finally:
        lab.apply(said.append)
