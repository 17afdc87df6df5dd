"""The AKS cluster of the infra stack, and the Helm provider that talks to it."""

from typing import Final

from cdktf import Fn
from constructs import Construct

from imports.azurerm import AzurermProvider, AzurermProviderFeatures, DataAzurermKubernetesCluster
from imports.helm import HelmProvider, HelmProviderKubernetes, HelmProviderKubernetesExec
from mesh import names
from mesh.model import Environment

AKS_SERVER_APPLICATION: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Entra application of every AKS API server, for which kubelogin asks a token."""


def cluster_and_helm_provider(scope: Construct, environment: Environment) -> DataAzurermKubernetesCluster:
    """Looks the cluster up by its name, and points the Helm provider at it.

    The cluster has no local accounts: ``kubelogin`` gets a token for whoever is signed in to Azure.
    """
    AzurermProvider(
        scope, "azurerm_provider", features=[AzurermProviderFeatures()], resource_provider_registrations="none"
    )
    cluster = DataAzurermKubernetesCluster(
        scope, "aks_cluster", name=names.cluster(environment), resource_group_name=names.resource_group(environment)
    )
    access = cluster.kube_config.get(0)
    HelmProvider(
        scope,
        "helm_provider",
        kubernetes=HelmProviderKubernetes(
            host=access.host,
            cluster_ca_certificate=Fn.base64decode(access.cluster_ca_certificate),
            exec=HelmProviderKubernetesExec(
                api_version="client.authentication.k8s.io/v1beta1",
                command="kubelogin",
                args=["get-token", "--login", "azurecli", "--server-id", AKS_SERVER_APPLICATION],
            ),
        ),
    )
    return cluster
