"""sameness-group: partitions and peers that have the same services (Enterprise).

Source: ``consul@1.22.7 agent/structs/config_entry_sameness_group.go``, ``SamenessGroupConfigEntry``. Enterprise's own
checks are not public; what is judged here is what the documentation says.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry
from mesh.consul.parts import Edition, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_ONLY
from mesh.rules import At, Example, Problem, stricter
from mesh.shapes import JsonObject

_SOURCE: Final = "consul@1.22.7 agent/structs/config_entry_sameness_group.go; Consul's documentation of sameness-group"


def _group(*members: JsonObject) -> Example:
    return [{"Kind": "sameness-group", "Name": "shop", "Partition": "default", "Members": list(members)}]


MEMBER_ONE: Final = stricter(
    "sameness-member",
    what="A member of a sameness group is not exactly one of a partition and a peer.",
    why="A member without either is nobody, and with both it is not known which is meant.",
    source=_SOURCE,
    fix="say Partition or Peer",
    example=_group({"Partition": "default"}, {"Partition": "k8s", "Peer": "aks"}),
    instead=_group({"Partition": "default"}, {"Partition": "k8s"}, {"Peer": "aks"}),
    judged=False,
)

MEMBER_TWICE: Final = stricter(
    "sameness-member-twice",
    what="A sameness group has a member twice.",
    why="The order of the members is the order of failover; only the first of the two counts.",
    source=_SOURCE,
    fix="list it once",
    example=_group({"Partition": "default"}, {"Peer": "aks"}, {"Peer": "aks"}),
    instead=_group({"Partition": "default"}, {"Peer": "aks"}),
    judged=False,
)


class SamenessGroupMember(Part):
    """A member: a partition of the same datacenter, or a peer."""

    partition: str | None = None
    peer: str | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """That it is exactly one."""
        if edition is Edition.ENTERPRISE and bool(self.partition) == bool(self.peer):
            yield MEMBER_ONE(at, f"{'both' if self.peer else 'none'} of Partition and Peer is said")


class SamenessGroup(ConfigEntry):
    """A ``sameness-group`` entry. It has no namespace.

    Attributes:
        default_for_failover: Services of the partition fail over to the members without a resolver of their own.
        include_local: The own partition is the first member, without being listed.
        members: In the order in which they are tried.
    """

    KIND: ClassVar[str] = "sameness-group"

    default_for_failover: bool | None = None
    include_local: bool | None = None
    members: Annotated[Sequence[Annotated[SamenessGroupMember, Mark.POINTER]], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """The edition, and members that occur twice."""
        if edition is Edition.COMMUNITY:
            yield ENTERPRISE_ONLY(at / "kind", "sameness groups need Consul Enterprise")
            return
        seen: set[SamenessGroupMember] = set()
        for index, member in enumerate(self.members):
            if member in seen:
                yield MEMBER_TWICE((at / "members")[index], f"{member.peer or member.partition} is listed before")
            seen.add(member)
