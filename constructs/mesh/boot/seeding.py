"""What ``tools/seed-vault`` has to know of an environment, as JSON: ``python -m mesh.boot.seeding ENVIRONMENT``."""

import json
import sys
from pathlib import Path

from mesh import names
from mesh.azure import vault
from mesh.errors import ProjectError
from mesh.model.environment import Environment
from mesh.nomad.agent import REGION
from mesh.project import load
from mesh.shapes import JsonObject
from mesh.topology import consul_host, nomad_host


def seeding(environment: Environment) -> JsonObject:
    """The vault and its secrets; of a certificate also its key, the CA that signs it, and the names that it carries.

    A CA comes before what it signs, and carries no names.
    """
    certificates = _certificates(environment)
    return {
        "vault": names.vault(environment),
        "secrets": [
            {"name": secret.name, "form": secret.form, **certificates.get(secret.name, {})}
            for secret in vault.secrets(environment)
        ],
    }


def _certificates(environment: Environment) -> dict[str, JsonObject]:
    """By the name of the certificate's secret.

    Consul's agents insist on ``server.<datacenter>.consul`` (consul@1.22.7 ``tlsutil/config.go``), Nomad's on
    ``<role>.<region>.nomad`` (nomad@1.11.3 ``helper/tlsutil/config.go``). Everyone else dials an address or a DNS name.
    """
    platform = environment.platform
    servers = [str(address) for address in platform.server_addresses]
    consul = _names(f"server.{platform.datacenter}.consul", consul_host(environment), *servers)
    nomad = _names(f"server.{REGION}.nomad", nomad_host(environment), *servers)
    client = _names(f"client.{REGION}.nomad")
    return {
        vault.CONSUL_CA: {"key": vault.CONSUL_CA_KEY, "names": []},
        vault.CONSUL_SERVER_CERT: {"key": vault.CONSUL_SERVER_KEY, "ca": vault.CONSUL_CA, "names": consul},
        vault.NOMAD_CA: {"key": vault.NOMAD_CA_KEY, "names": []},
        vault.NOMAD_SERVER_CERT: {"key": vault.NOMAD_SERVER_KEY, "ca": vault.NOMAD_CA, "names": nomad},
        vault.NOMAD_CLIENT_CERT: {"key": vault.NOMAD_CLIENT_KEY, "ca": vault.NOMAD_CA, "names": client},
    }


def _names(role: str, host: str | None = None, *addresses: str) -> list[str]:
    """Subject alternative names as OpenSSL takes them. The host of a single server is its address."""
    hosts = [host] if host and host not in addresses else []
    return [*(f"DNS:{name}" for name in (role, "localhost", *hosts)), *(f"IP:{ip}" for ip in ("127.0.0.1", *addresses))]


def main(arguments: list[str]) -> int:
    """Print it for an environment of the project in the working directory; 2 when that does not load."""
    try:
        environment = load(arguments[0], Path.cwd())
    except ProjectError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    json.dump(seeding(environment), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
