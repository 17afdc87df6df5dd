"""The output as a reviewer reads it: what a stack holds as escaped text becomes a file of its own."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from mesh.boot import cloud_init
from tests.output import Synthesized, unescaped


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def files(synthesized: Synthesized) -> dict[str, str]:
    """Snapshot files of an environment by their path."""
    found: dict[str, str] = {}
    versions: dict[str, Any] = {}
    for stack, content in synthesized.stacks.items():
        content.pop("//", None)
        versions[stack] = content.get("terraform", {}).pop("required_providers", {})
        _decode(content, found)
        found[f"{stack}.json"] = _json(_without_metadata(content))
    found["versions.json"] = _json(versions)
    return found


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120)


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_metadata(item) for key, item in value.items() if key != "//"}
    if isinstance(value, list):
        return [_without_metadata(item) for item in value]
    return value


def _decode(content: dict[str, Any], found: dict[str, str]) -> None:
    """Moves texts out of a stack into files of their own, leaving the file's name."""
    resources = content.get("resource", {})
    for name, entry in resources.get("consul_config_entry", {}).items():
        entry["config_json"] = _put(found, f"entries/{name}.json", _json(json.loads(unescaped(entry["config_json"]))))
    for name, job in resources.get("nomad_job", {}).items():
        text = unescaped(job["jobspec"])
        path, text = (f"jobs/{name}.json", _json(json.loads(text))) if "json" in job else (f"jobs/{name}.hcl", text)
        job["jobspec"] = _put(found, path, text)
    for name, release in resources.get("helm_release", {}).items():
        if "values" in release:
            (values,) = release["values"]
            release["values"] = [_put(found, f"values/{name}.yaml", _yaml(json.loads(unescaped(values))))]
    for name, machine in resources.get("azurerm_linux_virtual_machine", {}).items():
        machine["custom_data"] = _put(found, f"cloud-init/{name}.yaml", _user_data(machine["custom_data"]))
    static = _static()
    for command in resources.get("azurerm_virtual_machine_run_command", {}).values():
        command["source"]["script"] = static[unescaped(command["source"]["script"])]


def _put(found: dict[str, str], path: str, text: str) -> str:
    found[path] = text
    return f"<{path}>"


def _user_data(custom_data: str) -> str:
    """Cloud-config of a VM; scripts that lie in the repository are named instead of repeated."""
    text = base64.b64decode(custom_data).decode()
    header, body = text.split("\n", 1)
    document = yaml.safe_load(body)
    static = _static()
    for file in document["write_files"]:
        file["content"] = static.get(file["content"], file["content"])
    return f"{header}\n{_yaml(document)}"


def _static() -> dict[str, str]:
    """Where a text lies in the repository, by the text."""
    return {text: f"<mesh/boot/files/{name}>" for name, text in cloud_init.static_files().items()}
