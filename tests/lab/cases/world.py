"""What the entries of a case may refer to, and whether a reference may be wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.lab.cases.choices import Choices

HTTP_LIKE = ("http", "http2", "grpc")
PROTOCOLS = ("http", "tcp", "http2", "grpc")
PEERS = ("east", "vm")


@dataclass(slots=True)
class World:
    """Names that exist, as far as they decide whether a reference holds.

    Attributes:
        services: In order; chains lead from earlier to later ones, thus never in a circle.
        protocols: The effective protocol of each service; tcp if it is not named.
        subsets: Those of each service; none of a service that is redirected.
        providers: JWT providers.
        permissive: Whether mutual TLS may be permissive.
        external: Services with an external SNI.
        exported: Whether services are exported to peers; then no chain leaves the cluster.
        careful: Whether every reference holds.
        loops: Whether chains may lead in a circle.
    """

    services: Sequence[str] = ("a", "b", "c")
    protocols: dict[str, str] = field(default_factory=dict)
    subsets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    providers: Sequence[str] = ()
    permissive: bool = False
    external: Sequence[str] = ()
    exported: bool = False
    careful: bool = True
    loops: bool = False

    def protocol(self, service: str) -> str:
        return self.protocols.get(service, "tcp")

    def http_like(self, service: str) -> bool:
        return self.protocol(service) in HTTP_LIKE

    def slips(self, choices: Choices) -> bool:
        """Whether this reference is chosen without care."""
        return not self.careful and choices.maybe(30)

    def like(self, choices: Choices, service: str, *, later: bool = False) -> list[str]:
        """Services that a chain of this one may lead to; perhaps none."""
        if self.slips(choices):
            return [*self.services, service]
        start = self.services.index(service) + 1 if later and not self.loops and service in self.services else 0
        return [other for other in self.services[start:] if self.protocol(other) == self.protocol(service)]

    def subset(self, choices: Choices, service: str) -> str | None:
        """A subset of a service, or none."""
        if self.slips(choices):
            return choices.pick(("v1", "v9"))
        known = self.subsets.get(service, ())
        return choices.pick(known) if known and choices.maybe(60) else None
