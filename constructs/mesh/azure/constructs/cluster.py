"""The AKS cluster as Terraform resources."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdktf import Postcondition, TerraformResource, TerraformResourceLifecycle
from constructs import Construct

from imports.azurerm import (
    DataAzurermClientConfig,
    KubernetesCluster,
    KubernetesClusterApiServerAccessProfile,
    KubernetesClusterAzureActiveDirectoryRoleBasedAccessControl,
    KubernetesClusterDefaultNodePool,
    KubernetesClusterDefaultNodePoolUpgradeSettings,
    KubernetesClusterIdentity,
    KubernetesClusterMaintenanceWindowAutoUpgrade,
    KubernetesClusterMaintenanceWindowNodeOs,
    KubernetesClusterNetworkProfile,
    ResourceGroup,
    RoleAssignment,
    UserAssignedIdentity,
)
from mesh.azure.cluster import ManagedCluster
from mesh.terraform import HIDDEN_ID

WINDOW: Final[Mapping[str, Any]] = {
    "frequency": "Weekly",
    "interval": 1,
    "duration": 4,
    "day_of_week": "Sunday",
    "start_time": "02:00",
    "utc_offset": "+00:00",
}


class Cluster(Construct):
    """The cluster, its identity, and the rights of both and of whoever deploys.

    Args:
        cluster: What to create.
        identity_name: Name of the identity with which AKS acts on the network.
        resource_group: Where it is put.
        nodes_subnet_id: Subnet of the nodes and of internal load balancers.
        pods_subnet_id: Subnet of the pods.
        egress_address: The address with which the API server sees nodes, and Consul's servers asking about pods.
        deployer: Who deploys. Entra's roles alone count in the cluster, and owning it is not among them.
        depends_on: What has to exist before nodes boot.

    Attributes:
        name: Its name on Azure.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: ManagedCluster,
        identity_name: str,
        resource_group: ResourceGroup,
        nodes_subnet_id: str,
        pods_subnet_id: str,
        egress_address: str,
        deployer: DataAzurermClientConfig,
        depends_on: Sequence[TerraformResource],
    ) -> None:
        super().__init__(scope, id_)
        identity = UserAssignedIdentity(
            self,
            "identity",
            name=identity_name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
        )
        subnets = {"nodes": nodes_subnet_id, "pods": pods_subnet_id}
        joins = [
            RoleAssignment(
                self,
                f"joins-{name}",
                scope=subnet_id,
                role_definition_name="Network Contributor",
                principal_id=identity.principal_id,
                principal_type="ServicePrincipal",
                skip_service_principal_aad_check=True,
            )
            for name, subnet_id in subnets.items()
        ]
        resource = KubernetesCluster(
            self,
            HIDDEN_ID,
            name=cluster.name,
            location=resource_group.location,
            resource_group_name=resource_group.name,
            dns_prefix=cluster.dns_prefix,
            sku_tier=cluster.tier,
            kubernetes_version=cluster.version,
            automatic_upgrade_channel="patch",
            node_os_upgrade_channel="NodeImage",
            maintenance_window_auto_upgrade=KubernetesClusterMaintenanceWindowAutoUpgrade(**WINDOW),
            maintenance_window_node_os=KubernetesClusterMaintenanceWindowNodeOs(**WINDOW),
            default_node_pool=_node_pool(cluster, nodes_subnet_id, pods_subnet_id),
            identity=KubernetesClusterIdentity(type="UserAssigned", identity_ids=[identity.id]),
            network_profile=KubernetesClusterNetworkProfile(
                network_plugin="azure",
                load_balancer_sku="standard",
                outbound_type="userAssignedNATGateway",
                service_cidr=str(cluster.services),
                dns_service_ip=str(cluster.dns_server),
            ),
            api_server_access_profile=_api_server_access(cluster, egress_address),
            local_account_disabled=True,
            azure_active_directory_role_based_access_control=KubernetesClusterAzureActiveDirectoryRoleBasedAccessControl(
                azure_rbac_enabled=True, tenant_id=deployer.tenant_id
            ),
            oidc_issuer_enabled=True,
            workload_identity_enabled=True,
            run_command_enabled=False,
            lifecycle=_version_is_upgraded_by_people(cluster.version),
            depends_on=[*joins, *depends_on],
        )
        self.name = resource.name
        RoleAssignment(
            self,
            "deployer",
            scope=resource.id,
            role_definition_name="Azure Kubernetes Service RBAC Cluster Admin",
            principal_id=deployer.object_id,
            # A plan by somebody else must not take the right away from who deployed.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["principal_id"]),
        )


def _node_pool(cluster: ManagedCluster, nodes_subnet_id: str, pods_subnet_id: str) -> KubernetesClusterDefaultNodePool:
    return KubernetesClusterDefaultNodePool(
        name="system",
        vm_size=cluster.size,
        node_count=cluster.nodes,
        zones=list(cluster.zones) or None,
        vnet_subnet_id=nodes_subnet_id,
        pod_subnet_id=pods_subnet_id,
        max_pods=cluster.max_pods,
        os_sku="Ubuntu",
        temporary_name_for_rotation="systemtmp",  # size, zones and max_pods change without a new cluster
        # Without it, every plan would take away what AKS sets. To remove the drain timeout again needs a new cluster.
        upgrade_settings=KubernetesClusterDefaultNodePoolUpgradeSettings(
            max_surge=cluster.max_surge, drain_timeout_in_minutes=30, node_soak_duration_in_minutes=0
        ),
    )


def _api_server_access(cluster: ManagedCluster, egress_address: str) -> KubernetesClusterApiServerAccessProfile | None:
    if not cluster.operator_networks:
        return None
    return KubernetesClusterApiServerAccessProfile(
        authorized_ip_ranges=[f"{egress_address}/32", *map(str, cluster.operator_networks)]
    )


def _version_is_upgraded_by_people(version: str) -> TerraformResourceLifecycle:
    """Leaves the version to AKS, and says so when its minor version is not the declared one.

    After each patch that AKS installs, it reports "1.33.5" where "1.33" was asked for, and every plan would want to
    change that (hashicorp/terraform-provider-azurerm#26946). Merely ignored, a new minor version in the declaration
    would do nothing, in silence.
    """
    return TerraformResourceLifecycle(
        ignore_changes=["kubernetes_version"],
        postcondition=[
            Postcondition(
                condition=f'${{startswith(self.current_kubernetes_version, "{version}.")}}',
                error_message=(
                    f"Kubernetes {version} is declared, but the cluster runs ${{self.current_kubernetes_version}}. "
                    "Upgrade it one minor version at a time (az aks upgrade), or correct the declaration."
                ),
            )
        ],
    )
