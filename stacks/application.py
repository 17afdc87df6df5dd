"""The composition root: from an environment to an app with its stacks.

Everything that uses the stacks comes through here.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cdktf import App, TerraformStack

import imports as imports  # noqa: PLC0414  before cdktf, so that provider bindings load lazily
from mesh import names
from mesh.model import Environment
from mesh.terraform import literal
from stacks.backends import set_backend

REQUIRED_TERRAFORM: Final = ">= 1.11"
"""Write-only arguments and ephemeral resources, which keep secrets out of the state, need it."""

_CLASSES: Final = {
    "infra": ("stacks.infra", "InfraStack"),
    "consul-cluster": ("stacks.consul_cluster", "ConsulClusterStack"),
    "policy": ("stacks.policy", "PolicyStack"),
    "workloads": ("stacks.workloads", "WorkloadsStack"),
}
"""Module and class of each stack: imported when composed, so that a stack alone pays for its own bindings only."""


def compose(environment: Environment, *, outdir: Path, stacks: Sequence[str] | None = None) -> App:
    """An app with the stacks of ``environment``, each depending on the one before it.

    Args:
        environment: A sound environment; see ``mesh.check``.
        outdir: Where :meth:`cdktf.App.synth` writes.
        stacks: Ids of the stacks to compose, in deployment order; all of the environment when not given.
    """
    app = App(outdir=str(outdir))
    before: TerraformStack | None = None
    for stack_id in names.stacks(environment) if stacks is None else stacks:
        stack = _stack_class(stack_id)(app, environment=environment)
        set_backend(stack, stack_id, environment)
        stack.add_override("terraform.required_version", REQUIRED_TERRAFORM)
        set_tags(stack, names.tags(environment, stack_id))
        if before is not None:
            stack.add_dependency(before)
        before = stack
    return app


def set_tags(stack: TerraformStack, tags: dict[str, str]) -> None:
    """Adds tags to every resource that can have some; a resource's own tags win.

    Done here in Python: an Aspect would be called back from Node for each construct of the tree.
    """
    escaped = {literal(name): literal(value) for name, value in tags.items()}
    for node in stack.node.find_all():
        if hasattr(type(node), "tags_input"):
            resource: Any = node
            resource.tags = {**escaped, **(resource.tags_input or {})}


def _stack_class(stack_id: str) -> Callable[..., TerraformStack]:
    module, name = _CLASSES[stack_id]
    stack: Callable[..., TerraformStack] = getattr(import_module(module), name)
    return stack
