"""The Consul chart on AKS as Terraform resources: its release, and the Secrets that it reads."""

from collections.abc import Mapping, Sequence

from cdktf import TerraformResource
from constructs import Construct

from imports.helm import Release, ReleaseSet, ReleaseSetWo
from mesh.consul.chart import AUTH_METHOD_HOST, CHART, RELEASE, REPOSITORY, ClusterSecret
from mesh.kubernetes.constructs import Chart
from mesh.names import CONSUL_NAMESPACE
from mesh.terraform import HIDDEN_ID, json_literal


class ConsulSecrets(Construct):
    """Kubernetes Secrets for the Consul chart.

    The values are write-only: Terraform hands them to Helm and keeps nothing of them.

    Args:
        values: For each Secret an expression of its value, which has to be ephemeral.
        revision: A new number makes Terraform write the values again, after they were rotated.
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
            values=[json_literal({"secrets": shapes})],
            set_wo=[
                ReleaseSetWo(name=f"secrets.{secret.name}.value", value=value, type="string")
                for secret, value in values.items()
            ],
            set_wo_revision=revision,
        )


class ConsulRelease(Construct):
    """The release of the Consul chart.

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
            values=[json_literal(values)],
            set=[ReleaseSet(name=AUTH_METHOD_HOST, value=auth_method_host)] if auth_method_host else None,
            wait=True,
            wait_for_jobs=True,
            timeout=900,
            depends_on=list(depends_on),
        )
