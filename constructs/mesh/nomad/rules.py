"""What Nomad's server would refuse, and what it would accept although it cannot work.

Terraform's plan does not ask the server, so a refusal comes in the middle of an apply, and the rest never
(nomad@1.11.3 ``nomad/job_endpoint_hook_connect.go``, ``nomad/job_endpoint_hook_expose_check.go``, ``nomad/structs``).
Misspelt keys, upstreams without a name or port and gateways of two kinds at once are impossible by the model's types.

A finding is ``STRICTER`` where the server accepts at least some of what is found; its message says what happens then.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mesh.durations import seconds
from mesh.findings import Finding, Severity
from mesh.model.environment import Environment
from mesh.nomad.job import (
    Check,
    Constraint,
    DynamicPort,
    Job,
    Network,
    ReservedPort,
    Service,
    SidecarTask,
    Task,
    TaskGroup,
)
from mesh.topology import datacenter, partitions

SHORTEST_CHECK: Final = 1
"""Seconds: the least interval and timeout of a check (``nomad/structs/services.go``, ``minCheckInterval``)."""

SHORTEST_RESTART_INTERVAL: Final = 5
SHORTEST_RESCHEDULE_DELAY: Final = 5
"""Seconds (``nomad/structs/structs.go``)."""

MOST_INSTANCES: Final = 50_000
"""Of all groups of a job (``nomad/structs/structs.go``, ``JobDefaultMaxCount``)."""

KILL_TIMEOUT: Final = "5s"
"""Of a task that says nothing (``nomad/structs/structs.go``, ``DefaultKillTimeout``)."""

INJECTED: Final = "connect-"
"""How the names of tasks and ports begin that Nomad adds (``nomad/job_endpoint_hook_connect.go``)."""

_PATH: Final = re.compile(r"/(?!/)([^%\x00-\x1f\x7f]|%[0-9a-fA-F]{2})*")
_SERVICE_NAME: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")


def problems(job: Job) -> Iterator[Finding]:
    """Findings about one job by itself."""
    path = f'jobs["{job.id}"]'
    if re.search(r"[\s\0]", job.id):
        yield Finding(
            f"{path}.id",
            "nomad-job-id",
            f'"{job.id}" contains white space',
            "use letters, digits and dashes",
            # Nomad takes a tabulator; nobody can tell it from a space.
            Severity.REFUSED if re.search(r"[ \0]", job.id) else Severity.STRICTER,
        )
    if (count := sum(group.count for group in job.task_groups)) > MOST_INSTANCES:
        yield Finding(
            f"{path}.task_groups",
            "nomad-count",
            f"{count} instances are more than {MOST_INSTANCES}",
            "use fewer, or several jobs",
        )
    yield from _constraints(job.constraints, path)
    yield from _update(job, f"{path}.update")
    yield from _twice(path, "task_groups", (group.name for group in job.task_groups))
    for group in job.task_groups:
        yield from _group(job, group, f'{path}.task_groups["{group.name}"]')


def problems_among(environment: Environment, jobs: Sequence[Job], cluster: str | None = None) -> Iterator[Finding]:
    """Findings about the jobs of a cluster in their environment: what they share, and what has to exist."""
    ours = datacenter(environment.platform, cluster)
    yield from _job_names(jobs)
    yield from _static_ports(environment, jobs)
    known = partitions(environment.platform)
    versions = {service.name: service.versions.keys() for service in environment.services if service.versions}
    for job in jobs:
        path = f'jobs["{job.id}"]'
        for name in job.datacenters:
            if name != ours:
                yield Finding(
                    f"{path}.datacenters",
                    "nomad-datacenter",
                    f'no client is in the datacenter "{name}", so the job is never placed',
                    f'use "{ours}"',
                    Severity.STRICTER,
                )
        for group in job.task_groups:
            group_path = f'{path}.task_groups["{group.name}"]'
            yield from _partitions(group, known, group_path)
            for service in group.services:
                expected = versions.get(service.name)
                found = service.meta.get("version")
                if expected and found not in expected:
                    yield Finding(
                        f'{group_path}.services["{service.name}"].meta["version"]',
                        "nomad-version",
                        f'"{service.name}" has no version "{found}", so no subset selects these instances',
                        f"use one of {', '.join(expected)}",
                        Severity.STRICTER,
                    )


def _twice(path: str, field: str, names: Iterable[str]) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding(
                f"{path}.{field}", "nomad-name-twice", f'"{name}" is there {count} times', "give each its own name"
            )


def _update(job: Job, path: str) -> Iterator[Finding]:
    update = job.update
    healthy, progress = seconds(update.healthy_deadline), seconds(update.progress_deadline)
    if not seconds(update.min_healthy_time) < healthy < progress:
        yield Finding(
            path,
            "nomad-update-deadlines",
            f"min_healthy_time {update.min_healthy_time}, healthy_deadline {update.healthy_deadline} and "
            f"progress_deadline {update.progress_deadline} are not in ascending order",
            "make each longer than the one before",
        )
    if update.auto_promote and not update.canary:
        yield Finding(
            f"{path}.auto_promote",
            "nomad-auto-promote",
            "there is no canary to promote",
            "set canary, or remove auto_promote",
        )
    if update.canary and not update.auto_promote:
        yield Finding(
            f"{path}.auto_promote",
            "nomad-canary-waits",
            "canaries wait for somebody to promote them, and the apply for them, until it fails",
            "set auto_promote=True, or shift traffic between versions by the service's split",
            Severity.STRICTER,
        )


def _constraints(constraints: Iterable[Constraint], path: str) -> Iterator[Finding]:
    """``nomad/structs/structs.go``, ``Constraint.Validate``."""
    for index, constraint in enumerate(constraints):
        left, right = constraint.l_target, constraint.r_target
        if constraint.operand == "distinct_hosts":
            continue
        if constraint.operand == "distinct_property":
            fits, fix = right is None or _is_number(right, 2**64 - 1), "write a number of instances, or nothing"
        elif constraint.operand in {"is_set", "is_not_set"}:
            fits, fix = right is None, "remove r_target"
        else:
            fits, fix = right is not None, "set r_target"
        if not (left and fits):
            yield Finding(
                f"{path}.constraints[{index}]",
                "nomad-constraint",
                f'"{constraint.operand}" does not go with "{left}" and "{right}"',
                fix if left else "set l_target",
            )


def _is_number(text: str, largest: int) -> bool:
    """Whether the text is a number from 1 on, in digits that Go reads."""
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= largest


def _is_port(label: str | None) -> bool:
    """Whether the label of a port is its number."""
    return label is not None and _is_number(label, 65535)


def _group(job: Job, group: TaskGroup, path: str) -> Iterator[Finding]:
    network = group.networks[0] if group.networks else None
    yield from _itself(job, group, path)
    yield from _constraints(group.constraints, path)
    yield from _policies(group, path)
    if network:
        yield from _ports(network, f"{path}.networks[0]")
    if in_mesh := [service for service in group.services if service.connect]:
        yield from _in_mesh(group, in_mesh, path)
    for (name, port), count in Counter((service.name, service.port_label) for service in group.services).items():
        if count > 1:
            yield Finding(
                f"{path}.services",
                "nomad-service-twice",
                f'"{name}" with the port "{port}" is there {count} times',
                "register it once",
            )
    for service in group.services:
        yield from _service(job, service, network, f'{path}.services["{service.name}"]')
    yield from _upstreams(group, path)
    yield from _twice(path, "tasks", (task.name for task in group.tasks))
    for task in group.tasks:
        yield from _task(group, task, network, f'{path}.tasks["{task.name}"]')
        yield from _kill_timeout(job, task, f'{path}.tasks["{task.name}"]')


def _itself(job: Job, group: TaskGroup, path: str) -> Iterator[Finding]:
    """What a group is and how many there are, whatever it runs."""
    if "\0" in group.name:
        yield Finding(f"{path}.name", "nomad-group-name", "a name has no zero byte", "remove it")
    connects = [service.connect for service in group.services if service.connect]
    if all(task.lifecycle for task in group.tasks) and not any(connect.gateway for connect in connects):
        yield Finding(
            f"{path}.tasks",
            "nomad-no-tasks",
            "the group has no task that runs all the time",
            "add one without a lifecycle",
            Severity.STRICTER if group.tasks or connects else Severity.REFUSED,
        )
    if 1 < group.count < job.update.max_parallel:
        yield Finding(
            f"{path}.count",
            "nomad-max-parallel",
            f"all {group.count} instances would be replaced at once (max_parallel {job.update.max_parallel})",
            "lower max_parallel",
            Severity.STRICTER,
        )
    if group.services and not group.shutdown_delay:
        yield Finding(
            f"{path}.shutdown_delay",
            "nomad-shutdown-delay",
            "instances stop before anyone has heard that they are gone, so requests fail on every deployment",
            'set it, e.g. to "10s"',
            Severity.STRICTER,
        )


def _in_mesh(group: TaskGroup, services: Sequence[Service], path: str) -> Iterator[Finding]:
    if not group.networks:
        yield Finding(
            f"{path}.networks",
            "nomad-network-missing",
            "a group in the mesh needs a network",
            'add Network(mode="bridge")',
        )
    if group.name != group.name.lower():
        sidecar = any(service.connect and service.connect.sidecar_service for service in services)
        yield _upper_case(group.name, f"{path}.name", sidecar=sidecar)
    for name, count in Counter(service.name for service in services).items():
        if count > 1:
            yield Finding(
                f"{path}.services",
                "nomad-service-twice",
                f'"{name}" is there {count} times, with one Envoy for all',
                "put each into a group of its own",
                Severity.STRICTER,
            )
    tasks = [("tasks", task.name) for task in group.tasks]
    ports = [("networks[0].ports", port.label) for network in group.networks for port in _all_ports(network)]
    for field, name in (*tasks, *ports):
        if name.startswith(INJECTED):
            yield Finding(
                f'{path}.{field}["{name}"]',
                "nomad-injected",
                f'"{name}" is what Nomad calls its own: it refuses the job, or finds it changed on every apply',
                "choose another name",
                Severity.STRICTER,
            )


def _upper_case(name: str, path: str, *, sidecar: bool) -> Finding:
    """Consul takes names of proxies to be in lower case; Nomad sees to it only for sidecars."""
    return Finding(
        path,
        "nomad-upper-case",
        f'"{name}" has upper-case letters',
        "use lower case",
        Severity.REFUSED if sidecar else Severity.STRICTER,
    )


def _kill_timeout(job: Job, task: Task | SidecarTask, path: str) -> Iterator[Finding]:
    """``nomad/structs/structs.go``, ``Task.Validate``."""
    timeout = task.kill_timeout or KILL_TIMEOUT
    if seconds(timeout) > seconds(job.update.progress_deadline):
        yield Finding(
            f"{path}.kill_timeout",
            "nomad-kill-timeout",
            f"a task may take {timeout} to end, longer than a deployment without progress "
            f"(progress_deadline {job.update.progress_deadline})",
            "shorten it, or lengthen progress_deadline",
        )


def _policies(group: TaskGroup, path: str) -> Iterator[Finding]:
    if restart := group.restart_policy:
        interval = seconds(restart.interval)
        if interval < SHORTEST_RESTART_INTERVAL or restart.attempts * seconds(restart.delay) > interval:
            yield Finding(
                f"{path}.restart_policy",
                "nomad-restart",
                f"{restart.attempts} restarts with a delay of {restart.delay} do not fit into {restart.interval}",
                f"lengthen interval, to {SHORTEST_RESTART_INTERVAL}s at least",
            )
    if reschedule := group.reschedule_policy:
        delay = seconds(reschedule.delay)
        grows = reschedule.delay_function != "constant"
        if delay < SHORTEST_RESCHEDULE_DELAY or (grows and seconds(reschedule.max_delay) < delay):
            yield Finding(
                f"{path}.reschedule_policy",
                "nomad-reschedule",
                f"the delay {reschedule.delay} is shorter than {SHORTEST_RESCHEDULE_DELAY}s or longer than "
                f"max_delay {reschedule.max_delay}",
                "choose a delay in between",
            )


def _ports(network: Network, path: str) -> Iterator[Finding]:
    yield from _twice(path, "ports", (port.label for port in _all_ports(network)))
    for port in _all_ports(network):
        if _is_port(port.label):
            yield Finding(
                f'{path}.ports["{port.label}"]',
                "nomad-port-label",
                f'a service on the port {port.label} would be on that of the label "{port.label}"',
                "choose a label that is no number",
                Severity.STRICTER,
            )
    used = Counter((port.host_network or "default", port.value) for port in network.reserved_ports)
    for (_, value), count in used.items():
        if count > 1:
            yield Finding(
                f"{path}.reserved_ports",
                "nomad-static-port-twice",
                f"the static port {value} is reserved {count} times",
                "reserve it once",
            )


def _service(job: Job, service: Service, network: Network | None, path: str) -> Iterator[Finding]:
    connect = service.connect
    sidecar = bool(connect and connect.sidecar_service)
    if not _SERVICE_NAME.fullmatch(service.name):
        yield Finding(
            f"{path}.name",
            "nomad-service-name",
            f'"{service.name}" is no DNS label',
            "use at most 63 letters, digits and inner dashes",
            # Nomad would put a value in; then nobody else knows the service's name.
            Severity.STRICTER if "${" in service.name else Severity.REFUSED,
        )
    elif connect and service.name != service.name.lower():
        yield _upper_case(service.name, f"{path}.name", sidecar=sidecar)
    yield from _label(service.port_label, network, f"{path}.port_label")
    if connect:
        if sidecar == bool(connect.gateway):
            yield Finding(
                f"{path}.connect",
                "nomad-connect",
                "a service in the mesh has either a sidecar or is a gateway",
                "set sidecar_service or gateway",
            )
        elif sidecar:
            yield from _sidecar(service, network, path)
        else:
            yield from _mesh_gateway(service, network, path)
        yield from _kill_timeout(job, connect.sidecar_task or SidecarTask(), f"{path}.connect.sidecar_task")
    for check in service.checks:
        yield from _check(job, service, check, network, f'{path}.checks["{check.name}"]')


def _label(label: str | None, network: Network | None, path: str) -> Iterator[Finding]:
    """A label that no port has is accepted, and the service registered without a usable port."""
    if label and not _is_port(label) and not _port(label, network):
        yield Finding(
            path,
            "nomad-port-label",
            f'the group has no port "{label}"',
            "declare it in the network",
            Severity.STRICTER,
        )


def _all_ports(network: Network | None) -> tuple[ReservedPort | DynamicPort, ...]:
    return (*network.reserved_ports, *network.dynamic_ports) if network else ()


def _port(label: str | None, network: Network | None) -> ReservedPort | DynamicPort | None:
    return next((port for port in _all_ports(network) if port.label == label), None)


def _sidecar(service: Service, network: Network | None, path: str) -> Iterator[Finding]:
    if network and network.mode == "host":
        yield Finding(
            f"{path}.connect.sidecar_service",
            "nomad-sidecar-network",
            "a sidecar needs a network namespace of its own; the group is in the host's network",
            'use Network(mode="bridge")',
        )
    if not _is_port(service.port_label):
        # The sidecar would forward to the number of the host's port (hashicorp/nomad#9907).
        yield Finding(
            f"{path}.port_label",
            "nomad-sidecar-port",
            f'"{service.port_label}" is not the number of the port that the application listens on in its namespace',
            "write the number",
            Severity.STRICTER,
        )


def _mesh_gateway(service: Service, network: Network | None, path: str) -> Iterator[Finding]:
    label = service.port_label
    if label is None or _is_port(label):
        # Envoy's own listeners take their ports from it (client/allocrunner/taskrunner/envoy_bootstrap_hook.go).
        yield Finding(
            f"{path}.port_label",
            "nomad-gateway-port",
            "a mesh gateway's port is the label of a static port" + (f", not {label}" if label else ""),
            "declare a reserved port and write its label",
            Severity.STRICTER if label else Severity.REFUSED,
        )
        return
    port = _port(label, network)
    if network and network.mode != "host" and isinstance(port, ReservedPort) and port.to != port.value:
        yield Finding(
            f"{path}.port_label",
            "nomad-gateway-mapping",
            f"Envoy listens on {port.value} in the namespace too, but the port is mapped to {port.to}",
            f"set to={port.value}",
            Severity.STRICTER,
        )


def _check(job: Job, service: Service, check: Check, network: Network | None, path: str) -> Iterator[Finding]:
    sidecar = bool(service.connect and service.connect.sidecar_service)
    yield from _label(check.port_label, network, f"{path}.port_label")
    for field in ("interval", "timeout"):
        if seconds(value := getattr(check, field)) < SHORTEST_CHECK:
            yield Finding(f"{path}.{field}", "nomad-check-short", f"{value} is less than a second", "use at least 1s")
    if seconds(check.interval) >= seconds(job.update.healthy_deadline):
        yield Finding(
            f"{path}.interval",
            "nomad-check-slow",
            f"the first check may come after {check.interval}, when the instance has failed already "
            f"(healthy_deadline {job.update.healthy_deadline})",
            "check more often",
            Severity.STRICTER,
        )
    if check.type == "tcp" and sidecar:
        yield Finding(
            f"{path}.type",
            "nomad-check-tcp",
            "a tcp check cannot reach an application behind a sidecar",
            "use an exposed http or grpc check, or none",
        )
    if check.type == "http" and not (check.path and _PATH.fullmatch(check.path)):
        # Most of it Nomad refuses, too; not what Go reads as another URL than the one that is meant, such as "//host".
        yield Finding(
            f"{path}.path",
            "nomad-check-path",
            "an http check needs the path of a URL" + (f", not {check.path!r}" if check.path else ""),
            'write one, e.g. "/health"',
            Severity.STRICTER if check.path else Severity.REFUSED,
        )
    if check.type == "http" and check.protocol not in {None, "http", "https"}:
        yield Finding(
            f"{path}.protocol",
            "nomad-check-protocol",
            f'the agent would ask for a URL that begins with "{check.protocol}:"',
            "remove it: health is asked in HTTP/1.1",
            Severity.STRICTER,
        )
    if check.expose:
        yield from _exposed(check, path, sidecar=sidecar)
    if not (check.port_label or service.port_label):
        yield Finding(
            f"{path}.port_label",
            "nomad-check-port",
            "neither the check nor its service has a port",
            "give one of them a port",
        )


def _exposed(check: Check, path: str, *, sidecar: bool) -> Iterator[Finding]:
    if not sidecar:
        yield Finding(f"{path}.expose", "nomad-expose", "only a sidecar can expose a path", "remove expose")
    if check.type == "grpc" and not (check.path or "").startswith("/"):
        yield Finding(
            f"{path}.path",
            "nomad-check-path",
            "an exposed grpc check needs the path of its method: without one nothing is exposed",
            'write "/grpc.health.v1.Health/Check"',
            Severity.STRICTER,
        )


def _upstreams(group: TaskGroup, path: str) -> Iterator[Finding]:
    """All sidecars of a group listen on one loopback, with the applications."""
    taken: dict[int, str] = {}
    for service in group.services:
        if service.port_label and _is_port(service.port_label):
            taken[int(service.port_label)] = f'the application of "{service.name}"'
    for service in group.services:
        sidecar = service.connect.sidecar_service if service.connect else None
        for upstream in sidecar.proxy.upstreams if sidecar and sidecar.proxy else ():
            port = upstream.local_bind_port
            if port in taken:
                yield Finding(
                    f'{path}.services["{service.name}"].connect.sidecar_service.proxy.upstreams'
                    f'["{upstream.destination_name}"].local_bind_port',
                    "nomad-upstream-port",
                    f"port {port} is {taken[port]}",
                    "choose a free port on the loopback of the group",
                    Severity.STRICTER if "application" in taken[port] else Severity.REFUSED,
                )
            taken.setdefault(port, f'the upstream "{upstream.destination_name}"')


def _task(group: TaskGroup, task: Task, network: Network | None, path: str) -> Iterator[Finding]:
    if task.name == "alloc" or re.search(r"[/\\\0]", task.name):
        # A folder of this name is made (nomad/structs/structs.go, Task.Validate).
        yield Finding(
            f"{path}.name",
            "nomad-task-name",
            f"a task cannot be called {task.name!r}",
            "use letters, digits and dashes",
        )
    if network and network.mode == "host" and task.driver == "docker" and task.config.get("network_mode") != "host":
        yield Finding(
            f'{path}.config["network_mode"]',
            "nomad-docker-network",
            "the group is in the host's network, but Docker puts its containers behind a bridge of its own",
            'set "network_mode": "host"',
            Severity.STRICTER,
        )
    ports = {
        service.port_label
        for service in group.services
        if service.connect and service.connect.sidecar_service and _is_port(service.port_label)
    }
    address = task.env.get("LISTEN_ADDR")
    if address and ports and address.rpartition(":")[2] not in ports:
        yield Finding(
            f'{path}.env["LISTEN_ADDR"]',
            "nomad-listen-port",
            f'"{address}" is not the port of a service of the group, so the sidecar is in front of nothing',
            f"listen on {' or '.join(sorted(port for port in ports if port))}",
            Severity.STRICTER,
        )


def _job_names(jobs: Sequence[Job]) -> Iterator[Finding]:
    for name, count in Counter(job.id for job in jobs).items():
        if count > 1:
            yield Finding(
                f'jobs["{name}"]',
                "nomad-job-twice",
                f'{count} jobs are called "{name}", so the last one applied replaces the others',
                'rename a service or gateway: the version "v1" of "api" makes the job "api-v1"',
            )


def _static_ports(environment: Environment, jobs: Sequence[Job]) -> Iterator[Finding]:
    clients = environment.platform.clients
    owners: dict[tuple[str, int], str] = {}
    for job in jobs:
        for group in job.task_groups:
            reserved = [(network.mode, port) for network in group.networks for port in network.reserved_ports]
            if not reserved:
                continue
            path = f'jobs["{job.id}"].task_groups["{group.name}"]'
            instances = group.count + (job.update.canary or 0)
            if instances > clients:
                yield Finding(
                    f"{path}.count",
                    "nomad-static-port-count",
                    f"a static port allows one instance on each client: {instances}, canaries included, "
                    f"do not fit on {clients}",
                    "lower count or canary, or raise platform.clients",
                    Severity.STRICTER,
                )
            for _, port in reserved:
                key = (port.host_network or "default", port.value)
                if key in owners:
                    yield Finding(
                        f"{path}.networks[0].reserved_ports",
                        "nomad-static-port-shared",
                        f'port {port.value} of the clients is that of the job "{owners[key]}"',
                        "choose another port",
                        Severity.STRICTER,
                    )
                owners.setdefault(key, job.id)


def _partitions(group: TaskGroup, known: Sequence[str | None], path: str) -> Iterator[Finding]:
    community = None in known
    named = {"consul.partition": group.consul.partition} if group.consul else {}
    for service in group.services:
        sidecar = service.connect.sidecar_service if service.connect else None
        for upstream in sidecar.proxy.upstreams if sidecar and sidecar.proxy else ():
            where = f'services["{service.name}"].connect.sidecar_service.proxy.upstreams["{upstream.destination_name}"]'
            named[f"{where}.destination_partition"] = upstream.destination_partition
            if community:
                named[f"{where}.destination_namespace"] = upstream.destination_namespace
    for field, name in named.items():
        if name is None or name in known:
            continue
        yield Finding(
            f"{path}.{field}",
            "nomad-partition",
            f'"{name}": the Community Edition has neither partitions nor namespaces'
            if community
            else f'there is no partition "{name}"',
            "remove it" if community else f"use one of {', '.join(map(str, known))}",
        )
