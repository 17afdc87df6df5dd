"""service-splitter: shares of traffic.

Source: ``consul@1.22.7 agent/structs/config_entry_discoverychain.go``, ``ServiceSplitterConfigEntry``.
"""

from collections.abc import Iterator, Sequence
from ctypes import c_float
from decimal import Decimal
from math import copysign, floor, isfinite
from typing import Annotated, ClassVar, Final

from mesh.config_entry import DEFAULT, ConfigEntry, ServiceRef
from mesh.consul.entries.common import HttpHeaderModifiers, ServiceName, between
from mesh.consul.examples import HTTP
from mesh.consul.parts import Edition, Enterprise, Mark, Part
from mesh.consul.value_rules import ENTERPRISE_IGNORED
from mesh.model.service import Service
from mesh.rules import At, Example, Problem, refused, stricter
from mesh.shapes import JsonObject
from mesh.topology import Place

_STRUCTS: Final = "consul@1.22.7 agent/structs/config_entry_discoverychain.go"
_VALIDATE: Final = f"{_STRUCTS}, ServiceSplitterConfigEntry.Validate"


def _splitter(*splits: JsonObject) -> Example:
    """A splitter, and what makes its service an HTTP service."""
    return [HTTP, {"Kind": "service-splitter", "Name": "web", "Splits": list(splits)}]


_HALVES: Final = _splitter({"Weight": 50}, {"Weight": 50, "Service": "api"})

WEIGHTS_SUM: Final = refused(
    "weights-sum",
    what="The weights of a splitter are not 100 together.",
    why="Consul refuses it, without tolerance: the sum of all split weights must be 100, not 99.989998.",
    source=_VALIDATE,
    fix="make them exactly 100 together; three thirds are 33.33, 33.33 and 33.34",
    example=_splitter({"Weight": 60}, {"Weight": 30, "Service": "api"}),
    instead=_splitter({"Weight": 60}, {"Weight": 40, "Service": "api"}),
)

WEIGHT_DECIMALS: Final = refused(
    "weight-decimals",
    what="A weight has more than two decimals.",
    why="Consul rounds it to two, which shows as a difference in every plan.",
    source=f"{_STRUCTS}, NormalizeServiceSplitWeight",
    fix="round it to two decimals",
    example=_splitter({"Weight": 33.333}, {"Weight": 66.667, "Service": "api"}),
    instead=_splitter({"Weight": 33.33}, {"Weight": 66.67, "Service": "api"}),
)

SPLIT_TWICE: Final = refused(
    "split-twice",
    what="Two splits have the same destination.",
    why='Consul refuses it: split destination occurs more than once: service="api", subset="", namespace="", '
    'partition="".',
    source=_VALIDATE,
    fix="write one of them, with both weights together",
    example=_splitter({"Weight": 50, "Service": "api"}, {"Weight": 50, "Service": "api"}),
    instead=_splitter({"Weight": 100, "Service": "api"}),
)

SPLIT_TWICE_UNSEEN: Final = stricter(
    "split-twice-unseen",
    what="Two splits have the same destination, and Consul does not see it.",
    why="It takes splits for different ones if one of them changes headers, and a namespace that is left out for "
    "another one than default. A share of requests then gets other headers than the rest.",
    source=f"{_VALIDATE} (compares pointers to the headers)",
    fix="write one of them, with both weights together; change headers by a subset or a route",
    example=_splitter(
        {"Weight": 50, "Service": "api"},
        {"Weight": 50, "Service": "api", "RequestHeaders": {"Set": {"x-split": "b"}}},
    ),
    instead=_HALVES,
)

Weight = Decimal | float
"""A share in percent, from 0 to 100, with at most two decimals."""


class Split(Part):
    """The share of one target.

    Attributes:
        weight: In percent, from 0 to 100, with at most two decimals; 0 is a target that gets nothing.
        service: The splitter's own when it is left out.
        service_subset: A subset of it; such a request is not split again.
        namespace: Enterprise only.
        partition: Enterprise only.
        request_headers: Changes what is sent to the target.
        response_headers: Changes what it answers.
    """

    weight: Annotated[Weight, Mark.LAX, between(0, 100)]
    service: ServiceName | None = None
    service_subset: str | None = None
    namespace: Annotated[str | None, Enterprise(ENTERPRISE_IGNORED, left_out=True)] = None
    partition: Annotated[str | None, Enterprise(ENTERPRISE_IGNORED, left_out=True)] = None
    request_headers: HttpHeaderModifiers | None = None
    response_headers: HttpHeaderModifiers | None = None

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The decimals of the weight."""
        stored = _stored(self.weight)
        if 0 <= self.weight <= _PERCENT and stored != _single(float(self.weight)):
            yield WEIGHT_DECIMALS(at / "weight", f"{self.weight} is stored as {Decimal(_hundredths(stored)) / 100}")


_PERCENT: Final = 100


def _single(number: float) -> float:
    """A number as Go keeps it in a ``float32``; products and quotients of two are exact before this."""
    return c_float(number).value


def _hundredths(weight: float) -> int:
    """Consul's ``scaleWeight``: half is rounded away from zero."""
    scaled = _single(weight * 100)
    return int(copysign(floor(abs(scaled) + 0.5), scaled)) if isfinite(scaled) else _FAR


_FAR: Final = -(2**63)
"""What Go makes of an infinite number."""


def _stored(weight: Weight) -> float:
    """Consul's ``NormalizeServiceSplitWeight``."""
    return _single(_single(_hundredths(_single(float(weight)))) / 100)


class ServiceSplitter(ConfigEntry):
    """The ``service-splitter`` entry of a service.

    Attributes:
        splits: Targets and their shares, which are exactly 100 together; Consul has no tolerance.
    """

    KIND: ClassVar[str] = "service-splitter"

    name: ServiceName
    splits: Sequence[Split]

    def judge(self, at: At, edition: Edition) -> Iterator[Problem]:  # noqa: ARG002
        """The sum, and targets that occur twice."""
        total = sum(_hundredths(_stored(split.weight)) for split in self.splits)
        if self.splits and total != _WHOLE:
            yield WEIGHTS_SUM(at / "splits", f"the weights are {Decimal(total) / 100} together")
        seen: dict[tuple[str, str, str, str], int] = {}
        seen_plain: dict[tuple[str, str, str, str], int] = {}
        for index, split in enumerate(self.splits):
            where = (at / "splits")[index]
            said = (
                split.service or self.name,
                split.service_subset or "",
                split.namespace or "",
                split.partition or "",
            )
            meant = (*said[:2], said[2] or self.namespace or DEFAULT, said[3] or self.partition or DEFAULT)
            headers = split.request_headers is not None or split.response_headers is not None
            if not headers and said in seen_plain:
                yield SPLIT_TWICE(where, f"it has the destination of split {seen_plain[said]}")
            elif meant in seen:
                yield SPLIT_TWICE_UNSEEN(where, f"it has the destination of split {seen[meant]}")
            if not headers:
                seen_plain.setdefault(said, index)
            seen.setdefault(meant, index)

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service and every service it splits to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        for split in self.splits:
            if split.service or split.service_subset:
                where = (split.partition or self.partition, split.namespace or self.namespace)
                yield ServiceRef(split.service or self.name, *where, split.service_subset)


_WHOLE: Final = _PERCENT * 100
"""All of the traffic, in hundredths of a percent."""


def derive(service: Service, where: Place) -> ServiceSplitter | None:
    """The declared split, or everything on the only version; no entry for a service without versions."""
    if not service.versions:
        return None
    split = service.split or dict.fromkeys(service.versions, 100)
    return ServiceSplitter(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        splits=[Split(weight=Decimal(str(weight)), service_subset=version) for version, weight in split.items()],
    )
