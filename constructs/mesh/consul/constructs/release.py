"""The Consul chart on AKS as Terraform resources: its release, and the Secrets that it reads."""

from collections.abc import Mapping, Sequence
from typing import Final

from cdktf import TerraformResource
from constructs import Construct

from imports.helm import Release, ReleaseSet, ReleaseSetWo
from mesh.consul.chart import AUTH_METHOD_HOST, CHART, RELEASE, REPOSITORY, ClusterSecret
from mesh.kubernetes.constructs import HISTORY, Chart
from mesh.names import CONSUL_NAMESPACE
from mesh.terraform import HIDDEN_ID, yaml_literal

INSTALL_TIMEOUT: Final = 900
"""Seconds. Images are pulled, gateways wait for their load balancers."""


class ConsulSecrets(Construct):
    """Kubernetes Secrets for the Consul chart.

    The values are write-only: Terraform hands them to Helm and keeps nothing of them (the provider even leaves the
    release's ``metadata.values`` empty). In an update the provider hands them over only if ``revision`` has grown
    (terraform-provider-helm#1753). Until then Helm takes those of the release before, and where there is none, the
    chart's schema refuses the Secret: it is never emptied.

    Args:
        values: For each Secret an expression of its value, which has to be ephemeral.
        revision: A higher number makes Terraform write the values again. Needed after a rotation and for a new Secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        chart: Chart,
        values: Mapping[ClusterSecret, str],
        revision: int,
    ) -> None:
        super().__init__(scope, id_)
        shapes = {secret.name: {"key": secret.key, "base64": secret.base64} for secret in values}
        self.resource = Release(
            self,
            HIDDEN_ID,
            name="consul-secrets",
            chart=chart.reference,
            namespace=CONSUL_NAMESPACE,
            create_namespace=True,
            values=[yaml_literal({"secrets": shapes})],
            set_wo=[
                ReleaseSetWo(name=f"secrets.{secret.name}.value", value=value, type="string")
                for secret, value in values.items()
            ],
            set_wo_revision=revision,
            reuse_values=True,
            max_history=1,  # Helm keeps the values of a release in the cluster: not those of a year of rotations
            atomic=True,
        )


class ConsulRelease(Construct):
    """The release of the Consul chart.

    An apply that fails goes back to the release before, and a first one is removed: the provider keeps no state of a
    failed installation, so its remains would be in the way of every further apply (terraform-provider-helm#1669).

    Args:
        values: Values of the chart.
        version: Version of the chart.
        auth_method_host: Address at which Consul's servers reach AKS; only with ACLs. It may be a token of CDKTF.
        depends_on: What has to exist before: the partition, Secrets.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        values: Mapping[str, object],
        version: str,
        auth_method_host: str | None,
        depends_on: Sequence[TerraformResource],
    ) -> None:
        super().__init__(scope, id_)
        Release(
            self,
            HIDDEN_ID,
            name=RELEASE,
            repository=REPOSITORY,
            chart=CHART,
            version=version,
            namespace=CONSUL_NAMESPACE,
            create_namespace=True,
            values=[yaml_literal(values)],
            set=[ReleaseSet(name=AUTH_METHOD_HOST, value=auth_method_host)] if auth_method_host else None,
            atomic=True,
            cleanup_on_fail=True,
            wait=True,
            wait_for_jobs=True,
            timeout=INSTALL_TIMEOUT,
            max_history=HISTORY,
            depends_on=list(depends_on),
        )
