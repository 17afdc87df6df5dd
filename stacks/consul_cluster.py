"""The consul-cluster stack: what joins AKS and Nomad's workloads to the servers of the infra stack."""

from typing import Final

from cdktf import Fn, TerraformResource, TerraformStack
from constructs import Construct

from imports.azurerm import DataAzurermKeyVault, DataAzurermKeyVaultSecret
from imports.consul import AdminPartition
from mesh import names
from mesh.azure.vault import NOMAD_CA
from mesh.consul import chart
from mesh.consul.acl import workload_acl
from mesh.consul.constructs.acl import WorkloadAccess
from mesh.consul.constructs.release import ConsulRelease, ConsulSecrets
from mesh.kubernetes.constructs import Chart
from mesh.model import Environment, Partition
from stacks.providers.cluster import cluster_and_helm_provider
from stacks.providers.consul import consul_provider

STACK_ID: Final = "consul-cluster"

SECRETS_REVISION: Final = 1
"""Raised by hand after a rotation in the Key Vault and for a new Secret.

Terraform writes the values to AKS only when this number has grown; see ``ConsulSecrets``.
"""


class ConsulClusterStack(TerraformStack):
    """The admin partition, the identities of Nomad's workloads, the Consul chart."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(scope, STACK_ID)
        platform = environment.platform
        consul_provider(self, environment)
        cluster = cluster_and_helm_provider(self, environment)
        before: list[TerraformResource] = []
        if isinstance(platform.topology, Partition):
            # Before the chart, whose own job leaves an existing partition alone; the other way round this would fail.
            name = platform.topology.name
            before.append(AdminPartition(self, "admin_partition", name=name, description="Services on AKS"))
        if cluster_secrets := chart.cluster_secrets(platform):
            vault = self._vault(environment)
            expressions = {secret: self._ephemeral(vault, secret.vault_secret) for secret in cluster_secrets}
            secrets = ConsulSecrets(
                self,
                "consul-secrets",
                chart=Chart(self, "consul_secrets_chart", folder="consul-secrets"),
                values=expressions,
                revision=SECRETS_REVISION,
            )
            before.append(secrets.resource)
            self._workload_access(environment, vault)
        ConsulRelease(
            self,
            chart.RELEASE,
            values=chart.values(environment),
            version=platform.versions.chart,
            auth_method_host=f"https://{cluster.fqdn}:443" if platform.acl else None,
            depends_on=before,
        )

    def _vault(self, environment: Environment) -> DataAzurermKeyVault:
        return DataAzurermKeyVault(
            self, "vault", name=names.vault(environment), resource_group_name=names.resource_group(environment)
        )

    def _ephemeral(self, vault: DataAzurermKeyVault, secret: str) -> str:
        """An expression of a secret's value that Terraform keeps nowhere.

        CDKTF has no class for ephemeral resources.
        """
        self.add_override(
            f"ephemeral.azurerm_key_vault_secret.{secret}", {"name": secret, "key_vault_id": str(vault.id)}
        )
        return f"${{ephemeral.azurerm_key_vault_secret.{secret}.value}}"

    def _workload_access(self, environment: Environment, vault: DataAzurermKeyVault) -> None:
        acl = workload_acl(environment)
        if acl is None:
            return
        # A certificate, not a secret; the auth method keeps it in the state anyway.
        authority = DataAzurermKeyVaultSecret(self, NOMAD_CA, name=NOMAD_CA, key_vault_id=vault.id)
        WorkloadAccess(self, "workloads", acl=acl, jwks_ca=Fn.base64decode(authority.value))
