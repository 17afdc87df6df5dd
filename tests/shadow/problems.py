"""Mistakes that shadowing would hide from Terraform: look for them in the stack as it was synthesized."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.shadow.declarations import Declaration, Json, Provider, blocks, declarations, labelled, providers
from tests.shadow.templates import Reference, is_name, references


def problems(stack: Mapping[str, Any], text: str | None = None) -> list[str]:
    """Return the mistakes in a synthesized stack, and with its text also the keys that parsing made vanish."""
    declared = declarations(stack)
    configured = providers(stack)
    return [
        *_bad_names(declared.values(), configured),
        *_bad_providers(declared.values(), configured),
        *_circular_providers(stack, declared.values(), configured),
        *(duplicate_keys(text) if text is not None else ()),
    ]


def duplicate_keys(text: str) -> list[str]:
    """Return the keys that occur twice in one object of a JSON text: all but the last value would be lost."""
    return list(_duplicates(json.loads(text, object_pairs_hook=_Pairs), ""))


class _Pairs(list[tuple[str, object]]):
    """A JSON object before duplicate keys are lost."""


def _duplicates(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        for key, count in Counter(key for key, _ in value).items():
            if count > 1:
                yield f"{path}{key}: the key occurs {count} times in the JSON text"
        for key, part in value:
            yield from _duplicates(part, f"{path}{key}.")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from _duplicates(part, f"{path.removesuffix('.')}[{at}].")


def _bad_names(declared: Iterable[Declaration], configured: Iterable[Provider]) -> Iterator[str]:
    # The stand-in's name starts with the type, which would make any digit or dash in front legal.
    for declaration in declared:
        for label in (declaration.type, declaration.name):
            if not is_name(label):
                yield f"{declaration.address}: {label!r} is not a valid name"
    for provider in configured:
        for label in (provider.name, provider.alias or provider.name):
            if not is_name(label):
                yield f"provider {provider.configuration}: {label!r} is not a valid name"


def _bad_providers(declared: Iterable[Declaration], configured: Iterable[Provider]) -> Iterator[str]:
    known = Counter(provider.configuration for provider in configured)
    yield from (f"provider {name}: configured {count} times" for name, count in known.items() if count > 1)
    aliased = {provider.name for provider in configured if provider.alias}
    for declaration in declared:
        name = declaration.configuration
        if declaration.is_built_in or name in known:
            continue
        if "." in name:
            yield f"{declaration.address}: there is no provider {name}"
        elif name in aliased:
            yield f"{declaration.address}: uses the default provider {name}, but only aliases of it are configured"


def _circular_providers(
    stack: Mapping[str, Any],
    declared: Iterable[Declaration],
    configured: Iterable[Provider],
) -> Iterator[str]:
    own = {(declaration.address, declaration.configuration) for declaration in declared}
    addresses = {address for address, _ in own}
    local_values = {name: value for section in blocks(stack.get("locals")) for name, value in labelled(section)}
    for provider in configured:
        for address in sorted(_reads(provider.arguments, local_values, addresses)):
            if (address, provider.configuration) in own:
                yield f"provider {provider.configuration}: configured from its own {address}"


def _reads(value: object, local_values: Json, addresses: set[str]) -> set[str]:
    """Return the declared objects that a value reads, through local values too."""
    found: set[str] = set()
    pending = references(value)
    seen: set[str] = set()
    while pending:
        reference = pending.pop()
        found |= _prefixes(reference) & addresses
        name = str(reference.steps[0].key)
        if reference.root == "local" and name not in seen:
            seen.add(name)
            pending += references(local_values.get(name))
    return found


def _prefixes(reference: Reference) -> set[str]:
    """Return what the reference may start with that is an address: `T.N` or `data.T.N`."""
    parts = [reference.root, *(str(step.key) for step in reference.steps)]
    return {".".join(parts[:2]), ".".join(parts[:3])}
