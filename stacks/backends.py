"""Where the state of a stack lives: an option of the environment, applied from outside."""

from cdktf import AzurermBackend, CloudBackend, LocalBackend, NamedCloudWorkspace, TerraformStack

from mesh import names
from mesh.model import AzureStorage, Environment, HcpTerraform


def set_backend(stack: TerraformStack, stack_id: str, environment: Environment) -> None:
    """Gives a stack the backend of its environment. No credential is ever part of it.

    CDKTF's default would write an absolute path into the output.
    """
    backend = environment.backend
    if isinstance(backend, HcpTerraform):
        CloudBackend(
            stack,
            hostname=backend.hostname,
            organization=backend.organization,
            workspaces=NamedCloudWorkspace(names.workspace(environment, stack_id), project=backend.workspace_project),
        )
    elif isinstance(backend, AzureStorage):
        AzurermBackend(
            stack,
            resource_group_name=backend.resource_group,
            storage_account_name=backend.storage_account,
            container_name=backend.container,
            key=f"{names.base(environment)}/{stack_id}.tfstate",
            use_azuread_auth=True,
        )
    else:
        # Relative to cdktf.out/stacks/<stack>: outside of what a new synthesis or `make clean` replaces, and a file
        # of its own for each environment, so that two environments never share a state.
        LocalBackend(stack, path=f"../../../state/{environment.name}/{stack_id}.tfstate")
