"""Rules about jobs: what derives is sound, and each rule finds what it is for."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, TypeVar

import pytest

from environments.community import ENVIRONMENT as COMMUNITY_DEMO
from environments.demo import ENVIRONMENT as DEMO
from environments.production import ENVIRONMENT as PRODUCTION
from mesh.findings import Finding
from mesh.model import ApiGateway, Environment, Listener, Nomad, Upstream
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
    Proxy,
    ReschedulePolicy,
    ReservedPort,
    Resources,
    RestartPolicy,
    Service,
    SidecarService,
    SidecarTask,
    SidecarUpstream,
    Task,
    TaskGroup,
    Update,
)
from mesh.nomad.jobs import jobs
from mesh.nomad.rules import problems, problems_among
from mesh.shapes import Shape
from tests.unit.examples import ENTERPRISE, caller, environment, service, versioned

S = TypeVar("S", bound=Shape)

BRIDGE = Network(mode="bridge")
HOST = Network(mode="host")
MESHED = Connect(sidecar_service=SidecarService())
GATEWAY = Connect(gateway=Gateway(mesh=MeshGateway()))
PORT = ReservedPort(label="wan", value=8443, to=8443)
WAN = Network(mode="bridge", reserved_ports=(PORT,))
CHECK = Check(name="c", type="http", path="/health", expose=True, interval="10s", timeout="3s")
SIDECAR = Service(name="api", port_label="9091", checks=(CHECK,), connect=MESHED)
GATEWAY_SERVICE = Service(name="gw", port_label="wan", connect=GATEWAY)
PLAIN = Service(name="api", port_label="9091")
HOOKS: tuple[Literal["prestart", "poststart", "poststop"], ...] = ("prestart", "poststart", "poststop")
PRESTART = Lifecycle(hook="prestart")
LAN = DynamicPort(label="connect-mesh-gw-lan")
UPDATE = Update(min_healthy_time="10s", healthy_deadline="3m", progress_deadline="10m")
TASK = Task(name="api", driver="docker", env={"LISTEN_ADDR": "127.0.0.1:9091"})


def job(group: TaskGroup | None = None, *, update: Update = UPDATE, id: str = "api") -> Job:
    return Job(id=id, datacenters=("dc1",), update=update, task_groups=(group or sidecar(),))


def sidecar(registration: Service = SIDECAR, *, network: Network | None = BRIDGE, **changes: Any) -> TaskGroup:
    fields: dict[str, Any] = {
        "name": "api",
        "networks": (network,) if network else (),
        "services": (registration,),
        "tasks": (TASK,),
        "shutdown_delay": "10s",
    }
    return TaskGroup(**{**fields, **changes})


def gateway(registration: Service = GATEWAY_SERVICE, network: Network = WAN, **changes: Any) -> TaskGroup:
    return sidecar(registration, network=network, **{"name": "gw", "tasks": (), **changes})


def plain(registration: Service = PLAIN, **changes: Any) -> TaskGroup:
    return sidecar(registration, **changes)


def sidecar_task(**changes: Any) -> Service:
    return changed(SIDECAR, connect=Connect(sidecar_service=SidecarService(), sidecar_task=SidecarTask(**changes)))


def constrained(**changes: Any) -> Job:
    return job(sidecar(constraints=(Constraint(**changes),)))


def with_port(port: ReservedPort) -> Network:
    return Network(mode="bridge", reserved_ports=(port,))


def changed(shape: S, **changes: Any) -> S:
    """The shape with other values, validated again."""
    return type(shape)(**{**dict(shape), **changes})


def checked(**changes: Any) -> TaskGroup:
    return sidecar(changed(SIDECAR, checks=(changed(CHECK, **changes),)))


def proxied(**fields: Any) -> Service:
    return changed(SIDECAR, connect=Connect(sidecar_service=SidecarService(proxy=Proxy(**fields))))


def upstream(port: int, name: str = "db", **fields: Any) -> SidecarUpstream:
    return SidecarUpstream(destination_name=name, local_bind_port=port, **fields)


def rules(findings: Iterable[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


SOUND = {
    "sidecar": job(),
    "gateway in a bridge": job(gateway()),
    "gateway in the host's network": job(
        gateway(network=Network(mode="host", reserved_ports=(ReservedPort(label="wan", value=8443),)))
    ),
    "cni": job(sidecar(network=Network(mode="cni/mynet"))),
    "no mesh, no network": job(sidecar(Service(name="api", port_label="9091"), network=None)),
    "one port on two host networks": job(
        gateway(network=Network(mode="bridge", reserved_ports=(PORT, changed(PORT, label="lan", host_network="lan"))))
    ),
    "containers in the host's network": job(
        plain(network=HOST, tasks=(changed(TASK, config={"network_mode": "host"}),))
    ),
    "another driver in the host's network": job(plain(network=HOST, tasks=(changed(TASK, driver="raw_exec"),))),
    "a delay that does not grow": job(
        sidecar(reschedule_policy=ReschedulePolicy(delay="1m", delay_function="constant", max_delay="30s"))
    ),
    "restarts fit": job(sidecar(restart_policy=RestartPolicy(attempts=2, interval="30s", delay="15s", mode="fail"))),
    "shortest interval of restarts": job(
        sidecar(restart_policy=RestartPolicy(attempts=1, interval="5s", delay="5s", mode="delay"))
    ),
    "shortest delay": job(
        sidecar(reschedule_policy=ReschedulePolicy(delay="5s", delay_function="fibonacci", max_delay="5s"))
    ),
    "shortest checks": job(checked(interval="1s", timeout="1s")),
    "deadlines just in order": job(update=changed(UPDATE, min_healthy_time="179999ms", progress_deadline="3m1ns")),
    "a task ends as slowly as the deployment": job(sidecar(tasks=(changed(TASK, kill_timeout="10m"),))),
    "an Envoy ends as slowly as the deployment": job(sidecar(sidecar_task(kill_timeout="10m"))),
    "a deployment as short as a task's usual end": job(
        plain(), update=Update(min_healthy_time="1s", healthy_deadline="2s", progress_deadline="5s")
    ),
    "most instances": job(sidecar(count=50_000)),
    "all at once, of one": job(update=changed(UPDATE, max_parallel=2)),
    "as many at once as there are": job(sidecar(count=2), update=changed(UPDATE, max_parallel=2)),
    "least memory": job(sidecar(tasks=(changed(TASK, resources=Resources(cpu=1, memory_mb=10)),))),
    "longest service name": job(sidecar(changed(SIDECAR, name="a" * 63))),
    "odd path": job(checked(path="/a b/é/%41?x=${y}&z=[1]:2")),
    "a task beside a gateway": job(gateway(tasks=(changed(TASK, env={}),))),
    "tasks around the main one": job(
        sidecar(tasks=(TASK, *(changed(TASK, name=hook, lifecycle=Lifecycle(hook=hook)) for hook in HOOKS)))
    ),
    "number of a port with zeros": job(sidecar(changed(SIDECAR, port_label="009091"), tasks=(changed(TASK, env={}),))),
    "constraints": job(
        sidecar(
            constraints=(
                Constraint(operand="distinct_hosts"),
                Constraint(l_target="${attr.kernel.name}", r_target="linux"),
                Constraint(l_target="${meta.rack}", r_target="a", operand="!="),
                Constraint(l_target="${meta.rack}", operand="is_set"),
                Constraint(l_target="${meta.drained}", operand="is_not_set"),
                Constraint(l_target="${meta.rack}", operand="distinct_property"),
                Constraint(l_target="${meta.rack}", r_target="2", operand="distinct_property"),
            )
        )
    ),
}


@pytest.mark.parametrize("sound", SOUND.values(), ids=SOUND.keys())
def test_sound(sound: Job) -> None:
    assert list(problems(sound)) == []


@pytest.mark.parametrize("mesh", [DEMO, COMMUNITY_DEMO, PRODUCTION], ids=lambda mesh: mesh.name)
def test_what_derives_is_sound(mesh: Environment) -> None:
    derived = jobs(mesh)
    assert derived
    assert [finding for one in derived for finding in problems(one)] == []
    assert list(problems_among(mesh, derived)) == []


@pytest.mark.parametrize("protocol", ["http", "http2", "grpc", "tcp"])
def test_every_protocol_derives_soundly(protocol: str) -> None:
    mesh = environment(service(protocol=protocol, upstreams=[Upstream("web", local_port=9999)]), caller())
    (derived,) = jobs(mesh)
    assert list(problems(derived)) == []


BROKEN = {
    "a space in the id": (job(id="my api"), "nomad-job-id"),
    "a zero byte in the id": (job(id="my\0api"), "nomad-job-id"),
    "a tabulator in the id": (job(id="my\tapi"), "nomad-job-id"),
    "too many instances": (job(sidecar(count=50_001)), "nomad-count"),
    "all instances at once": (job(sidecar(count=2), update=changed(UPDATE, max_parallel=3)), "nomad-max-parallel"),
    "a zero byte in a group's name": (job(sidecar(name="a\0b")), "nomad-group-name"),
    "no value to compare with": (constrained(l_target="${meta.rack}"), "nomad-constraint"),
    "nothing to compare": (constrained(r_target="linux"), "nomad-constraint"),
    "a value that is only there": (
        constrained(l_target="${meta.rack}", r_target="a", operand="is_set"),
        "nomad-constraint",
    ),
    "no number of instances": (
        constrained(l_target="${meta.rack}", r_target="a", operand="distinct_property"),
        "nomad-constraint",
    ),
    "zero instances": (
        constrained(l_target="${meta.rack}", r_target="0", operand="distinct_property"),
        "nomad-constraint",
    ),
    "a constraint of the job": (
        changed(job(), constraints=(Constraint(l_target="${meta.rack}"),)),
        "nomad-constraint",
    ),
    "a task ends more slowly than the deployment": (
        job(sidecar(tasks=(changed(TASK, kill_timeout="601s"),))),
        "nomad-kill-timeout",
    ),
    "an Envoy ends more slowly than the deployment": (
        job(sidecar(sidecar_task(kill_timeout="601s"))),
        "nomad-kill-timeout",
    ),
    "a task's usual end is more slow than the deployment": (
        job(plain(), update=Update(min_healthy_time="1s", healthy_deadline="2s", progress_deadline="4s")),
        "nomad-kill-timeout",
    ),
    "an Envoy's usual end is more slow than the deployment": (
        job(gateway(), update=Update(min_healthy_time="1s", healthy_deadline="2s", progress_deadline="4s")),
        "nomad-kill-timeout",
    ),
    **{
        f"a task called {name!r}": (job(sidecar(tasks=(changed(TASK, name=name),))), "nomad-task-name")
        for name in ("alloc", "a/b", "a\\b", "a\0b")
    },
    "only a task before": (job(sidecar(tasks=(changed(TASK, lifecycle=PRESTART),))), "nomad-no-tasks"),
    "no task, and no mesh": (job(plain(tasks=())), "nomad-no-tasks"),
    "a task called as Nomad's proxy": (
        job(sidecar(tasks=(TASK, changed(TASK, name="connect-proxy-api")))),
        "nomad-injected",
    ),
    "a task called as Nomad's gateway": (
        job(gateway(tasks=(changed(TASK, name="connect-mesh-gw", env={}),))),
        "nomad-injected",
    ),
    "a port called as Nomad's": (
        job(sidecar(network=with_port(ReservedPort(label="connect-proxy-api", value=80)))),
        "nomad-injected",
    ),
    "a port called as Nomad's of a gateway": (
        job(gateway(network=Network(mode="bridge", reserved_ports=(PORT,), dynamic_ports=(LAN,)))),
        "nomad-injected",
    ),
    "a number for a label": (
        job(sidecar(network=with_port(ReservedPort(label="9091", value=80, to=9091)))),
        "nomad-port-label",
    ),
    "no number of a port": (job(plain(Service(name="api", port_label="65536"))), "nomad-port-label"),
    "zero for a port": (job(plain(Service(name="api", port_label="0"))), "nomad-port-label"),
    "two sidecars of a service": (
        job(sidecar(services=(SIDECAR, changed(SIDECAR, port_label="9092")))),
        "nomad-service-twice",
    ),
    "a service name to be filled in": (
        job(sidecar(changed(SIDECAR, name="${NOMAD_JOB_NAME}"))),
        "nomad-service-name",
    ),
    "another host in a path": (job(checked(path="//x/health")), "nomad-check-path"),
    "half an escape in a path": (job(checked(path="/%4")), "nomad-check-path"),
    "a control character in a path": (job(checked(path="/\x7f")), "nomad-check-path"),
    "a relative path": (job(checked(path="health")), "nomad-check-path"),
    "deadlines": (job(update=changed(UPDATE, healthy_deadline="10m")), "nomad-update-deadlines"),
    "too healthy": (job(update=changed(UPDATE, min_healthy_time="3m")), "nomad-update-deadlines"),
    "nothing to promote": (job(update=changed(UPDATE, auto_promote=True)), "nomad-auto-promote"),
    "nobody promotes": (job(update=changed(UPDATE, canary=1)), "nomad-canary-waits"),
    "no task": (job(sidecar(tasks=())), "nomad-no-tasks"),
    "two tasks of a name": (job(sidecar(tasks=(TASK, TASK))), "nomad-name-twice"),
    "restarts do not fit": (
        job(sidecar(restart_policy=RestartPolicy(attempts=3, interval="30s", delay="15s", mode="fail"))),
        "nomad-restart",
    ),
    "interval of restarts": (
        job(sidecar(restart_policy=RestartPolicy(attempts=1, interval="4s", delay="1s", mode="fail"))),
        "nomad-restart",
    ),
    "reschedule delay": (
        job(sidecar(reschedule_policy=ReschedulePolicy(delay="1s", delay_function="constant", max_delay="1h"))),
        "nomad-reschedule",
    ),
    "reschedule maximum": (
        job(sidecar(reschedule_policy=ReschedulePolicy(delay="1m", delay_function="fibonacci", max_delay="30s"))),
        "nomad-reschedule",
    ),
    "no network": (job(sidecar(network=None)), "nomad-network-missing"),
    "sidecar in the host's network": (
        job(sidecar(network=HOST, tasks=(changed(TASK, config={"network_mode": "host"}),))),
        "nomad-sidecar-network",
    ),
    "upper case in a group": (job(sidecar(name="API")), "nomad-upper-case"),
    "upper case in a gateway's group": (job(gateway(name="GW")), "nomad-upper-case"),
    "upper case in a service": (job(sidecar(changed(SIDECAR, name="API"))), "nomad-upper-case"),
    "upper case in a gateway": (job(gateway(changed(GATEWAY_SERVICE, name="GW"))), "nomad-upper-case"),
    "service name": (job(sidecar(changed(SIDECAR, name="my_api"))), "nomad-service-name"),
    "long service name": (job(sidecar(changed(SIDECAR, name="a" * 64))), "nomad-service-name"),
    "two services alike": (job(sidecar(services=(SIDECAR, SIDECAR))), "nomad-service-twice"),
    "no shutdown delay": (job(sidecar(shutdown_delay=None)), "nomad-shutdown-delay"),
    "neither sidecar nor gateway": (job(sidecar(changed(SIDECAR, checks=(), connect=Connect()))), "nomad-connect"),
    "sidecar and gateway": (
        job(
            gateway(
                changed(GATEWAY_SERVICE, connect=Connect(sidecar_service=SidecarService(), gateway=GATEWAY.gateway))
            )
        ),
        "nomad-connect",
    ),
    "no such port": (job(sidecar(changed(SIDECAR, checks=(changed(CHECK, port_label="web"),)))), "nomad-port-label"),
    "no such service port": (job(gateway(changed(GATEWAY_SERVICE, port_label="lan"))), "nomad-port-label"),
    "sidecar with a label": (
        job(
            sidecar(
                changed(SIDECAR, port_label="http"),
                network=Network(mode="bridge", reserved_ports=(ReservedPort(label="http", value=9091),)),
            )
        ),
        "nomad-sidecar-port",
    ),
    "sidecar without a port": (job(sidecar(changed(SIDECAR, port_label=None, checks=()))), "nomad-sidecar-port"),
    "gateway without a port": (job(gateway(changed(GATEWAY_SERVICE, port_label=None))), "nomad-gateway-port"),
    "gateway with a number": (job(gateway(changed(GATEWAY_SERVICE, port_label="8443"))), "nomad-gateway-port"),
    "gateway's port mapped": (
        job(gateway(network=Network(mode="bridge", reserved_ports=(changed(PORT, to=443),)))),
        "nomad-gateway-mapping",
    ),
    "gateway's port not mapped": (
        job(gateway(network=Network(mode="bridge", reserved_ports=(changed(PORT, to=None),)))),
        "nomad-gateway-mapping",
    ),
    "label twice": (
        job(sidecar(network=Network(mode="bridge", reserved_ports=(PORT,), dynamic_ports=(DynamicPort(label="wan"),)))),
        "nomad-name-twice",
    ),
    "static port twice": (
        job(sidecar(network=Network(mode="bridge", reserved_ports=(PORT, changed(PORT, label="b"))))),
        "nomad-static-port-twice",
    ),
    "interval": (job(checked(interval="500ms")), "nomad-check-short"),
    "timeout": (job(checked(timeout="999ms")), "nomad-check-short"),
    "slower than the deployment": (job(checked(interval="3m")), "nomad-check-slow"),
    "tcp behind a sidecar": (job(checked(type="tcp", path=None, expose=None)), "nomad-check-tcp"),
    "no path": (job(checked(path=None)), "nomad-check-path"),
    "absolute URL": (job(checked(path="http://localhost/health")), "nomad-check-path"),
    "exposed grpc without a path": (job(checked(type="grpc", path=None)), "nomad-check-path"),
    "exposed without a sidecar": (
        job(sidecar(Service(name="api", port_label="9091", checks=(CHECK,)))),
        "nomad-expose",
    ),
    "http2 as a scheme": (job(checked(protocol="http2")), "nomad-check-protocol"),
    "a check without a port": (
        job(sidecar(Service(name="api", checks=(changed(CHECK, expose=None),)))),
        "nomad-check-port",
    ),
    "upstreams on one port": (
        job(sidecar(proxied(upstreams=(upstream(9191), upstream(9191, "cache"))))),
        "nomad-upstream-port",
    ),
    "upstreams of two services": (
        job(
            sidecar(
                services=(
                    proxied(upstreams=(upstream(9191),)),
                    changed(proxied(upstreams=(upstream(9191),)), name="b", port_label="9092"),
                )
            )
        ),
        "nomad-upstream-port",
    ),
    "upstream on the application's port": (job(sidecar(proxied(upstreams=(upstream(9091),)))), "nomad-upstream-port"),
    "containers behind Docker's bridge": (job(plain(network=HOST)), "nomad-docker-network"),
    "listens elsewhere": (
        job(sidecar(tasks=(changed(TASK, env={"LISTEN_ADDR": "127.0.0.1:8080"}),))),
        "nomad-listen-port",
    ),
}


@pytest.mark.parametrize(("broken", "rule"), BROKEN.values(), ids=BROKEN.keys())
def test_broken(broken: Job, rule: str) -> None:
    findings = list(problems(broken))
    assert rules(findings) == {rule}
    assert all(finding.path.startswith(f'jobs["{broken.id}"]') for finding in findings)


def test_two_jobs_of_one_name() -> None:
    mesh = environment(versioned(), service("api-v1"))
    assert rules(problems_among(mesh, jobs(mesh))) == {"nomad-job-twice"}


def test_a_datacenter_that_does_not_exist() -> None:
    elsewhere = changed(job(), datacenters=("dc2",))
    assert rules(problems_among(environment(), [elsewhere])) == {"nomad-datacenter"}


def test_a_version_that_no_subset_selects() -> None:
    mesh = environment(versioned())
    old = job(sidecar(changed(SIDECAR, meta={"version": "v0"})))
    assert rules(problems_among(mesh, [old])) == {"nomad-version"}
    assert rules(problems_among(mesh, [job()])) == {"nomad-version"}
    assert rules(problems_among(environment(service()), [job()])) == set()


@pytest.mark.parametrize(
    "group",
    [
        sidecar(consul=Consul(partition="k9s")),
        sidecar(proxied(upstreams=(upstream(9191, destination_partition="k9s"),))),
    ],
    ids=["of the group", "of an upstream"],
)
def test_a_partition_that_does_not_exist(group: TaskGroup) -> None:
    for mesh in (environment(), environment(platform=ENTERPRISE)):
        assert rules(problems_among(mesh, [job(group)])) == {"nomad-partition"}


def test_partitions_and_namespaces_are_for_enterprise() -> None:
    there = upstream(9191, destination_partition="k8s", destination_namespace="default")
    group = sidecar(proxied(upstreams=(there,)), consul=Consul(partition="default"))
    assert rules(problems_among(environment(platform=ENTERPRISE), [job(group)])) == set()
    found = list(problems_among(environment(), [job(group)]))
    assert rules(found) == {"nomad-partition"}
    assert len(found) == 3


def test_static_ports_need_clients() -> None:
    pair = [Listener(5000, "http", to="web")]
    wide = environment(caller(), gateways=[ApiGateway("gw", listeners=pair, runs_on=Nomad(count=2))])
    assert rules(problems_among(wide, jobs(wide))) == {"nomad-static-port-count"}
    enough = replace(wide, platform=replace(wide.platform, clients=2))
    assert rules(problems_among(enough, jobs(enough))) == set()
    canary = job(gateway(), update=changed(UPDATE, canary=1, auto_promote=True))
    assert rules(problems_among(wide, [canary])) == {"nomad-static-port-count"}


def test_a_static_port_belongs_to_one_job() -> None:
    found = list(problems_among(environment(), [job(gateway()), job(gateway(), id="other")]))
    assert rules(found) == {"nomad-static-port-shared"}
