"""Typed Nomad jobs by chance: sound ones, and ones with a few values that are not, near the limits of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeVar

from hypothesis import strategies as st
from pydantic import ValidationError

from mesh.nomad.job import (
    Check,
    CheckRestart,
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
    UpstreamMeshGateway,
)
from mesh.shapes import Shape

S = TypeVar("S", bound=Shape)
T = TypeVar("T")

TIMES: Final = (
    *("1ns", "1ms", "999ms", "999.999999ms", "1s", "1.000000001s", "4s", "4.999s", "5s", "10s", "15s", "30s"),
    *("1m", "1m1s", "3m", "5m", "10m", "1h", "1000h"),
)
NUMBERS: Final = (1, 2, 3, 9, 10, 20, 49_999, 50_000, 50_001, 2**31 - 1, 2**31, 2**63 - 1, 2**63)
PORTS: Final = (1, 80, 8443, 9091, 9191, 20_000, 32_000, 65_535)
NAMES: Final = (
    *("a", "api", "API", "Web", "a-b", "a_b", "a.b", "-a", "a-", "9", "é", "a b", "a\tb", "a\n", "a/b", "a\\b", "a\0b"),
    *("alloc", "connect-proxy-api", "connect-mesh-gw", "${NOMAD_JOB_NAME}", "x" * 63, "x" * 64, "x" * 300),
)
LABELS: Final = ("http", "wan", "lan", "HTTP", "a b", "a-b", "0", "1", "9091", "9092", "65536", "x" * 64)
PATHS: Final = (
    *("/", "/health", "health", "//health", "/a b", "/?x=${y}", "/%zz", "/%41", "/\x7f", "/é", "/a:b", "a:b", ":"),
    *("http://x/health", "?", "#", "/[", "/#%zz", "//[", "/a\nb", "//a:b/c"),
)

SPECIAL: Final[dict[str, tuple[object, ...]]] = {
    "attempts": NUMBERS,
    "canary_meta": ({}, {"version": "v2"}),
    "canary_tags": ((), ("",)),
    "canary": (None, *NUMBERS),
    "count": NUMBERS,
    "cpu": NUMBERS,
    "config": ({}, {"network_mode": "host"}, {"image": None, "args": [1, True, {"a": []}]}),
    "check_restart": (None, CheckRestart(limit=1, grace="1ns")),
    "checks": (
        *((Check(name="c", type=kind, interval="1s", timeout="1s"),) for kind in ("http", "grpc", "tcp")),
        (Check(name="c", type="grpc", path="a", expose=True, interval="1s", timeout="1s"),),
        (Check(name="c", type="http", path="/", expose=True, interval="1s", timeout="1s"),),
    ),
    "connect": (
        None,
        Connect(),
        Connect(sidecar_service=SidecarService()),
        Connect(gateway=Gateway(mesh=MeshGateway())),
        Connect(sidecar_service=SidecarService(), gateway=Gateway(mesh=MeshGateway())),
    ),
    "consul": (None, Consul(), Consul(partition="default"), Consul(partition="é b")),
    "datacenters": (("dc1",), ("dc1", "dc1"), ("*",), ("é b",)),
    "constraints": tuple(
        (Constraint(l_target=left, r_target=right, operand=operand),)
        for left in (None, "${meta.a}", "${attr.a}")
        for right in (None, "2", "0", "x")
        for operand in ("=", "!=", "is_set", "is_not_set", "distinct_hosts", "distinct_property")
    ),
    "destination_name": ("api", "API", "*", "a b"),
    "driver": ("docker", "podman", "raw_exec", "nope", "é"),
    "dynamic_ports": ((DynamicPort(label="wan"),), (DynamicPort(label="connect-proxy-api"),)),
    "env": ({}, {"LISTEN_ADDR": "127.0.0.1:9091"}, {"LISTEN_ADDR": "127.0.0.1:1"}, {"": "", "a b": "\0", "é": "${x}"}),
    "host_network": (None, "default", "lan", "a b"),
    "id": NAMES,
    "kind": (None, "api-gateway"),
    "l_target": (None, "${attr.kernel.name}", "attr.kernel.name", "${attr.kernel.name", "${}", "x", "${node.x} y"),
    "label": LABELS,
    "lifecycle": (None, Lifecycle(hook="poststop", sidecar=True), Lifecycle(hook="prestart", sidecar=False)),
    "limit": NUMBERS,
    "local_bind_port": PORTS,
    "local_service_port": (None, *PORTS),
    "max_parallel": NUMBERS,
    "memory_mb": NUMBERS,
    "meta": ({}, {"version": "v1"}, {"": ""}, {"a b": "\0"}, {"é": "x" * 1000}),
    "mode": ("bridge", "host", "cni/net", "cni/a b", "fail", "delay", "none", "local", "remote"),
    "name": NAMES,
    "operand": (
        *("=", "!=", ">", "distinct_hosts", "distinct_property", "regexp", "version", "semver", "set_contains"),
        *("set_contains_any", "is_set", "is_not_set", "nope", "==", "is", "not"),
    ),
    "partition": (None, "default", "é"),
    "path": (None, *PATHS),
    "port_label": (None, *LABELS),
    "protocol": (None, "http", "https", "http2", "é"),
    "r_target": (None, "linux", "(", ">= 1.0", "~~", "0", "1", "-1"),
    "reserved_ports": (
        (ReservedPort(label="http", value=80),),
        (ReservedPort(label="connect-mesh-gw-lan", value=80),),
        (ReservedPort(label="9091", value=80, to=9091),),
    ),
    "resources": (None, Resources(cpu=1, memory_mb=10)),
    "sidecar_task": (None, SidecarTask(), SidecarTask(kill_timeout="10m1s"), SidecarTask(kill_timeout="10m")),
    "tagged_addresses": ({}, {"wan": "203.0.113.10:8443"}, {"wan": "no address"}),
    "tags": ((), ("a",), ("a", "a"), ("", "\0")),
    "tasks": (
        (Task(name="connect-mesh-gw", driver="docker"),),
        (Task(name="connect-proxy-api", driver="docker"), Task(name="a", driver="docker")),
        (Task(name="a", driver="docker", lifecycle=Lifecycle(hook="prestart")),),
    ),
    "to": (None, -1, 0, *PORTS),
    "type": ("http", "grpc", "tcp"),
    "upstreams": tuple(
        (SidecarUpstream(destination_name="a", local_bind_port=port),) for port in (1, 9091, 9092, 9200)
    ),
    "user": (None, "nobody", "é"),
    "value": PORTS,
}
"""Other values of a field, by its name. Those of another type are thrown away by the model."""


def optional(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def built(shape: type[S], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[S]:
    return st.fixed_dictionaries(fields).map(lambda values: shape(**values))


def times(*lengths: str) -> st.SearchStrategy[str]:
    return st.sampled_from(lengths)


HOOKS: Final[tuple[Literal["prestart", "poststart", "poststop"], ...]] = ("prestart", "poststart", "poststop")
DEADLINES: Final = st.sampled_from([("10s", "3m", "10m"), ("1ns", "61s", "62s"), ("1s", "5m", "5m1ns")])
RESOURCES: Final = built(Resources, cpu=st.sampled_from([1, 100]), memory_mb=st.sampled_from([10, 64]))
CHECK_RESTARTS: Final = built(CheckRestart, limit=st.sampled_from([1, 3]), grace=times("1ns", "30s"))
RESTARTS: Final = built(
    RestartPolicy,
    attempts=st.sampled_from([1, 2, 5]),
    interval=times("5s", "30m"),
    delay=times("1ns", "1s"),
    mode=st.sampled_from(["fail", "delay"]),
)
RESCHEDULES: Final = built(
    ReschedulePolicy,
    delay=times("5s", "30s"),
    delay_function=st.sampled_from(["constant", "exponential", "fibonacci"]),
    max_delay=times("30s", "1h"),
)
CONSTRAINTS: Final = st.sampled_from(
    [
        Constraint(operand="distinct_hosts"),
        Constraint(l_target="${attr.kernel.name}", r_target="linux"),
        Constraint(l_target="${meta.rack}", operand="distinct_property"),
        Constraint(l_target="${meta.rack}", r_target="2", operand="distinct_property"),
        Constraint(l_target="${attr.consul.version}", operand="is_set"),
        Constraint(l_target="${attr.cpu.arch}", r_target="arm64", operand="!="),
    ]
)
SIDECAR_TASKS: Final = built(
    SidecarTask,
    driver=st.sampled_from([None, "raw_exec"]),
    config=st.sampled_from(
        [{}, {"command": "/bin/envoy", "args": ["-c", "${NOMAD_SECRETS_DIR}/envoy_bootstrap.json"]}]
    ),
    env=st.sampled_from([{}, {"CONSUL_GRPC_ADDR": "unix://${NOMAD_ALLOC_DIR}/tmp/consul_grpc.sock"}]),
    resources=optional(RESOURCES),
    kill_timeout=st.sampled_from([None, "1ns"]),
    shutdown_delay=st.sampled_from([None, "5s", "24h"]),
)


@st.composite
def updates(draw: st.DrawFn) -> Update:
    healthy, deadline, progress = draw(DEADLINES)
    canary = draw(st.sampled_from([None, 1, 3]))
    return Update(
        max_parallel=draw(st.sampled_from([1, 2])),
        health_check=draw(st.sampled_from(["checks", "task_states"])),
        min_healthy_time=healthy,
        healthy_deadline=deadline,
        progress_deadline=progress,
        canary=canary,
        auto_revert=draw(st.sampled_from([None, True, False])),
        auto_promote=True if canary else draw(st.sampled_from([None, False])),
    )


def checks(kinds: list[str], labels: list[str | None], *, exposed: bool) -> st.SearchStrategy[Check]:
    return built(
        Check,
        name=st.sampled_from(["health", "a b", "é"]),
        type=st.sampled_from(kinds),
        path=st.sampled_from(["/", "/health?x=${y}", "/grpc.health.v1.Health/Check"]),
        port_label=st.sampled_from(labels),
        expose=st.sampled_from([None, True] if exposed else [None]),
        interval=times("1s", "10s", "1m"),
        timeout=times("1s", "3s"),
        check_restart=optional(CHECK_RESTARTS),
        grpc_service=st.sampled_from([None, "a.B"]),
    )


@st.composite
def sidecar_groups(draw: st.DrawFn, name: str) -> TaskGroup:
    """Applications behind sidecars."""
    label = draw(st.sampled_from([None, "http"]))
    static, dynamic = ReservedPort(label="http", value=9090, to=9090), DynamicPort(label="http", to=9090)
    fixed = draw(st.booleans())
    services = []
    for index in range(draw(st.integers(1, 2))):
        upstreams = tuple(
            SidecarUpstream(
                destination_name=draw(st.sampled_from(["api", "db"])),
                local_bind_port=9200 + 10 * index + number,
                mesh_gateway=draw(optional(built(UpstreamMeshGateway, mode=st.sampled_from(["none", "remote"])))),
            )
            for number in range(draw(st.integers(0, 2)))
        )
        proxy = Proxy(
            local_service_port=draw(st.sampled_from([None, 9091 + index])),
            upstreams=upstreams,
            config=draw(st.sampled_from([{}, {"protocol": "http"}])),
        )
        version = draw(st.sampled_from([None, "v1"]))
        services.append(
            Service(
                name=f"{name}{index}" if index else name,
                port_label=str(9091 + index),
                tags=(version,) if version else (),
                canary_tags=draw(st.sampled_from([(), ("canary",)])),
                meta={"version": version} if version else {},
                checks=draw(st.lists(checks(["http", "grpc"], [None, label], exposed=True), max_size=2)),
                connect=Connect(
                    sidecar_service=SidecarService(
                        proxy=draw(st.sampled_from([None, proxy])),
                        disable_default_tcp_check=draw(st.sampled_from([None, True])),
                    ),
                    sidecar_task=draw(optional(SIDECAR_TASKS)),
                ),
            )
        )
    return TaskGroup(
        name=name,
        count=draw(st.sampled_from([1, 3])),
        networks=(
            Network(
                mode=draw(st.sampled_from(["bridge", "cni/net"])),
                reserved_ports=(static,) if label and fixed else (),
                dynamic_ports=(dynamic,) if label and not fixed else (),
            ),
        ),
        services=tuple(services),
        tasks=draw(tasks(config={"image": "example/app:1.0"})),
        shutdown_delay=draw(times("1ns", "10s")),
        **draw(policies()),
    )


@st.composite
def mesh_gateway_groups(draw: st.DrawFn, name: str) -> TaskGroup:
    """A mesh gateway in a network of its own or in the host's, perhaps beside another task."""
    mode = draw(st.sampled_from(["bridge", "host", "cni/net"]))
    host = draw(st.sampled_from([None, "public"]))
    return TaskGroup(
        name=name,
        count=draw(st.sampled_from([1, 3])),
        networks=(
            Network(
                mode=mode,
                reserved_ports=(
                    ReservedPort(label="wan", value=8443, to=None if mode == "host" else 8443, host_network=host),
                ),
            ),
        ),
        services=(
            Service(
                name=name,
                port_label="wan",
                checks=draw(st.lists(checks(["tcp", "http", "grpc"], [None, "wan"], exposed=False), max_size=2)),
                tagged_addresses=draw(st.sampled_from([{}, {"wan": "203.0.113.10:8443"}])),
                connect=Connect(gateway=Gateway(mesh=MeshGateway()), sidecar_task=draw(optional(SIDECAR_TASKS))),
            ),
        ),
        tasks=draw(st.just(()) | tasks(config={"image": "example/app:1.0", "network_mode": "host"})),
        shutdown_delay="10s",
        **draw(policies()),
    )


@st.composite
def api_gateway_groups(draw: st.DrawFn, name: str) -> TaskGroup:
    """Envoy in the node's network, registered as an API gateway."""
    ports = draw(st.lists(st.sampled_from([80, 443, 8080]), min_size=1, max_size=3, unique=True))
    labels = [f"listener_{port}" for port in ports]
    return TaskGroup(
        name=name,
        networks=(
            Network(
                mode="host",
                reserved_ports=tuple(
                    ReservedPort(label=label, value=port) for label, port in zip(labels, ports, strict=True)
                ),
                dynamic_ports=(DynamicPort(label="admin"),),
            ),
        ),
        services=(
            Service(
                name=name,
                kind="api-gateway",
                port_label=labels[0],
                checks=draw(st.lists(checks(["tcp", "http"], [None, *labels], exposed=False), max_size=2)),
            ),
        ),
        tasks=draw(tasks(config={"image": "example/envoy:1.0", "network_mode": "host"})),
        consul=draw(optional(st.just(Consul()))),
        shutdown_delay="10s",
        **draw(policies()),
    )


@st.composite
def tasks(draw: st.DrawFn, config: dict[str, Any]) -> tuple[Task, ...]:
    others = draw(st.lists(st.sampled_from(HOOKS), max_size=2, unique=True))
    lifecycles = [None, *(Lifecycle(hook=hook, sidecar=draw(st.sampled_from([None, True]))) for hook in others)]
    return tuple(
        Task(
            name=lifecycle.hook if lifecycle else "main",
            driver="docker",
            user=draw(st.sampled_from([None, "nobody"])),
            config=config,
            env=draw(st.sampled_from([{}, {"LISTEN_ADDR": "127.0.0.1:9091", "TEXT": "${NOMAD_ALLOC_DIR} é"}])),
            lifecycle=lifecycle,
            resources=draw(optional(RESOURCES)),
            kill_timeout=draw(st.sampled_from([None, "1ns"])),
        )
        for lifecycle in lifecycles
    )


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "constraints": draw(st.lists(CONSTRAINTS, max_size=2)),
        "restart_policy": draw(optional(RESTARTS)),
        "reschedule_policy": draw(optional(RESCHEDULES)),
        "meta": draw(st.sampled_from([{}, {"owner": "é"}])),
    }


@st.composite
def sound_jobs(draw: st.DrawFn) -> Job:
    """A job in which nothing is wrong on purpose; a check may be slower than a short deployment."""
    groups = []
    for name in draw(st.lists(st.sampled_from(["api", "gw", "edge"]), min_size=1, max_size=2, unique=True)):
        kind = draw(st.sampled_from([sidecar_groups, mesh_gateway_groups, api_gateway_groups]))
        groups.append(draw(kind(name)))
    return Job(
        id=draw(st.sampled_from(["api-v1", "9", "a.b_c", "é", "x" * 200])),
        datacenters=draw(st.sampled_from([("dc1",), ("dc1", "dc2"), ("*",)])),
        constraints=draw(st.lists(CONSTRAINTS, max_size=1)),
        update=draw(updates()),
        task_groups=tuple(groups),
        meta=draw(st.sampled_from([{}, {"a": "b"}])),
    )


@st.composite
def changed_jobs(draw: st.DrawFn) -> Job:
    """A sound job in which up to three values are others."""
    job = draw(sound_jobs())
    for _ in range(draw(st.integers(0, 4))):
        places = [(path, field) for path, shape in shapes(job) for field in type(shape).model_fields]
        job = change(job, *draw(st.sampled_from(places)), choose=draw(st.integers(0, 10_000)))
    return job


Where = tuple[tuple[str, int | None], ...]


def shapes(shape: Shape, path: Where = ()) -> Iterator[tuple[Where, Shape]]:
    """Every object in an object, and where it is."""
    yield path, shape
    for field in type(shape).model_fields:
        value = getattr(shape, field)
        if isinstance(value, Shape):
            yield from shapes(value, (*path, (field, None)))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Shape):
                    yield from shapes(item, (*path, (field, index)))


def change(shape: S, path: Where, field: str, *, choose: int) -> S:
    """The object with another value somewhere in it, or as it is if the model does not have that value."""
    if path:
        (step, index), *rest = path
        inner = getattr(shape, step)
        if index is None:
            return changed(shape, step, change(inner, tuple(rest), field, choose=choose))
        item = change(inner[index], tuple(rest), field, choose=choose)
        return changed(shape, step, (*inner[:index], item, *inner[index + 1 :]))
    values = [value for value in others(shape, field) if value != getattr(shape, field)]
    return changed(shape, field, values[choose % len(values)]) if values else shape


def others(shape: Shape, field: str) -> tuple[object, ...]:
    """Values that are tried for a field."""
    value = getattr(shape, field)
    if isinstance(value, tuple) and any(isinstance(item, Shape) for item in value):
        return ((), value[:1], value[::-1], value * 2)
    if (special := SPECIAL.get(field)) is not None:
        return special
    info = type(shape).model_fields[field].annotation
    return (None, True, False) if "bool" in str(info) else (None, *TIMES)


def changed(shape: S, field: str, value: object) -> S:
    try:
        return type(shape)(**{**dict(shape), field: value})
    except ValidationError:
        return shape
