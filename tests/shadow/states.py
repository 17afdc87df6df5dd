"""Keep every state in a local file, such that producer and consumer still agree on where it lies."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tests.shadow.declarations import Json, blocks

LOCAL = "local"
_REMOTE = frozenset({"cloud", "remote"})
# What tells two states of the same backend apart, over the kinds of backends that Terraform has.
_IDENTIFYING = ("address", "storage_account_name", "container_name", "bucket", "prefix", "path", "schema_name", "key")


def backend(terraform: Mapping[str, Any], states: PurePath | None) -> Json:
    """Return the `backend` blocks that take the place of a stack's backend or cloud block; empty if it has none."""
    found = [(kind, config) for kinds in blocks(terraform.get("backend")) for kind, config in kinds.items()]
    found += [("cloud", config) for config in blocks(terraform.get("cloud"))]
    for kind, configs in found:
        for config in blocks(configs):
            return {LOCAL: _local(kind, config, states)}
    return {}


def remote_state(body: Mapping[str, Any], states: PurePath | None) -> Json:
    """Return the body of a `terraform_remote_state` that reads what the producer's shadow writes."""
    kind = str(body.get("backend"))
    config = body.get("config")
    moved = {**body, "backend": LOCAL, "config": _local(kind, config if isinstance(config, dict) else {}, states)}
    if kind != LOCAL or states is not None:
        # One file per state: there are no workspaces to select within it.
        moved.pop("workspace", None)
    return moved


def _local(kind: str, config: Mapping[str, Any], states: PurePath | None) -> Json:
    if kind == LOCAL and states is None:
        return dict(config)
    # Next to the stacks' own folders unless told otherwise: all of them find it there.
    folder = PurePath("..") if states is None else states
    name = re.sub(r"[^A-Za-z0-9._]+", "-", _identity(kind, config)).strip("-").removesuffix(".tfstate")
    return {"path": (folder / f"{name}.tfstate").as_posix()}


def _identity(kind: str, config: Mapping[str, Any]) -> str:
    """Say which state a configuration means: alike for producer and consumer, different for different states."""
    if kind == LOCAL:
        return str(config.get("path", "terraform.tfstate"))
    if kind in _REMOTE:
        workspaces = json.dumps(config.get("workspaces"), sort_keys=True)
        named = [body["name"] for body in blocks(config.get("workspaces")) if "name" in body]
        return "/".join([str(config.get("organization")), *(map(str, named) if named else [workspaces])])
    return "/".join(str(config[key]) for key in _IDENTIFYING if key in config)
