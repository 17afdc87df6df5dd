"""Configuration of the Consul and Nomad agents, under both securities."""

from dataclasses import replace
from typing import Any

import pytest

from mesh import ports
from mesh.consul import agent as consul
from mesh.model import Environment, Security
from mesh.nomad import agent as nomad
from mesh.topology import LOOPBACK
from tests.unit.examples import COMMUNITY, ENTERPRISE, environment, service

PLAIN = environment(service(), platform=replace(COMMUNITY, servers=3, clients=2))
SECURED = environment(service(), platform=replace(PLAIN.platform, security=Security.ZERO_TRUST))
BOTH = pytest.mark.parametrize("mesh", [PLAIN, SECURED], ids=["private network", "zero trust"])

CONSUL_KEYS_OF_NOMAD = {"address", "grpc_address", "service_identity", "task_identity"}
"""Of those that nomad@1.11.3 ``nomad/structs/config/consul.go`` knows; any other would be ignored without a word."""


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for child in value.values() for key in _keys(child)}
    return set()


def _listeners(config: Any) -> dict[str, str]:
    """Where each of Consul's APIs listens, of those that are on."""
    return {
        api: config.get("addresses", {}).get(api, config["client_addr"])
        for api in ("http", "https", "grpc", "grpc_tls", "dns")
        if config["ports"][api] != consul.OFF
    }


@BOTH
def test_servers_expect_each_other(mesh: Environment) -> None:
    for index in range(3):
        assert consul.server_config(mesh, index)["bootstrap_expect"] == 3
        assert nomad.server_config(mesh, index)["server"]["bootstrap_expect"] == 3


@BOTH
def test_clients_have_nothing_of_a_bootstrap(mesh: Environment) -> None:
    for config in (consul.client_config(mesh, 0), nomad.client_config(mesh, 0)):
        assert not {key for key in _keys(config) if key.startswith("bootstrap")}


@BOTH
def test_each_agent_has_one_role(mesh: Environment) -> None:
    server, client = nomad.server_config(mesh, 0), nomad.client_config(mesh, 0)
    assert (server["server"]["enabled"], server["client"]["enabled"]) == (True, False)
    assert (client["server"]["enabled"], client["client"]["enabled"]) == (False, True)
    assert consul.server_config(mesh, 0)["server"]
    assert not consul.client_config(mesh, 0)["server"]


@BOTH
def test_agents_say_their_own_address_and_join_the_servers(mesh: Environment) -> None:
    servers = ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert consul.server_config(mesh, 1)["advertise_addr"] == "10.0.0.5"
    assert consul.client_config(mesh, 1)["advertise_addr"] == "10.0.1.5"
    assert set(nomad.server_config(mesh, 2)["advertise"].values()) == {"10.0.0.6"}
    assert set(nomad.client_config(mesh, 0)["advertise"].values()) == {"10.0.1.4"}
    assert consul.server_config(mesh, 0)["retry_join"] == consul.client_config(mesh, 0)["retry_join"] == servers
    assert nomad.server_config(mesh, 0)["server"]["server_join"] == {"retry_join": servers}
    assert nomad.client_config(mesh, 0)["client"]["server_join"] == {"retry_join": servers}


def test_zero_trust_has_nothing_plain_on_the_network() -> None:
    server = _listeners(consul.server_config(SECURED, 0))
    assert {api for api, address in server.items() if address != LOOPBACK} == {"https", "grpc_tls"}
    assert set(_listeners(consul.client_config(SECURED, 0)).values()) == {LOOPBACK}
    for config in (nomad.server_config(SECURED, 0), nomad.client_config(SECURED, 0)):
        assert {key: config["tls"][key] for key in ("http", "rpc", "verify_server_hostname")} == {
            "http": True,
            "rpc": True,
            "verify_server_hostname": True,
        }
    for agent in (consul.server_config(SECURED, 0), consul.client_config(SECURED, 0)):
        assert agent["tls"]["defaults"]["verify_outgoing"]
        assert agent["tls"]["internal_rpc"] == {"verify_server_hostname": True}
        assert agent["acl"]["default_policy"] == "deny"
    assert consul.server_config(SECURED, 0)["tls"]["defaults"]["verify_incoming"]


def test_clients_get_their_certificates_from_the_servers() -> None:
    assert consul.server_config(SECURED, 0)["auto_encrypt"] == {"allow_tls": True}
    assert consul.client_config(SECURED, 0)["auto_encrypt"] == {"tls": True}


def test_a_private_network_is_plain_and_open() -> None:
    for config in (
        consul.server_config(PLAIN, 0),
        consul.client_config(PLAIN, 0),
        nomad.server_config(PLAIN, 0),
        nomad.client_config(PLAIN, 0),
    ):
        assert not {"tls", "acl", "auto_encrypt"} & set(config)
    network = {api for api, where in _listeners(consul.server_config(PLAIN, 0)).items() if where != LOOPBACK}
    assert network == {"http", "grpc"}


@BOTH
def test_the_network_finds_the_servers_where_everyone_looks_for_them(mesh: Environment) -> None:
    api = ports.server_api(mesh.platform)
    config = consul.server_config(mesh, 0)
    secured = mesh.platform.tls
    assert config["ports"]["https" if secured else "http"] == api.http
    assert config["ports"]["grpc_tls" if secured else "grpc"] == api.grpc


@BOTH
def test_every_port_is_one_of_the_table(mesh: Environment) -> None:
    api = ports.server_api(mesh.platform)
    allowed = {
        consul.OFF,
        *(value for value in vars(ports).values() if isinstance(value, int)),
        *(api.http, api.grpc),
    }
    for config in (
        consul.server_config(mesh, 0),
        consul.client_config(mesh, 0),
        nomad.server_config(mesh, 0),
        nomad.client_config(mesh, 0),
    ):
        assert set(config["ports"].values()) <= allowed


@BOTH
def test_what_nobody_declared_is_denied(mesh: Environment) -> None:
    assert consul.server_config(mesh, 0)["default_intention_policy"] == "deny"


@BOTH
def test_nomad_would_ignore_an_unknown_key_of_its_consul_block(mesh: Environment) -> None:
    for config in (nomad.server_config(mesh, 0), nomad.client_config(mesh, 0)):
        assert set(config["consul"]) <= CONSUL_KEYS_OF_NOMAD
        assert config["consul"]["address"] == f"127.0.0.1:{ports.LOOPBACK_HTTP}"


def test_workloads_have_identities_of_their_own_under_acls() -> None:
    expected = {"aud": ["consul.io"], "ttl": "1h"}
    secured = nomad.server_config(SECURED, 0)["consul"]
    assert (secured["service_identity"], secured["task_identity"]) == (expected, expected)
    assert not {"service_identity", "task_identity"} & set(nomad.server_config(PLAIN, 0)["consul"])


def test_only_enterprise_agents_look_for_a_licence() -> None:
    enterprise = environment(service(), platform=ENTERPRISE)
    for config in (consul.server_config, consul.client_config):
        assert config(enterprise, 0)["license_path"] == "/etc/consul.d/license.hclic"
        assert "license_path" not in config(PLAIN, 0)
