"""Read what Terraform evaluated, in terms of the stack as it was synthesized."""

from collections.abc import Mapping
from typing import Any

from tests.shadow.declarations import BUILT_IN, Json
from tests.shadow.references import CANNED_KEY


def evaluated(document: Mapping[str, Any]) -> dict[str, Json]:
    """Return the evaluated arguments by original address, from the JSON of a plan or of a state.

    What Terraform knows only after apply is absent from a plan: an argument at the top level is missing, a part of
    one is missing or null.
    """
    values = document.get("planned_values", document.get("values")) or {}
    return {
        _original(resource): _arguments(resource)
        for resource in values.get("root_module", {}).get("resources", [])
        if resource["type"] == BUILT_IN
    }


def pending(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a plan would do, by original address; empty if it would change nothing."""
    return {
        _original(change): change["change"]["actions"]
        for change in plan.get("resource_changes", [])
        if change["type"] == BUILT_IN and change["change"]["actions"] != ["no-op"]
    }


def _original(resource: Mapping[str, Any]) -> str:
    """Undo a stand-in's naming: no mode and no type contains two underscores."""
    name = str(resource["name"])
    labels = name.split("__", 2 if name.startswith("data__") else 1)
    instance = str(resource["address"]).removeprefix(f"{BUILT_IN}.{name}")
    return ".".join(labels) + instance


def _arguments(resource: Mapping[str, Any]) -> Json:
    values = resource["values"]
    if str(resource["name"]).startswith(f"{BUILT_IN}__"):
        return {key: value for key, value in values.items() if key in {"input", "triggers_replace"}}
    return {key: value for key, value in (values.get("input") or {}).items() if key != CANNED_KEY}
