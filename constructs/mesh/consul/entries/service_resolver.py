"""service-resolver: subsets, redirect, failover, load balancing.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go``, ``ServiceResolverConfigEntry``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar, Final, Literal

from mesh.config_entry import DEFAULT, ConfigEntry, ServiceRef
from mesh.consul.entries.common import CheckedDuration, Duration, ServiceName, between, fits
from mesh.consul.filters import Flaw, parse, why_senseless
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_IGNORED, ENTERPRISE_ONLY
from mesh.model.service import Service
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import go_name
from mesh.showing import show, show_some
from mesh.topology import Place

_VALIDATE: Final = "consul@1.22.7 agent/structs/config_entry_discoverychain.go, ServiceResolverConfigEntry.Validate"

_EVERY: Final = "*"

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _resolver(**fields: object) -> Example:
    """A resolver of web."""
    return [{"Kind": "service-resolver", "Name": "web", **fields}]


def _subset(filter_: str, name: str = "v1") -> Example:
    return _resolver(Subsets={name: {"Filter": filter_}})


def _hashed(**policy: object) -> Example:
    return _resolver(LoadBalancer={"Policy": "maglev", "HashPolicies": [policy]})


_V1: Final = 'Service.Meta.version == "v1"'

SUBSET_NAME: Final = refused(
    "subset-name",
    what="A subset's name is no lower-case DNS label of at most 63 characters.",
    why='Consul refuses it: Subset "V1" is invalid: must be 63 characters or fewer, begin or end with lower case '
    "alphanumeric characters, and contain lower case alphanumeric characters or '-' in between. It is part of SNI.",
    source="consul@1.22.7 agent/structs/config_entry_discoverychain.go, validateServiceSubset",
    fix="use lower-case letters, digits and dashes",
    example=_subset(_V1, name="V1"),
    instead=_subset(_V1, name="v1"),
)

SUBSET_UNDEFINED: Final = refused(
    "subset-undefined",
    what="A resolver refers to a subset of its own service that it does not define.",
    why='Consul refuses it: DefaultSubset "v9" is not a valid subset.',
    source=_VALIDATE,
    fix="define the subset, or refer to one that is defined",
    example=_resolver(DefaultSubset="v9", Subsets={"v1": {"Filter": _V1}}),
    instead=_resolver(DefaultSubset="v1", Subsets={"v1": {"Filter": _V1}}),
)

FILTER_SYNTAX: Final = refused(
    "filter-syntax",
    what="A subset's filter is no expression.",
    why='Consul refuses it: Filter for subset "v1" is not a valid expression.',
    source=f"{_VALIDATE}; go-bexpr@0.1.2 grammar.peg",
    fix='write it like Service.Meta.version == "v1", texts in quotation marks; other keys like Service.Meta["my-key"]',
    example=_subset("Service.Meta.version == 1.0.0"),
    instead=_subset('Service.Meta.version == "1.0.0"'),
)

FILTER_SENSELESS: Final = stricter(
    "filter-senseless",
    what="A subset's filter asks something of instances that they do not have, or that cannot be asked of it.",
    why="Consul stores it and fails whenever it looks for instances, so that the subset has none.",
    source=f"{_VALIDATE} (not checked there); go-bexpr@0.1.2 validate.go, validateRecurse",
    fix="ask for a field of Service, Node or Checks, with an operator that it knows",
    example=_subset('Service.Metaa.version == "v1"'),
    instead=_subset(_V1),
)

_SLOW: Final = 6
"""So many nested parentheses take Consul 0.04 s, and four times as long for each more."""

FILTER_DEEP: Final = stricter(
    "filter-deep",
    what=f"A filter nests parentheses more than {_SLOW} deep.",
    why="Each level takes Consul's parser four times as long: ten take 8 s, whenever a server or proxy filters.",
    source="go-bexpr@0.1.2 grammar.peg, Input to ParenthesizedExpression (no memory of what was parsed)",
    fix="write it with fewer; and binds stronger than or",
    example=_subset(f"{'(' * (_SLOW + 1)}{_V1}{')' * (_SLOW + 1)}"),
    instead=_subset(f"({_V1})"),
)

REDIRECT_WITH_FAILOVER: Final = refused(
    "redirect-with-failover",
    what="A resolver has both Redirect and Failover.",
    why="Consul refuses it: Redirect and Failover cannot both be set.",
    source=_VALIDATE,
    fix="keep one of them; fail over in the resolver of the other service",
    example=_resolver(Redirect={"Service": "api"}, Failover={"*": {"Service": "db"}}),
    instead=_resolver(Redirect={"Service": "api"}),
)

LEADS_NOWHERE: Final = refused(
    "leads-nowhere",
    what="A redirect or failover does not say where to.",
    why='Consul refuses it: Redirect is empty; Bad Failover["*"]: one of Service, ServiceSubset, Namespace, Targets, '
    "SamenessGroup, or Datacenters is required.",
    source=_VALIDATE,
    fix="say where to, or remove it",
    example=_resolver(Failover={"*": {}}),
    instead=_resolver(Failover={"*": {"Service": "api"}}),
)

LEADS_BACK: Final = stricter(
    "leads-back",
    what="A redirect or failover leads to where it starts.",
    why="Consul leaves it out of the discovery chain, as if it were not there.",
    source="consul@1.22.7 agent/consul/discoverychain/compile.go, getResolverNode (not checked there)",
    fix="say another service, subset, datacenter or peer, or remove it",
    example=_resolver(Redirect={"Service": "web"}),
    instead=_resolver(Redirect={"Service": "api"}),
)

REDIRECT_WITHOUT_SERVICE: Final = refused(
    "redirect-without-service",
    what="A redirect has a ServiceSubset, Namespace, Partition or Peer and no Service.",
    why="Consul refuses it: Redirect.ServiceSubset defined without Redirect.Service.",
    source=_VALIDATE,
    fix="say the service, even if it is the resolver's own",
    example=_resolver(Redirect={"Peer": "aks"}),
    instead=_resolver(Redirect={"Service": "web", "Peer": "aks"}),
)

PLACES_SEVERAL: Final = refused(
    "places-several",
    what="A redirect or failover has two fields that exclude each other.",
    why='Consul refuses it: Redirect.Peer cannot be set with Redirect.Datacenter; Bad Failover["*"]: Targets cannot '
    "be set with Service.",
    source=_VALIDATE,
    fix="keep one of them; of a failover to several places, each is one of Targets",
    example=_resolver(Redirect={"Service": "api", "Peer": "aks", "Datacenter": "dc2"}),
    instead=_resolver(Redirect={"Service": "api", "Peer": "aks"}),
)

CROSS_DATACENTER: Final = refused(
    "cross-datacenter-partition",
    what="A resolver of another partition than default leads to another datacenter, or a redirect to both another "
    "datacenter and partition.",
    why="Consul refuses it: Cross-datacenter redirect is only supported in the default partition.",
    source=_VALIDATE,
    fix="use a peer, or the partition default",
    example=_resolver(Partition="k8s", Redirect={"Service": "web", "Datacenter": "dc2"}),
    instead=_resolver(Partition="k8s", Redirect={"Service": "web", "Peer": "dc2"}),
    judged=False,
)

DATACENTER_EMPTY: Final = refused(
    "datacenter-empty",
    what="A failover has an empty datacenter.",
    why='Consul refuses it: Bad Failover["*"].Datacenters: found empty datacenter.',
    source=_VALIDATE,
    fix="name it, or remove it",
    example=_resolver(Failover={"*": {"Datacenters": ["dc2", ""]}}),
    instead=_resolver(Failover={"*": {"Datacenters": ["dc2"]}}),
)

POLICY_PART: Final = refused(
    "load-balancer-part",
    what="A load balancer has a part that belongs to another policy.",
    why='Consul refuses it: RingHashConfig specified for incompatible load balancing policy "maglev"; HashPolicies '
    'specified for non-hash-based Policy: "random".',
    source=_VALIDATE,
    fix="set the policy that the part belongs to, or remove the part",
    example=_resolver(LoadBalancer={"Policy": "random", "HashPolicies": [{"SourceIP": True}]}),
    instead=_resolver(LoadBalancer={"Policy": "maglev", "HashPolicies": [{"SourceIP": True}]}),
)

RING_SIZES: Final = stricter(
    "ring-sizes",
    what="The smallest ring is larger than the largest.",
    why="Consul sends both as they are, 0 where one is left out, and Envoy refuses the cluster.",
    source="consul@1.22.7 agent/xds/clusters.go, injectLBToCluster (not checked there); Envoy RingHashLbConfig",
    fix="say both, the smaller one as MinimumRingSize",
    example=_resolver(LoadBalancer={"Policy": "ring_hash", "RingHashConfig": {"MinimumRingSize": 64}}),
    instead=_resolver(
        LoadBalancer={"Policy": "ring_hash", "RingHashConfig": {"MinimumRingSize": 64, "MaximumRingSize": 128}}
    ),
)

HASHED: Final = refused(
    "hash-policy-source",
    what="A hash policy hashes both the source address and a field, or has only one of Field and FieldValue.",
    why='Consul refuses it: Field "header" was specified without a FieldValue.',
    source=_VALIDATE,
    fix="say Field and FieldValue, or only SourceIP",
    example=_hashed(Field="header"),
    instead=_hashed(Field="header", FieldValue="x-user"),
)

HASHES_NOTHING: Final = stricter(
    "hash-policy-nothing",
    what="A hash policy does not say what it hashes.",
    why="Consul stores it and cannot make the routes of any proxy: unsupported load balancer hash policy field.",
    source="consul@1.22.7 agent/xds/routes.go, injectLBToRouteAction",
    fix="say Field and FieldValue, or SourceIP, or remove it",
    example=_hashed(Terminal=True),
    instead=_hashed(SourceIP=True, Terminal=True),
)

COOKIE: Final = refused(
    "hash-policy-cookie",
    what="A hash policy has a CookieConfig and hashes no cookie, or one both for the session and for a time.",
    why='Consul refuses it: cookie_config provided for "header"; a session cookie cannot have an associated TTL.',
    source=_VALIDATE,
    fix="hash a cookie; say Session or TTL",
    example=_hashed(Field="cookie", FieldValue="user", CookieConfig={"Session": True, "TTL": "1h"}),
    instead=_hashed(Field="cookie", FieldValue="user", CookieConfig={"TTL": "1h"}),
)

VERSION_META = "version"
"""Service metadata key that carries the version of an instance. Jobs and pods register it, subsets filter by it."""


class Subset(Part):
    """Instances of a service that match a filter; all instances without one.

    Attributes:
        filter: A go-bexpr expression about the registration of the sidecar, e.g. ``Service.Meta.version == "v1"``.
        only_passing: Leaves out instances with a check that warns; they are taken when it is left out.
    """

    filter: str | None = None
    only_passing: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The filter."""
        if not self.filter:
            return
        parsed, at = parse(self.filter), at / "filter"
        if isinstance(parsed, Flaw):
            yield FILTER_SYNTAX(at, f"{_shown(self.filter)} is no filter: character {parsed.position}, {parsed.reason}")
            return
        if parsed.depth > _SLOW:
            yield FILTER_DEEP(at, f"parentheses are nested {parsed.depth} deep")
        for reason in dict.fromkeys(map(why_senseless, parsed.comparisons)):
            if reason:
                yield FILTER_SENSELESS(at, f"{_shown(self.filter)}: {reason}")


def _shown(filter_: str, length: int = 80) -> str:
    return filter_ if len(filter_) <= length else f"{filter_[: length - 1]}…"


class Redirect(Part):
    """Sends everything meant for this service to another.

    Attributes:
        service: To which service; the own one when it is left out.
        service_subset: To which of its subsets.
        namespace: In which namespace, Enterprise only.
        partition: In which partition, Enterprise only.
        datacenter: In which datacenter; not with ``peer``.
        peer: To which peer; not with ``datacenter``.
        sameness_group: To which sameness group, Enterprise only.
    """

    service: ServiceName | None = None
    service_subset: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    datacenter: str | None = None
    peer: str | None = None
    sameness_group: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Fields that exclude or need each other."""
        said = _said(self)
        if not said:
            yield LEADS_NOWHERE(at, "the redirect is empty")
        yield from _exclusive(
            self,
            at,
            edition,
            ("sameness_group", ("service_subset", "partition", "datacenter")),
            ("peer", ("service_subset", "partition", "datacenter")),
        )
        if not self.service:
            for name in ("service_subset", "namespace", "partition", "peer"):
                if name in said and not _reported(name, edition):
                    yield REDIRECT_WITHOUT_SERVICE(at / name, f"it leads to {show(said[name])} of no service")


class FailoverTarget(Part):
    """One target of a failover; what is left out is the failing service's own.

    Attributes:
        service: Its service.
        service_subset: Its subset; not with ``peer``.
        partition: Its partition, Enterprise only.
        namespace: Its namespace, Enterprise only.
        datacenter: Its datacenter; not with ``peer``.
        peer: The peer that it is of; not with ``datacenter``.
    """

    service: ServiceName | None = None
    service_subset: str | None = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    datacenter: str | None = None
    peer: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Fields that exclude each other."""
        yield from _exclusive(
            self,
            at,
            edition,
            ("peer", ("service_subset", "partition", "datacenter")),
            ("partition", ("datacenter",)),
        )


class FailoverPolicy(Part):
    """How targets are tried (Enterprise).

    Attributes:
        mode: One after the other when it is left out.
        regions: In which regions, in their order; for ``order-by-locality``.
    """

    mode: Annotated[Literal["sequential", "order-by-locality"] | None, Enterprise(ENTERPRISE_ONLY)] = None
    regions: Annotated[Sequence[str], Enterprise(ENTERPRISE_IGNORED)] = ()


class Failover(Part):
    """Where requests go while a subset has no healthy instance: another service or subset, datacenters, or targets.

    Attributes:
        service: Another service; not with ``targets``.
        service_subset: Another subset; not with ``targets``.
        namespace: Another namespace, Enterprise only.
        datacenters: Other datacenters, in the order in which they are tried; not with ``targets``.
        targets: Other places, in the order in which they are tried.
        policy: How they are tried, Enterprise only.
        sameness_group: A sameness group, Enterprise only.
    """

    service: ServiceName | None = None
    service_subset: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    datacenters: Sequence[str] = ()
    targets: Sequence[Annotated[FailoverTarget, Mark.POINTER]] = ()
    policy: FailoverPolicy | None = None
    sameness_group: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Fields that exclude each other."""
        if not _said(self).keys() - {"policy"}:
            yield LEADS_NOWHERE(at, "the failover says none of Service, ServiceSubset, Datacenters and Targets")
        yield from _exclusive(
            self,
            at,
            edition,
            ("sameness_group", ("datacenters", "service_subset", "targets")),
            ("targets", ("datacenters", "service_subset", "service")),
        )
        for index, datacenter in enumerate(self.datacenters):
            if not datacenter:
                yield DATACENTER_EMPTY((at / "datacenters")[index], "the datacenter is empty")


def _said(part: Part) -> Mapping[str, Any]:
    """The fields that are not left out."""
    return {name: value for name, value in part.__dict__.items() if value}


def _reported(name: str, edition: Edition) -> bool:
    """Whether a field is refused already because it is for Enterprise."""
    return edition is Edition.COMMUNITY and name in {"namespace", "partition", "sameness_group"}


def _exclusive(part: Part, at: At, edition: Edition, *pairs: tuple[str, Sequence[str]]) -> Iterator[Problem]:
    """Fields that are said and exclude each other; ``pairs`` are a field and those that it excludes."""
    said = [name for name in _said(part) if not _reported(name, edition)]
    for name, excluded in pairs:
        for other in excluded if name in said else ():
            if other in said:
                yield PLACES_SEVERAL(at, f"{go_name(name)} and {go_name(other)} are both said")


class PrioritizeByLocality(Part):
    """Prefers near instances (Enterprise)."""

    mode: Annotated[Literal["failover", "none"] | None, Enterprise(ENTERPRISE_ONLY)] = None


_LARGEST_RING: Final = 8_388_608
"""Envoy's bound (``RingHashLbConfig``)."""

_RingSize = Annotated[int, fits(64), between(0, _LARGEST_RING)]


class RingHashConfig(Part):
    """Size of the hash ring. Say both: Consul writes 0 for the one that is left out.

    Attributes:
        minimum_ring_size: At least so many entries, up to 8388608.
        maximum_ring_size: At most so many entries, up to 8388608.
    """

    minimum_ring_size: _RingSize | None = None
    maximum_ring_size: _RingSize | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The order of the sizes."""
        least, most = self.minimum_ring_size or 0, self.maximum_ring_size or 0
        if least > most:
            yield RING_SIZES(at, f"MinimumRingSize is {least}, and MaximumRingSize {most}")


class LeastRequestConfig(Part):
    """How many instances are compared.

    Attributes:
        choice_count: So many at random, at least 2; the one with the fewest requests is taken.
    """

    choice_count: Annotated[int, fits(32), between(2, 2**32 - 1, "a number from 2, as Envoy wants it")] | None = None


class CookieConfig(Part):
    """The cookie that Envoy makes for a client's first request.

    Attributes:
        session: It lasts as long as the client's session; not with ``ttl``.
        ttl: How long it lasts; not with ``session``.
        path: Of the cookie.
    """

    session: bool | None = None
    ttl: Duration | None = None
    path: str | None = None


class HashPolicy(Part):
    """What is hashed to choose an instance: a field of the request, or the address of its sender.

    Attributes:
        field: Where ``field_value`` is looked for.
        field_value: Name of the header, cookie or query parameter.
        cookie_config: How a missing cookie is made; only for a cookie.
        source_ip: Hashes the sender's address; not with ``field``.
        terminal: Ends the list if there was something to hash.
    """

    field: Literal["header", "cookie", "query_parameter"] | None = None
    field_value: str | None = None
    cookie_config: CookieConfig | None = None
    source_ip: bool | None = None
    terminal: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Fields that exclude or need each other."""
        if self.source_ip and (self.field or self.field_value):
            yield HASHED(at, f"SourceIP and {'Field' if self.field else 'FieldValue'} are both said")
        elif bool(self.field) != bool(self.field_value):
            said, missing = ("Field", "FieldValue") if self.field else ("FieldValue", "Field")
            yield HASHED(at, f"{said} is said without a {missing}")
        elif self.terminal and not (self.field or self.source_ip):
            yield HASHES_NOTHING(at, "neither Field nor SourceIP is said")
        if self.cookie_config:
            if self.field != "cookie":
                yield COOKIE(at / "cookie_config", "it is no cookie that is hashed")
            if self.cookie_config.session and self.cookie_config.ttl:
                yield COOKIE(at / "cookie_config", "Session and TTL are both said")


class LoadBalancer(Part):
    """How an instance is chosen.

    Attributes:
        policy: Envoy's default, round_robin, when it is left out.
        ring_hash_config: Only for ``ring_hash``.
        least_request_config: Only for ``least_request``.
        hash_policies: Only for ``ring_hash`` and ``maglev``; a random instance is chosen when none of them finds
            anything to hash.
    """

    policy: Literal["random", "round_robin", "least_request", "ring_hash", "maglev"] | None = None
    ring_hash_config: RingHashConfig | None = None
    least_request_config: LeastRequestConfig | None = None
    hash_policies: Sequence[HashPolicy] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Parts of another policy."""
        parts: tuple[tuple[str, object, Sequence[str]], ...] = (
            ("ring_hash_config", self.ring_hash_config, ("ring_hash",)),
            ("least_request_config", self.least_request_config, ("least_request",)),
            ("hash_policies", self.hash_policies, ("ring_hash", "maglev")),
        )
        for name, part, policies in parts:
            if part and self.policy not in policies:
                policy = f"the policy {show(self.policy)}" if self.policy else "no policy"
                yield POLICY_PART(at / name, f"it belongs to {' and '.join(policies)}, and there is {policy}")


class ServiceResolver(ConfigEntry):
    """The ``service-resolver`` entry of a service.

    Attributes:
        default_subset: The subset of requests that ask for none; all instances when it is left out.
        subsets: Subsets by name, a lower-case DNS label of at most 63 characters.
        redirect: Sends everything to another service; not with ``failover``.
        failover: Where to, by the subset that has no healthy instance; ``*`` for any other.
        prioritize_by_locality: Enterprise only.
        connect_timeout: Of a connection to an instance; 5 s when it is left out.
        request_timeout: Of an HTTP request; 15 s when it is left out.
        load_balancer: How an instance is chosen.
    """

    KIND: ClassVar[str] = "service-resolver"

    name: ServiceName
    default_subset: str | None = None
    subsets: Mapping[str, Annotated[Subset, Mark.POINTER]] = field(default_factory=dict)
    redirect: Annotated[Redirect | None, Mark.POINTER] = None
    failover: Mapping[str, Annotated[Failover, Mark.POINTER]] = field(default_factory=dict)
    prioritize_by_locality: PrioritizeByLocality | None = None
    connect_timeout: CheckedDuration | None = None
    request_timeout: CheckedDuration | None = None
    load_balancer: LoadBalancer | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Names of subsets, and where redirect and failover lead."""
        for name in self.subsets:
            if not _LABEL.fullmatch(name):
                yield SUBSET_NAME((at / "subsets")[name], f"{show(name)} is not a lower-case DNS label")
        yield from self._own_subset(self.default_subset, at / "default_subset")
        if self.redirect and self.failover:
            yield REDIRECT_WITH_FAILOVER(at, "there are a Redirect and a Failover")
        if self.redirect:
            yield from self._lead(self.redirect, "", at / "redirect")
        for subset, failover in self.failover.items():
            to = (at / "failover")[subset]
            if subset != _EVERY:
                yield from self._own_subset(subset, to, always=True)
            if failover.targets:
                for index, target in enumerate(failover.targets):
                    yield from self._lead(target, subset, (to / "targets")[index])
            else:
                yield from self._lead(failover, subset, to)
        if edition is Edition.ENTERPRISE:
            yield from self._datacenters(at)

    def _own_subset(self, subset: str | None, at: At, *, always: bool = False) -> Iterator[Problem]:
        if (subset or always) and subset not in self.subsets:
            known = f"there are {show_some(self.subsets)}" if self.subsets else "there are none"
            yield SUBSET_UNDEFINED(at, f"there is no subset {show(subset)}, {known}")

    def _lead(self, to: Redirect | Failover | FailoverTarget, subset: str, at: At) -> Iterator[Problem]:
        """Where something leads: to a subset of the own service that exists, and not back."""
        own = to.service in {None, "", self.name}
        peer = getattr(to, "peer", None)
        serviceless = isinstance(to, Redirect) and not to.service  # which the redirect says itself
        if own and not peer and not serviceless:
            yield from self._own_subset(to.service_subset, at / "service_subset")
        elsewhere = peer or any(getattr(to, name, None) for name in ("datacenter", "datacenters", "sameness_group"))
        partition = getattr(to, "partition", None) or self.partition
        same = (partition or DEFAULT, to.namespace or self.namespace or DEFAULT) == self._place()
        somewhere = isinstance(to, FailoverTarget) or bool(_said(to).keys() - {"policy"})
        if own and not elsewhere and same and somewhere and (to.service_subset or subset) == subset:
            yield LEADS_BACK(at, f"it leads to {show(self.name)} again")

    def _place(self) -> tuple[str, str]:
        return self.partition or DEFAULT, self.namespace or DEFAULT

    def _datacenters(self, at: At) -> Iterator[Problem]:
        partition = self.partition or DEFAULT
        if self.redirect and self.redirect.datacenter:
            to = at / "redirect" / "datacenter"
            if partition != DEFAULT:
                yield CROSS_DATACENTER(to, f"it leads from the partition {show(partition)} to another datacenter")
            elif (self.redirect.partition or DEFAULT) != partition:
                yield CROSS_DATACENTER(to, "it leads to another datacenter and another partition")
        for subset, failover in self.failover.items():
            if failover.datacenters and partition != DEFAULT:
                to = (at / "failover")[subset] / "datacenters"
                yield CROSS_DATACENTER(to, f"it leads from the partition {show(partition)} to other datacenters")

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service, and where it redirects or fails over to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        targets: list[Redirect | Failover | FailoverTarget] = [self.redirect] if self.redirect else []
        for failover in self.failover.values():
            targets += [failover, *failover.targets]
        for target in targets:
            if target.service:
                partition = getattr(target, "partition", None) or self.partition
                namespace = target.namespace or self.namespace
                yield ServiceRef(target.service, partition, namespace, target.service_subset)


def version_filter(version: str) -> str:
    """Filter of the subset of one version.

    The literal is quoted, because an unquoted ``1.0.0`` is no valid number. It is evaluated on the sidecar's
    registration, which inherits the metadata of its service as long as it has none of its own
    (``agent/sidecar_service.go``).
    """
    return f'Service.Meta.{VERSION_META} == "{version}"'


def derive(service: Service, where: Place) -> ServiceResolver | None:
    """One subset for each version, with its failover; no entry for a service without versions."""
    if not service.versions:
        return None
    failover = {
        name: Failover(service_subset=version.failover)
        for name, version in service.versions.items()
        if version.failover
    }
    return ServiceResolver(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        subsets={name: Subset(filter=version_filter(name)) for name in service.versions},
        failover=failover,
    )
