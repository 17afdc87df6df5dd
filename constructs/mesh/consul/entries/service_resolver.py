"""service-resolver: subsets, redirect, failover, load balancing (``agent/structs/config_entry_discoverychain.go``)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from mesh.config_entry import ConfigEntry, ServiceRef
from mesh.consul.entries.common import NonEmpty
from mesh.model.service import Service
from mesh.scalars import Duration
from mesh.shapes import Many, Shape
from mesh.topology import Place

SubsetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]

VERSION_META = "version"
"""Service metadata key that carries the version of an instance. Jobs and pods register it, subsets filter by it."""


class Subset(Shape):
    """Instances of a service that match a filter."""

    filter: NonEmpty | None = None
    only_passing: bool | None = None


class Redirect(Shape):
    """Sends everything meant for this service to another."""

    service: NonEmpty | None = None
    service_subset: SubsetName | None = None
    namespace: NonEmpty | None = None
    partition: NonEmpty | None = None
    datacenter: NonEmpty | None = None
    peer: NonEmpty | None = None
    sameness_group: NonEmpty | None = None


class FailoverTarget(Shape):
    """One target of a failover."""

    service: NonEmpty | None = None
    service_subset: SubsetName | None = None
    partition: NonEmpty | None = None
    namespace: NonEmpty | None = None
    datacenter: NonEmpty | None = None
    peer: NonEmpty | None = None


class FailoverPolicy(Shape):
    """How targets are tried (Enterprise)."""

    mode: Literal["sequential", "order-by-locality"]
    regions: Many[NonEmpty] = ()


class Failover(Shape):
    """Where requests go while a subset has no healthy instance."""

    service: NonEmpty | None = None
    service_subset: SubsetName | None = None
    namespace: NonEmpty | None = None
    datacenters: Many[NonEmpty] = ()
    targets: Many[FailoverTarget] = ()
    policy: FailoverPolicy | None = None
    sameness_group: NonEmpty | None = None


class PrioritizeByLocality(Shape):
    """Prefers near instances (Enterprise)."""

    mode: Literal["failover", "none"]


class RingHashConfig(Shape):
    """Size of the hash ring."""

    minimum_ring_size: Annotated[int, Field(ge=0)] | None = None
    maximum_ring_size: Annotated[int, Field(ge=0)] | None = None


class LeastRequestConfig(Shape):
    """How many instances are compared."""

    choice_count: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None


class CookieConfig(Shape):
    """The cookie that carries a hash."""

    session: bool | None = None
    ttl: Duration | None = None
    path: NonEmpty | None = None


class HashPolicy(Shape):
    """What is hashed to choose an instance."""

    field: Literal["header", "cookie", "query_parameter"] | None = None
    field_value: NonEmpty | None = None
    cookie_config: CookieConfig | None = None
    source_ip: bool | None = None
    terminal: bool | None = None


class LoadBalancer(Shape):
    """How an instance is chosen."""

    policy: Literal["random", "round_robin", "least_request", "ring_hash", "maglev"]
    ring_hash_config: RingHashConfig | None = None
    least_request_config: LeastRequestConfig | None = None
    hash_policies: Many[HashPolicy] = ()


class ServiceResolver(ConfigEntry):
    """The ``service-resolver`` entry of a service."""

    KIND: ClassVar[str] = "service-resolver"

    default_subset: SubsetName | None = None
    subsets: Mapping[SubsetName, Subset] = Field(default_factory=dict)
    redirect: Redirect | None = None
    failover: Mapping[str, Failover] = Field(default_factory=dict)
    prioritize_by_locality: PrioritizeByLocality | None = None
    connect_timeout: Duration | None = None
    request_timeout: Duration | None = None
    load_balancer: LoadBalancer | None = None

    def reads(self) -> Iterator[ServiceRef]:
        """Its own service, and where it redirects or fails over to."""
        yield ServiceRef(self.name, self.partition, self.namespace)
        targets: list[Redirect | Failover | FailoverTarget] = [self.redirect] if self.redirect else []
        for failover in self.failover.values():
            targets += [failover, *failover.targets]
        for target in targets:
            if target.service:
                partition = getattr(target, "partition", None) or self.partition
                yield ServiceRef(target.service, partition, target.namespace or self.namespace)


def version_filter(version: str) -> str:
    """Filter of the subset of one version.

    The literal is quoted, because an unquoted ``1.0.0`` is no valid number. It is evaluated on the sidecar's
    registration, which inherits the metadata of its service as long as it has none of its own
    (``agent/sidecar_service.go``).
    """
    return f'Service.Meta.{VERSION_META} == "{version}"'


def derive(service: Service, where: Place) -> ServiceResolver | None:
    """One subset for each version; no entry for a service without versions."""
    if not service.versions:
        return None
    return ServiceResolver(
        name=service.name,
        partition=where.partition,
        namespace=where.namespace,
        subsets={name: Subset(filter=version_filter(name)) for name in service.versions},
    )
