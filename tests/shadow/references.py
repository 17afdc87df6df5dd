"""Where a reference to a declared object points once the object has become its stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from tests.shadow.canned import Canned, Sensitive
from tests.shadow.declarations import EPHEMERAL, MANAGED, MODES, Declaration
from tests.shadow.templates import Reference, Step, rewrite

CANNED_KEY = "canned__"
"""The key of a stand-in's arguments under which its canned values lie; no provider has such an argument."""
COMPUTED_KEY = "computed__"
"""The key of an ephemeral stand-in that answers for everything else its provider would compute."""


class Origin(Enum):
    """Who says what an attribute's value is."""

    GIVEN = auto()
    """The stack itself: an argument."""
    CANNED = auto()
    """The tables of canned values, for the provider."""
    COMPUTED = auto()
    """The provider, and nothing here knows better than some string."""


@dataclass(frozen=True, slots=True)
class _Target:
    declaration: Declaration
    base: str
    """How the shadow names the instance."""
    path: tuple[Step, ...]
    """What is read of it."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Rewrites references to declared objects and leaves all others, so that messages show the original names."""

    declarations: Mapping[str, Declaration]
    canned: Canned
    itself: Declaration | None = None
    """What `self` means."""
    markers: bool = True
    """Whether `sensitive()` may be put around a reference: not where Terraform wants a bare address."""

    def within(self, declaration: Declaration) -> Resolver:
        """Return a resolver for conditions that read `self`."""
        return replace(self, itself=declaration)

    def bare(self) -> Resolver:
        """Return a resolver for places where Terraform takes addresses and no expressions."""
        return replace(self, markers=False)

    def rewritten(self, value: Any) -> Any:
        """Return a JSON value with the references in all its strings rewritten, keys included."""
        match value:
            case str():
                return rewrite(value, self)
            case dict():
                return {rewrite(key, self): self.rewritten(part) for key, part in value.items()}
            case list():
                return [self.rewritten(part) for part in value]
            case _:
                return value

    def whole(self, reference: Reference) -> str | None:
        """Return the address for an argument that names whole objects, such as `depends_on`."""
        target = self._target(reference)
        if target is None:
            return None
        return target.declaration.shadow_address + "".join(step.text for step in target.path)

    def origin(self, reference: Reference) -> Origin | None:
        """Return who knows the value; None if the reference is to nothing declared."""
        target = self._target(reference)
        if target is None or target.declaration.is_built_in:
            return None
        return self._origin(target.declaration, _split_instance(target)[1])

    def __call__(self, reference: Reference) -> str | None:
        """Return what stands in for the reference in an expression."""
        target = self._target(reference)
        if target is None:
            return None
        declaration = target.declaration
        instance, path = _split_instance(target)
        base = target.base + self._text(instance)
        if declaration.is_built_in:
            return base + self._text(path)
        if not path:
            return self._whole_value(declaration, base, instance)
        match self._origin(declaration, path):
            case Origin.GIVEN:
                return base + _input(declaration) + self._text(path_within(declaration.arguments, path) or path)
            case Origin.CANNED:
                return self._canned_value(declaration, base, path)
            case Origin.COMPUTED:
                # Whatever follows would index into a value that is only some string here.
                return f"{base}.{COMPUTED_KEY}" if declaration.mode == EPHEMERAL else f"{base}.id"

    def _target(self, reference: Reference) -> _Target | None:
        if reference.root == "self" and self.itself is not None:
            return _Target(self.itself, "self", reference.steps)
        used = 2 if reference.root in MODES else 1
        labels = [str(step.key) for step in reference.steps[:used] if step.kind == "attribute"]
        address = ".".join([reference.root, *labels]).removeprefix(f"{MANAGED}.")
        declaration = self.declarations.get(address)
        if declaration is None:
            return None
        return _Target(declaration, declaration.shadow_address, reference.steps[used:])

    def _origin(self, declaration: Declaration, path: Sequence[Step]) -> Origin:
        if path_within(declaration.arguments, path) is not None:
            return Origin.GIVEN
        return Origin.CANNED if path[0].key in self.canned_values(declaration) else Origin.COMPUTED

    def canned_values(self, declaration: Declaration) -> dict[str, object]:
        """Return the canned attributes of one object."""
        return {**self.canned.get(declaration.kind, {}), **self.canned.get(declaration.address, {})}

    def _canned_value(self, declaration: Declaration, base: str, path: Sequence[Step]) -> str:
        attribute, rest = path[0], path[1:]
        # `.output` is unknown until apply, as the real value would be.
        output = "" if declaration.mode == EPHEMERAL else ".output"
        value = f"{base}{output}.{CANNED_KEY}.{attribute.key}"
        if self.markers and isinstance(self.canned_values(declaration)[str(attribute.key)], Sensitive):
            value = f"sensitive({value})"
        return value + self._text(rest)

    def _whole_value(self, declaration: Declaration, base: str, instance: Sequence[Step]) -> str:
        if not self.markers or (declaration.repeated and not instance):
            return base
        return base + _input(declaration)

    def _text(self, steps: Sequence[Step]) -> str:
        return "".join(step.rewritten(self) for step in steps)


def path_within(value: object, path: Sequence[Step]) -> list[Step] | None:
    """Return the steps that lead to the same place in a synthesized value; None if the value does not say it.

    A provider has a list where its block may occur once; CDKTF writes an object. So a step `[0]` into an object goes.
    """
    kept: list[Step] = []
    for at, step in enumerate(path):
        match value:
            case dict() if step.kind == "splat":
                kept.append(step)
            case dict() if step.key in value:
                kept.append(step)
                value = value[step.key]
            case dict() if step.kind == "attribute":
                return None
            case dict() if step.key == "0":
                continue
            case list() if step.kind != "attribute":
                kept.append(step)
                value = _element(value, step)
            case _:
                # An expression, or a key that only Terraform can judge.
                return [*kept, *path[at:]]
    return kept


def _element(values: Sequence[object], step: Step) -> object:
    index = int(step.key) if step.key and step.key.isdigit() else 0
    return values[index] if index < len(values) else None


def _split_instance(target: _Target) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Separate the step that selects an instance from the path into it."""
    at = 1 if target.path and target.path[0].kind != "attribute" else 0
    return target.path[:at], target.path[at:]


def _input(declaration: Declaration) -> str:
    # Not `.output`, which is unknown during plan and forgets what is sensitive.
    return "" if declaration.mode == EPHEMERAL else ".input"


def canned_arguments(values: Mapping[str, object]) -> dict[str, object]:
    """Return the canned values as a part of a stand-in's arguments."""
    plain = {key: value.value if isinstance(value, Sensitive) else value for key, value in values.items()}
    return {CANNED_KEY: plain} if plain else {}
