"""The secrets of an environment: their names, their form, and who reads them. Never a value.

An operator generates them into the Key Vault once (``tools/seed-vault``, which takes its list from here); machines
fetch those of their role at boot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mesh.model.environment import Environment

Form = Literal["gossip-key", "token", "certificate", "private-key", "license"]
"""What a value is: 32 random bytes in base64, a UUID, base64 of a PEM text (some clients of the vault drop line breaks
of a plain one), or a text that the operator has.
"""

Reader = Literal["server", "client", "cluster"]
"""The identity of a kind of VM, or whoever deploys the stacks that join AKS."""

AGENTS: Final[frozenset[Reader]] = frozenset({"server", "client"})
SERVERS: Final[frozenset[Reader]] = frozenset({"server"})
CLIENTS: Final[frozenset[Reader]] = frozenset({"client"})
CLUSTER: Final[frozenset[Reader]] = frozenset({"cluster"})
NOBODY: Final[frozenset[Reader]] = frozenset()

LICENSE: Final = "consul-license"
CONSUL_GOSSIP_KEY: Final = "consul-gossip-key"
CONSUL_CA: Final = "consul-ca"
CONSUL_CA_KEY: Final = "consul-ca-key"
CONSUL_SERVER_CERT: Final = "consul-server-cert"
CONSUL_SERVER_KEY: Final = "consul-server-key"
CONSUL_MANAGEMENT_TOKEN: Final = "consul-initial-management"
CONSUL_AGENT_TOKEN: Final = "consul-agent-token"
NOMAD_GOSSIP_KEY: Final = "nomad-gossip-key"
NOMAD_CA: Final = "nomad-ca"
NOMAD_CA_KEY: Final = "nomad-ca-key"
NOMAD_SERVER_CERT: Final = "nomad-server-cert"
NOMAD_SERVER_KEY: Final = "nomad-server-key"
NOMAD_CLIENT_CERT: Final = "nomad-client-cert"
NOMAD_CLIENT_KEY: Final = "nomad-client-key"
NOMAD_CONSUL_SERVER_TOKEN: Final = "nomad-consul-server-token"
NOMAD_CONSUL_CLIENT_TOKEN: Final = "nomad-consul-client-token"
NOMAD_MANAGEMENT_TOKEN: Final = "nomad-management-token"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of the Key Vault.

    Attributes:
        name: Its name in the vault.
        form: What its value is.
        readers: Who may read it. The keys of the CAs are for the operator alone: they sign what is renewed later.
    """

    name: str
    form: Form
    readers: frozenset[Reader]


def secrets(environment: Environment) -> tuple[Secret, ...]:
    """Every secret that the environment needs, and no other."""
    return tuple(_secrets(environment))


def secrets_of(environment: Environment, reader: Reader) -> tuple[Secret, ...]:
    """The secrets that a role reads."""
    return tuple(secret for secret in secrets(environment) if reader in secret.readers)


def _secrets(environment: Environment) -> Iterator[Secret]:
    platform = environment.platform
    if platform.enterprise:
        yield Secret(LICENSE, "license", AGENTS)
    yield Secret(CONSUL_GOSSIP_KEY, "gossip-key", AGENTS)
    yield Secret(NOMAD_GOSSIP_KEY, "gossip-key", SERVERS)
    if platform.tls:
        yield Secret(CONSUL_CA, "certificate", AGENTS | CLUSTER)
        yield Secret(CONSUL_CA_KEY, "private-key", NOBODY)
        yield Secret(CONSUL_SERVER_CERT, "certificate", SERVERS)
        yield Secret(CONSUL_SERVER_KEY, "private-key", SERVERS)
        yield Secret(NOMAD_CA, "certificate", AGENTS | CLUSTER)
        yield Secret(NOMAD_CA_KEY, "private-key", NOBODY)
        yield Secret(NOMAD_SERVER_CERT, "certificate", SERVERS)
        yield Secret(NOMAD_SERVER_KEY, "private-key", SERVERS)
        yield Secret(NOMAD_CLIENT_CERT, "certificate", CLIENTS)
        yield Secret(NOMAD_CLIENT_KEY, "private-key", CLIENTS)
    if platform.acl:
        yield Secret(CONSUL_MANAGEMENT_TOKEN, "token", SERVERS | CLUSTER)
        yield Secret(CONSUL_AGENT_TOKEN, "token", AGENTS)
        yield Secret(NOMAD_CONSUL_SERVER_TOKEN, "token", SERVERS)
        # The server that creates the clients' token has to know it.
        yield Secret(NOMAD_CONSUL_CLIENT_TOKEN, "token", AGENTS)
        yield Secret(NOMAD_MANAGEMENT_TOKEN, "token", SERVERS)
