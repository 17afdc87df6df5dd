"""service-intentions: who may call a service (``agent/structs/config_entry_intentions.go``)."""

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import NonEmpty
from mesh.model.service import Service
from mesh.scalars import HttpPath, Method
from mesh.shapes import JsonObject, Many, Shape, plain
from mesh.topology import Caller, Place

Action = Literal["allow", "deny"]

_WILDCARD: Final = "*"


class IntentionHeaderMatch(Shape):
    """A condition on a request header; exactly one of the matchers."""

    name: NonEmpty
    present: bool | None = None
    exact: NonEmpty | None = None
    prefix: NonEmpty | None = None
    suffix: NonEmpty | None = None
    contains: NonEmpty | None = None
    regex: NonEmpty | None = None
    invert: bool | None = None
    ignore_case: bool | None = None


class HttpPermission(Shape):
    """Conditions on a request that must all hold."""

    path_exact: HttpPath | None = None
    path_prefix: HttpPath | None = None
    path_regex: NonEmpty | None = None
    header: Many[IntentionHeaderMatch] = ()
    methods: Many[Method] = ()


class JwtClaim(Shape):
    """A claim that must have a value."""

    path: Annotated[Many[NonEmpty], Field(min_length=1)]
    value: str


class JwtRequirementProvider(Shape):
    """A jwt-provider entry that must accept the token."""

    name: NonEmpty
    verify_claims: Many[JwtClaim] = ()


class JwtRequirement(Shape):
    """What token a request must carry."""

    providers: Annotated[Many[JwtRequirementProvider], Field(min_length=1)]


class Permission(Shape):
    """Allows or denies requests; the first that matches wins."""

    action: Action
    http: HttpPermission
    jwt: JwtRequirement | None = None


class Source(Shape):
    """A caller: ``action`` for every call, or ``permissions`` for single requests, never both."""

    name: NonEmpty
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    peer: NonEmpty | None = None
    sameness_group: NonEmpty | None = None
    action: Action | None = None
    permissions: Many[Permission] = ()
    description: Annotated[str, Field(min_length=1, max_length=512)] | None = None


class ServiceIntentions(ConfigEntry):
    """The ``service-intentions`` entry of a called service, or of ``*``."""

    KIND: ClassVar[str] = "service-intentions"

    jwt: JwtRequirement | None = None
    sources: Annotated[Many[Source], Field(min_length=1)]

    def body(self) -> JsonObject:
        """The entry as Consul stores it: sources with computed precedence, highest first, order kept among equals."""
        ranked = sorted(self.sources, key=self.precedence, reverse=True)
        sources = [{**plain(source), "Type": "consul", "Precedence": self.precedence(source)} for source in ranked]
        return {**super().body(), "Sources": sources}

    def precedence(self, source: Source) -> int:
        """Consul's precedence of a source: more exact names win (``Intention.UpdatePrecedence``)."""
        if self.namespace == _WILDCARD:
            highest = 3
        elif self.name == _WILDCARD:
            highest = 6
        else:
            highest = 9
        return highest - (source.name == _WILDCARD) - (source.namespace == _WILDCARD)

    def reads(self) -> Iterator[ServiceRef]:
        """The called service: Consul checks its protocol when the intention has permissions for single requests."""
        if self.name != _WILDCARD:
            yield ServiceRef(self.name, self.partition, self.namespace)


def derive(service: Service, where: Place, callers: Iterable[Caller]) -> ServiceIntentions | None:
    """Allows every declared caller; no entry for a service that nobody calls, so that everybody is denied."""
    sources = [
        Source(
            name=caller.name,
            namespace=caller.place.namespace,
            partition=caller.place.partition,
            action="allow",
        )
        for caller in dict.fromkeys(callers)
    ]
    if not sources:
        return None
    return ServiceIntentions(name=service.name, partition=where.partition, namespace=where.namespace, sources=sources)
