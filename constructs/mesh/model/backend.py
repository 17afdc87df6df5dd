"""Where Terraform keeps the state of the stacks. Stacks do not know it; the composition root sets it."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from mesh.matching import matching
from mesh.model.types import STRICT

_NonEmpty = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class LocalState:
    """State files under ``state/<environment>/`` of the checkout: for trying things out, by one person."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True, slots=True)
class HcpTerraform:
    """One workspace ``<project>-<environment>-<stack>`` for each stack.

    The token comes from the CLI's own configuration.

    Attributes:
        organization: Organization on HCP Terraform or Terraform Enterprise.
        hostname: Host of a Terraform Enterprise installation.
        workspace_project: Project of the workspaces; the organization's default when not given.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    organization: _NonEmpty
    _: KW_ONLY
    hostname: _NonEmpty = "app.terraform.io"
    workspace_project: _NonEmpty | None = None


@dataclass(frozen=True, slots=True)
class AzureStorage:
    """Blobs in an existing storage account, reached with the caller's Entra identity; no account key is used.

    Attributes:
        resource_group: Resource group of the storage account.
        storage_account: Name of the storage account: 3 to 24 lower-case letters and digits.
        container: Name of the blob container.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    _: KW_ONLY
    resource_group: _NonEmpty
    storage_account: Annotated[
        str,
        matching(r"[a-z0-9]{3,24}", "a storage account: 3 to 24 lower-case letters and digits", example="tfstate42"),
    ]
    container: _NonEmpty = "tfstate"


Backend = LocalState | HcpTerraform | AzureStorage
