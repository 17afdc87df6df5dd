"""Changes that make a valid case probably invalid, or oddly spelt.

`mutate` changes one place of an entry in a way that knows nothing of Consul: it breaks shapes, types and spellings.
What breaks the rules of Consul one by one is in :mod:`tests.lab.cases.targeted`.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.lab.cases.choices import Choices, Json

Place = tuple[Any, Any]
"""A list or an object, and an index or a key in it."""

NUMBERS = (0, -1, 15, 1.5, 1.0, 2**31, 2**32, 2**63, 2**64, 10**25, 1e300, -0.5, 101, 65536)
TEXTS = (
    "",
    " ",
    "*",
    "UPPER",
    "Web_X",
    "é",
    "x" * 300,
    "x" * 600,
    "a*",
    "*.a.b",
    "a..b",
    "a\n",
    "${a}",
    "/",
    "0",
    "15",
)
NAMES = ("", " ", "*", "A", "Web_X", "é", "n" * 64, "n" * 300, "a.b", "a*", "-a", "a b", "zz")
SPARE_KEYS = ("Bogus", "Namespace", "Partition", "SamenessGroup", "Peer", "Name", "Kind", "Meta", "ID", "Path", "_")
READ_ONLY = {"Hash": 7, "CreateIndex": 1, "ModifyIndex": 1, "Status": {"Conditions": []}}
EMPTY: tuple[Any, ...] = ({}, [], "", 0, False)
WRONG_TYPES: tuple[Any, ...] = ("90", 90, True, [], {}, ["x"], {"a": "b"}, [{"Name": "x"}], None, 0.5, "true", [[]], "")


def places(value: Any) -> list[Place]:
    """Every place in an entry but its kind."""
    found: list[Place] = []
    todo = [value]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            if holder is value and key == "Kind":
                continue
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])
    return found


def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def _key(c: Choices, place: Place, spell: Callable[[str], str]) -> None:
    holder, key = place
    if isinstance(holder, dict):
        spelt = spell(str(key))
        both = spelt in holder or c.maybe(5)  # sometimes both spellings are there
        holder[spelt] = deepcopy(holder[key])
        if spelt != key and not both:
            del holder[key]


def _delete(_: Choices, place: Place) -> None:
    del place[0][place[1]]


def _set(*values: Any) -> Callable[[Choices, Place], None]:
    def change(c: Choices, place: Place) -> None:
        place[0][place[1]] = deepcopy(c.pick(values))

    return change


def _text(c: Choices, place: Place) -> None:
    place[0][place[1]] = c.pick(TEXTS)


def _case(c: Choices, place: Place) -> None:
    value = place[0][place[1]]
    if isinstance(value, str):
        place[0][place[1]] = c.pick((value.upper(), value.lower(), value.title(), f" {value}", f"{value} "))
    else:
        _text(c, place)


def _type(c: Choices, place: Place) -> None:
    value = place[0][place[1]]
    if isinstance(value, bool):
        new: Any = c.pick(("true", 1, "x", None, "", [value]))
    elif isinstance(value, int | float):
        new = c.pick((str(value), float(value), [value], True, "x"))
    elif isinstance(value, str):
        new = c.pick((15, [value], {"a": value}, True, 0.5))
    elif isinstance(value, list):
        new = c.pick((value[0] if value else {}, {"0": value}, "x", [value], 1))
    elif isinstance(value, dict):
        new = c.pick(([value], list(value.values()), "x", True, 1, [value, value]))
    else:
        new = c.pick(WRONG_TYPES)
    place[0][place[1]] = new


def _list(c: Choices, place: Place) -> None:
    value = place[0][place[1]]
    if isinstance(value, list) and value:
        how = c.below(4)
        if how == 0:
            value.append(deepcopy(value[c.below(len(value))]))
        elif how == 1:
            value.reverse()
        elif how == 2:
            value.append(None)
        else:
            value.clear()
    elif isinstance(value, dict):
        value[c.pick(("", "*", "UPPER", "new"))] = deepcopy(c.pick(WRONG_TYPES))
    else:
        _type(c, place)


def _spare_key(c: Choices, place: Place) -> None:
    holder = place[0] if isinstance(place[0], dict) else place[0][place[1]]
    if isinstance(holder, dict):
        holder[c.pick(SPARE_KEYS)] = deepcopy(c.pick(("default", "other", "", True, {}, [], "x", None)))
    else:
        _type(c, place)


GENERIC: dict[str, Callable[[Choices, Place], None]] = {
    "delete": _delete,
    "null": _set(None),
    "type": _type,
    "snake-case": lambda c, place: _key(c, place, _snake_case),
    "lower-case key": lambda c, place: _key(c, place, str.lower),
    "misspelt key": lambda c, place: _key(
        c, place, lambda key: c.pick((f"{key}s", key[:-1], f"{key[:1].lower()}{key[1:]}"))
    ),
    "spare key": _spare_key,
    "empty": _set(*EMPTY),
    "number": _set(*NUMBERS),
    "text": _text,
    "list": _list,
    "duration": _set(15, "15", "0s", "-5s", "1d", "15S", "1h1h", ".5s", "1.s", "+1s", "", 0, 1e9, "9223372036s"),
    "letters": _case,
    "wrong type": _set(*WRONG_TYPES),
}


def mutate(c: Choices, entry: Json) -> str:
    """Changes an entry at one place, and tells the name of the change."""
    special = c.below(32)  # not the first nor the last of them: those are drawn more often than others
    if special == 5:
        key = c.pick(tuple(READ_ONLY))
        entry[key] = deepcopy(READ_ONLY[key])
        return f"read-only {key}"
    if special == 9:
        entry[c.pick(("Namespace", "Partition"))] = c.pick(("default", "other", "", "*"))
        return "tenancy"
    if special in {13, 17}:
        entry["Name"] = c.pick(NAMES)
        return "name"
    name = c.pick(tuple(GENERIC))
    GENERIC[name](c, c.pick(places(entry)))
    return name


def mutate_set(c: Choices, entries: list[Json]) -> str:
    """Changes how the entries of a set hang together, and tells the name of the change."""
    chosen = entries[c.below(len(entries))]
    how = c.pick(("drop", "protocol", "rename", "letters of a name", "kind", "not an entry"))
    if how == "drop" and len(entries) > 1:
        entries.remove(chosen)
    elif how == "protocol":
        defaults = [entry for entry in entries if entry.get("Kind") == "service-defaults"]
        if defaults:
            c.pick(defaults)["Protocol"] = c.pick(("tcp", "http", "grpc", "HTTP", "https", ""))
        elif not any(entry.get("Kind") == "proxy-defaults" for entry in entries):
            config = {c.pick(("protocol", "Protocol")): c.pick(("tcp", "http", "https", "HTTP"))}
            entries.insert(0, {"Kind": "proxy-defaults", "Name": "global", "Config": config})
    elif how == "rename" and chosen.get("Kind") not in {"mesh", "proxy-defaults", "exported-services"}:
        chosen["Name"] = "renamed"
    elif how == "letters of a name":
        chosen["Name"] = str(chosen.get("Name")).upper()
    elif how == "kind":
        chosen["Kind"] = c.pick(
            ("sameness-group", "control-plane-request-limit", "bound-api-gateway", "bogus", "", "Service-Defaults")
        )
    elif how == "not an entry":
        chosen.clear()
    return f"set: {how}"
