"""exported-services: what other partitions or peers may see.

Source: ``consul@1.22.7 agent/structs/config_entry_exports.go``, ``ExportedServicesConfigEntry``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, Final

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import ServiceNames
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_IGNORED, ENTERPRISE_LOST, ENTERPRISE_ONLY
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.showing import said_together, show
from mesh.topology import DEFAULT

_STRUCTS: Final = "consul@1.22.7 agent/structs/config_entry_exports.go"
_VALIDATE: Final = f"{_STRUCTS}, validateServices"


def _exports(*services: JsonObject, name: str = "default", **identity: str) -> Example:
    return [{"Kind": "exported-services", "Name": name, **identity, "Services": list(services)}]


def _to(*consumers: JsonObject) -> JsonObject:
    return {"Name": "web", "Consumers": list(consumers)}


_TO_AKS: Final = {"Peer": "aks"}

EXPORTS_NAME: Final = refused(
    "exports-name",
    what='On the Community Edition, exported-services has another name than "default".',
    why='Consul refuses it: exported-services Name must be "default".',
    source="consul@1.22.7 agent/structs/config_entry_ce.go, validateExportedServicesName",
    fix='call it "default"',
    example=_exports(_to(_TO_AKS), name="k8s"),
    instead=_exports(_to(_TO_AKS)),
)

EXPORTS_PARTITION: Final = stricter(
    "exports-partition",
    what="exported-services has another name than its partition.",
    why="Consul files it under its name, whatever the partition; the provider reads and deletes it by both.",
    source=f"{_STRUCTS}, Normalize",
    fix="give it the name of its partition",
    example=_exports(_to(_TO_AKS), name="k8s", Partition="default"),
    instead=_exports(_to(_TO_AKS), name="k8s", Partition="k8s"),
    judged=False,
)

EXPORT_WILDCARD_NAMESPACE: Final = refused(
    "export-wildcard-namespace",
    what="A service of every namespace is exported by its name.",
    why="Consul refuses it: service name must be wildcard if namespace is wildcard.",
    source=_VALIDATE,
    fix='say its namespace, or "*" for its name, too',
    example=_exports({**_to(_TO_AKS), "Namespace": "*"}, Partition="default"),
    instead=_exports({**_to(_TO_AKS), "Name": "*", "Namespace": "*"}, Partition="default"),
    judged=False,
)

EXPORTED_TWICE: Final = stricter(
    "exported-twice",
    what="A service is exported twice, or twice to the same consumer.",
    why="Consul keeps both; what one of them says is easily changed without the other.",
    source=f"{_VALIDATE} (not checked there)",
    fix="list the service once with all of its consumers",
    example=_exports(_to(_TO_AKS), _to({"Peer": "gke"})),
    instead=_exports(_to(_TO_AKS, {"Peer": "gke"})),
)

CONSUMER_SEVERAL: Final = refused(
    "consumer-several",
    what="A consumer is more than one of a peer, a partition and a sameness group.",
    why="Consul refuses it: must define at most one of Peer, Partition, or SamenessGroup.",
    source=_VALIDATE,
    fix="write one consumer for each",
    example=_exports(_to({"Peer": "aks", "Partition": "k8s"}), Partition="default"),
    instead=_exports(_to(_TO_AKS, {"Partition": "k8s"}), Partition="default"),
    judged=False,
)

CONSUMER_NOBODY: Final = stricter(
    "consumer-nobody",
    what="A consumer names nobody.",
    why="Consul keeps it, and it exports nothing. A misspelt key, such as PeerName, is dropped and leaves just this.",
    source=f"{_VALIDATE} (not checked there)",
    fix="say Peer, Partition or SamenessGroup",
    example=_exports(_to({})),
    instead=_exports(_to(_TO_AKS)),
)

CONSUMER_EVERYBODY: Final = refused(
    "consumer-everybody",
    what='A consumer is "*".',
    why="Consul refuses it: exporting to all peers (wildcard) is not supported.",
    source=_VALIDATE,
    fix="name each of them",
    example=_exports(_to({"Peer": "*"})),
    instead=_exports(_to(_TO_AKS)),
)

_EVERY: Final = "*"


class Consumer(Part):
    """Who may see a service: exactly one of the three.

    Attributes:
        partition: A partition of the same datacenter, Enterprise only.
        peer: A cluster peer, by the name that it has here.
        sameness_group: All of a group, Enterprise only.
    """

    partition: Annotated[str | None, Enterprise(ENTERPRISE_IGNORED)] = None
    peer: str | None = None
    sameness_group: Annotated[str | None, Enterprise(ENTERPRISE_ONLY)] = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """That it is exactly one."""
        named = {"Peer": self.peer, "Partition": self.partition, "SamenessGroup": self.sameness_group}
        said = [name for name, value in named.items() if value]
        if not said:
            yield CONSUMER_NOBODY(at, "none of Peer, Partition and SamenessGroup is said")
        elif len(said) > 1:
            yield CONSUMER_SEVERAL(at, said_together(said))
        for name, value in (("peer", self.peer), ("partition", self.partition)):
            if value == _EVERY:
                yield CONSUMER_EVERYBODY(at / name, f"not every {name} can be meant")


class ExportedService(Part):
    """A service and its consumers.

    Attributes:
        name: Of the service; ``*`` for all of the namespace.
        namespace: Where it is, Enterprise only.
        consumers: Who may see it, at least one.
    """

    name: ServiceNames
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_LOST), Mark.INHERITED] = None
    consumers: Sequence[Annotated[Consumer, Mark.POINTER]]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """Every namespace, and consumers that occur twice."""
        if edition is Edition.ENTERPRISE and self.namespace == _EVERY != self.name:
            yield EXPORT_WILDCARD_NAMESPACE(at / "name", f'the namespace is "*", and the name {show(self.name)}')
        seen: set[Consumer] = set()
        for index, consumer in enumerate(self.consumers):
            if consumer in seen and consumer != Consumer():
                yield EXPORTED_TWICE((at / "consumers")[index], "the consumer is listed before")
            seen.add(consumer)


class ExportedServices(ConfigEntry):
    """The one ``exported-services`` entry of a partition; it is named after the partition.

    Attributes:
        services: What is exported.
    """

    KIND: ClassVar[str] = "exported-services"

    services: Annotated[Sequence[ExportedService], Mark.LAX]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:
        """The name, and services that occur twice."""
        if edition is Edition.COMMUNITY and self.name != DEFAULT:
            yield EXPORTS_NAME(at / "name", f"the name is {show(self.name)}")
        elif edition is Edition.ENTERPRISE and self.partition != self.name:
            partition = show(self.partition) if self.partition else "left out"
            yield EXPORTS_PARTITION(at / "name", f"the name is {show(self.name)}, and the partition is {partition}")
        seen: dict[tuple[str, str], int] = {}
        for index, service in enumerate(self.services):
            key = (service.name, service.namespace or DEFAULT)
            if key in seen:
                message = f"{show(service.name)} is exported by Services[{seen[key]}]"
                yield EXPORTED_TWICE((at / "services")[index], message)
            seen.setdefault(key, index)

    def reads(self) -> Iterator[ServiceRef]:
        """The exported services."""
        for service in self.services:
            yield ServiceRef(service.name, self.partition, service.namespace)


def derive(partition: str | None, exports: Iterable[tuple[str, Consumer]]) -> ExportedServices | None:
    """The entry of one partition, or of a cluster without any; none when nothing leaves it.

    It has no namespace of its own; each service has.
    """
    consumers: dict[str, dict[Consumer, None]] = {}
    for service, consumer in exports:
        consumers.setdefault(service, {})[consumer] = None
    if not consumers:
        return None
    return ExportedServices(
        name=partition or DEFAULT,
        partition=partition,
        services=[
            ExportedService(name=service, namespace=DEFAULT if partition else None, consumers=list(them))
            for service, them in consumers.items()
        ],
    )
