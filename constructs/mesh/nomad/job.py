"""A Nomad job as typed Python, in the API's JSON form.

The provider takes it as ``jobspec`` with ``json = true``, and ``POST /v1/jobs`` as the ``Job`` of its body. Both decode
with Go's ``json.Unmarshal`` (terraform-provider-nomad@2.5.2 ``nomad/resource_job.go``, ``parseJSONJobspec``), which
drops a key it does not know; here such a key cannot exist. Fields are called as in Nomad's Go API (nomad@1.11.3
``api``), and hold plain values: Nomad's own expressions (``${NOMAD_ALLOC_DIR}``) as they are, lengths of time as Go
writes them.

The model has the keys of services in the mesh and leaves out what would be wrong there: a sidecar's own ``tags`` and
``meta``, which replace the service's and empty the resolver's subsets, and the gateways whose config entries Nomad
would write and never delete.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from mesh.durations import seconds
from mesh.scalars import Port
from mesh.shapes import JsonObject, Many, Nanoseconds, Shape, plain


def _nanoseconds(value: str) -> Nanoseconds:
    seconds(value)
    return Nanoseconds(value)


Time = Annotated[str, AfterValidator(_nanoseconds)]
"""A positive length of time, such as ``"10s"``: emitted as nanoseconds."""

Text = Annotated[str, Field(min_length=1)]

Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]

NetworkMode = Annotated[str, StringConstraints(pattern=r"^(bridge|host|cni/.+)$")]


class Constraint(Shape):
    """What a node must have; with the operand ``distinct_hosts``, that it has no other instance of the group.

    Attributes:
        l_target: An attribute of the node, such as ``${attr.kernel.name}``.
        r_target: Its value; with the operand ``distinct_property``, how many instances may share one.
        operand: How both are compared. Those with a grammar of their own, like versions, are left out.
    """

    l_target: Annotated[str, StringConstraints(pattern=r"^\$\{(attr|meta)\.[^{}]+\}$")] | None = None
    r_target: Text | None = None
    operand: Literal["=", "!=", "is_set", "is_not_set", "distinct_hosts", "distinct_property"] = "="


class Update(Shape):
    """How a new version of the job replaces the old one.

    Attributes:
        max_parallel: Instances replaced at a time.
        health_check: ``checks``: Consul's checks decide, those of the sidecar too; ``task_states``: running is enough.
        min_healthy_time: How long an instance must be healthy to count.
        healthy_deadline: When an instance that is not healthy has failed.
        progress_deadline: When a deployment in which nothing more becomes healthy has failed.
        canary: New instances that are started before any old one stops.
        auto_revert: Whether a failed deployment goes back to the last good version.
        auto_promote: Whether healthy canaries replace the old instances unasked. Without it Terraform waits in vain.
    """

    max_parallel: Positive = 1
    health_check: Literal["checks", "task_states"] = "checks"
    min_healthy_time: Time
    healthy_deadline: Time
    progress_deadline: Time
    canary: Positive | None = None
    auto_revert: bool | None = None
    auto_promote: bool | None = None


class RestartPolicy(Shape):
    """How often a failed task is restarted on its node, and what happens then."""

    attempts: Positive
    interval: Time
    delay: Time
    mode: Literal["fail", "delay"]


class ReschedulePolicy(Shape):
    """How a failed instance is moved to another node, without end."""

    delay: Time
    delay_function: Literal["constant", "exponential", "fibonacci"]
    max_delay: Time
    unlimited: Literal[True] = True


class ReservedPort(Shape):
    """A static port: ``value`` on the node, ``to`` in the network namespace of the group."""

    label: Text
    value: Port
    to: Port | None = None
    host_network: Text | None = None


class DynamicPort(Shape):
    """A port that Nomad chooses. ``to=-1``: the same number in the network namespace of the group."""

    label: Text
    to: Annotated[int, Field(ge=-1, le=65535)] | None = None
    host_network: Text | None = None


class Network(Shape):
    """The network of a group."""

    mode: NetworkMode
    reserved_ports: Many[ReservedPort] = ()
    dynamic_ports: Many[DynamicPort] = ()


class CheckRestart(Shape):
    """Restarts the task after ``limit`` failures of the check in a row, counted from ``grace`` after its start."""

    limit: Positive
    grace: Time


class Check(Shape):
    """A health check by the node's Consul agent.

    Attributes:
        name: Name of the check.
        type: ``http``, ``grpc`` or ``tcp``.
        path: HTTP path; of an exposed gRPC check, the path of its method.
        protocol: Of an HTTP check, the scheme of its URL; of an exposed gRPC check, ``http2``.
        port_label: Label of the port; the service's own when not given.
        expose: Whether the sidecar lets the agent through to the path without mutual TLS, on a port of its own.
        interval: Time between two checks.
        timeout: Time after which a check has failed.
        check_restart: Whether failures restart the task.
        grpc_service: Service that the gRPC health protocol is asked about.
    """

    name: Text
    type: Literal["http", "grpc", "tcp"]
    path: Text | None = None
    protocol: Text | None = None
    port_label: Text | None = None
    expose: bool | None = None
    interval: Time
    timeout: Time
    check_restart: CheckRestart | None = None
    grpc_service: Text | None = None


class Resources(Shape):
    """What is reserved: ``cpu`` in MHz, memory in MiB. A task that takes more memory is killed.

    The least is what Nomad takes (nomad@1.11.3 ``nomad/structs/structs.go``, ``MinResources``).
    """

    cpu: Positive
    memory_mb: Annotated[int, Field(ge=10, le=2**31 - 1)]


class UpstreamMeshGateway(Shape):
    """How the sidecar uses mesh gateways for an upstream."""

    mode: Literal["none", "local", "remote"]


class SidecarUpstream(Shape):
    """A listener of the sidecar on the loopback, and the service behind it. Partition, namespace: Enterprise only."""

    destination_name: Text
    local_bind_port: Port
    destination_partition: Text | None = None
    destination_namespace: Text | None = None
    destination_peer: Text | None = None
    mesh_gateway: UpstreamMeshGateway | None = None


class Proxy(Shape):
    """Settings of the sidecar."""

    local_service_port: Port | None = None
    upstreams: Many[SidecarUpstream] = ()
    config: Mapping[str, Any] = Field(default_factory=dict)


class SidecarService(Shape):
    """Gives the service a sidecar. It inherits the service's tags and meta, by which the resolver finds versions."""

    proxy: Proxy | None = None
    disable_default_tcp_check: bool | None = None


class MeshGateway(Shape):
    """Makes the service a mesh gateway."""


class Gateway(Shape):
    """Makes the service a gateway."""

    mesh: MeshGateway


class SidecarTask(Shape):
    """The task that runs Envoy, of a sidecar or a gateway: what is said here wins over what Nomad would inject.

    Another driver replaces the whole injected ``config`` (nomad@1.11.3 ``nomad/structs/services.go``,
    ``MergeIntoTask``).
    """

    driver: Text | None = None
    user: Text | None = None
    config: Mapping[str, Any] = Field(default_factory=dict)
    env: Mapping[str, str] = Field(default_factory=dict)
    resources: Resources | None = None
    kill_timeout: Time | None = None
    shutdown_delay: Time | None = None


class Connect(Shape):
    """Joins the service to the mesh: with a sidecar, or as a gateway."""

    sidecar_service: SidecarService | None = None
    gateway: Gateway | None = None
    sidecar_task: SidecarTask | None = None


class Service(Shape):
    """A registration in Consul.

    Attributes:
        name: Name of the service.
        port_label: A port's label or a literal number. A service with a sidecar needs the number that the application
            listens on inside the network namespace, a gateway a label.
        tags: Tags.
        canary_tags: Tags while the instance is a canary.
        meta: What the resolver's subsets select by.
        canary_meta: Meta while the instance is a canary.
        tagged_addresses: Addresses for other datacenters and partitions.
        kind: Kind of a gateway that Nomad does not run itself.
        checks: Health checks.
        connect: How the service joins the mesh.
    """

    name: Text
    port_label: Text | None = None
    tags: Many[str] = ()
    canary_tags: Many[str] = ()
    meta: Mapping[str, str] = Field(default_factory=dict)
    canary_meta: Mapping[str, str] = Field(default_factory=dict)
    tagged_addresses: Mapping[str, str] = Field(default_factory=dict)
    kind: Literal["api-gateway"] | None = None
    checks: Many[Check] = ()
    connect: Connect | None = None


class Lifecycle(Shape):
    """When a task runs in the life of its group."""

    hook: Literal["prestart", "poststart", "poststop"]
    sidecar: bool | None = None


class Task(Shape):
    """One process or container."""

    name: Text
    driver: Text
    user: Text | None = None
    config: Mapping[str, Any] = Field(default_factory=dict)
    env: Mapping[str, str] = Field(default_factory=dict)
    lifecycle: Lifecycle | None = None
    resources: Resources | None = None
    kill_timeout: Time | None = None


class Consul(Shape):
    """Gives the tasks of a group a Consul token by their workload identity.

    Attributes:
        partition: Only nodes whose Consul agent is in this partition, Enterprise only.
    """

    partition: Text | None = None


class TaskGroup(Shape):
    """Tasks that are placed together and share a network."""

    name: Text
    count: Positive = 1
    constraints: Many[Constraint] = ()
    networks: Annotated[Many[Network], Field(max_length=1)] = ()
    services: Many[Service] = ()
    tasks: Many[Task] = ()
    restart_policy: RestartPolicy | None = None
    reschedule_policy: ReschedulePolicy | None = None
    shutdown_delay: Time | None = None
    consul: Consul | None = None
    meta: Mapping[str, str] = Field(default_factory=dict)


class Job(Shape):
    """A job. Its name is its id."""

    id: Text
    type: Literal["service"] = "service"
    datacenters: Annotated[Many[Text], Field(min_length=1)]
    constraints: Many[Constraint] = ()
    update: Update
    task_groups: Annotated[Many[TaskGroup], Field(min_length=1)]
    meta: Mapping[str, str] = Field(default_factory=dict)

    def api_json(self) -> JsonObject:
        """The job object of Nomad's API, without the ``{"Job": ...}`` around it.

        ``nomad_job`` takes it as it is; ``POST /v1/jobs`` and ``/v1/validate/job`` want it as the value of ``Job``.
        """
        return {**plain(self), "Name": self.id}

    def deployment_seconds(self) -> int:
        """How long a deployment that ends well may take, in seconds: one round after the other up to its deadline.

        A deployment that fails ends earlier, at the latest by its progress deadline.
        """
        largest = max(group.count for group in self.task_groups)
        rounds = -(-largest // self.update.max_parallel) + (1 if self.update.canary else 0)
        return int(seconds(self.update.progress_deadline) + rounds * seconds(self.update.healthy_deadline))
