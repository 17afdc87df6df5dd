"""What a team says about a service: where it runs, its versions, who it calls, how traffic is routed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from mesh.model.types import STRICT, Count, DnsLabel, EnvVars, Image, ServiceName, VersionName, Weight
from mesh.scalars import Duration, HttpPath, Method, Percent, Port, Protocol

_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Nomad:
    """Runs on the VMs, as a Nomad job with an Envoy sidecar in a bridge network.

    Attributes:
        count: Instances of each version; a version may say otherwise.
        cpu: MHz reserved for the application task of one instance.
        memory: MiB reserved for it.
        peer: The peered cluster it runs in; the mesh's own when not given.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    count: Count = 1
    cpu: Annotated[int, Field(ge=1)] = 100
    memory: Annotated[int, Field(ge=10)] = 64
    peer: DnsLabel | None = None


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Runs on AKS, as a Deployment whose pods get a Consul dataplane sidecar.

    Attributes:
        count: Pods of each version; a version may say otherwise.
        namespace: Kubernetes namespace, created with the release. Not the namespace of the Consul chart: uninstalling
            that would take the services along.
        cpu: Millicores requested for the application container of one pod.
        memory: MiB requested for it, and its limit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    count: Count = 1
    namespace: DnsLabel = "demo"
    cpu: Annotated[int, Field(ge=1)] = 100
    memory: Annotated[int, Field(ge=16)] = 64


Runtime = Nomad | Kubernetes


@dataclass(frozen=True, slots=True)
class Health:
    """How an instance is judged healthy.

    Attributes:
        path: HTTP path that answers without calling upstreams, so that one broken upstream does not take its callers
            out of service. Used by ``http`` and ``http2`` services, over HTTP/1.1. A ``grpc`` service answers gRPC's
            health protocol on Nomad; on Kubernetes, and for ``tcp``, only its port is dialled, if at all.
        interval: Time between two checks; Nomad refuses less than a second.
        timeout: Time after which a check has failed.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    path: HttpPath = "/health"
    interval: Duration = "10s"
    timeout: Duration = "3s"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a service: a job (or Deployment) of its own, found by the subset of the same name.

    Attributes:
        image: Container image; the service's own when not given.
        env: Added to the service's ``env``; wins over it.
        count: Instances; the runtime's ``count`` when not given.
        failover: The version that answers while this one has no healthy instance; nobody, when not given. Once circuit
            breakers leave less than 72 % of this one's instances, Envoy gives it a share already.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    image: Image | None = None
    env: EnvVars = field(default_factory=dict)
    count: Count | None = None
    failover: VersionName | None = None


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Takes an instance out of the caller's load balancing after failures in a row (Envoy's outlier detection).

    Attributes:
        interval: Time between two sweeps.
        max_failures: Consecutive 5xx answers that eject an instance.
        enforcing: Chance in percent that a detected instance is really ejected. Said explicitly, because Consul and
            Envoy disagree about the default.
        max_ejection: Largest share of the instances that may be ejected, in percent; Envoy's 10 (but at least one)
            when not given.
        base_ejection: Length of the first ejection; Envoy's 30 s when not given.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    interval: Duration
    max_failures: Annotated[int, Field(ge=1, le=2**32 - 1)]
    enforcing: Percent = 100
    max_ejection: Percent | None = None
    base_ejection: Duration | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that this one calls, through its own sidecar on ``localhost``.

    From it follow the sidecar's listener, the intention that allows the call, and, between partitions or clusters, the
    export.

    Attributes:
        service: Name of the called service.
        local_port: Port on the loopback of the caller, unique among its upstreams.
        circuit_breaker: When the caller stops calling a failing instance; never, when not given.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    service: ServiceName
    _: KW_ONLY
    local_port: Port
    circuit_breaker: CircuitBreaker | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """How often the caller's sidecar repeats a failed request."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    attempts: Annotated[int, Field(ge=1, le=100)]
    _: KW_ONLY
    on_connect_failure: bool = True
    on_status_codes: Sequence[Annotated[int, Field(ge=100, le=599)]] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Sends requests that match to one version, past the split. The first route that matches wins.

    All given conditions must hold. A path prefix ``/v1`` also matches ``/v10``; the path is forwarded unchanged unless
    ``prefix_rewrite`` says otherwise.

    Attributes:
        to: The version that answers.
        path_prefix: At most one of the three path conditions.
        path_exact: As above.
        path_regex: As above, in RE2 syntax.
        query: Query parameters and their exact values.
        headers: Request headers and their exact values.
        methods: HTTP methods; all when empty.
        prefix_rewrite: Replaces the matched prefix or exact path.
        timeout: Longest time for the whole request.
        retry: How failed requests are repeated.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    to: VersionName
    path_prefix: HttpPath | None = None
    path_exact: HttpPath | None = None
    path_regex: _Text | None = None
    query: Mapping[_Text, _Text] = field(default_factory=dict)
    headers: Mapping[_Text, _Text] = field(default_factory=dict)
    methods: Sequence[Method] = ()
    prefix_rewrite: HttpPath | None = None
    timeout: Duration | None = None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the mesh.

    Every instance is told by environment variables what the mesh knows: ``LISTEN_ADDR`` (address and port to listen
    on), ``NAME`` (service and version) and ``UPSTREAM_URIS`` (comma-separated URLs of its upstreams on the loopback).
    Images that do not read them lose nothing; a value in ``env`` wins.

    Attributes:
        name: The one name of the service, everywhere.
        port: Port on which the application listens.
        image: Container image.
        runs_on: Runtime of all its versions.
        protocol: What it speaks; routing and splitting need ``http``, ``http2`` or ``grpc``.
        versions: Versions by name. Without any, the service has one nameless version, no subset and no split.
        split: Share of each version in percent, exactly 100 together. All on the only version when not given. A version
            that is not named gets traffic by routes only.
        routes: Exceptions from the split, first match wins.
        upstreams: The services it calls.
        export_to: Partitions that may see it although nobody there declares it as an upstream.
        env: Environment variables of the application.
        health: How an instance is judged healthy.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: ServiceName
    _: KW_ONLY
    port: Port
    image: Image
    runs_on: Runtime
    protocol: Protocol = "http"
    versions: Mapping[VersionName, Version] = field(default_factory=dict)
    split: Mapping[VersionName, Weight] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    upstreams: Sequence[Upstream] = ()
    export_to: Sequence[DnsLabel] = ()
    env: EnvVars = field(default_factory=dict)
    health: Health = field(default_factory=Health)
