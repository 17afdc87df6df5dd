"""Config entries as Terraform resources."""

import re
from collections.abc import Sequence

from cdktf import TerraformProvider
from constructs import Construct

from imports.consul import ConfigEntry as ConfigEntryResource
from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.ordering import dependencies
from mesh.terraform import json_literal


class ConfigEntries(Construct):
    """Every config entry, each waiting for the entries that its own discovery chain reads.

    Always the provider's generic resource: the typed ones panic, show a difference in every plan or lose data
    (terraform-provider-consul@2.22.1 ``consul/resource_consul_config_entry_*.go``).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        entries: Sequence[ConfigEntry],
        provider: TerraformProvider | None = None,
    ) -> None:
        super().__init__(scope, id_)
        before = dependencies(entries)
        written: dict[EntryId, ConfigEntryResource] = {}
        for entry in entries:
            written[entry.id] = ConfigEntryResource(
                self,
                _construct_id(entry.id),
                kind=entry.KIND,
                name=entry.name,
                partition=entry.partition,
                namespace=entry.namespace,
                config_json=json_literal(entry.body()),
                provider=provider,
                depends_on=[written[id_] for id_ in before[entry.id]],
            )


def _construct_id(id_: EntryId) -> str:
    """Unique in the stack, in letters, digits, dashes and underscores, the characters that CDKTF keeps.

    Any other character of a name, and its underscores, are written as their code between two underscores each; the
    wildcard is the empty part.
    """
    place = [part for part in (id_.partition, id_.namespace) if part]
    return "_".join([id_.kind, *place, re.sub(r"[^A-Za-z0-9-]", _code, id_.name.replace("*", ""))])


def _code(match: re.Match[str]) -> str:
    return f"__{ord(match[0]):x}__"
