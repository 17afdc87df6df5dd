"""The Nomad jobs of gateways: what carries traffic to AKS or a peered cluster, and what lets traffic in on the VMs."""

from typing import Final

from mesh import ports
from mesh.images import consul_image, envoy_image
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway
from mesh.model.platform import Flat, Platform
from mesh.nomad.job import (
    Check,
    Connect,
    Constraint,
    Consul,
    DynamicPort,
    Gateway,
    Job,
    Lifecycle,
    MeshGateway,
    Network,
    ReschedulePolicy,
    ReservedPort,
    Resources,
    RestartPolicy,
    Service,
    SidecarTask,
    Task,
    TaskGroup,
    Update,
)
from mesh.topology import MESH_GATEWAY, datacenter, gateways_on

UPDATE: Final = Update(
    max_parallel=1,
    health_check="checks",
    min_healthy_time="10s",
    healthy_deadline="5m",
    progress_deadline="10m",
    auto_revert=True,
)
"""One after the other and without a canary: the static ports of a node are free only when its old instance has gone."""

RESTART: Final = RestartPolicy(attempts=3, interval="5m", delay="15s", mode="delay")
"""A gateway goes on trying on its node: with its static ports there is often no other."""

RESCHEDULE: Final = ReschedulePolicy(delay="30s", delay_function="exponential", max_delay="10m")

SHUTDOWN_DELAY: Final = "10s"

ONE_PER_CLIENT: Final = Constraint(operand="distinct_hosts")

MESH_GATEWAYS: Final = 3
"""At most so many mesh gateways, one for each client: one may be replaced while another's VM is lost.

More would only be more proxies that each know every service.
"""

MESH_PORT: Final = "mesh_wan"
"""Label of the mesh gateway's port."""

MESH_ENVOY: Final = SidecarTask(resources=Resources(cpu=200, memory_mb=128), shutdown_delay="5s")

ADMIN_PORT: Final = "admin"
"""Label of the port of Envoy's admin interface. Nomad chooses it, so several gateways can share a node's loopback."""

BOOTSTRAP: Final = "${NOMAD_ALLOC_DIR}/envoy_bootstrap.json"
"""Where the setup task leaves Envoy's bootstrap configuration for the Envoy task."""

PRIVILEGED: Final = 1024
"""First port that a process other than root's may listen on."""


def mesh_gateway_jobs(environment: Environment, cluster: str | None = None) -> tuple[Job, ...]:
    """The job of the mesh gateways on the VMs of a cluster, where there are any."""
    platform = environment.platform
    if isinstance(platform.topology, Flat):
        return ()
    count = min(platform.clients, MESH_GATEWAYS)
    port = platform.topology.gateway_port
    service = Service(
        name=MESH_GATEWAY,
        port_label=MESH_PORT,
        checks=(_listening(MESH_GATEWAY, MESH_PORT),),
        connect=Connect(gateway=Gateway(mesh=MeshGateway()), sidecar_task=MESH_ENVOY),
    )
    group = TaskGroup(
        name=MESH_GATEWAY,
        count=count,
        constraints=(ONE_PER_CLIENT,) if count > 1 else (),
        # Nomad has Envoy bind the node's port number inside the namespace (nomad@1.11.3
        # command/agent/consul/service_client.go), so both sides of the mapping are the same.
        networks=(Network(mode="bridge", reserved_ports=(ReservedPort(label=MESH_PORT, value=port, to=port),)),),
        restart_policy=RESTART,
        reschedule_policy=RESCHEDULE,
        shutdown_delay=SHUTDOWN_DELAY,
        services=(service,),
    )
    return (_job(datacenter(platform, cluster), MESH_GATEWAY, group),)


def api_gateway_jobs(environment: Environment, cluster: str | None = None) -> tuple[Job, ...]:
    """One job for each API gateway of a cluster, named as the gateway: the ACL binding rules know it by this name.

    A gateway without listeners has none; the judge reports it.
    """
    return tuple(
        _api_gateway(environment.platform, gateway)
        for gateway in gateways_on(environment, ApiGateway)
        if gateway.listeners and gateway.runs_on.peer == cluster
    )


def _api_gateway(platform: Platform, gateway: ApiGateway) -> Job:
    """Envoy in the node's network, registered by Nomad as a service of the kind ``api-gateway``.

    Nomad cannot run this kind of gateway itself, but since 1.10.3 it can register one (hashicorp/nomad#26170), which
    gives it health checks and takes it away again. A task before Envoy asks the node's Consul agent for the bootstrap
    configuration; both are in the node's network, because the agent listens on the loopback only.
    """
    listeners = dict.fromkeys(listener.port for listener in gateway.listeners)
    labels = {port: f"listener_{port}" for port in listeners}
    first = next(iter(labels.values()))
    count = gateway.runs_on.count
    group = TaskGroup(
        name=gateway.name,
        count=count,
        constraints=(ONE_PER_CLIENT,) if count > 1 else (),
        consul=Consul() if platform.acl else None,
        networks=(
            Network(
                mode="host",
                reserved_ports=tuple(ReservedPort(label=label, value=port) for port, label in labels.items()),
                dynamic_ports=(DynamicPort(label=ADMIN_PORT),),
            ),
        ),
        restart_policy=RESTART,
        reschedule_policy=RESCHEDULE,
        shutdown_delay=SHUTDOWN_DELAY,
        services=(
            # The listeners bind the address of this registration, which is the node's.
            Service(
                name=gateway.name,
                kind="api-gateway",
                port_label=first,
                checks=tuple(_listening(gateway.name, label) for label in labels.values()),
            ),
        ),
        tasks=(
            _setup(platform, gateway.name, first),
            _envoy(platform, gateway, privileged=min(listeners) < PRIVILEGED),
        ),
    )
    return _job(datacenter(platform, gateway.runs_on.peer), gateway.name, group)


def _setup(platform: Platform, name: str, port_label: str) -> Task:
    """Writes Envoy's bootstrap configuration, as soon as Nomad has registered the gateway.

    The registration's id is Nomad's (nomad@1.11.3 ``client/serviceregistration/id.go``). With ACLs Nomad puts the token
    of the task's identity into its environment, and Consul's command puts it into the configuration.
    """
    registration = f"_nomad-task-${{NOMAD_ALLOC_ID}}-group-{name}-{name}-{port_label}"
    command = (
        f"consul connect envoy -gateway api -service {name} -proxy-id {registration}"
        f" -admin-bind 127.0.0.1:${{NOMAD_PORT_{ADMIN_PORT}}} -bootstrap > {BOOTSTRAP}"
    )
    return Task(
        name="setup",
        driver="docker",
        lifecycle=Lifecycle(hook="prestart", sidecar=False),
        config={
            "image": consul_image(platform),
            "network_mode": "host",
            "command": "/bin/sh",
            "args": ["-c", f"until {command}; do sleep 1; done"],
        },
        env={
            "CONSUL_HTTP_ADDR": f"http://127.0.0.1:{ports.LOOPBACK_HTTP}",
            "CONSUL_GRPC_ADDR": f"127.0.0.1:{ports.LOOPBACK_GRPC}",
        },
        resources=Resources(cpu=100, memory_mb=128),
    )


def _envoy(platform: Platform, gateway: ApiGateway, *, privileged: bool) -> Task:
    """Envoy. Unless told otherwise its image runs it without root's rights, and it cannot listen on ports like 443."""
    return Task(
        name="envoy",
        driver="docker",
        config={
            "image": envoy_image(platform),
            "network_mode": "host",
            "args": [
                "--config-path",
                BOOTSTRAP,
                "--log-level",
                "${meta.connect.log_level}",
                "--concurrency",
                "${meta.connect.proxy_concurrency}",
                "--disable-hot-restart",
            ],
        },
        env={"ENVOY_UID": "0"} if privileged else {},
        resources=Resources(cpu=gateway.runs_on.cpu, memory_mb=gateway.runs_on.memory),
        kill_timeout="10s",
    )


def _listening(name: str, label: str) -> Check:
    return Check(name=f"{name}-{label}", type="tcp", port_label=label, interval="10s", timeout="3s")


def _job(where: str, name: str, group: TaskGroup) -> Job:
    return Job(id=name, datacenters=(where,), update=UPDATE, task_groups=(group,))
