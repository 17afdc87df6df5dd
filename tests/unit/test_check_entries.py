"""Entries that are written directly, judged with everything else that an environment has."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mesh.check import check, notes
from mesh.config_entry import ConfigEntry
from mesh.consul.entries import (
    ApiGateway,
    HttpRoute,
    JwtProvider,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
)
from mesh.consul.entries.api_gateway import ApiGatewayListener, Certificate, ListenerTls
from mesh.consul.entries.common import MeshGateway
from mesh.consul.entries.http_route import Parent, RouteRule, RouteService
from mesh.consul.entries.service_intentions import HttpPermission, Permission, Source
from mesh.consul.entries.service_resolver import Redirect, Subset
from mesh.consul.entries.service_router import Destination, HttpMatch, Match, Route
from mesh.consul.entries.service_splitter import Split
from mesh.consul.policy import entries
from mesh.findings import Finding
from mesh.model import Acknowledged, Environment, Listener
from mesh.model import ApiGateway as Gateway
from tests.unit.examples import environment, service, versioned


def with_entries(*extra: ConfigEntry, acknowledged: Sequence[Acknowledged] = ()) -> Environment:
    gateway = Gateway("edge", listeners=[Listener(5000, "http", to="web")])
    mesh = environment(versioned(), service("web"), service("db", protocol="tcp"), gateways=[gateway])
    return replace(mesh, extra_entries=extra, acknowledged=acknowledged)


def found(mesh: Environment) -> list[tuple[str, str]]:
    return [(finding.path, finding.rule) for finding in check(mesh)]


def to(service: str, subset: str | None = None, regex: str = "/x") -> ServiceRouter:
    match = Match(http=HttpMatch(path_regex=regex))
    return ServiceRouter(
        name="web", routes=[Route(match=match, destination=Destination(service=service, service_subset=subset))]
    )


def listener(name: str) -> ApiGatewayListener:
    certificate = Certificate(kind="inline-certificate", name=name)
    return ApiGatewayListener(name="https", port=443, protocol="http", tls=ListenerTls(certificates=[certificate]))


@pytest.mark.parametrize(
    ("entry", "path", "rule"),
    [
        (to("api", "v9"), "extra_entries[0].routes[0].destination.service_subset", "subset-missing"),
        (to("db"), "extra_entries[0].routes[0].destination.service", "protocol-mixed"),
        (to("nobody"), "extra_entries[0]", "service-unknown"),
        (ServiceSplitter(name="db", splits=[Split(weight=100)]), "extra_entries[0]", "protocol-not-http"),
        (
            ServiceIntentions(
                name="db",
                sources=[
                    Source(name="web", permissions=[Permission(action="allow", http=HttpPermission(path_prefix="/"))])
                ],
            ),
            "extra_entries[0].sources[0].permissions",
            "intention-protocol",
        ),
        (
            ServiceIntentions(name="db", sources=[Source(name="wbe", action="allow")]),
            "extra_entries[0]",
            "service-unknown",
        ),
        (
            ServiceResolver(name="web", subsets={"v9": Subset(filter='Service.Meta.version == "v9"')}),
            'extra_entries[0].subsets["v9"].filter',
            "subset-without-instances",
        ),
        (
            HttpRoute(name="r", parents=[Parent(name="gone")], rules=[RouteRule(services=[RouteService(name="web")])]),
            "extra_entries[0].parents[0]",
            "route-gateway-missing",
        ),
        (
            HttpRoute(
                name="r",
                parents=[Parent(name="edge", section_name="http-1")],
                rules=[RouteRule(services=[RouteService(name="web")])],
            ),
            "extra_entries[0].parents[0].section_name",
            "route-listener-missing",
        ),
        (
            ApiGateway(name="other", listeners=[listener("gone")]),
            "extra_entries[0].listeners[0].tls.certificates[0]",
            "certificate-missing",
        ),
        (
            ServiceDefaults(name="outside", protocol="tcp", mesh_gateway=MeshGateway(mode="local")),
            "extra_entries[0].mesh_gateway.mode",
            "mesh-gateway-missing",
        ),
    ],
)
def test_what_does_not_fit_the_environment_is_found(entry: ConfigEntry, path: str, rule: str) -> None:
    assert found(with_entries(entry)) == [(path, rule)]


def test_what_fits_is_fine() -> None:
    web = ServiceResolver(name="web", redirect=Redirect(service="outside"))
    outside = ServiceDefaults(name="outside", protocol="http")
    assert not found(with_entries(web, outside))


def test_nonsense_can_be_acknowledged_with_a_reason() -> None:
    meant = Acknowledged("regex-syntax", "service-router/web", "the proxies are patched")
    assert found(with_entries(to("web", regex="("))) == [
        ("extra_entries[0].routes[0].match.http.path_regex", "regex-syntax")
    ]
    assert not found(with_entries(to("web", regex="("), acknowledged=[meant]))


@pytest.mark.parametrize(
    ("entry", "acknowledged"),
    [
        (to("api", "v9"), Acknowledged("subset-missing", "service-router/web", "why not")),
        (to("web"), Acknowledged("regex-syntax", "service-router/web", "not any more")),
        (to("web"), Acknowledged("no-such-rule", "service-router/web", "who knows")),
        (to("web", regex="("), Acknowledged("regex-syntax", "service-router/api", "of another entry")),
    ],
)
def test_what_is_acknowledged_has_to_be_there_and_acknowledgeable(
    entry: ConfigEntry, acknowledged: Acknowledged
) -> None:
    assert ("acknowledged[0]", "acknowledged-unused") in found(with_entries(entry, acknowledged=[acknowledged]))


@pytest.mark.parametrize(
    ("rule", "entry", "fix"),
    [
        ("regex-syntx", "service-router/web", 'remove it; did you mean "regex-syntax"?'),
        ("regex-syntax", "service-router/wbe", 'remove it; did you mean "service-router/web"?'),
        ("regex-syntax", "service-routr/web", 'remove it; did you mean "service-router/web"?'),
        ("path-slash", "service-router/web", "remove it; what Consul refuses cannot be acknowledged"),
    ],
)
def test_a_misspelt_acknowledgement_gets_a_suggestion(rule: str, entry: str, fix: str) -> None:
    mesh = with_entries(to("web", regex="("), acknowledged=[Acknowledged(rule, entry, "why")])
    assert [finding.fix for finding in check(mesh) if finding.rule == "acknowledged-unused"] == [fix]


def test_a_finding_names_the_entry_as_one_acknowledges_it() -> None:
    lower, together = (next(iter(check(with_entries(entry)))) for entry in (to("web", regex="("), to("nobody")))
    assert lower.message.startswith("service-router/web: ")
    assert together.message == 'service-router/web: there is no service "nobody" in this environment'


def test_another_spelling_is_noted_and_written_as_consul_stores_it() -> None:
    http = HttpMatch(path_prefix="/x", methods=["get"])  # type: ignore[list-item]
    router = ServiceRouter(name="web", routes=[Route(match=Match(http=http), destination=Destination(service="web"))])
    mesh = with_entries(router)
    assert not check(mesh)
    (note,) = notes(mesh)
    assert isinstance(note, Finding)
    assert (note.path, note.rule) == ("extra_entries[0].routes[0].match.http.methods[0]", "case-folded")
    assert note.message.startswith("service-router/web: ")
    (written,) = [entry.body() for entry in entries(mesh) if entry.id == router.id]
    assert written["Routes"][0]["Match"]["HTTP"]["Methods"] == ["GET"]


def test_all_problems_of_an_entry_are_found_at_once() -> None:
    router = ServiceRouter(
        name="web",
        routes=[
            Route(
                match=Match(http=HttpMatch(path_prefix="x", path_exact="/x")),
                destination=Destination(service="api", service_subset="v9", request_timeout="15"),
            ),
            Route(match=Match(http=HttpMatch(path_regex="(")), destination=Destination(service="db")),
        ],
    )
    rules = {rule for _, rule in found(with_entries(router))}
    assert rules >= {"path-several", "path-slash", "duration-form", "regex-syntax"}


def test_a_provider_of_tokens_has_to_be_there() -> None:
    from mesh.consul.entries.service_intentions import JwtRequirement, JwtRequirementProvider

    asks = ServiceIntentions(
        name="db",
        jwt=JwtRequirement(providers=[JwtRequirementProvider(name="okta")]),
        sources=[Source(name="web", action="allow")],
    )
    assert found(with_entries(asks)) == [("extra_entries[0].jwt.providers[0].name", "jwt-provider-missing")]
    assert JwtProvider.KIND == "jwt-provider"
