"""Configuration files of the Nomad agents, without secrets: the boot adds those in a file of its own.

Nomad refuses an unknown key, but not inside ``consul {}``, where it is ignored without a word (nomad@1.11.3
``command/agent/config_parse.go``): a test holds those against a list.
"""

from typing import Final

from mesh import names, ports
from mesh.consul.acl import AUDIENCE
from mesh.model.environment import Environment
from mesh.shapes import JsonObject

CONFIG_DIR: Final = "/etc/nomad.d"
DATA_DIR: Final = "/opt/hashistack/nomad"
REGION: Final = "global"
"""Nomad's own default, said because certificates carry it."""


def server_config(environment: Environment, index: int) -> JsonObject:
    """The configuration of server ``index``."""
    platform = environment.platform
    identity = {"aud": [AUDIENCE], "ttl": "1h"}
    return {
        **_common(environment, "server", index, str(platform.server_addresses[index])),
        "server": {
            "enabled": True,
            "bootstrap_expect": platform.servers,
            "server_join": _join(environment),
        },
        # The packaged file, which this one replaces, enables both roles.
        "client": {"enabled": False},
        "consul": {
            **_consul(),
            # With Consul's ACLs, services and tasks need identities of their own.
            **({"service_identity": identity, "task_identity": identity} if platform.acl else {}),
        },
    }


def client_config(environment: Environment, index: int) -> JsonObject:
    """The configuration of client ``index``. Envoy is not pinned: Nomad asks Consul which version fits."""
    return {
        **_common(environment, "client", index, str(environment.platform.client_addresses[index])),
        "server": {"enabled": False},
        "client": {"enabled": True, "server_join": _join(environment)},
        "consul": {**_consul(), "grpc_address": f"127.0.0.1:{ports.LOOPBACK_GRPC}"},
        "plugin": {"docker": {"config": {"allow_privileged": False}}},
    }


def _common(environment: Environment, role: str, index: int, address: str) -> JsonObject:
    platform = environment.platform
    return {
        "region": REGION,
        "datacenter": platform.datacenter,
        "name": names.machine(environment, role, index),
        "data_dir": DATA_DIR,
        "bind_addr": "0.0.0.0",
        "advertise": {"http": address, "rpc": address, "serf": address},
        "ports": {"http": ports.NOMAD_HTTP, "rpc": ports.NOMAD_RPC, "serf": ports.NOMAD_GOSSIP},
        "log_level": "INFO",
        "disable_update_check": True,
        "telemetry": {
            "prometheus_metrics": True,
            "publish_node_metrics": True,
            "publish_allocation_metrics": True,
        },
        **({"acl": {"enabled": True}} if platform.acl else {}),
        **({"tls": _tls()} if platform.tls else {}),
    }


def _join(environment: Environment) -> JsonObject:
    return {"retry_join": [str(server) for server in environment.platform.server_addresses]}


def _consul() -> JsonObject:
    """The agent of the same machine: never a server's, never a dataplane."""
    return {"address": f"127.0.0.1:{ports.LOOPBACK_HTTP}"}


def _tls() -> JsonObject:
    return {
        "http": True,
        "rpc": True,
        "ca_file": f"{CONFIG_DIR}/tls/ca.pem",
        "cert_file": f"{CONFIG_DIR}/tls/agent.pem",
        "key_file": f"{CONFIG_DIR}/tls/agent-key.pem",
        "verify_server_hostname": True,
        # Consul's servers fetch the keys of workload identities, and people call the API, without a certificate.
        "verify_https_client": False,
    }
