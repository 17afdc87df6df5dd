"""The Nomad jobs of services: one job for each version."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from mesh.model.environment import Environment
from mesh.model.platform import Platform
from mesh.model.service import Nomad, Service, Version
from mesh.nomad.job import (
    Check,
    CheckRestart,
    Connect,
    Job,
    Network,
    Proxy,
    ReschedulePolicy,
    Resources,
    RestartPolicy,
    SidecarService,
    SidecarTask,
    SidecarUpstream,
    Task,
    TaskGroup,
    Update,
    UpstreamMeshGateway,
)
from mesh.nomad.job import Service as Registration
from mesh.scalars import HTTP_LIKE
from mesh.topology import datacenter, place
from mesh.workload import application_env, versions_of, workload_name

LOOPBACK: Final = "127.0.0.1"
"""Where applications listen: inside the network namespace of the group, so that only the sidecar reaches them."""

BRIDGE: Final = Network(mode="bridge")

UPDATE: Final = Update(
    max_parallel=1,
    health_check="checks",
    min_healthy_time="10s",
    healthy_deadline="3m",
    progress_deadline="5m",
    canary=1,
    auto_revert=True,
    auto_promote=True,
)
"""One new instance proves itself before an old one stops; one that never gets healthy leaves everything as it was.

Nomad tries a broken instance again and again, and goes back only when the deadline for progress has passed.
"""

RESTART: Final = RestartPolicy(attempts=2, interval="30m", delay="15s", mode="fail")

RESCHEDULE: Final = ReschedulePolicy(delay="30s", delay_function="exponential", max_delay="1h")

SHUTDOWN_DELAY: Final = "10s"
"""Between leaving Consul and stopping the tasks: callers' sidecars hear of it and finish what is under way."""

CHECK_RESTART: Final = CheckRestart(limit=3, grace="30s")

KILL_TIMEOUT: Final = "10s"

SIDECAR: Final = SidecarTask(resources=Resources(cpu=100, memory_mb=96))
"""Envoy of a sidecar needs about 60 MiB."""

GRPC_HEALTH: Final = "/grpc.health.v1.Health/Check"
"""Method of the gRPC health protocol, as a path."""


def service_jobs(environment: Environment, cluster: str | None = None) -> tuple[Job, ...]:
    """Jobs of every service that runs on Nomad in a cluster, in declaration order."""
    return tuple(_jobs(environment, cluster))


def _jobs(environment: Environment, cluster: str | None) -> Iterator[Job]:
    services = environment.services_by_name()
    datacenters = (datacenter(environment.platform, cluster),)
    for service in environment.services:
        runtime = service.runs_on
        if not isinstance(runtime, Nomad) or runtime.peer != cluster:
            continue
        resources = Resources(cpu=runtime.cpu, memory_mb=runtime.memory)
        upstreams = tuple(_upstreams(environment.platform, service, runtime, services))
        for name, version in versions_of(service):
            job = workload_name(service, name)
            group = TaskGroup(
                name=job,
                count=version.count or runtime.count,
                networks=(BRIDGE,),
                restart_policy=RESTART,
                reschedule_policy=RESCHEDULE,
                shutdown_delay=SHUTDOWN_DELAY,
                services=(_registration(service, name, upstreams),),
                tasks=(_task(service, name, version, resources, services),),
            )
            yield Job(id=job, datacenters=datacenters, update=UPDATE, task_groups=(group,))


def _registration(service: Service, version_name: str | None, upstreams: tuple[SidecarUpstream, ...]) -> Registration:
    """The service in Consul. A VM's services are in the partition of its Consul agent, so the group names none."""
    return Registration(
        name=service.name,
        port_label=str(service.port),
        tags=(version_name,) if version_name else (),
        meta={"version": version_name} if version_name else {},
        checks=(_check(service),) if service.protocol in HTTP_LIKE else (),
        connect=Connect(
            sidecar_service=SidecarService(proxy=Proxy(local_service_port=service.port, upstreams=upstreams)),
            sidecar_task=SIDECAR,
        ),
    )


def _check(service: Service) -> Check:
    """The health check of an HTTP-like service, through the sidecar: only that reaches the application.

    An ``http2`` service is asked in HTTP/1.1, as Kubernetes would: Consul's agent speaks nothing else, and the sidecar
    hands on to the application what it hears (consul@1.22.7 ``agent/xds/clusters.go``,
    ``setLocalAppHttpProtocolOptions``).

    A ``tcp`` service has no check. Nomad refuses tcp checks beside a sidecar, because the port is on the loopback of
    the network namespace (nomad@1.11.3 ``nomad/structs/services.go``, ``validateConsulService``). Deployments still
    wait for the sidecar's listener, and Nomad restarts an application that ends.
    """
    health = service.health
    check = partial(
        Check,
        name=f"{service.name}-health",
        interval=health.interval,
        timeout=health.timeout,
        expose=True,
        check_restart=CHECK_RESTART,
    )
    if service.protocol == "grpc":
        return check(type="grpc", path=GRPC_HEALTH, protocol="http2")
    return check(type="http", path=health.path)


def _upstreams(
    platform: Platform, service: Service, runtime: Nomad, services: Mapping[str, Service]
) -> Iterator[SidecarUpstream]:
    own = place(platform, runtime, runtime.peer)
    for upstream in service.upstreams:
        if called := services.get(upstream.service):
            there = place(platform, called.runs_on, runtime.peer)
            crosses = there != own
            yield SidecarUpstream(
                destination_name=upstream.service,
                local_bind_port=upstream.local_port,
                destination_partition=there.partition if crosses else None,
                destination_namespace=there.namespace if crosses else None,
                destination_peer=there.peer,
                mesh_gateway=UpstreamMeshGateway(mode="local") if crosses else None,
            )


def _task(
    service: Service,
    version_name: str | None,
    version: Version,
    resources: Resources,
    services: Mapping[str, Service],
) -> Task:
    return Task(
        name=service.name,
        driver="docker",
        config={"image": version.image or service.image},
        env=application_env(service, version_name, version, listen=LOOPBACK, services=services),
        resources=resources,
        kill_timeout=KILL_TIMEOUT,
    )
