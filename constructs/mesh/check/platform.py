"""Rules about edition, topology, versions, names and the backend."""

from collections.abc import Iterator
from typing import Final

from mesh import names
from mesh.addresses import is_private
from mesh.findings import Finding
from mesh.model.backend import HcpTerraform
from mesh.model.environment import Environment
from mesh.model.platform import Azure, Partition, Peering
from mesh.topology import DEFAULT

RESERVED_PARTITIONS: Final = frozenset({"system", "universal", "operator", "root", DEFAULT})
"""``default`` is the VMs'; the others are refused by the chart (consul-k8s@1.9.11 ``templates/_helpers.tpl``)."""

TESTED_CONSUL: Final = "1.22"
TESTED_NOMAD: Final = "1.11"
OLDEST_ENVOY: Final = (1, 33)
"""Consul 1.22 refuses older ones (consul@1.22.7 ``envoyextensions/xdscommon/envoy_versioning.go``)."""

CHART_OF_CONSUL: Final = {"1.21": "1.8", "1.22": "1.9"}
"""The chart's minor version belongs to Consul's; others are refused by the vendor."""

KUBERNETES: Final = ("1.30", "1.31", "1.32", "1.33", "1.34")
"""Kubernetes versions that consul-k8s 1.9 supports."""

VAULT_NAME_LENGTH: Final = 24


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about the platform as a whole."""
    yield from _topology(environment)
    yield from _versions(environment)
    yield from _names(environment)
    if environment.platform.azure:
        yield from _azure(environment.platform.azure)


def _azure(azure: Azure) -> Iterator[Finding]:
    if len(set(azure.zones)) != len(azure.zones):
        yield Finding("platform.azure.zones", "zone-twice", "a zone is listed twice", "list every zone once")
    for index, network in enumerate(azure.operator_networks):
        path = f"platform.azure.operator_networks[{index}]"
        if is_private(network):
            yield Finding(
                path,
                "operator-network",
                f"{network} is private; these are ranges outside of the virtual network",
                "give public ranges: what is inside reaches the vault anyway",
            )
        elif network.prefixlen == 31:  # noqa: PLR2004  what a Key Vault refuses
            yield Finding(path, "operator-network", f"a Key Vault takes no /31: {network}", "give two single addresses")


def _topology(environment: Environment) -> Iterator[Finding]:
    platform = environment.platform
    topology = platform.topology
    path = "platform.topology"
    if isinstance(topology, Peering) and platform.azure:
        yield Finding(
            path,
            "topology-unsupported",
            "Peering is not supported on Azure yet",
            "use Flat() or Partition(...), or platform.azure=None",
        )
    if not isinstance(topology, Partition):
        return
    if not platform.enterprise:
        yield Finding(
            path,
            "partition-needs-enterprise",
            "admin partitions are a feature of Consul Enterprise; the edition is Community()",
            "use edition=Enterprise(), or topology=Flat()",
        )
    if platform.acl:
        yield Finding(
            "platform.security",
            "security-unsupported",
            "zero trust across admin partitions is not supported yet: nothing gives the mesh gateways their rights",
            "use Security.PRIVATE_NETWORK, or topology=Flat()",
        )
    if topology.name in RESERVED_PARTITIONS:
        yield Finding(
            f"{path}.name",
            "partition-reserved",
            f'the partition name "{topology.name}" is taken',
            f"choose another than {', '.join(sorted(RESERVED_PARTITIONS))}",
        )


def _versions(environment: Environment) -> Iterator[Finding]:
    versions = environment.platform.versions
    consul, chart = _minor(versions.consul), _minor(versions.chart)
    if consul != TESTED_CONSUL:
        yield Finding(
            "platform.versions.consul",
            "consul-untested",
            f"Consul {versions.consul} is not of the tested line {TESTED_CONSUL}",
            f"use a {TESTED_CONSUL} version",
        )
    elif CHART_OF_CONSUL[consul] != chart:
        yield Finding(
            "platform.versions.chart",
            "chart-mismatch",
            f"chart {versions.chart} does not belong to Consul {versions.consul}",
            f"use chart {CHART_OF_CONSUL[consul]}.x",
        )
    if _minor(versions.nomad) != TESTED_NOMAD:
        yield Finding(
            "platform.versions.nomad",
            "nomad-untested",
            f"Nomad {versions.nomad} is not of the tested line {TESTED_NOMAD}",
            f"use a {TESTED_NOMAD} version",
        )
    envoy = tuple(map(int, versions.envoy.split(".")[:2]))
    if envoy < OLDEST_ENVOY:
        yield Finding(
            "platform.versions.envoy",
            "envoy-old",
            f"Consul {versions.consul} refuses Envoy {versions.envoy}",
            f"use {'.'.join(map(str, OLDEST_ENVOY))} or later",
        )
    kubernetes = environment.platform.cluster.version
    if kubernetes not in KUBERNETES:
        yield Finding(
            "platform.cluster.version",
            "kubernetes-unsupported",
            f"Kubernetes {kubernetes} is not supported by chart {versions.chart}",
            f"use {', '.join(KUBERNETES)}",
        )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _names(environment: Environment) -> Iterator[Finding]:
    azure = environment.platform.azure
    if azure and azure.vault_name is None:
        vault = names.vault(environment)
        if len(vault) > VAULT_NAME_LENGTH or "--" in vault:
            yield Finding(
                "platform.azure.vault_name",
                "vault-name",
                f'the derived name "{vault}" is no name of a Key Vault (3 to {VAULT_NAME_LENGTH} characters, no "--")',
                'set vault_name="..." explicitly',
            )
    for field in ("name", "project"):
        value = getattr(environment, field)
        if "--" in value:
            yield Finding(field, "name-dashes", f'"{value}" has two dashes in a row', "use single dashes")
    if isinstance(environment.backend, HcpTerraform):
        for stack in names.stacks(environment):
            if len(name := names.workspace(environment, stack)) > 90:  # noqa: PLR2004  limit of HCP Terraform
                yield Finding(
                    "backend", "workspace-name", f'workspace "{name}" is longer than 90', "shorten name or project"
                )
