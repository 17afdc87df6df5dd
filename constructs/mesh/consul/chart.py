"""Values of the Consul chart's release: AKS without servers and agents of its own, joined to the VMs' servers.

The chart has no schema: a key that it does not know is ignored in silence. So every key is written here, nothing is
passed through, and a test holds them against the chart's own (consul-k8s@1.9.11 ``charts/consul/values.yaml``).
"""

from dataclasses import dataclass
from typing import Final

from mesh import names, ports
from mesh.addresses import is_private
from mesh.azure.vault import CONSUL_CA, CONSUL_MANAGEMENT_TOKEN
from mesh.model.environment import Environment
from mesh.model.gateway import IngressGateway
from mesh.model.platform import Partition, Platform
from mesh.shapes import JsonObject
from mesh.topology import DEFAULT, MESH_GATEWAY, consul_host, gateways_on, has_mesh_gateways

CHART: Final = "consul"
REPOSITORY: Final = "https://helm.releases.hashicorp.com"
RELEASE: Final = "consul"

AUTH_METHOD_HOST: Final = "externalServers.k8sAuthMethodHost"
"""Where Consul's servers ask AKS about service accounts, only with ACLs.

Known only after AKS exists, so it is not among :func:`values`: ``ConsulRelease`` sets it.
"""

SIDECAR_REQUESTS: Final = {"cpu": "100m", "memory": "100Mi"}
"""What every injected sidecar reserves: without, it would be the first to be ended where a node runs out of memory."""


@dataclass(frozen=True, slots=True)
class ClusterSecret:
    """A Kubernetes Secret that the chart reads.

    Attributes:
        name: Name of the Secret.
        key: Its one key.
        vault_secret: Secret of the Key Vault whose value it gets.
        base64: Whether that value is base64 of a text.
    """

    name: str
    key: str
    vault_secret: str
    base64: bool


CA: Final = ClusterSecret("consul-ca", "tls.crt", CONSUL_CA, base64=True)
BOOTSTRAP_TOKEN: Final = ClusterSecret("consul-bootstrap-token", "token", CONSUL_MANAGEMENT_TOKEN, base64=False)


def cluster_secrets(platform: Platform) -> tuple[ClusterSecret, ...]:
    """The Secrets that the chart needs; none while neither TLS nor ACLs are on."""
    return (*((CA,) if platform.tls else ()), *((BOOTSTRAP_TOKEN,) if platform.acl else ()))


def values(environment: Environment) -> JsonObject:
    """The values of the release."""
    platform = environment.platform
    ingress = [_ingress_gateway(platform, gateway) for gateway in gateways_on(environment, IngressGateway)]
    return {
        "global": _global(platform),
        "server": {"enabled": False},
        # Sidecars in pods speak to the servers directly; agents in the cluster would serve nobody.
        "client": {"enabled": False},
        "externalServers": _external_servers(environment),
        "connectInject": _connect_inject(platform),
        "meshGateway": _mesh_gateway(platform) if has_mesh_gateways(platform) else {"enabled": False},
        "ingressGateways": {"enabled": True, "gateways": ingress} if ingress else {"enabled": False},
    }


def _global(platform: Platform) -> JsonObject:
    topology = platform.topology
    partition = topology.name if isinstance(topology, Partition) else None
    found: JsonObject = {
        "enabled": False,
        "name": RELEASE,
        "datacenter": platform.datacenter,
        "logLevel": "info",
        "peering": {"enabled": False},
        "enableConsulNamespaces": platform.enterprise,
        "adminPartitions": {"enabled": True, "name": partition} if partition else {"enabled": False},
        "tls": {"enabled": False},
        "acls": {"manageSystemACLs": False},
    }
    if platform.tls:
        found["tls"] = {"enabled": True, "caCert": {"secretName": CA.name, "secretKey": CA.key}}
    if platform.acl:
        token = {"secretName": BOOTSTRAP_TOKEN.name, "secretKey": BOOTSTRAP_TOKEN.key}
        found["acls"] = {"manageSystemACLs": True, "bootstrapToken": token}
    return found


def _external_servers(environment: Environment) -> JsonObject:
    platform = environment.platform
    api = ports.server_api(platform)
    return {
        "enabled": True,
        # Only the first is used: one address, or one name for all servers.
        "hosts": [consul_host(environment)],
        "httpsPort": api.http,  # named so, and meant for plain HTTP as well
        "grpcPort": api.grpc,
        **({"tlsServerName": f"server.{platform.datacenter}.consul", "useSystemRoots": False} if platform.tls else {}),
    }


def _connect_inject(platform: Platform) -> JsonObject:
    # Every service lives in the one namespace. The chart's default has changed from false to true.
    namespaces: JsonObject = {"mirroringK8S": False}
    if platform.enterprise:
        namespaces["consulDestinationNamespace"] = DEFAULT
    replicas = _replicas(platform)
    return {
        "enabled": True,
        "replicas": replicas,
        # The chart's own budget would let no pod go (``_helpers.tpl``, ``consul.pdb.connectInject.maxUnavailable``),
        # and the upgrade of a node would wait for it in vain.
        "disruptionBudget": {"enabled": True, "maxUnavailable": 1} if replicas > 1 else {"enabled": False},
        # A pod's annotation decides.
        "default": False,
        # Upstreams are declared, so nothing needs virtual addresses, redirection or Consul's DNS.
        "transparentProxy": {"defaultEnabled": False},
        "consulNamespaces": namespaces,
        # The injector watches Gateway API objects even where there is none.
        "apiGateway": {"manageExternalCRDs": True},
        "sidecarProxy": {"resources": {"requests": dict(SIDECAR_REQUESTS)}},
    }


def _replicas(platform: Platform) -> int:
    """Two, where there are two nodes: one may then go, e.g. while its node is upgraded."""
    return min(2, platform.cluster.nodes)


def _mesh_gateway(platform: Platform) -> JsonObject:
    return {
        "enabled": True,
        "replicas": _replicas(platform),
        "consulServiceName": MESH_GATEWAY,
        "containerPort": ports.POD_MESH_GATEWAY,
        "wanAddress": {"source": "Service"},
        "service": {
            "type": "LoadBalancer",
            "port": ports.CLUSTER_MESH_GATEWAY,
            "annotations": _internal(),
        },
    }


def _ingress_gateway(platform: Platform, gateway: IngressGateway) -> JsonObject:
    # The chart makes one number of Service, target and container port, so the entry's listeners must be these.
    open_ports = dict.fromkeys(listener.port for listener in gateway.listeners)
    service: JsonObject = {
        "type": "LoadBalancer",
        "ports": [{"port": port} for port in open_ports],
    }
    # The firewall admits private ranges; a public load balancer admits the rest by itself.
    if all(is_private(network) for network in gateway.open_to):
        service["annotations"] = _internal()
    else:
        ranges = "".join(f'- "{network}"\n' for network in gateway.open_to)
        service["additionalSpec"] = f"loadBalancerSourceRanges:\n{ranges}"
    return {
        "name": gateway.name,
        "replicas": gateway.runs_on.count,
        "service": service,
        **({"consulNamespace": DEFAULT} if platform.enterprise else {}),
    }


def _internal() -> str:
    """Annotations of a Service with an internal load balancer; the chart wants them as YAML text."""
    prefix = "service.beta.kubernetes.io/azure-load-balancer-internal"
    return f'{prefix}: "true"\n{prefix}-subnet: "{names.subnet("cluster-nodes")}"\n'
