"""Configuration files of the Consul agents, without secrets: the boot adds those in a file of its own.

Both are JSON, which the agent reads as well as HCL and which nothing can misquote. An unknown key is an error at start
(consul@1.22.7 ``agent/config/builder.go``); rules and measurements are in the comments.
"""

from typing import Final

from mesh import names, ports
from mesh.model.environment import Environment
from mesh.shapes import JsonObject
from mesh.topology import LOOPBACK

CONFIG_DIR: Final = "/etc/consul.d"
DATA_DIR: Final = "/opt/hashistack/consul"
ANYWHERE: Final = "0.0.0.0"
OFF: Final = -1


def server_config(environment: Environment, index: int) -> JsonObject:
    """The configuration of server ``index``."""
    platform = environment.platform
    api = ports.server_api(platform)
    address = platform.server_addresses[index]
    return {
        **_common(environment, "server", index, str(address)),
        "server": True,
        # Only servers may have it, and all the same (a client with it refuses to start).
        "bootstrap_expect": platform.servers,
        # What the network reaches; the rest stays on the loopback, where the boot, Nomad and Terraform's checks find
        # it.
        "addresses": dict.fromkeys(("https", "grpc_tls") if platform.tls else ("http", "grpc"), ANYWHERE),
        "ports": {
            "dns": ports.CONSUL_DNS,
            "http": ports.LOOPBACK_HTTP,
            "https": api.http if platform.tls else OFF,
            "grpc": OFF if platform.tls else api.grpc,
            "grpc_tls": api.grpc if platform.tls else OFF,
            "server": ports.CONSUL_RPC,
            "serf_lan": ports.CONSUL_GOSSIP,
            # One datacenter: nobody to gossip with over a wide area.
            "serf_wan": OFF,
        },
        "connect": {"enabled": True},
        "ui_config": {"enabled": True},
        # What nobody declared is denied, also where ACLs are off and nothing else would deny it.
        "default_intention_policy": "deny",
        **(_server_tls() if platform.tls else {}),
    }


def client_config(environment: Environment, index: int) -> JsonObject:
    """The configuration of the agent on client ``index``: its APIs are on the loopback only."""
    platform = environment.platform
    address = platform.client_addresses[index]
    return {
        **_common(environment, "client", index, str(address)),
        "server": False,
        "leave_on_terminate": True,
        "ports": {
            "dns": ports.CONSUL_DNS,
            "http": ports.LOOPBACK_HTTP,
            "https": OFF,
            # Plain on the loopback, with TLS, too: the certificate that auto_encrypt gives to this listener is signed
            # by the mesh's CA, which Nomad does not trust.
            "grpc": ports.LOOPBACK_GRPC,
            "grpc_tls": OFF,
            "serf_lan": ports.CONSUL_GOSSIP,
        },
        **(_client_tls() if platform.tls else {}),
    }


def _common(environment: Environment, role: str, index: int, address: str) -> JsonObject:
    platform = environment.platform
    return {
        "datacenter": platform.datacenter,
        "node_name": names.machine(environment, role, index),
        "data_dir": DATA_DIR,
        "bind_addr": ANYWHERE,
        # Said always: Docker's bridge has a private address as well.
        "advertise_addr": address,
        "client_addr": LOOPBACK,
        "retry_join": [str(server) for server in platform.server_addresses],
        "log_level": "INFO",
        "disable_update_check": True,
        "telemetry": {"prometheus_retention_time": "24h", "disable_hostname": True},
        **({"license_path": f"{CONFIG_DIR}/license.hclic"} if platform.enterprise else {}),
        **(
            {"acl": {"enabled": True, "default_policy": "deny", "enable_token_persistence": True}}
            if platform.acl
            else {}
        ),
    }


def _server_tls() -> JsonObject:
    return {
        "tls": {
            "defaults": {
                "ca_file": f"{CONFIG_DIR}/tls/ca.pem",
                "cert_file": f"{CONFIG_DIR}/tls/server.pem",
                "key_file": f"{CONFIG_DIR}/tls/server-key.pem",
                "verify_incoming": True,
                "verify_outgoing": True,
            },
            "internal_rpc": {"verify_server_hostname": True},
            # Sidecars in pods and people have no client certificate.
            "https": {"verify_incoming": False},
            "grpc": {"verify_incoming": False},
        },
        "auto_encrypt": {"allow_tls": True},
    }


def _client_tls() -> JsonObject:
    return {
        "tls": {
            "defaults": {"ca_file": f"{CONFIG_DIR}/tls/ca.pem", "verify_outgoing": True},
            "internal_rpc": {"verify_server_hostname": True},
        },
        "auto_encrypt": {"tls": True},
    }
