"""Changes that go wrong although both the old and the new entries are right, and the way out.

Terraform applies a change in an order of its own: what is removed goes first, dependents before what they depend on;
then the rest is updated and created, what others depend on first (seen with Terraform 1.11.4). Consul judges every
single step. So a change is played through, and every step on which Consul would refuse is a hazard.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.config_entry import DEFAULT, ConfigEntry, EntryId
from mesh.consul.entries import ExportedServices, Mesh, ProxyDefaults, ServiceDefaults, ServiceIntentions
from mesh.consul.entry_index import EntryIndex, Service, service_key, service_of
from mesh.consul.graph import judge_together
from mesh.consul.graph_rules import SUBSET_MISSING
from mesh.consul.ordering import in_order, jwt_providers
from mesh.findings import Severity


@dataclass(frozen=True, slots=True)
class Hazard:
    """A change that one apply does not survive, or that traffic does not.

    Attributes:
        entry: The entry that changes.
        rule: Kind of hazard, or the rule by which Consul refuses the step.
        message: What goes wrong.
        steps: The way out, one apply each.
    """

    entry: EntryId
    rule: str
    message: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        steps = "".join(f"\n    apply {number}: {step}" for number, step in enumerate(self.steps, start=1))
        return f"{self.entry}: {self.message} [{self.rule}]{steps}"


def hazards(before: Iterable[ConfigEntry], after: Iterable[ConfigEntry]) -> tuple[Hazard, ...]:
    """What goes wrong when ``before`` is changed to ``after`` in one apply.

    Args:
        before: What Consul has: sound entries.
        after: What it shall have: sound entries.
    """
    change = _Change({entry.id: entry for entry in before}, {entry.id: entry for entry in after})
    return (*_refused(change), *_protocols(change), *_exports(change))


@dataclass(frozen=True, slots=True)
class _Change:
    before: Mapping[EntryId, ConfigEntry]
    after: Mapping[EntryId, ConfigEntry]

    def steps(self) -> Iterator[tuple[EntryId, ConfigEntry | None]]:
        """What is written and removed, in Terraform's order."""
        for entry in reversed(in_order(self.before.values())):
            if entry.id not in self.after:
                yield entry.id, None
        for entry in in_order(self.after.values()):
            if self.before.get(entry.id) != entry:
                yield entry.id, entry


def _refused(change: _Change) -> Iterator[Hazard]:
    """Steps that Consul refuses."""
    neighbours = _Neighbours((*change.before.values(), *change.after.values()))
    real, intended = _Consul(change.before, neighbours), _Consul(change.before, neighbours)
    steps = list(change.steps())
    failed: list[tuple[EntryId, ConfigEntry | None, str, str]] = []
    for id_, entry in steps:
        why = real.write(id_, entry)
        if why and intended.write(id_, entry):  # else it only fails because another step did
            failed.append((id_, entry, *why))
        intended.force(id_, entry)
    for id_, entry in steps:  # the second apply
        if real.state.get(id_) != entry:
            real.write(id_, entry)
    for id_, entry, rule, message in failed:
        succeeds = real.state.get(id_) == entry
        verb = "remove" if entry is None else "change"
        yield Hazard(
            id_,
            rule,
            f"Consul refuses to {verb} it as long as the others are as they are: {message}",
            _way_out(id_, verb, rule, succeeds=succeeds),
        )


def _way_out(id_: EntryId, verb: str, rule: str, *, succeeds: bool) -> tuple[str, ...]:
    """The way out of a refused step.

    Args:
        id_: The entry.
        verb: What shall become of it.
        rule: The rule by which it is refused.
        succeeds: Whether the step succeeds once everything else is done.
    """
    if succeeds:
        noun = {"remove": "removal", "change": "change"}[verb]
        return (f"everything but the {noun} of {id_}", f"the {noun} of {id_}")
    if rule == SUBSET_MISSING.id:
        return (f"add the new subsets to {id_} and keep the old", "change what refers to them", "remove the old ones")
    return (f"remove what refers to {id_}", f"{verb} {id_}", "add the references again")


class _Consul:
    """What a server holds while a change is applied."""

    def __init__(self, before: Mapping[EntryId, ConfigEntry], neighbours: "_Neighbours") -> None:
        self.state = dict(before)
        self._neighbours = neighbours
        self._known: dict[object, dict[tuple[str, str], None]] = {}
        """What is wrong already, by group of neighbours."""

    def write(self, id_: EntryId, entry: ConfigEntry | None) -> tuple[str, str] | None:
        """Writes or removes an entry; the rule and message if Consul refuses that."""
        group = self._neighbours.group(id_)
        near = {other: self.state[other] for other in self._neighbours.of(id_) if other in self.state}
        if group not in self._known:
            self._known[group] = _breaches(near.values())
        _put(near, id_, entry)
        found = _breaches(near.values())
        refused = next((breach for breach in found if breach not in self._known[group]), None)
        if refused is None:
            self.force(id_, entry)
            self._known[group] = found
        return refused

    def force(self, id_: EntryId, entry: ConfigEntry | None) -> None:
        """Writes or removes an entry, whatever Consul says."""
        _put(self.state, id_, entry)
        if id_ in self._neighbours.everywhere:
            self._known.clear()
        else:
            self._known.pop(self._neighbours.group(id_), None)


def _put(state: dict[EntryId, ConfigEntry], id_: EntryId, entry: ConfigEntry | None) -> None:
    if entry is None:
        state.pop(id_, None)
    else:
        state[id_] = entry


def _breaches(entries: Iterable[ConfigEntry]) -> dict[tuple[str, str], None]:
    return {
        (located.problem.rule.id, f"{located.entry}: {located.problem.message}"): None
        for located in judge_together(entries)
        if located.problem.rule.severity is Severity.REFUSED
    }


class _Neighbours:
    """Which entries can see each other: those that refer to the same services, directly or through others."""

    def __init__(self, entries: Sequence[ConfigEntry]) -> None:
        self._parent: dict[object, object] = {}
        self.everywhere = {entry.id for entry in entries if isinstance(entry, Mesh | ProxyDefaults)}
        self._all = list(dict.fromkeys(entry.id for entry in entries))
        for entry in entries:
            if entry.id in self.everywhere:
                continue
            self._join(entry.id, service_of(entry))
            for ref in entry.reads():
                self._join(entry.id, service_key(ref.name, ref.partition, ref.namespace))
            if isinstance(entry, ServiceIntentions):
                for name, _ in jwt_providers(entry):
                    self._join(entry.id, service_key(name, entry.partition, entry.namespace))
        groups: dict[object, list[EntryId]] = defaultdict(list)
        for id_ in self._all:
            if id_ not in self.everywhere:
                groups[self._root(id_)].append(id_)
        self._groups = groups

    def group(self, id_: EntryId) -> object:
        """What names the neighbours of an entry; none for one that all see."""
        return None if id_ in self.everywhere else self._root(id_)

    def of(self, id_: EntryId) -> Iterable[EntryId]:
        """The entries that may refuse a change of this one, itself among them."""
        if id_ in self.everywhere:
            return self._all
        return (*self.everywhere, *self._groups[self._root(id_)])

    def _root(self, item: object) -> object:
        while (parent := self._parent.setdefault(item, item)) != item:
            self._parent[item] = self._parent[parent]
            item = parent
        return item

    def _join(self, one: object, other: object) -> None:
        self._parent[self._root(one)] = self._root(other)


def _protocols(change: _Change) -> Iterator[Hazard]:
    """Services whose protocol changes under traffic."""
    old, new = EntryIndex(change.before.values()), EntryIndex(change.after.values())
    causes: dict[tuple[EntryId, str, str], list[Service]] = defaultdict(list)
    staying = _services(change.before.values()).keys() & _services(change.after.values()).keys()
    for service in sorted(staying):
        was, becomes = old.protocol(service), new.protocol(service)
        if was != becomes:
            said = new.defaults.get(service) or old.defaults.get(service)
            cause = said.id if said else EntryId(ProxyDefaults.KIND, "global", None)
            causes[cause, was, becomes].append(service)
    for (cause, was, becomes), services in causes.items():
        shown = ", ".join(map(str, services[:_SHOWN])) + (" and others" if len(services) > _SHOWN else "")
        yield Hazard(
            cause,
            "protocol-changed",
            f"the protocol of {shown} changes from {was} to {becomes}; the proxies of its callers and its own change "
            "at different moments, and requests fail in between",
            (
                f"remove routers, splitters, listeners and L7 intentions of {shown}, and stop the callers",
                f"change the protocol to {becomes}",
                "add them again",
            ),
        )


_SHOWN: Final = 5
"""Services that a message names."""


def _services(entries: Iterable[ConfigEntry]) -> dict[Service, None]:
    """Services that entries are about, or send to."""
    found: dict[Service, None] = {}
    for entry in entries:
        if isinstance(entry, ServiceDefaults | ServiceIntentions):
            found[service_of(entry)] = None
        found |= {service_key(ref.name, ref.partition, ref.namespace): None for ref in entry.reads()}
    return found


def _exports(change: _Change) -> Iterator[Hazard]:
    """Exports that are withdrawn although somebody there may still call."""
    allowed = _allowed(change.after.values())
    for id_, entry in change.before.items():
        if not isinstance(entry, ExportedServices):
            continue
        later = change.after.get(id_)
        left = set(_consumers(later)) if isinstance(later, ExportedServices) else set()
        for name, namespace, kind, consumer in _consumers(entry):
            if {(name, namespace, kind, consumer), (_EVERY, namespace, kind, consumer)} & left:
                continue
            called = any(place == consumer and name in {_EVERY, service} for service, place in allowed)
            still = (
                "an intention still allows calls from there"
                if called
                else "whether somebody there still calls it cannot be seen from here"
            )
            what = "every service" if name == _EVERY else name
            yield Hazard(
                id_,
                "export-withdrawn",
                f"{what} is no longer exported to the {kind} {consumer}: {still}",
                (f"stop the callers of {what} in the {kind} {consumer}", "withdraw the export"),
            )


_EVERY: Final = "*"


def _consumers(entry: ExportedServices) -> Iterator[tuple[str, str, str, str]]:
    """Name and namespace of each exported service, and what it is exported to."""
    for exported in entry.services:
        for consumer in exported.consumers:
            for kind, name in (("peer", consumer.peer), ("partition", consumer.partition)):
                if name:
                    yield exported.name, exported.namespace or DEFAULT, kind, name


def _allowed(entries: Iterable[ConfigEntry]) -> set[tuple[str, str]]:
    """Pairs of service and peer or partition that intentions allow."""
    return {
        (entry.name, place)
        for entry in entries
        if isinstance(entry, ServiceIntentions)
        for source in entry.sources
        for place in (source.peer, source.partition)
        if place and source.action != "deny"
    }
