"""Rules about config entries that are written directly."""

from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError

from pydantic import ValidationError

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.ordering import in_order
from mesh.consul.policy import derived_entries
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.topology import partitions


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about ``extra_entries``: collisions, and partitions that do not exist."""
    if not environment.extra_entries:
        return
    derivable = _derivable(environment)
    derived = {entry.id for entry in derivable}
    try:
        in_order([*derivable, *environment.extra_entries])
    except CycleError as error:
        circle = " -> ".join(map(str, error.args[1]))
        yield Finding(
            "extra_entries", "entry-circle", f"entries read each other in a circle: {circle}", "break the circle"
        )
    known = partitions(environment.platform)
    counts = Counter(entry.id for entry in environment.extra_entries)
    for index, entry in enumerate(environment.extra_entries):
        path = f"extra_entries[{index}]"
        if entry.id in derived:
            yield Finding(
                path,
                "entry-twice",
                f"{entry.id} also follows from the services and gateways",
                "remove it, and say it through the service or gateway",
            )
        elif counts[entry.id] > 1:
            yield Finding(path, "entry-twice", f"{entry.id} is written {counts[entry.id]} times", "write it once")
        if entry.partition not in known:
            yield Finding(
                f"{path}.partition",
                "entry-partition",
                f"{_partition(entry.id)} of {entry.id} does not exist in this environment",
                f"use one of {', '.join(str(partition) for partition in known)}",
            )


def _derivable(environment: Environment) -> tuple[ConfigEntry, ...]:
    """The derived entries, as far as there are any: an unsound declaration has findings of its own, and no entries."""
    try:
        return derived_entries(environment)
    except (KeyError, ValidationError):
        return ()


def _partition(id_: EntryId) -> str:
    return f'partition "{id_.partition}"' if id_.partition else "the partition None"
