"""Rules about gateways and their listeners."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from mesh import ports
from mesh.addresses import is_private
from mesh.check.services import gateway_path, suggestion
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.model.gateway import ApiGateway, Gateway, IngressGateway, Listener
from mesh.model.platform import Flat, Platform
from mesh.model.service import Kubernetes
from mesh.topology import gateways_on

NODE_PORTS: Final = {
    ports.SSH: "SSH",
    ports.CONSUL_RPC: "Consul's RPC",
    ports.CONSUL_GOSSIP: "Consul's gossip",
    ports.CONSUL_DNS: "Consul's DNS",
    ports.LOOPBACK_HTTP: "Consul's HTTP API",
    ports.LOOPBACK_GRPC: "Consul's gRPC API",
    ports.NOMAD_HTTP: "Nomad's HTTP API",
    ports.NOMAD_RPC: "Nomad's RPC",
    ports.NOMAD_GOSSIP: "Nomad's gossip",
}
"""Ports of a client VM that a gateway in the host's network cannot have."""


POD_PORTS: Final = frozenset({19000, 20000, 21000})
"""Envoy's admin interface, its metrics and its readiness in a gateway's pod."""

LONGEST_INGRESS: Final = 56
"""The chart names the Service of an ingress gateway ``consul-<name>``, and a Service's name has 63 characters."""


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about all gateways."""
    for gateway in environment.gateways:
        path = gateway_path(gateway.name)
        if not gateway.listeners:
            yield Finding(path, "gateway-empty", "a gateway needs a listener", 'add Listener(port, "http", to="...")')
        for index, listener in enumerate(gateway.listeners):
            yield from _listener(environment, listener, f"{path}.listeners[{index}]")
        yield from _shared_ports(gateway)
        if isinstance(gateway, ApiGateway):
            yield from _api_gateway(environment, gateway)
        else:
            yield from _ingress_gateway(gateway)
    yield from _between(environment)
    yield from _mesh_gateway(environment.platform)


def _listener(environment: Environment, listener: Listener, path: str) -> Iterator[Finding]:
    services = environment.services_by_name()
    service = services.get(listener.to)
    if service is None:
        yield Finding(
            f"{path}.to", "listener-unknown", f'no service is called "{listener.to}"', suggestion(listener.to, services)
        )
    elif service.protocol != listener.protocol and listener.protocol in {"http", "tcp"}:
        yield Finding(
            f"{path}.protocol",
            "listener-protocol",
            f'"{listener.to}" speaks {service.protocol}, the listener {listener.protocol}; Consul refuses that',
            f'use "{service.protocol}"' if service.protocol in {"http", "tcp"} else "only http and tcp can be exposed",
        )
    if len(set(listener.hosts)) != len(listener.hosts):
        yield Finding(f"{path}.hosts", "listener-host-twice", "a host is listed twice", "list every host once")
    if listener.protocol == "tcp" and listener.hosts:
        yield Finding(
            f"{path}.hosts", "listener-hosts", "a tcp listener cannot tell hosts apart", "remove hosts, or use http"
        )


def _ingress_gateway(gateway: IngressGateway) -> Iterator[Finding]:
    """What only an ingress gateway on AKS cannot do."""
    path = gateway_path(gateway.name)
    if gateway.runs_on != Kubernetes(count=gateway.runs_on.count):
        yield Finding(
            f"{path}.runs_on",
            "gateway-runtime",
            "only count has an effect on an ingress gateway; the chart decides the rest",
            f"use Kubernetes(count={gateway.runs_on.count})",
        )
    if len(gateway.name) > LONGEST_INGRESS:
        yield Finding(
            path,
            "gateway-name",
            f'its Service "consul-{gateway.name}" would be longer than 63 characters',
            f"use at most {LONGEST_INGRESS} characters",
        )
    private = {is_private(network) for network in gateway.open_to}
    if len(private) > 1:
        yield Finding(
            f"{path}.open_to",
            "gateway-mixed",
            "a load balancer is internal or public, so its sources are private or public",
            "use two gateways",
        )
    for index, listener in enumerate(gateway.listeners):
        if listener.port in POD_PORTS:
            yield Finding(
                f"{path}.listeners[{index}].port",
                "port-taken",
                f"port {listener.port} of the pod is Envoy's own",
                "choose another port",
            )


def _mesh_gateway(platform: Platform) -> Iterator[Finding]:
    """The port of the VMs' mesh gateway, which shares the VM with everything else."""
    if isinstance(platform.topology, Flat):
        return
    port = platform.topology.gateway_port
    if taken := _taken_by_agents(port):
        yield Finding(
            "platform.topology.gateway_port", "port-taken", f"port {port} of the VM is {taken}", "choose another port"
        )


def _shared_ports(gateway: Gateway) -> Iterator[Finding]:
    listeners = list(enumerate(gateway.listeners))
    for (first, one), (second, other) in combinations(listeners, 2):
        if one.port != other.port:
            continue
        path = f"{gateway_path(gateway.name)}.listeners[{second}]"
        if one.protocol != other.protocol or one.protocol == "tcp":
            yield Finding(
                path,
                "listener-port-twice",
                f"port {other.port} is that of listeners[{first}]",
                "only http listeners with different hosts may share a port",
            )
        elif one.to == other.to:
            yield Finding(
                path,
                "listener-service-twice",
                f'"{one.to}" is already served there by listeners[{first}]',
                "list all its hosts in one listener",
            )
        elif clash := (set(one.hosts) or {"*"}) & (set(other.hosts) or {"*"}):
            yield Finding(
                path,
                "listener-host-twice",
                f"{', '.join(sorted(clash))} on port {other.port} is served by listeners[{first}]",
                "give different hosts",
            )


def _api_gateway(environment: Environment, gateway: ApiGateway) -> Iterator[Finding]:
    path = gateway_path(gateway.name)
    platform = environment.platform
    if gateway.runs_on.count > platform.clients:
        yield Finding(
            f"{path}.runs_on.count",
            "gateway-count",
            f"{gateway.runs_on.count} instances need a client each; there are {platform.clients}",
            "lower count, or raise platform.clients",
        )
    for index, network in enumerate(gateway.open_to):
        if not is_private(network):
            yield Finding(
                f"{path}.open_to[{index}]",
                "gateway-public",
                f"{network} is public, but the VMs have no public address",
                "give a private range, or put an IngressGateway on AKS in front",
            )
    for index, listener in enumerate(gateway.listeners):
        yield from _api_listener(environment, listener, f"{path}.listeners[{index}]")


def _api_listener(environment: Environment, listener: Listener, path: str) -> Iterator[Finding]:
    """What only an API gateway on a VM cannot do."""
    if taken := _taken(environment.platform, listener.port):
        yield Finding(f"{path}.port", "port-taken", f"port {listener.port} of the VM is {taken}", "choose another port")
    service = environment.services_by_name().get(listener.to)
    if service and service.routes:
        yield Finding(
            f"{path}.to",
            "listener-routes",
            f'an API gateway goes straight to the split of "{listener.to}" and past its routes',
            "put a service in front that has it as an upstream, or remove the routes",
        )
    for host in listener.hosts:
        if "*" in host:
            yield Finding(
                f"{path}.hosts",
                "listener-wildcard",
                f'an API gateway\'s route cannot have the wildcard host "{host}"',
                "list the hosts, or none for every host",
            )


def _taken(platform: Platform, port: int) -> str | None:
    """What else has a port of a client VM."""
    if not isinstance(platform.topology, Flat) and port == platform.topology.gateway_port:
        return "the mesh gateway's"
    return _taken_by_agents(port)


def _taken_by_agents(port: int) -> str | None:
    """Which agent has a port of a client VM, or gives it away."""
    low, high = ports.NOMAD_DYNAMIC
    if low <= port <= high:
        return "one of those that Nomad gives to sidecars"
    return NODE_PORTS.get(port)


def _between(environment: Environment) -> Iterator[Finding]:
    """API gateways share the network of a cluster's VMs, so no two there may listen on one port."""
    owners: dict[tuple[str | None, int], str] = {}
    for gateway in gateways_on(environment, ApiGateway):
        for port in dict.fromkeys(listener.port for listener in gateway.listeners):
            taken = (gateway.runs_on.peer, port)
            if taken in owners:
                yield Finding(
                    gateway_path(gateway.name),
                    "port-taken",
                    f'port {port} of the VM is that of the gateway "{owners[taken]}"',
                    "choose another port",
                )
            owners.setdefault(taken, gateway.name)
