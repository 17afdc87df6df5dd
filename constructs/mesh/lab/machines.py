"""The lab's machines and what their agents are told: what production gets, and what a lab has to have otherwise.

The lab keeps everything that follows from the declaration (names, addresses, ports, how agents find each other) and
changes only where data lies, what Nomad may run and where that is, how soon a server elects itself, which network
interface and CNI's plugins there are, and where peers are listened for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

from mesh import names
from mesh.consul import agent as consul
from mesh.lab.init import HERE
from mesh.model.environment import Environment
from mesh.model.platform import NetworkPlan
from mesh.nomad import agent as nomad
from mesh.nomad.swaps import programs
from mesh.shapes import JsonObject
from mesh.topology import clusters, datacenter

CONSUL: Final = "consul"
NOMAD: Final = "nomad"

PEERING_PORT: Final = 8503
"""Where a server listens for its peers."""

INTERFACE: Final = "eth0"
"""A machine's network interface."""

SWITCH: Final = "switch"
"""The node in the middle of the cables."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the lab.

    Attributes:
        name: Its host name, and its node's name in Consul and Nomad.
        address: Its address.
        server: Whether the servers run there.
        client: Whether services run there.
        configurations: Of its agents, by their name.
    """

    name: str
    address: IPv4Address
    server: bool
    client: bool
    configurations: Mapping[str, JsonObject]


@dataclass(frozen=True, slots=True)
class Tools:
    """What machines find of this one, as absolute paths.

    Attributes:
        cni: Folder of CNI's plugins.
        envoy: Envoy.
        python: A Python for the echo service.
        echo: The echo service.
    """

    cni: str
    envoy: str
    python: str
    echo: str


def of_cluster(environment: Environment, cluster: str | None) -> Environment:
    """The environment as the agents of a cluster know it: with their names, datacenter and addresses."""
    if cluster is None:
        return environment
    platform = environment.platform
    plan = platform.network
    network = replace(
        plan,
        virtual_network=_next_to(plan, plan.virtual_network),
        servers=_next_to(plan, plan.servers),
        clients=_next_to(plan, plan.clients),
    )
    platform = replace(platform, datacenter=datacenter(platform, cluster), network=network)
    return replace(environment, name=f"{environment.name}-{cluster}", platform=platform)


def _next_to(plan: NetworkPlan, network: IPv4Network) -> IPv4Network:
    """The same part of the next virtual network."""
    return IPv4Network((int(network.network_address) + plan.virtual_network.num_addresses, network.prefixlen))


def with_clients(environment: Environment, clients: int) -> Environment:
    """The environment on so many client machines; with 0, its one client shares the server's machine."""
    return replace(environment, platform=replace(environment.platform, clients=max(clients, 1)))


def machines(environment: Environment, clients: int, tools: Tools) -> tuple[Machine, ...]:
    """The machines, servers first.

    Args:
        environment: A sound environment with one server, as `with_clients` and `of_cluster` give it.
        clients: Client machines; with 0 the server's machine is the client, too.
        tools: What they find of this machine.
    """
    platform = environment.platform
    data = {agent: {"data_dir": str(HERE / agent)} for agent in (CONSUL, NOMAD)}
    # A single server need not give others the time to answer before it elects itself.
    quick = {"performance": {"raft_multiplier": 1}}, {"server": {"raft_multiplier": 1}}
    runs = _runs_services(tools)
    server = {
        CONSUL: _merged(consul.server_config(environment, 0), data[CONSUL], quick[0], _speaks_to_peers(environment)),
        NOMAD: _merged(nomad.server_config(environment, 0), data[NOMAD], quick[1]),
    }
    if not clients:
        own = nomad.client_config(environment, 0)
        server[NOMAD] = _merged(own, server[NOMAD], {"client": own["client"]}, runs)
    found = [
        Machine(
            name=names.machine(environment, "server", 0),
            address=platform.server_addresses[0],
            server=True,
            client=not clients,
            configurations=server,
        )
    ]
    for index in range(clients):
        configurations = {
            CONSUL: _merged(consul.client_config(environment, index), data[CONSUL]),
            NOMAD: _merged(nomad.client_config(environment, index), data[NOMAD], runs),
        }
        name, address = names.machine(environment, "client", index), platform.client_addresses[index]
        found.append(Machine(name, address, server=False, client=True, configurations=configurations))
    return tuple(found)


def _speaks_to_peers(environment: Environment) -> JsonObject:
    # Clusters speak to each other by TLS, whose certificates Consul makes itself.
    if len(clusters(environment.platform)) == 1:
        return {}
    return {"ports": {"grpc_tls": PEERING_PORT}, "addresses": {"grpc_tls": consul.ANYWHERE}}


def _runs_services(tools: Tools) -> JsonObject:
    return {
        "client": {
            "cni_path": tools.cni,
            "meta": programs(envoy=tools.envoy, python=tools.python, echo=tools.echo),
            "network_interface": INTERFACE,
            # Looking for the metadata service of a cloud takes seconds, and is told off by a proxy's settings.
            "options": {
                "driver.allowlist": "raw_exec",
                "fingerprint.denylist": "env_aws,env_azure,env_gce,env_digitalocean",
            },
        },
        "plugin": {"raw_exec": {"config": {"enabled": True}}},
    }


def _merged(*objects: JsonObject) -> JsonObject:
    """Later ones win, field by field."""
    result: dict[str, Any] = {}
    for each in objects:
        for key, value in each.items():
            before = result.get(key)
            result[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


__all__ = ["CONSUL", "NOMAD", "SWITCH", "Machine", "Tools", "machines", "of_cluster", "with_clients"]
