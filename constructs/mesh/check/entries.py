"""Rules about config entries that are written directly."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError
from typing import Final

from pydantic import ValidationError

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.ordering import in_order
from mesh.consul.policy import derived_entries
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.topology import DEFAULT, partitions

_NAME: Final = re.compile(r"\*|[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""A service's name, or every service. Dots would be lost in Terraform's name of the resource."""


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about what is written twice, and about entries for places that do not exist."""
    derived = _derivable(environment)
    yield from _derived_twice(derived)
    if not environment.extra_entries:
        return
    try:
        in_order([*derived, *environment.extra_entries])
    except CycleError as error:
        circle = " -> ".join(map(str, error.args[1]))
        yield Finding(
            "extra_entries", "entry-circle", f"entries read each other in a circle: {circle}", "break the circle"
        )
    known = {entry.id for entry in derived}
    counts = Counter(entry.id for entry in environment.extra_entries)
    for index, entry in enumerate(environment.extra_entries):
        path = f"extra_entries[{index}]"
        if entry.id in known:
            yield Finding(
                path,
                "entry-twice",
                f"{entry.id} also follows from the services and gateways",
                "remove it, and say it through the service or gateway",
            )
        elif counts[entry.id] > 1:
            yield Finding(path, "entry-twice", f"{entry.id} is written {counts[entry.id]} times", "write it once")
        if not _NAME.fullmatch(entry.name):
            yield Finding(
                f"{path}.name",
                "entry-name",
                f'"{entry.name}" is no name of a service: lower-case letters, digits and dashes',
                "use the name of a service",
            )
        yield from _place(environment, entry, path)


def _derived_twice(derived: Iterable[ConfigEntry]) -> Iterator[Finding]:
    """Names of routes are put together of names with dashes, so two may be the same."""
    for id_, count in Counter(entry.id for entry in derived).items():
        if count > 1 and id_.kind in {"http-route", "tcp-route"}:
            yield Finding(
                "gateways",
                "entry-twice",
                f"{count} listeners give the entry {id_}",
                "rename one of the gateways: names of gateway, port and service are joined by dashes",
            )


def _place(environment: Environment, entry: ConfigEntry, path: str) -> Iterator[Finding]:
    known = partitions(environment.platform)
    if entry.partition not in known:
        yield Finding(
            f"{path}.partition",
            "entry-partition",
            f"{_partition(entry.id)} of {entry.id} does not exist in this environment",
            f"use one of {', '.join(map(str, known))}" if environment.platform.enterprise else "remove it",
        )
    if entry.namespace is not None and (entry.namespace != DEFAULT or not environment.platform.enterprise):
        yield Finding(
            f"{path}.namespace",
            "entry-namespace",
            f'there is no namespace "{entry.namespace}" in this environment',
            f'use "{DEFAULT}"' if environment.platform.enterprise else "remove it: namespaces need Enterprise",
        )


def _derivable(environment: Environment) -> tuple[ConfigEntry, ...]:
    """The derived entries, as far as there are any: an unsound declaration has findings of its own, and no entries."""
    try:
        return derived_entries(environment)
    except (KeyError, ValidationError):
        return ()


def _partition(id_: EntryId) -> str:
    return f'partition "{id_.partition}"' if id_.partition else "the partition None"
