"""jwt-provider: who signs the tokens (JSON Web Tokens) that intentions demand, and where they are in a request.

Source: ``consul@1.22.7 agent/structs/config_entry_jwt_provider.go``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from mesh.config_entry import ConfigEntry
from mesh.consul.entries.common import Count, Duration, between
from mesh.consul.parts import Check, Edition, Mark, Part
from mesh.consul.pem import decode_base64
from mesh.consul.urls import why_no_request_url
from mesh.durations import parse_nanoseconds
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.showing import show

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_jwt_provider.go"
_XDS: Final = "consul@1.22.7 agent/xds/jwt_authn.go, makeRemoteJWKS"

_URI: Final = "https://login.example.com/keys"


def _provider(keys: JsonObject, **fields: object) -> Example:
    return [{"Kind": "jwt-provider", "Name": "login", "JSONWebKeySet": keys, "ClockSkewSeconds": 30, **fields}]


def _local(**fields: object) -> Example:
    return _provider({"Local": fields})


def _remote(**fields: object) -> Example:
    return _provider({"Remote": {"URI": _URI, **fields}})


def _cluster(certificates: JsonObject) -> Example:
    return _remote(JWKSCluster={"TLSCertificates": certificates})


def _located(*locations: JsonObject) -> Example:
    return _provider({"Local": {"Filename": "/etc/jwks.json"}}, Locations=list(locations))


_HEADER: Final[JsonObject] = {"Header": {"Name": "Authorization", "ValuePrefix": "Bearer "}}
_COOKIE: Final[JsonObject] = {"Cookie": {"Name": "token"}}
_NO_KEYS: Final = "eyJrZXlzIjpbXX0="

KEY_SETS: Final = refused(
    "jwt-key-sets",
    what="A provider has not exactly one of a local and a remote key set.",
    why="Consul refuses it: must specify exactly one of Local or Remote JSON Web key set.",
    source=f"{_SOURCE}, JSONWebKeySet.Validate",
    fix="keep one of Local and Remote",
    example=_provider({"Local": {"Filename": "/etc/jwks.json"}, "Remote": {"URI": _URI}}),
    instead=_provider({"Remote": {"URI": _URI}}),
)

LOCAL_KEYS: Final = refused(
    "jwt-local-keys",
    what="A local key set has not exactly one of its text and its file.",
    why="Consul refuses it: must specify exactly one of String or filename for local keyset.",
    source=f"{_SOURCE}, LocalJWKS.Validate",
    fix="keep one of JWKS and Filename",
    example=_local(JWKS=_NO_KEYS, Filename="/etc/jwks.json"),
    instead=_local(Filename="/etc/jwks.json"),
)

KEYS_BASE64: Final = refused(
    "jwt-keys-base64",
    what="The text of a local key set is not in base64.",
    why="Consul refuses it: JWKS must be valid base64 encoded string.",
    source=f"{_SOURCE}, LocalJWKS.Validate",
    fix="encode the JSON of the key set in standard base64, with padding",
    example=_local(JWKS='{"keys":[]}'),
    instead=_local(JWKS=_NO_KEYS),
)

KEYS_FORM: Final = stricter(
    "jwt-keys-form",
    what="The text of a local key set is no JSON Web Key Set.",
    why="Consul does not look into it, and Envoy refuses the listener of every service that demands a token.",
    source=f"{_SOURCE}, LocalJWKS.Validate (not checked there); RFC 7517",
    fix='encode a JSON object with the list "keys"',
    example=_local(JWKS="c2VjcmV0"),
    instead=_local(JWKS=_NO_KEYS),
)

KEYS_URI: Final = refused(
    "jwt-keys-uri",
    what="The address of a remote key set is none.",
    why='Consul refuses it: Remote JWKS URI is invalid: parse "keys": invalid URI for request.',
    source=f"{_SOURCE}, RemoteJWKS.Validate; Go's net/url, ParseRequestURI",
    fix="write an address such as https://login.example.com/keys",
    example=_provider({"Remote": {"URI": "login.example.com/keys"}}),
    instead=_provider({"Remote": {"URI": _URI}}),
)

KEYS_ADDRESS: Final = stricter(
    "jwt-keys-address",
    what="The address of a remote key set is more or less than http or https, a host, and perhaps a port and a path.",
    why="Consul accepts it, and Envoy has no host to get the keys from, or ignores the user or fragment.",
    source="consul@1.22.7 agent/xds/clusters.go, makeJWTProviderCluster (not checked)",
    fix="write an address such as https://login.example.com/keys",
    example=_provider({"Remote": {"URI": "/keys"}}),
    instead=_provider({"Remote": {"URI": _URI}}),
)

SECONDS_CUT: Final = stricter(
    "jwt-seconds-cut",
    what="A time limit for getting keys is no whole number of seconds.",
    why="Consul gives Envoy whole seconds and drops the rest: 500 ms are no limit at all.",
    source=f"{_XDS}; clusters.go, makeJWTProviderCluster",
    fix="use a multiple of a second",
    example=_remote(RequestTimeoutMs=1500),
    instead=_remote(RequestTimeoutMs=2000),
)

CACHE_DURATION: Final = stricter(
    "jwt-cache-duration",
    what="The time for which keys are kept is set.",
    why="Consul 1.22 takes its nanoseconds for seconds: keys that were changed or revoked hold for years, or Envoy "
    "refuses the listener.",
    source=f"{_XDS} (cacheDuration)",
    fix="leave it out, for Envoy's 10 minutes",
    example=_remote(CacheDuration="5m"),
    instead=_remote(),
)

BACKOFF: Final = refused(
    "jwt-backoff",
    what="The longest wait between attempts is shorter than the first one.",
    why="Consul refuses it: retry policy backoff's MaxInterval should be greater or equal to BaseInterval.",
    source=f"{_SOURCE}, RetryPolicyBackOff.Validate",
    fix="raise MaxInterval, or lower BaseInterval",
    example=_remote(RetryPolicy={"RetryPolicyBackOff": {"BaseInterval": "10s", "MaxInterval": "1s"}}),
    instead=_remote(RetryPolicy={"RetryPolicyBackOff": {"BaseInterval": "1s", "MaxInterval": "10s"}}),
)

TRUST: Final = refused(
    "jwt-trust",
    what="The certificates for a remote key set have not exactly one of a provider instance and a trusted CA.",
    why="Consul refuses it: must specify exactly one of: CaCertificateProviderInstance or TrustedCA for JKWS' "
    "TLSCertificates.",
    source=f"{_SOURCE}, JWKSTLSCertificate.Validate",
    fix="keep one of CaCertificateProviderInstance and TrustedCA",
    example=_cluster({"CaCertificateProviderInstance": {}, "TrustedCA": {"Filename": "/etc/ca.pem"}}),
    instead=_cluster({"TrustedCA": {"Filename": "/etc/ca.pem"}}),
)

TRUSTED_CA: Final = refused(
    "jwt-trusted-ca",
    what="A trusted CA has not exactly one source.",
    why="Consul refuses it: must specify exactly one of: Filename, EnvironmentVariable, InlineString or InlineBytes "
    "for JWKS' TrustedCA.",
    source=f"{_SOURCE}, JWKSTLSCertTrustedCA.Validate",
    fix="keep one of Filename, EnvironmentVariable and InlineString",
    example=_cluster({"TrustedCA": {"Filename": "/etc/ca.pem", "EnvironmentVariable": "CA"}}),
    instead=_cluster({"TrustedCA": {"Filename": "/etc/ca.pem"}}),
)

LOCATION: Final = refused(
    "jwt-location",
    what="A location of tokens is not exactly one of a header, a query parameter and a cookie.",
    why="Consul refuses it: must set exactly one of: JWT location header, query param or cookie.",
    source=f"{_SOURCE}, JWTLocation.Validate",
    fix="make each its own location",
    example=_located({**_HEADER, **_COOKIE}),
    instead=_located(_HEADER, _COOKIE),
)

CLOCK_SKEW_ZERO: Final = refused(
    "clock-skew-zero",
    what="The clocks are said to differ by 0 seconds.",
    why="Consul makes it 30, which shows as a difference in every plan.",
    source=f"{_SOURCE}, JWTProviderConfigEntry.Normalize",
    fix="leave it out for 30, or write 1",
    example=_provider({"Remote": {"URI": _URI}}, ClockSkewSeconds=0),
    instead=_provider({"Remote": {"URI": _URI}}, ClockSkewSeconds=1),
)

_MOST_SECONDS: Final = 2**31 - 1
_SECOND_NS: Final = 10**9
_SECOND_MS: Final = 1000

_ADDRESS: Final = re.compile(
    r"https?://(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][^#\s]*)?",
    re.IGNORECASE,
)


def _nanoseconds(time: str | None) -> int:
    """A length of time that was read; 0 for none."""
    return parse_nanoseconds(time) or 0 if time else 0


class LocalJwks(Part):
    """Keys that are known, as text or as a file.

    Attributes:
        jwks: The JSON Web Key Set in base64 (RFC 4648, section 4, with padding).
        filename: Path of a file with the set, on the machine of every sidecar that needs it.
    """

    jwks: str | None = None
    filename: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That there is one of both, and what the text holds."""
        if bool(self.jwks) == bool(self.filename):
            yield LOCAL_KEYS(at, "both are said" if self.jwks else "neither is said")
        if not self.jwks:
            return
        text = decode_base64(self.jwks.encode())
        if text is None:
            yield KEYS_BASE64(at / "jwks", "the text is not in standard base64")
        elif not _is_key_set(text):
            yield KEYS_FORM(at / "jwks", 'the text is no JSON object with the list "keys"')


def _is_key_set(text: bytes) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("keys"), list)


class RetryPolicyBackOff(Part):
    """How long to wait between attempts.

    Attributes:
        base_interval: Before the second attempt; Envoy's 1 s when left out.
        max_interval: At most; ten times ``base_interval`` when left out.
    """

    base_interval: Duration | None = None
    max_interval: Duration | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Their order."""
        most = _nanoseconds(self.max_interval)
        if most and _nanoseconds(self.base_interval) > most:
            yield BACKOFF(at / "max_interval", f"{self.max_interval} is less than {self.base_interval or '0s'}")


class RetryPolicy(Part):
    """How often keys are asked for again; 0 times without one.

    Attributes:
        num_retries: At most.
        retry_policy_back_off: How long to wait in between; Envoy's 1 s to 10 s when left out.
    """

    num_retries: Count | None = None
    retry_policy_back_off: RetryPolicyBackOff | None = None


class ProviderInstance(Part):
    """An instance of Envoy's certificate providers.

    Attributes:
        instance_name: ``default`` when left out.
        certificate_name: Which of its certificates; empty when left out.
    """

    instance_name: str | None = None
    certificate_name: str | None = None


class TrustedCa(Part):
    """The CA of the server with the keys, from one source.

    Attributes:
        filename: Path of a PEM file on the machine of every sidecar that needs it.
        environment_variable: Name of a variable of the sidecar that holds the PEM.
        inline_string: The PEM itself.
    """

    DROPPED: ClassVar[Mapping[str, str]] = {
        "InlineBytes": "it would take the text for the bytes, and encode it again in every plan; use InlineString"
    }

    filename: str | None = None
    environment_variable: str | None = None
    inline_string: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That there is one source."""
        said = sum(map(bool, (self.filename, self.environment_variable, self.inline_string)))
        if said != 1:
            yield TRUSTED_CA(at, f"{said} sources are said")


class TlsCertificates(Part):
    """Whom to trust. Empty objects mean something here: ``ca_certificate_provider_instance`` has defaults."""

    ca_certificate_provider_instance: Annotated[ProviderInstance | None, Mark.POINTER] = None
    trusted_ca: Annotated[TrustedCa | None, Mark.POINTER] = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That there is one of both."""
        if (self.ca_certificate_provider_instance is None) == (self.trusted_ca is None):
            yield TRUST(at, "neither is said" if self.trusted_ca is None else "both are said")


class JwksCluster(Part):
    """How Envoy gets to the server with the keys.

    Attributes:
        discovery_type: How its address is found; ``STRICT_DNS`` when left out.
        tls_certificates: Whom to trust. Without, no certificate is verified.
        connect_timeout: In whole seconds; 5 s when left out.
    """

    discovery_type: Literal["STRICT_DNS", "STATIC", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"] | None = None
    tls_certificates: Annotated[TlsCertificates | None, Mark.POINTER] = None
    connect_timeout: Duration | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That the time has whole seconds."""
        nanoseconds = _nanoseconds(self.connect_timeout)
        if nanoseconds > 0 and nanoseconds % _SECOND_NS:
            yield SECONDS_CUT(at / "connect_timeout", f"{self.connect_timeout} has a part of a second")


class RemoteJwks(Part):
    """Keys that a server publishes.

    Attributes:
        uri: Where, with ``https`` or ``http``.
        request_timeout_ms: Milliseconds for one attempt, whole seconds; no limit when left out.
        cache_duration: For how long keys are kept; Envoy's 10 minutes when left out. Consul 1.22 gets it wrong.
        fetch_asynchronously: Whether the listener starts before the keys are there.
        use_sni: Whether TLS names the host that is meant, which most servers need.
        retry_policy: When asking fails.
        jwks_cluster: How to get there.
    """

    uri: Annotated[str, Check(KEYS_URI, lambda uri: why_no_request_url(uri) is None, "an address")]
    request_timeout_ms: Count | None = None
    cache_duration: Duration | None = None
    fetch_asynchronously: bool | None = None
    use_sni: bool | None = None
    retry_policy: RetryPolicy | None = None
    jwks_cluster: JwksCluster | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The address and the times."""
        if self.uri and why_no_request_url(self.uri) is None and not _ADDRESS.fullmatch(self.uri):
            yield KEYS_ADDRESS(at / "uri", f"{show(self.uri)} is not only http or https, a host and a path")
        if self.request_timeout_ms and self.request_timeout_ms > 0 and self.request_timeout_ms % _SECOND_MS:
            yield SECONDS_CUT(at / "request_timeout_ms", f"{self.request_timeout_ms} ms have a part of a second")
        if _nanoseconds(self.cache_duration) > 0:
            message = f"{self.cache_duration} becomes as many seconds as it has nanoseconds"
            yield CACHE_DURATION(at / "cache_duration", message)


class JsonWebKeySet(Part):
    """The keys that sign tokens: ``local`` or ``remote``."""

    local: Annotated[LocalJwks | None, Mark.POINTER] = None
    remote: RemoteJwks | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That there is one of both."""
        if (self.local is None) == (self.remote is None):
            yield KEY_SETS(at, "neither is said" if self.local is None else "both are said")


class LocationHeader(Part):
    """A request header with the token.

    Attributes:
        name: Of the header.
        value_prefix: What stands before the token, such as ``"Bearer "``.
        forward: Whether the service gets the header, too. Envoy has this once per provider: the last location counts.
    """

    name: str
    value_prefix: str | None = None
    forward: bool | None = None


class LocationQueryParam(Part):
    """A query parameter with the token."""

    name: str


class LocationCookie(Part):
    """A cookie with the token."""

    name: str


class Location(Part):
    """A place in a request; exactly one of the three."""

    header: LocationHeader | None = None
    query_param: LocationQueryParam | None = None
    cookie: LocationCookie | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That there is one of the three."""
        said = sum(each is not None for each in (self.header, self.query_param, self.cookie))
        if said != 1:
            yield LOCATION(at, f"{said} places are said")


class Forwarding(Part):
    """How the service gets a verified token.

    Attributes:
        header_name: The header with its payload, in base64 for URLs.
        pad_forward_payload_header: Whether with padding.
    """

    header_name: str
    pad_forward_payload_header: bool | None = None


class CacheConfig(Part):
    """How many verified tokens are remembered; none when left out. Consul 1.22 does not give it to Envoy."""

    size: Count | None = None


class JwtProvider(ConfigEntry):
    """A ``jwt-provider`` entry. It must be there before an intention refers to it, and stay as long.

    Attributes:
        json_web_key_set: The keys that sign its tokens.
        issuer: What the claim ``iss`` must be; anything when left out.
        audiences: Of which one must be in the claim ``aud``; anything when left out.
        locations: Where a request has its token; ``Authorization: Bearer`` and the query parameter ``access_token``
            when left out.
        forwarding: How the service gets it.
        clock_skew_seconds: By how much clocks may differ, from 1. The server makes 30 of none, so it is always said.
            Consul 1.22 does not give it to Envoy, whose own limit is 60 s.
        cache_config: How many verified tokens are remembered.
    """

    KIND: ClassVar[str] = "jwt-provider"

    json_web_key_set: Annotated[JsonWebKeySet, Mark.POINTER]
    issuer: str | None = None
    audiences: Sequence[str] = ()
    locations: Sequence[Annotated[Location, Mark.POINTER]] = ()
    forwarding: Forwarding | None = None
    clock_skew_seconds: Annotated[
        int,
        Check(CLOCK_SKEW_ZERO, lambda seconds: seconds != 0, "a number from 1"),
        between(1, _MOST_SECONDS, "a number from 1"),
    ] = 30
    cache_config: CacheConfig | None = None
