"""Services on Kubernetes as Terraform resources."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from cdktf import AssetType, TerraformAsset
from constructs import Construct

from imports.helm import Release
from mesh.terraform import HIDDEN_ID, yaml_literal

HISTORY: Final = 10
"""Revisions of a release that Helm keeps in the cluster; all for ever, if it is not told."""


class Chart(TerraformAsset):
    """A chart of this package, copied beside the stack once, however many releases use it."""

    def __init__(self, scope: Construct, id_: str, *, folder: str) -> None:
        path = Path(str(files("mesh.kubernetes").joinpath("charts", folder)))
        super().__init__(scope, id_, path=str(path), type=AssetType.DIRECTORY)

    @property
    def reference(self) -> str:
        """The chart as the Helm provider wants a local one: a path, relative to the stack."""
        return f"./{self.path}"


class MeshedService(Construct):
    """The release of one service: an apply waits until its pods are ready, and goes back if they do not become so."""

    def __init__(
        self, scope: Construct, id_: str, *, chart: Chart, namespace: str, values: Mapping[str, object]
    ) -> None:
        super().__init__(scope, id_)
        Release(
            self,
            HIDDEN_ID,
            name=str(values["name"]),
            chart=chart.reference,
            namespace=namespace,
            create_namespace=True,
            values=[yaml_literal(values)],
            atomic=True,
            cleanup_on_fail=True,
            wait=True,
            timeout=600,
            max_history=HISTORY,
        )
