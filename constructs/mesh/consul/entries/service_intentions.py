"""service-intentions: who may call a service.

Source: ``consul@1.22.7 agent/structs/config_entry_intentions.go``, ``ServiceIntentionsConfigEntry``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, Final, Literal

from mesh.config_entry import DEFAULT, ConfigEntry, ServiceRef
from mesh.consul.entries.common import IS_LABEL_OR_ALL, Method
from mesh.consul.entries.http_matching import judge_condition, judge_matchers
from mesh.consul.examples import HTTP
from mesh.consul.parts import NOTHING_INHERITED, Check, Edition, Enterprise, Inherited, Mark, Part, plain
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.model.service import Service
from mesh.rules import At, Example, Problem, canonicalised, refused
from mesh.shapes import JsonObject
from mesh.showing import said_together, show, show_some
from mesh.topology import Caller, Place

_STRUCTS: Final = "consul@1.22.7 agent/structs/config_entry_intentions.go"
_VALIDATE: Final = f"{_STRUCTS}, ServiceIntentionsConfigEntry.validate"


def _intentions(*sources: JsonObject, name: str = "api", **more: object) -> Example:
    return [{"Kind": "service-intentions", "Name": name, "Sources": list(sources), **more}]


def _permission(http: JsonObject) -> Example:
    source = {"Name": "web", "Permissions": [{"Action": "allow", "HTTP": http}]}
    return [HTTP, *_intentions(source)]


_WEB: Final = {"Name": "web", "Action": "allow"}
_ALL: Final = {"Name": "*", "Action": "deny"}

WILDCARD_PARTIAL: Final = refused(
    "wildcard-partial",
    what='The name of a service in an intention contains "*" and more.',
    why="Consul refuses it: Name: wildcard character '*' cannot be used with partial values.",
    source=f"{_STRUCTS}, validateIntentionWildcards",
    fix='name the service, or write "*" for every service',
    example=_intentions({"Name": "web*", "Action": "allow"}),
    instead=_intentions({"Name": "*", "Action": "allow"}),
)

WILDCARD_PLACE: Final = refused(
    "wildcard-place",
    what='The peer, partition or namespace in an intention contains "*" where it may not.',
    why="Consul refuses it: Peer: cannot use wildcard '*' in peer; Name: exact value cannot follow wildcard namespace.",
    source=f"{_STRUCTS}, validateIntentionWildcards",
    fix='name it; only a namespace can be "*", and only of every service',
    example=_intentions({"Name": "web", "Peer": "*", "Action": "allow"}),
    instead=_intentions({"Name": "web", "Peer": "aks", "Action": "allow"}),
)

SOURCE_TWICE: Final = refused(
    "source-twice",
    what="Intentions have two sources for the same caller.",
    why='Consul refuses it: Sources[1] defines "web" more than once.',
    source=_VALIDATE,
    fix="keep one of them",
    example=_intentions(_WEB, {"Name": "web", "Action": "deny"}),
    instead=_intentions(_WEB),
)

SOURCE_SEVERAL: Final = refused(
    "source-several",
    what="A source is more than one of a peer's, a partition's and a sameness group's.",
    why="Consul refuses it: cannot set Peer and Partition at the same time.",
    source=_VALIDATE,
    fix="write one source for each",
    example=_intentions({**_WEB, "Peer": "aks", "Partition": "k8s"}, Partition="default"),
    instead=_intentions({**_WEB, "Peer": "aks"}, {**_WEB, "Partition": "k8s"}, Partition="default"),
    judged=False,
)

SOURCE_ACTION: Final = refused(
    "source-action",
    what="A source has neither Action nor Permissions, or both.",
    why="Consul refuses it: Action must be set to 'allow' or 'deny'; Action must be omitted if Permissions are "
    "specified.",
    source=_VALIDATE,
    fix="say Action for all calls, or Permissions for single requests",
    example=_intentions({"Name": "web"}),
    instead=_intentions(_WEB),
)

PERMISSIONS_FOR_ALL: Final = refused(
    "permissions-for-all",
    what="Intentions of every service have permissions for single requests.",
    why="Consul refuses it: Permissions cannot be specified on intentions with wildcarded destinations.",
    source=_VALIDATE,
    fix="use Action, or name the called service",
    example=[
        HTTP,
        *_intentions({"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]}, name="*"),
    ],
    instead=[HTTP, *_permission({"PathPrefix": "/"})[1:]],
)

PERMISSION_EMPTY: Final = refused(
    "permission-empty",
    what="A permission has no condition.",
    why="Consul refuses it: HTTP should not be empty.",
    source=_VALIDATE,
    fix='say what it matches; for every request, PathPrefix "/"',
    example=_permission({}),
    instead=_permission({"PathPrefix": "/"}),
)

IGNORE_CASE: Final = refused(
    "ignore-case-matcher",
    what="A condition on a header ignores case and has a matcher that cannot.",
    why="Consul refuses it: should set one of Exact, Prefix, Suffix, or Contains when using IgnoreCase.",
    source=_VALIDATE,
    fix="use Exact, Prefix, Suffix or Contains; in a Regex, write (?i)",
    example=_permission({"Header": [{"Name": "x-user", "Regex": "a.*", "IgnoreCase": True}]}),
    instead=_permission({"Header": [{"Name": "x-user", "Regex": "(?i)a.*"}]}),
)

DESCRIPTION_LONG: Final = refused(
    "description-long",
    what="The description of a source has more than 512 bytes.",
    why="Consul refuses it: Sources[0].Description exceeds maximum length 512.",
    source=_VALIDATE,
    fix="shorten it",
    example=_intentions({**_WEB, "Description": "x" * 513}),
    instead=_intentions({**_WEB, "Description": "x"}),
)

PRECEDENCE_WRONG: Final = canonicalised(
    "precedence-computed",
    what="A source has another Precedence than Consul computes.",
    why="It follows from the names of the called service and the caller: more exact ones win. The server writes its "
    "own, which would show as a difference in every plan.",
    source=f"{_STRUCTS}, computeIntentionPrecedence",
    example=_intentions({**_WEB, "Precedence": 5}),
    instead=_intentions({**_WEB, "Precedence": 9}),
)

SOURCES_ORDER: Final = canonicalised(
    "sources-sorted",
    what="Sources are in another order than that of their precedence.",
    why="The server sorts them, which would show as a difference in every plan. The order has no meaning.",
    source=f"{_STRUCTS}, normalize",
    example=_intentions(_ALL, _WEB),
    instead=_intentions(_WEB, _ALL),
)

Action = Literal["allow", "deny"]

_WILDCARD: Final = "*"

_Name = Annotated[
    str,
    Check(WILDCARD_PARTIAL, lambda name: name == _WILDCARD or _WILDCARD not in name, "a name, or * alone"),
    IS_LABEL_OR_ALL,
]
"""The name of a service, or ``*`` for every service."""

_DESCRIPTION: Final = 512
"""Bytes."""


class IntentionHeaderMatch(Part):
    """A condition on a request header; exactly one of the matchers.

    Attributes:
        name: Of the header.
        present: It is there.
        exact: It is this.
        prefix: It starts with this.
        suffix: It ends with this.
        contains: It has this in it.
        regex: All of it matches this, in RE2's syntax.
        invert: The matcher must not hold.
        ignore_case: Not for ``present`` and ``regex``.
    """

    name: str
    present: bool | None = None
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    contains: str | None = None
    regex: str | None = None
    invert: bool | None = None
    ignore_case: bool | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The matchers."""
        matchers = {"present": self.present, "exact": self.exact, "prefix": self.prefix, "suffix": self.suffix}
        yield from judge_matchers(at, {**matchers, "contains": self.contains, "regex": self.regex})
        if self.ignore_case and (self.present or self.regex):
            matcher = "Present" if self.present else "Regex"
            yield IGNORE_CASE(at / "ignore_case", f"{matcher} cannot ignore case")


class HttpPermission(Part):
    """Conditions on a request that must all hold.

    Attributes:
        path_exact: The path is this.
        path_prefix: The path starts with this.
        path_regex: All of the path matches this, in RE2's syntax.
        header: Conditions on headers.
        methods: One of these.
    """

    path_exact: str | None = None
    path_prefix: str | None = None
    path_regex: str | None = None
    header: Sequence[IntentionHeaderMatch] = ()
    methods: Sequence[Method] = ()

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """Paths and methods, and that there is a condition."""
        yield from judge_condition(self, at)
        if not (self.path_exact or self.path_prefix or self.path_regex or self.header or self.methods):
            yield PERMISSION_EMPTY(at, "there is no condition")


class JwtClaim(Part):
    """A claim that must have a value.

    Attributes:
        path: Of the claim in the token, key by key.
        value: What it is, or has in it if it is a list.
    """

    path: Annotated[Sequence[str], Mark.LAX]
    value: Annotated[str, Mark.LAX]


class JwtRequirementProvider(Part):
    """A jwt-provider entry that must accept the token.

    Attributes:
        name: Of the entry.
        verify_claims: What the token must say besides.
    """

    name: str
    verify_claims: Sequence[JwtClaim] = ()


class JwtRequirement(Part):
    """What token a request must carry: that of any of the providers."""

    providers: Annotated[Sequence[JwtRequirementProvider], Mark.LAX]


class Permission(Part):
    """Allows or denies requests; the first that matches wins.

    Attributes:
        action: What happens to them.
        http: Which requests.
        jwt: What token they must carry, besides what the entry wants.
    """

    action: Action
    http: Annotated[HttpPermission, Mark.POINTER]
    jwt: JwtRequirement | None = None


class Source(Part):
    """A caller: ``action`` for every call, or ``permissions`` for single requests, never both.

    Attributes:
        name: The calling service, or ``*`` for every service.
        namespace: Of the caller, Enterprise only; the entry's when it is left out.
        partition: Of the caller, Enterprise only; the entry's when it is left out. Not with ``peer``.
        peer: The peer that the caller is of.
        sameness_group: The group that the caller is of, Enterprise only.
        action: For every call.
        permissions: For single requests; the service must speak HTTP.
        precedence: Consul computes it; it is written as computed, whatever is said.
        type: There is only ``consul``.
        description: Free text of up to 512 bytes.
    """

    READ_ONLY: ClassVar[frozenset[str]] = frozenset({"LegacyID", "LegacyMeta", "LegacyCreateTime", "LegacyUpdateTime"})

    name: _Name
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_ONLY), Mark.INHERITED] = None
    peer: str | None = None
    sameness_group: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None
    action: Action | None = None
    permissions: Sequence[Permission] = ()
    precedence: Annotated[int | None, Mark.COMPUTED] = None
    type: Annotated[Literal["consul"] | None, Mark.COMPUTED] = None
    description: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Fields that exclude or need each other."""
        if bool(self.action) == bool(self.permissions):
            yield SOURCE_ACTION(at, f"{'both' if self.action else 'none'} of Action and Permissions is said")
        if self.peer and _WILDCARD in self.peer:
            yield WILDCARD_PLACE(at / "peer", f"{show(self.peer)} is the name of no peer")
        if self.description and len(self.description.encode(errors="replace")) > _DESCRIPTION:
            yield DESCRIPTION_LONG(at / "description", f"it has {len(self.description.encode(errors='replace'))} bytes")
        if edition is Edition.COMMUNITY:
            return  # which has none of what follows
        named = {"Peer": self.peer, "Partition": self.partition, "SamenessGroup": self.sameness_group}
        said = [name for name, value in named.items() if value]
        if len(said) > 1:
            yield SOURCE_SEVERAL(at, said_together(said))
        if self.sameness_group and _WILDCARD in self.sameness_group:
            message = f"{show(self.sameness_group)} is the name of no sameness group"
            yield WILDCARD_PLACE(at / "sameness_group", message)
        yield from _wildcards(at, self.name, self.namespace, self.partition)


def _wildcards(at: At, name: str, namespace: str | None, partition: str | None) -> Iterator[Problem]:
    if namespace == _WILDCARD != name:
        yield WILDCARD_PLACE(at / "namespace", f'the namespace is "*", and the name {show(name)}')
    elif namespace and namespace != _WILDCARD and _WILDCARD in namespace:
        yield WILDCARD_PLACE(at / "namespace", f"{show(namespace)} is the name of no namespace")
    if partition and _WILDCARD in partition:
        yield WILDCARD_PLACE(at / "partition", f"{show(partition)} is the name of no partition")


class ServiceIntentions(ConfigEntry):
    """The ``service-intentions`` entry of a called service, or of ``*``.

    Attributes:
        jwt: What token every call must carry.
        sources: The callers. Their order has no meaning; they are written with the most exact first.
    """

    KIND: ClassVar[str] = "service-intentions"

    name: _Name
    jwt: JwtRequirement | None = None
    sources: Sequence[Source]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Callers that occur twice, permissions for every service, and what Consul computes."""
        if edition is Edition.ENTERPRISE:
            yield from _wildcards(at, self.name, self.namespace, self.partition)
        precedences = [self.precedence(source) for source in self.sources]
        seen: dict[tuple[str, ...], int] = {}
        for index, source in enumerate(self.sources):
            to = (at / "sources")[index]
            if source.permissions and _WILDCARD in {self.name, self.namespace}:
                yield PERMISSIONS_FOR_ALL(to / "permissions", "the called service is every service")
            key = self._caller(source)
            if key in seen:
                yield SOURCE_TWICE(to, f"{show(source.name)} is the caller of Sources[{seen[key]}], too")
            seen.setdefault(key, index)
            if source.precedence is not None and source.precedence != precedences[index]:
                message = f"it is {source.precedence}, and Consul computes {precedences[index]}"
                yield PRECEDENCE_WRONG(to / "precedence", message)
        if precedences != sorted(precedences, reverse=True):
            yield SOURCES_ORDER(at / "sources", f"the precedences are {show_some(precedences)}")

    def body(self) -> JsonObject:
        """The entry as Consul stores it: sources with computed precedence, highest first, order kept among equals."""
        ranked = sorted(self.sources, key=self.precedence, reverse=True)
        return {**super().body(), "Sources": [self._source(source) for source in ranked]}

    def _source(self, source: Source) -> JsonObject:
        fields = plain(source, without=_COMPUTED, inherited=self._inherited_by(source))
        return {**fields, "Type": "consul", "Precedence": self.precedence(source)}

    def _inherited_by(self, source: Source) -> Inherited:
        """What Enterprise fills in: a caller of a peer or group has no partition, and nobody inherits a wildcard."""
        inherited = self.inherited()
        if not inherited:
            return NOTHING_INHERITED
        if source.peer or source.sameness_group:
            return {"namespace": DEFAULT}
        return {**inherited, "namespace": DEFAULT} if inherited["namespace"] == _WILDCARD else inherited

    def _caller(self, source: Source) -> tuple[str, ...]:
        inherited = self._inherited_by(source)
        namespace = source.namespace or inherited.get("namespace", DEFAULT)
        partition = source.partition or inherited.get("partition", DEFAULT)
        return source.name, namespace, partition, source.peer or "", source.sameness_group or ""

    def precedence(self, source: Source) -> int:
        """Consul's precedence of a source: more exact names win (``computeIntentionPrecedence``)."""
        if self.namespace == _WILDCARD:
            highest = 3
        elif self.name == _WILDCARD:
            highest = 6
        else:
            highest = 9
        if source.namespace == _WILDCARD:
            return highest - 2
        return highest - (source.name == _WILDCARD)

    def reads(self) -> Iterator[ServiceRef]:
        """The called service: Consul checks its protocol when the intention has permissions for single requests."""
        if self.name != _WILDCARD:
            yield ServiceRef(self.name, self.partition, self.namespace)


_COMPUTED: Final = frozenset({"precedence", "type"})


def derive(service: Service, where: Place, callers: Iterable[Caller]) -> ServiceIntentions | None:
    """Allows every declared caller; no entry for a service that nobody calls, so that everybody is denied."""
    sources = [
        Source(
            name=caller.name,
            namespace=caller.place.namespace,
            partition=caller.place.partition,
            peer=caller.place.peer,
            action="allow",
        )
        for caller in dict.fromkeys(callers)
    ]
    if not sources:
        return None
    return ServiceIntentions(name=service.name, partition=where.partition, namespace=where.namespace, sources=sources)
