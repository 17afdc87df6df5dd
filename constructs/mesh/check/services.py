"""Rules about services: names, upstreams, versions, splits, routes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from mesh.consul.entries import service_router
from mesh.consul.entries.service_router import shadowed
from mesh.consul.regular_expressions import why_not
from mesh.durations import seconds
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway
from mesh.model.service import Kubernetes, Nomad, Route, Service
from mesh.names import CONSUL_NAMESPACE
from mesh.scalars import HTTP_LIKE
from mesh.showing import nearest
from mesh.topology import MESH_GATEWAY, partitions, place
from mesh.workload import versions_of, workload_name

RESERVED: Final = frozenset({"consul", "nomad", "nomad-client", MESH_GATEWAY})
"""Services that Consul, Nomad and the mesh gateways register themselves."""

SIDECAR_PORTS: Final = {
    15001: "the sidecar's outbound listener",
    19000: "Envoy's admin interface",
    19001: "Envoy's admin interface",
    19100: "Envoy's readiness listener",
    20000: "the sidecar's public listener",
}
"""Ports of the sidecar inside the network namespace that it shares with the application."""

RELEASE_NAME: Final = 53
"""Characters of a Helm release's name, at most (helm@3 ``pkg/chartutil/validate_name.go``)."""

LABEL_VALUE: Final = 63
"""Characters of the value of a Kubernetes label, at most."""

HUNDRED: Final = Decimal(100)


def service_path(name: str) -> str:
    """Path of a service in an environment."""
    return f'services["{name}"]'


def gateway_path(name: str) -> str:
    """Path of a gateway in an environment."""
    return f'gateways["{name}"]'


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name."""
    names = [other for other in known if other]
    if close := nearest(name, names):
        return f'did you mean "{close}"?'
    return f"known: {', '.join(sorted(names))}" if names else "nothing of this kind is declared"


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about all services."""
    yield from _names(environment)
    yield from _workloads(environment)
    services = environment.services_by_name()
    for service in environment.services:
        yield from _runtime(service)
        yield from _health(service)
        yield from _upstreams(service, services)
        yield from _failover(service)
        yield from _split(service)
        yield from _routes(service)
        yield from _exports(environment, service)
        yield from _environment_variables(service)


def _names(environment: Environment) -> Iterator[Finding]:
    items = (*environment.services, *environment.gateways)
    paths = {item.name: _path_of(item) for item in items}
    for name, count in Counter(item.name for item in items).items():
        if count > 1:
            yield Finding(
                paths[name],
                "name-twice",
                f'{count} services or gateways are called "{name}"',
                "give each a name of its own: the name is its identity in the mesh",
            )
        if name in RESERVED:
            yield Finding(
                paths[name],
                "name-reserved",
                f'"{name}" is a service of the platform itself',
                "choose another name",
            )


def _path_of(item: Service | Gateway) -> str:
    return service_path(item.name) if isinstance(item, Service) else gateway_path(item.name)


def _workloads(environment: Environment) -> Iterator[Finding]:
    """Jobs and Deployments are named after service and version, so ``api-v1`` may also be another service."""
    owners: dict[str, str] = {gateway.name: gateway.name for gateway in environment.gateways}
    for service in environment.services:
        for name in {service.name, *(workload_name(service, version) for version, _ in versions_of(service))}:
            owner = owners.setdefault(name, service.name)
            if owner != service.name:
                yield Finding(
                    service_path(service.name),
                    "workload-twice",
                    f'its workload "{name}" is named like one of "{owner}"',
                    "rename the service or the version",
                )


def _runtime(service: Service) -> Iterator[Finding]:
    if isinstance(service.runs_on, Kubernetes):
        namespace = service.runs_on.namespace
        if namespace == CONSUL_NAMESPACE or namespace.startswith("kube-"):
            yield Finding(
                f"{service_path(service.name)}.runs_on.namespace",
                "namespace-reserved",
                f'the namespace "{namespace}" belongs to the platform',
                'choose a namespace of your own, e.g. the default "demo"',
            )
        yield from _kubernetes_names(service)


def _kubernetes_names(service: Service) -> Iterator[Finding]:
    """Helm's limit for a release, Kubernetes' form of a Service's name and its limit for the value of a label."""
    path = service_path(service.name)
    if len(service.name) > RELEASE_NAME or not service.name[:1].isalpha():
        yield Finding(
            path,
            "kubernetes-name",
            f'"{service.name}" is no name for a Helm release and a Kubernetes Service',
            f"take at most {RELEASE_NAME} characters, of which the first is a letter",
        )
    for version in service.versions:
        if len(name := workload_name(service, version)) > LABEL_VALUE:
            yield Finding(
                f'{path}.versions["{version}"]',
                "kubernetes-name",
                f'its Deployment would be called "{name}", which Kubernetes takes for no label',
                f"shorten service or version to {LABEL_VALUE - 1} characters together",
            )


def _health(service: Service) -> Iterator[Finding]:
    """What Nomad's server demands of a check (nomad@1.11.3 ``nomad/structs/services.go``, ``minCheckInterval``)."""
    if not isinstance(service.runs_on, Nomad):
        return
    for field in ("interval", "timeout"):
        value = getattr(service.health, field)
        if _seconds(value) < 1:
            yield Finding(
                f"{service_path(service.name)}.health.{field}",
                "health-short",
                f"Nomad takes no check with {value}",
                "use at least 1s",
            )


def _seconds(value: str) -> Decimal:
    """The length of a duration; one second for what is none, which has its own finding."""
    try:
        return seconds(value)
    except ValueError:
        return Decimal(1)


def _upstreams(service: Service, services: Mapping[str, Service]) -> Iterator[Finding]:
    taken = {service.port: "the application", **SIDECAR_PORTS}
    if service.port in SIDECAR_PORTS:
        yield Finding(
            f"{service_path(service.name)}.port",
            "port-taken",
            f"port {service.port} is {SIDECAR_PORTS[service.port]}",
            "listen on another port",
        )
    seen: set[str] = set()
    for upstream in service.upstreams:
        path = f'{service_path(service.name)}.upstreams["{upstream.service}"]'
        if upstream.service == service.name:
            yield Finding(path, "upstream-self", "a service cannot be its own upstream", "remove it")
        elif upstream.service not in services:
            yield Finding(
                path,
                "upstream-unknown",
                f'no service is called "{upstream.service}"',
                suggestion(upstream.service, services.keys() - {service.name}),
            )
        if upstream.service in seen:
            yield Finding(path, "upstream-twice", f'"{upstream.service}" is listed twice', "list it once")
        seen.add(upstream.service)
        if upstream.local_port in taken:
            yield Finding(
                f"{path}.local_port",
                "port-taken",
                f"port {upstream.local_port} is {taken[upstream.local_port]}",
                "choose a free port on the loopback of the caller",
            )
        taken.setdefault(upstream.local_port, f'the upstream "{upstream.service}"')


def _failover(service: Service) -> Iterator[Finding]:
    for name, version in service.versions.items():
        path = f'{service_path(service.name)}.versions["{name}"].failover'
        if version.failover == name:
            yield Finding(path, "failover-itself", f'"{name}" fails over to itself', "name another version, or none")
        elif version.failover is not None and version.failover not in service.versions:
            yield Finding(
                path,
                "version-unknown",
                f'"{service.name}" has no version "{version.failover}"',
                suggestion(version.failover, (other for other in service.versions if other != name)),
            )


def _split(service: Service) -> Iterator[Finding]:
    path = f"{service_path(service.name)}.split"
    if service.versions and service.protocol == "tcp":
        yield Finding(
            f"{service_path(service.name)}.versions",
            "protocol-not-http",
            f"traffic of a {service.protocol} service cannot be split by version",
            f"use protocol {' or '.join(sorted(HTTP_LIKE))}, or declare no versions",
        )
    if not service.split:
        if len(service.versions) > 1:
            yield Finding(
                path,
                "split-missing",
                f"nothing says how traffic is shared by {', '.join(service.versions)}",
                f"say it, e.g. split={{{_even(service.versions)}}}",
            )
        return
    for version in service.split:
        if version not in service.versions:
            yield Finding(
                f'{path}["{version}"]',
                "version-unknown",
                f'"{service.name}" has no version "{version}"',
                suggestion(version, service.versions),
            )
    if any(not 0 <= weight <= HUNDRED for weight in service.split.values()):
        return  # each has its own finding, and no sum
    weights = {version: Decimal(str(weight)) for version, weight in service.split.items()}
    for version, weight in weights.items():
        if weight != round(weight, 2):
            yield Finding(
                f'{path}["{version}"]',
                "split-precision",
                f"{weight} has more than two decimals; Consul would round it",
                "use at most two decimals",
            )
    total = sum(weights.values(), Decimal(0))
    if total != HUNDRED:
        yield Finding(
            path,
            "split-sum",
            f"{' + '.join(map(str, weights.values()))} is {total}, not 100",
            "make the shares exactly 100 together: Consul has no tolerance",
        )


def _even(versions: Iterable[str]) -> str:
    names = list(versions)
    return ", ".join(f'"{name}": {100 if index == len(names) - 1 else 0}' for index, name in enumerate(names))


def _routes(service: Service) -> Iterator[Finding]:
    if service.routes and service.protocol == "tcp":
        yield Finding(
            f"{service_path(service.name)}.routes",
            "protocol-not-http",
            f"requests of a {service.protocol} service cannot be routed",
            f"use protocol {' or '.join(sorted(HTTP_LIKE))}, or declare no routes",
        )
    for index, route in enumerate(service.routes):
        yield from _route(service, route, f"{service_path(service.name)}.routes[{index}]")
    for index, earlier in shadowed(
        [service_router.Route(match=service_router.match(route)) for route in service.routes]
    ):
        yield Finding(
            f"{service_path(service.name)}.routes[{index}]",
            "route-shadowed",
            f"routes[{earlier}] takes every request that this one matches",
            "move it before that one, or remove it: the first route that matches wins",
        )


def _route(service: Service, route: Route, path: str) -> Iterator[Finding]:
    if route.to not in service.versions:
        yield Finding(
            f"{path}.to",
            "version-unknown",
            f'"{service.name}" has no version "{route.to}"',
            suggestion(route.to, service.versions),
        )
    paths = [name for name in ("path_prefix", "path_exact", "path_regex") if getattr(route, name) is not None]
    if len(paths) > 1:
        yield Finding(path, "route-paths", f"{' and '.join(paths)} exclude one another", "keep one of them")
    if not (paths or route.query or route.headers or route.methods):
        yield Finding(
            path,
            "route-matches-all",
            "a route without a condition takes every request past the split",
            f'give a condition, or send everything to it by split={{"{route.to}": 100}}',
        )
    if route.prefix_rewrite is not None and not (route.path_prefix or route.path_exact):
        yield Finding(
            f"{path}.prefix_rewrite",
            "route-rewrite",
            "there is no prefix or exact path to rewrite",
            "give path_prefix or path_exact",
        )
    if route.path_regex is not None and (problem := why_not(route.path_regex)):
        message = f'"{route.path_regex}" does not compile: {problem}'
        yield Finding(f"{path}.path_regex", "route-regex", message, "write it in RE2 syntax")
    if route.retry and not (route.retry.on_connect_failure or route.retry.on_status_codes):
        yield Finding(
            f"{path}.retry",
            "retry-nothing",
            "nothing says what is repeated",
            "give on_status_codes, or leave on_connect_failure on",
        )
    for method, count in Counter(route.methods).items():
        if count > 1:
            yield Finding(f"{path}.methods", "route-method-twice", f"{method} is listed {count} times", "list it once")


def _exports(environment: Environment, service: Service) -> Iterator[Finding]:
    known = [partition for partition in partitions(environment.platform) if partition]
    own = place(environment.platform, service.runs_on).partition
    for partition in service.export_to:
        path = f"{service_path(service.name)}.export_to"
        if partition not in known:
            yield Finding(
                path,
                "partition-unknown",
                f'there is no partition "{partition}"',
                suggestion(partition, known) if known else "remove it: this environment has no partitions",
            )
        elif partition == own:
            yield Finding(path, "export-to-self", f'the service lives in "{partition}" already', "remove it")


def _environment_variables(service: Service) -> Iterator[Finding]:
    declared = {
        f"{service_path(service.name)}.env": service.env,
        **{
            f'{service_path(service.name)}.versions["{name}"].env': version.env
            for name, version in service.versions.items()
        },
    }
    for path, env in declared.items():
        address = env.get("LISTEN_ADDR")
        if address is not None and address.rpartition(":")[2] != str(service.port):
            yield Finding(
                f'{path}["LISTEN_ADDR"]',
                "listen-port",
                f'"{address}" is not port {service.port} of the service',
                "change port, or leave LISTEN_ADDR out: it follows from port",
            )
