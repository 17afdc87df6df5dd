"""Which entry must be written before which.

Terraform writes up to ten resources at once, and Consul recompiles every affected discovery chain on each write *and
each delete* (``consul@1.22.7 agent/consul/state/config_entry.go``). So every entry depends on its partition's proxy-
defaults and on the entries that its own compiled chain reads, never on a whole kind: the number of edges grows with
the references. Destroying in the reverse order is what Consul needs, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Final

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.entries import KINDS, HttpRoute, Mesh, ProxyDefaults, TcpRoute

_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}

_CHAIN: Final = ("service-defaults", "service-resolver", "service-splitter", "service-router")
"""The kinds that make up the discovery chain of a service."""

Dependencies = Mapping[EntryId, Sequence[EntryId]]


def dependencies(entries: Iterable[ConfigEntry]) -> Dependencies:
    """For every entry, the entries that must be there first. What is not among ``entries`` is left out."""
    by_id = {entry.id: entry for entry in entries}
    return {id_: tuple(dict.fromkeys(_before(entry, by_id))) for id_, entry in by_id.items()}


def in_order(entries: Iterable[ConfigEntry]) -> tuple[ConfigEntry, ...]:
    """``entries`` so that each comes after those it depends on; otherwise by kind, then as given.

    Raises:
        graphlib.CycleError: entries of one kind read each other, which Consul refuses as a circular reference.
    """
    by_id = {entry.id: entry for entry in sorted(entries, key=lambda entry: _RANK[entry.KIND])}
    return tuple(by_id[id_] for id_ in TopologicalSorter(dependencies(by_id.values())).static_order())


def _before(entry: ConfigEntry, by_id: Mapping[EntryId, ConfigEntry]) -> Iterator[EntryId]:
    rank = _RANK[entry.KIND]
    for id_ in _read_by(entry):
        if id_ in by_id and id_ != entry.id and _RANK[id_.kind] <= rank:
            yield id_


def _read_by(entry: ConfigEntry) -> Iterator[EntryId]:
    yield EntryId(Mesh.KIND, "mesh", entry.partition)
    yield EntryId(ProxyDefaults.KIND, "global", entry.partition)
    for service in entry.reads():
        for kind in _CHAIN:
            yield EntryId(kind, *service)
    if isinstance(entry, HttpRoute | TcpRoute):
        for parent in entry.parents:
            yield EntryId(parent.kind, parent.name, parent.partition, parent.namespace)
