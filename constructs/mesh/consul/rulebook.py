"""Every rule of config entries, by its name."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from mesh.consul import entries, graph_rules, value_rules
from mesh.consul.entries import KINDS
from mesh.rules import Rule


def _modules() -> Iterator[ModuleType]:
    kinds = [kind.replace("-", "_") for kind in KINDS]
    shared = sorted(module.name for module in iter_modules(entries.__path__) if module.name not in kinds)
    yield value_rules
    for name in (*shared, *kinds):
        yield import_module(f"{entries.__name__}.{name}")
    yield graph_rules


RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule for module in _modules() for rule in vars(module).values() if isinstance(rule, Rule)
}
"""In the order in which an entry meets them: its form and values, what kinds share, its kind, the other entries."""
