"""Valid service-intentions, jwt-provider and exported-services entries."""

from typing import Any

from tests.lab.cases import values
from tests.lab.cases.chains import path
from tests.lab.cases.choices import Choices, Json
from tests.lab.cases.values import true
from tests.lab.cases.world import PEERS, World

JWKS = "eyJrZXlzIjogW119"  # {"keys": []}
DISCOVERY_TYPES = ("STRICT_DNS", "STATIC", "LOGICAL_DNS", "EDS", "ORIGINAL_DST")


def _jwt(c: Choices, world: World) -> Json:
    providers = ["absent"] if world.slips(c) or not world.providers else world.providers
    return {
        "Providers": [
            {"Name": name}
            | c.some(
                VerifyClaims=lambda: c.many(
                    lambda: {"Path": c.distinct(("perms", "role", "x")), "Value": c.pick(values.TEXTS)}, 2
                )
            )
            for name in c.distinct(providers, 2)
        ]
    }


def _permission(c: Choices, world: World) -> Json:
    def header() -> Json:
        how = c.one_of(
            Exact=lambda: c.pick(values.TEXTS),
            Present=true,
            Prefix=lambda: c.pick(values.TEXTS),
            Suffix=lambda: c.pick(values.TEXTS),
            Contains=lambda: c.pick(values.TEXTS),
            Regex=lambda: c.pick(values.REGEXES),
        )
        found = {"Name": c.pick(values.HEADER_NAMES)} | how | c.some(Invert=true)
        if not {"Present", "Regex"} & how.keys():
            found |= c.some(IgnoreCase=true)
        return found

    http = (path(c) if c.maybe(75) else {}) | c.some(
        Header=lambda: c.many(header, 2), Methods=lambda: c.distinct(values.METHODS)
    )
    found: Json = {"Action": c.pick(("allow", "deny")), "HTTP": http or {"PathPrefix": "/"}}
    return found | (c.some(JWT=lambda: _jwt(c, world)) if world.providers or world.slips(c) else {})


def _precedence(destination: str, source: str) -> int:
    return (6 if destination == "*" else 9) - (source == "*")


def service_intentions(c: Choices, world: World, name: str) -> Json:
    """Intentions for a service; about half in the server's own spelling and order."""
    layer_7 = name != "*" and world.http_like(name)
    names = c.distinct((*world.services, "*", "web"), 4)
    canonical = c.maybe()
    sources = []
    for source in names:
        found: Json = {"Name": source}
        if (layer_7 or world.slips(c)) and c.maybe():
            found["Permissions"] = c.many(lambda: _permission(c, world))
        else:
            found["Action"] = c.pick(("allow", "deny"))
        if canonical:
            found |= {"Type": "consul", "Precedence": _precedence(name, source)}
        else:
            found |= c.some(Type=lambda: "consul", Precedence=lambda: c.below(10))
        sources.append(found | c.some(Peer=lambda: c.pick(PEERS), Description=lambda: c.pick(("why", "d" * 512))))
    if canonical:
        sources.sort(key=lambda source: -source["Precedence"])
    body: Json = {"Kind": "service-intentions", "Name": name, "Sources": sources}
    return (
        body
        | c.some(Meta=lambda: values.meta(c))
        | (c.some(JWT=lambda: _jwt(c, world)) if world.providers or world.slips(c) else {})
    )


def _remote(c: Choices) -> Json:
    def back_off() -> Json:
        return c.pick(
            (
                {"BaseInterval": "1s", "MaxInterval": "10s"},
                {"BaseInterval": "1s"},
                {"MaxInterval": "10s"},
                {"BaseInterval": "2s", "MaxInterval": "2s"},
            )
        )

    def certificates() -> Json:
        return c.one_of(
            CaCertificateProviderInstance=lambda: c.any_of(
                InstanceName=lambda: "default", CertificateName=lambda: "ROOTCA"
            ),
            TrustedCA=lambda: c.one_of(
                Filename=lambda: "/ca.pem",
                EnvironmentVariable=lambda: "CA",
                InlineString=lambda: "pem",
                InlineBytes=lambda: "cGVt",
            ),
        )

    return {"URI": c.pick(("https://jwks.example.com/keys", "http://10.0.0.1:8080/", "/keys", "x:y"))} | c.some(
        RequestTimeoutMs=lambda: values.count(c),
        CacheDuration=lambda: values.duration(c),
        FetchAsynchronously=true,
        UseSNI=true,
        RetryPolicy=lambda: c.any_of(NumRetries=lambda: values.count(c), RetryPolicyBackOff=back_off),
        JWKSCluster=lambda: c.any_of(
            DiscoveryType=lambda: c.pick(DISCOVERY_TYPES),
            TLSCertificates=certificates,
            ConnectTimeout=lambda: values.duration(c),
        ),
    )


def jwt_provider(c: Choices, name: str) -> Json:
    def location() -> Json:
        return c.one_of(
            Header=lambda: {"Name": "authorization"} | c.some(ValuePrefix=lambda: "Bearer ", Forward=true),
            QueryParam=lambda: {"Name": "token"},
            Cookie=lambda: {"Name": "token"},
        )

    keys = c.one_of(Local=lambda: c.one_of(JWKS=lambda: JWKS, Filename=lambda: "/jwks.json"), Remote=lambda: _remote(c))
    body: dict[str, Any] = {"Kind": "jwt-provider", "Name": name, "JSONWebKeySet": keys}
    if c.maybe(85):
        body["ClockSkewSeconds"] = values.count(c, 60)
    return body | c.some(
        Issuer=lambda: "https://issuer.example.com",
        Audiences=lambda: c.distinct(("a", "b")),
        Locations=lambda: c.many(location, 2),
        Forwarding=lambda: {"HeaderName": "x-jwt"} | c.some(PadForwardPayloadHeader=true),
        CacheConfig=lambda: {"Size": values.count(c)},
        Meta=lambda: values.meta(c),
    )


def exported_services(c: Choices, world: World) -> Json:
    body: Json = {
        "Kind": "exported-services",
        "Name": "default",
        "Services": [
            {"Name": service, "Consumers": [{"Peer": peer} for peer in c.distinct(PEERS, 2)]}
            for service in c.distinct((*world.services, "*"))
        ],
    }
    return body | c.some(Meta=lambda: values.meta(c))
