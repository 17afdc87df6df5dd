"""The secrets of an environment, and who reads them."""

from collections import Counter
from dataclasses import replace

from mesh.azure.vault import LICENSE, NOBODY, secrets, secrets_of
from mesh.boot.seeding import seeding
from mesh.model import Environment, Security
from tests.unit.examples import COMMUNITY, ENTERPRISE, environment, service

PLAIN = environment(service())
SECURED = environment(service(), platform=replace(COMMUNITY, servers=3, security=Security.ZERO_TRUST))
LICENSED = environment(service(), platform=ENTERPRISE)


def _names(mesh: Environment) -> set[str]:
    return {secret.name for secret in secrets(mesh)}


def test_a_private_network_needs_gossip_keys_only() -> None:
    assert _names(PLAIN) == {"consul-gossip-key", "nomad-gossip-key"}


def test_a_licence_is_for_enterprise_alone() -> None:
    assert _names(LICENSED) - _names(PLAIN) == {LICENSE}


def test_zero_trust_adds_certificates_and_tokens() -> None:
    assert Counter(secret.form for secret in secrets(SECURED)) == {
        "gossip-key": 2,
        "certificate": 5,
        "private-key": 5,
        "token": 5,
    }


def test_no_machine_reads_the_key_of_a_ca() -> None:
    unread = {secret.name for secret in secrets(SECURED) if secret.readers == NOBODY}
    assert unread == {"consul-ca-key", "nomad-ca-key"}


def test_a_client_reads_nothing_that_manages_or_that_makes_it_a_server() -> None:
    assert {secret.name for secret in secrets_of(SECURED, "client")} == {
        "consul-gossip-key",
        "consul-ca",
        "consul-agent-token",
        "nomad-ca",
        "nomad-client-cert",
        "nomad-client-key",
        "nomad-consul-client-token",
    }


def test_what_joins_the_cluster_reads_no_key() -> None:
    assert {secret.name for secret in secrets_of(SECURED, "cluster")} == {
        "consul-ca",
        "consul-initial-management",
        "nomad-ca",
    }


def test_seeding_lists_every_secret_and_the_vault() -> None:
    for mesh in (PLAIN, SECURED, LICENSED):
        found = seeding(mesh)
        assert found["vault"] == "kv-mesh-test"
        assert {entry["name"] for entry in found["secrets"]} == _names(mesh)


def test_certificates_know_their_key_and_come_after_their_ca() -> None:
    seen: set[str] = set()
    known = _names(SECURED)
    for entry in seeding(SECURED)["secrets"]:
        if entry["form"] == "certificate":
            assert entry["key"] in known
            assert entry.get("ca") is None or entry["ca"] in seen
        seen.add(entry["name"])


def test_servers_certificates_carry_every_name_they_are_called_by() -> None:
    names = {entry["name"]: entry["names"] for entry in seeding(SECURED)["secrets"] if "names" in entry}
    addresses = ["IP:127.0.0.1", "IP:10.0.0.4", "IP:10.0.0.5", "IP:10.0.0.6"]
    zone = "mesh-test.internal"
    assert names["consul-server-cert"] == ["DNS:server.dc1.consul", "DNS:localhost", f"DNS:consul.{zone}", *addresses]
    assert names["nomad-server-cert"] == ["DNS:server.global.nomad", "DNS:localhost", f"DNS:nomad.{zone}", *addresses]
    assert names["nomad-client-cert"] == ["DNS:client.global.nomad", "DNS:localhost", "IP:127.0.0.1"]


def test_a_single_server_is_called_by_its_address() -> None:
    single = environment(service(), platform=replace(COMMUNITY, security=Security.ZERO_TRUST))
    names = next(entry["names"] for entry in seeding(single)["secrets"] if entry["name"] == "consul-server-cert")
    assert names == ["DNS:server.dc1.consul", "DNS:localhost", "IP:127.0.0.1", "IP:10.0.0.4"]
