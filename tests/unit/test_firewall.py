"""The port matrix: what is open, to whom, and that nothing else is."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any, Literal

import pytest

from mesh import ports
from mesh.azure.firewall import AGENTS, DENY_PRIORITY, PortRule, allowed, rules
from mesh.azure.network import Role, subnets
from mesh.consul import agent as consul
from mesh.model import ApiGateway, Azure, Environment, Flat, IngressGateway, Listener, Partition, Platform, Security
from mesh.nomad import agent as nomad
from mesh.project import load
from tests.declared import ON_AZURE, ROOT
from tests.unit.examples import COMMUNITY, ENTERPRISE, caller, environment, service

BASTION = Azure(region="koreacentral", bastion=True)

LISTENER = Listener(5000, "http", to="web")

API_GATEWAY = ApiGateway("entry", listeners=[LISTENER, Listener(5001, "http", to="web")])
INGRESS_GATEWAY = IngressGateway("entry", listeners=[LISTENER])

VIRTUAL_MACHINES: tuple[Role, ...] = ("servers", "clients", "runner")
GUARDED: tuple[Role, ...] = (*VIRTUAL_MACHINES, "cluster-nodes", "cluster-pods")


def mesh(platform: Platform = COMMUNITY, *gateways: ApiGateway | IngressGateway) -> Environment:
    return environment(service(), caller(), platform=platform, gateways=gateways)


ENVIRONMENTS = {
    **ON_AZURE,
    "api gateway, bastion": mesh(replace(COMMUNITY, azure=BASTION), API_GATEWAY),
    "ingress gateway": mesh(ENTERPRISE, INGRESS_GATEWAY),
    "zero trust, partition": mesh(replace(ENTERPRISE, security=Security.ZERO_TRUST, servers=3)),
}


def opened(environment: Environment, destination: Role, port: int, protocol: Literal["Tcp", "Udp"] = "Tcp") -> set[str]:
    """Roles that reach a port of a destination."""
    return {
        subnet.role for subnet in subnets(environment) if allowed(environment, subnet.role, destination, port, protocol)
    }


@dataclass(frozen=True)
class AgentListener:
    name: str
    port: int
    protocol: Literal["Tcp", "Udp"]
    public: bool


def listeners(consul_config: Mapping[str, Any], nomad_config: Mapping[str, Any]) -> Iterator[AgentListener]:
    """What the two agents of a machine listen on, and whether on more than its loopback."""
    for name, port in consul_config["ports"].items():
        if port > 0:
            bound = consul_config["bind_addr" if name in {"server", "serf_lan"} else "client_addr"]
            public = consul_config.get("addresses", {}).get(name, bound) != "127.0.0.1"
            yield AgentListener(name, port, "Tcp", public)
            if name in {"serf_lan", "dns"}:
                yield AgentListener(name, port, "Udp", public)
    public = nomad_config["bind_addr"] != "127.0.0.1"
    server = nomad_config["server"]["enabled"]
    for name, port in nomad_config["ports"].items():
        if server or name == "http":
            yield AgentListener(name, port, "Tcp", public)
        if server and name == "serf":
            yield AgentListener(name, port, "Udp", public)


def of(environment: Environment, destination: Role) -> list[PortRule]:
    return [rule for rule in rules(environment) if rule.destination == destination]


@pytest.fixture(params=ENVIRONMENTS, name="any_mesh")
def fixture_any_mesh(request: pytest.FixtureRequest) -> Environment:
    return ENVIRONMENTS[request.param]


class TestEveryMatrix:
    def test_priorities_and_names_are_unique_and_legal(self, any_mesh: Environment) -> None:
        for destination in GUARDED:
            found = of(any_mesh, destination)
            assert max(Counter(rule.priority for rule in found).values()) == 1
            assert max(Counter(rule.name for rule in found).values()) == 1
            assert all(100 <= rule.priority <= 4096 for rule in found)
            assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?", rule.name) for rule in found)
            assert all(len(rule.why) <= 140 for rule in found)

    def test_the_virtual_network_is_denied_last(self, any_mesh: Environment) -> None:
        for destination in GUARDED:
            last = max(of(any_mesh, destination), key=lambda rule: rule.priority)
            assert (last.access, last.tag, last.ports, last.protocol) == ("Deny", "VirtualNetwork", (), "*")
            assert last.priority == DENY_PRIORITY

    def test_machines_hear_nobody_outside_but_declared_private_ranges(self, any_mesh: Environment) -> None:
        inside = [subnet.range for subnet in subnets(any_mesh)]
        declared = [network for gateway in any_mesh.gateways for network in gateway.open_to]
        for destination in VIRTUAL_MACHINES:
            for rule in of(any_mesh, destination):
                assert rule.access == "Deny" or rule.tag is None
                for source in rule.source_ranges:
                    assert any(source.subnet_of(known) for known in inside) or source in declared
                    assert source.is_private

    def test_only_probes_of_load_balancers_name_a_tag(self, any_mesh: Environment) -> None:
        tags = {(rule.destination, rule.tag) for rule in rules(any_mesh) if rule.tag and rule.access == "Allow"}
        assert tags == {("cluster-nodes", "AzureLoadBalancer")}

    def test_ports_of_one_machine_alone_are_closed(self, any_mesh: Environment) -> None:
        for port in (ports.CONSUL_DNS, 19000, 8600):
            assert opened(any_mesh, "servers", port) == set()
            assert opened(any_mesh, "clients", port) == set()

    def test_clients_show_no_api(self, any_mesh: Environment) -> None:
        for port in (8500, 8501, 8502, 8503, ports.NOMAD_HTTP, ports.NOMAD_RPC, ports.CONSUL_RPC):
            assert opened(any_mesh, "clients", port) == set()

    def test_nodes_and_pods_reach_each_other_as_aks_requires(self, any_mesh: Environment) -> None:
        for destination in ("cluster-nodes", "cluster-pods"):
            for port in (1, 10250, 65535):
                assert {"cluster-nodes", "cluster-pods"} <= opened(any_mesh, destination, port)
                assert {"cluster-nodes", "cluster-pods"} <= opened(any_mesh, destination, port, "Udp")

    def test_node_ports_and_ports_of_containers_are_closed_to_machines(self, any_mesh: Environment) -> None:
        for destination in ("cluster-nodes", "cluster-pods"):
            for port in (ports.POD_MESH_GATEWAY, 30000, 32767, 10250):
                assert opened(any_mesh, destination, port) == {"cluster-nodes", "cluster-pods"}


class TestAgents:
    def test_consul_gossips_among_all_agents_over_tcp_and_udp(self, any_mesh: Environment) -> None:
        for destination in AGENTS:
            assert opened(any_mesh, destination, ports.CONSUL_GOSSIP) == set(AGENTS)
            assert opened(any_mesh, destination, ports.CONSUL_GOSSIP, "Udp") == set(AGENTS)

    def test_nomads_servers_gossip_among_themselves_over_tcp_and_udp(self, any_mesh: Environment) -> None:
        assert opened(any_mesh, "servers", ports.NOMAD_GOSSIP) == {"servers"}
        assert opened(any_mesh, "servers", ports.NOMAD_GOSSIP, "Udp") == {"servers"}

    def test_agents_call_the_servers(self, any_mesh: Environment) -> None:
        for port in (ports.CONSUL_RPC, ports.NOMAD_RPC):
            assert opened(any_mesh, "servers", port) == set(AGENTS)

    @pytest.mark.parametrize(
        ("security", "open_ports", "closed_ports"),
        [(Security.PRIVATE_NETWORK, (8500, 8502), (8501, 8503)), (Security.ZERO_TRUST, (8501, 8503), (8500, 8502))],
    )
    def test_consuls_api_is_open_as_the_agents_serve_it(
        self, security: Security, open_ports: tuple[int, int], closed_ports: tuple[int, int]
    ) -> None:
        environment = mesh(replace(COMMUNITY, security=security))
        http, grpc = open_ports
        assert opened(environment, "servers", http) == {"cluster-nodes", "cluster-pods", "runner"}
        assert opened(environment, "servers", grpc) == {"cluster-nodes", "cluster-pods"}
        for port in closed_ports:
            assert opened(environment, "servers", port) == set()

    def test_nomads_api_is_for_people_and_with_acls_for_consuls_servers(self) -> None:
        assert opened(mesh(), "servers", ports.NOMAD_HTTP) == {"runner"}
        with_acls = mesh(replace(COMMUNITY, security=Security.ZERO_TRUST))
        assert opened(with_acls, "servers", ports.NOMAD_HTTP) == {"runner", "servers"}


class TestListeners:
    """The matrix and the agents' configuration files are two sides of one thing."""

    def test_what_a_server_serves_to_the_network_is_open_and_the_rest_is_closed(self, any_mesh: Environment) -> None:
        for listener in listeners(consul.server_config(any_mesh, 0), nomad.server_config(any_mesh, 0)):
            callers = opened(any_mesh, "servers", listener.port, listener.protocol)
            assert bool(callers) == listener.public, listener

    def test_no_port_of_a_server_is_open_behind_which_nothing_listens(self, any_mesh: Environment) -> None:
        served = {
            (listener.port, listener.protocol)
            for listener in listeners(consul.server_config(any_mesh, 0), nomad.server_config(any_mesh, 0))
            if listener.public
        }
        for rule in of(any_mesh, "servers"):
            if rule.access == "Allow" and rule.name != "ssh":
                ((low, high),) = rule.ports
                assert low == high
                assert (low, rule.protocol) in served, rule.name

    def test_of_a_clients_agents_the_network_hears_only_gossip(self, any_mesh: Environment) -> None:
        for listener in listeners(consul.client_config(any_mesh, 0), nomad.client_config(any_mesh, 0)):
            callers = opened(any_mesh, "clients", listener.port, listener.protocol)
            assert bool(callers) == (listener.name == "serf_lan"), listener


class TestTopology:
    def test_on_a_flat_network_sidecars_are_dialled_directly(self) -> None:
        flat = mesh(replace(COMMUNITY, topology=Flat()))
        for port in ports.NOMAD_DYNAMIC:
            assert opened(flat, "clients", port) == {"clients", "cluster-nodes", "cluster-pods"}
        assert "clients" in opened(flat, "cluster-pods", ports.POD_SIDECAR)
        assert "clients" not in opened(flat, "cluster-nodes", ports.CLUSTER_MESH_GATEWAY)
        assert opened(flat, "clients", 8443) == set()

    def test_between_partitions_only_mesh_gateways_are_dialled(self) -> None:
        partition = mesh(replace(ENTERPRISE, topology=Partition("k8s", gateway_port=8444)))
        for port in ports.NOMAD_DYNAMIC:
            assert opened(partition, "clients", port) == {"clients"}
        assert "clients" not in opened(partition, "cluster-pods", ports.POD_SIDECAR)
        assert opened(partition, "clients", 8444) == {"clients", "cluster-nodes", "cluster-pods"}
        assert opened(partition, "clients", 8443) == set()
        assert "clients" in opened(partition, "cluster-nodes", ports.CLUSTER_MESH_GATEWAY)

    def test_ports_beside_nomads_range_are_closed(self) -> None:
        low, high = ports.NOMAD_DYNAMIC
        for port in (low - 1, high + 1):
            assert opened(mesh(), "clients", port) == set()


class TestGateways:
    def test_an_api_gateway_is_reached_on_the_clients_and_nowhere_else(self) -> None:
        environment = mesh(COMMUNITY, API_GATEWAY)
        for port in (5000, 5001):
            assert opened(environment, "clients", port) == {"clients", "runner", "cluster-nodes", "cluster-pods"}
            assert opened(environment, "servers", port) == set()
        assert opened(environment, "clients", 5002) == set()
        assert opened(mesh(), "clients", 5000) == set()

    def test_an_ingress_gateway_is_reached_at_its_load_balancer(self) -> None:
        environment = mesh(ENTERPRISE, INGRESS_GATEWAY)
        assert opened(environment, "cluster-nodes", 5000) == {"clients", "runner", "cluster-nodes", "cluster-pods"}
        assert opened(environment, "clients", 5000) == set()

    def test_gateways_are_closed_to_the_outside_unless_it_is_declared(self) -> None:
        for inside in (load("demo", ROOT), mesh(ENTERPRISE, INGRESS_GATEWAY)):
            for rule in rules(inside):
                assert all(source.is_private for source in rule.source_ranges), rule.name
        public = IPv4Network("198.51.100.0/24")
        environment = mesh(ENTERPRISE, replace(INGRESS_GATEWAY, open_to=[public]))
        assert [rule.name for rule in rules(environment) if public in rule.source_ranges] == ["gateway-entry"]

    def test_ranges_of_one_rule_do_not_overlap(self) -> None:
        """Azure answers OverlappingSubnetsNotPermittedInSecurityRule."""
        ranges = [IPv4Network("10.0.0.0/16"), IPv4Network("192.168.0.0/24"), IPv4Network("192.168.0.0/25")]
        environment = mesh(COMMUNITY, replace(API_GATEWAY, open_to=ranges))
        (rule,) = [rule for rule in rules(environment) if rule.name == "gateway-entry"]
        assert rule.source_ranges == (IPv4Network("10.0.0.0/16"), IPv4Network("192.168.0.0/24"))

    def test_a_gateway_that_comes_moves_no_other(self) -> None:
        """Azure refuses two rules of one priority, also while a plan moves them."""
        several = [replace(API_GATEWAY, name=f"gateway-{index}") for index in range(200)]
        before = {rule.name: rule.priority for rule in rules(mesh(COMMUNITY, *several[:3]))}
        after = {rule.name: rule.priority for rule in rules(mesh(COMMUNITY, *reversed(several[:4])))}
        assert before.items() <= after.items()
        priorities = [rule.priority for rule in of(mesh(COMMUNITY, *several), "clients")]
        assert len(set(priorities)) == len(priorities) > 200


class TestPeople:
    def test_without_bastion_nobody_logs_in(self) -> None:
        for destination in GUARDED:
            assert opened(mesh(), destination, ports.SSH) <= {"cluster-nodes", "cluster-pods"}

    def test_bastion_logs_in_to_machines_and_reaches_their_apis(self) -> None:
        environment = mesh(replace(COMMUNITY, azure=BASTION), API_GATEWAY)
        for destination in VIRTUAL_MACHINES:
            assert opened(environment, destination, ports.SSH) == {"bastion"}
        assert "bastion" in opened(environment, "servers", 8500)
        assert "bastion" in opened(environment, "servers", ports.NOMAD_HTTP)
        assert "bastion" in opened(environment, "clients", 5000)
        assert "bastion" not in opened(environment, "servers", ports.CONSUL_RPC)

    def test_the_runner_is_dialled_by_nobody(self) -> None:
        for port in (22, 80, 443, 8500):
            assert opened(mesh(COMMUNITY, API_GATEWAY), "runner", port) == set()
