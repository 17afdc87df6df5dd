"""Turn a synthesized stack into one that Terraform can plan without any provider."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from tests.shadow import states as state_files
from tests.shadow.canned import CANNED, Canned
from tests.shadow.declarations import (
    BUILT_IN,
    DATA,
    EPHEMERAL,
    MANAGED,
    MODES,
    REMOTE_STATE,
    Declaration,
    Json,
    ShadowError,
    blocks,
    declarations,
    labelled,
    providers,
)
from tests.shadow.references import COMPUTED_KEY, Origin, Resolver, canned_arguments, path_within
from tests.shadow.templates import Step, references, sole_expression, sole_reference

EPHEMERAL_SWITCH = "shadow_is_ephemeral"
"""The variable that makes a stand-in's value ephemeral: Terraform has no built-in resource that does."""


def shadow(stack: Mapping[str, Any], *, canned: Canned = CANNED, states: PurePath | None = None) -> Json:
    """Return the stack with every resource, data source, ephemeral resource and provider replaced by built-ins.

    `canned` gives the values of attributes that only a provider knows and whose readers need more than some string.
    `states` is the folder for all states; without it a local backend stays where it is, and other kinds become files
    next to the stacks' folders.
    """
    return _Shadow(stack, canned, states).build()


def left_out(shadowed: Mapping[str, Any]) -> list[str]:
    """Return what the rewriting had to leave out of a shadowed stack, each with its reason."""
    notes: list[str] = shadowed["//"]["left_out"]
    return notes


class _Shadow:
    """The work on one stack."""

    def __init__(self, stack: Mapping[str, Any], canned: Canned, states: PurePath | None) -> None:
        self.stack = _with_scoped_data(stack)
        self.states = states
        self.declarations = declarations(self.stack)
        self.providers = {provider.configuration: provider for provider in providers(self.stack)}
        self.resolver = Resolver(self.declarations, canned)
        self.resources: Json = {}
        self.locals: Json = {}
        self.variables: Json = {}
        self.notes: list[str] = []

    def build(self) -> Json:
        if "module" in self.stack:
            raise ShadowError("modules cannot be shadowed: their resources lie in files of their own")
        for declaration in self.declarations.values():
            self._add_stand_in(declaration)
        for provider in self.providers.values():
            self._add_local(provider.stand_in, self.resolver.rewritten(provider.arguments))
        for section in blocks(self.stack.get("locals")):
            for name, value in labelled(section):
                self._add_local(name, self.resolver.rewritten(value))
        for section in blocks(self.stack.get("variable")):
            for name, body in labelled(section):
                _add(self.variables, name, self._variable(name, body))
        return self._assembled()

    def _assembled(self) -> Json:
        sections: dict[str, Callable[[Any], Any]] = {
            "check": self._checks,
            "data": self._remote_states,
            "import": self._imports,
            "moved": self._moves,
            "output": self._outputs,
            "removed": self._moves,
            "terraform": self._terraform,
        }
        replaced = {"//", "locals", "provider", "variable", *MODES} - set(sections)
        result = {
            key: sections[key](value) if key in sections else copy.deepcopy(value)
            for key, value in self.stack.items()
            if key not in replaced
        }
        result["resource"] = {BUILT_IN: self.resources} if self.resources else {}
        result["locals"] = self.locals
        result["variable"] = self.variables
        return {"//": {"left_out": self.notes}, **{key: value for key, value in result.items() if value}}

    # Resources, data sources, ephemeral resources

    def _add_stand_in(self, declaration: Declaration) -> None:
        if "__" in declaration.type:
            raise ShadowError(f"{declaration.address}: the stand-in of a type with two underscores is ambiguous")
        if declaration.mode == EPHEMERAL:
            self._add_ephemeral(declaration)
            return
        ordinary, write_only = _split_write_only(declaration.arguments)
        repetition = {key: declaration.body[key] for key in ("count", "for_each") if key in declaration.body}
        body: Json = self.resolver.rewritten(repetition)
        arguments = self.resolver.rewritten(ordinary)
        canned = canned_arguments(self.resolver.canned_values(declaration))
        body |= arguments if declaration.is_built_in else {"input": arguments | self._dynamic(declaration) | canned}
        depends_on = self._depends_on(declaration.body) + self._provider_edges(declaration)
        depends_on += self._add_write_only(declaration, write_only)
        if depends_on:
            body["depends_on"] = depends_on
        if lifecycle := self._lifecycle(declaration):
            body["lifecycle"] = lifecycle
        for key in ("connection", "provisioner"):
            if key in declaration.body:
                self._note(declaration, f"{key}: it would run for real")
        _add(self.resources, declaration.stand_in, body)

    def _add_ephemeral(self, declaration: Declaration) -> None:
        if declaration.repeated:
            raise ShadowError(f"{declaration.address}: an ephemeral resource with instances has no stand-in")
        if "lifecycle" in declaration.body:
            self._note(declaration, "lifecycle: a local value has none")
        values = self.resolver.rewritten(declaration.arguments)
        values |= canned_arguments(self.resolver.canned_values(declaration))
        values[COMPUTED_KEY] = f"{COMPUTED_KEY}{declaration.address}"
        if edges := self._depends_on(declaration.body) + self._provider_edges(declaration):
            values["depends_on"] = [f"${{{address}}}" for address in edges]
        name = f"{declaration.stand_in}__values"
        self._add_local(name, values)
        # A conditional's result carries the marks of its condition: here, that it is ephemeral.
        self._add_local(declaration.stand_in, f"${{var.{EPHEMERAL_SWITCH} ? local.{name} : null}}")
        self.variables.setdefault(EPHEMERAL_SWITCH, {"type": "bool", "ephemeral": True, "default": True})

    def _add_write_only(self, declaration: Declaration, values: Json) -> list[str]:
        """Put write-only arguments where ephemeral values are legal; return the edge that they imply."""
        instance_words = {"each", "count"}
        per_instance = sorted(
            path
            for path, value in values.items()
            if any(reference.root in instance_words for reference in references(value))
        )
        for path in per_instance:
            self._note(declaration, f"{path}: a write-only argument per instance has no place outside of the resource")
        shared = {path: self.resolver.rewritten(value) for path, value in values.items() if path not in per_instance}
        if not shared:
            return []
        name = f"{declaration.stand_in}__write_only"
        self._add_local(name, shared)
        return [f"local.{name}"]

    def _provider_edges(self, declaration: Declaration) -> list[str]:
        """Return the edge from an object to its provider's configuration, if that reads anything."""
        provider = self.providers.get(declaration.configuration)
        if declaration.is_built_in or provider is None or not references(provider.arguments):
            return []
        return [f"local.{provider.stand_in}"]

    def _dynamic(self, declaration: Declaration) -> Json:
        """Keep what dynamic blocks iterate over; their content has names that exist in such blocks only."""
        dynamic: Json = {}
        for section in blocks(declaration.body.get("dynamic")):
            for name, bodies in labelled(section):
                self._note(declaration, f"content of dynamic {name}: it is legal in a block only")
                dynamic[name] = [self.resolver.rewritten(body.get("for_each")) for body in blocks(bodies)]
        return {"dynamic": dynamic} if dynamic else {}

    def _depends_on(self, body: Mapping[str, Any]) -> list[str]:
        return [_address(text, self.resolver) for text in body.get("depends_on", [])]

    # Lifecycle and conditions

    def _lifecycle(self, declaration: Declaration) -> Json:
        lifecycle: Json = {}
        for body in blocks(declaration.body.get("lifecycle")):
            for key, value in labelled(body):
                match key:
                    case "ignore_changes":
                        lifecycle[key] = self._ignored(declaration, value)
                    case "replace_triggered_by":
                        lifecycle[key] = [_trigger(text, self.resolver.bare()) for text in value]
                    case "precondition" | "postcondition":
                        lifecycle[key] = self._conditions(declaration.address, value, self.resolver.within(declaration))
                    case _:
                        lifecycle[key] = value
        return {key: value for key, value in lifecycle.items() if value not in ([], {})}

    def _ignored(self, declaration: Declaration, names: object) -> object:
        """Map names of the real resource's attributes to what holds them in the stand-in."""
        if not isinstance(names, list) or declaration.is_built_in:
            return names
        ordinary, _ = _split_write_only(declaration.arguments)
        kept = []
        for name in names:
            path = _attribute_path(str(name))
            found = path_within(ordinary, path) if path else None
            if found:
                kept.append("input" + "".join(step.text for step in found))
            else:
                self._note(declaration, f"ignore_changes {name}: the stand-in has no such attribute")
        return kept

    def _conditions(self, place: str, conditions: object, resolver: Resolver) -> list[Json]:
        return [condition for body in blocks(conditions) if (condition := self._condition(place, body, resolver))]

    def _condition(self, place: str, body: Json, resolver: Resolver) -> Json | None:
        """Keep a condition, but let it pass where it judges what only a provider knows."""
        written = body.get("condition")
        rewritten: Json = resolver.rewritten({key: value for key, value in body.items() if key != "//"})
        computed = [
            reference.text for reference in references(written) if resolver.origin(reference) is Origin.COMPUTED
        ]
        if not computed:
            return rewritten
        self.notes.append(f"{place}: the verdict of {written!r}: only a provider knows {', '.join(computed)}")
        expression = sole_expression(str(rewritten["condition"]))
        if expression is None:
            return None
        # Still evaluated, so that wrong references and calls show.
        return {**rewritten, "condition": f"${{true || can({expression})}}"}

    # The other sections of a stack

    def _variable(self, name: str, body: Any) -> Any:
        """Leave a variable as it is, apart from what its validations may read of other objects."""
        if not isinstance(body, dict) or "validation" not in body:
            return copy.deepcopy(body)
        return {**body, "validation": self._conditions(f"var.{name}", body["validation"], self.resolver)}

    def _outputs(self, sections: object) -> Json:
        return {
            name: self._output(name, body)
            for section in blocks(sections)
            for name, bodies in labelled(section)
            for body in blocks(bodies)
        }

    def _output(self, name: str, body: Json) -> Json:
        output = dict(labelled(body))
        if "value" in output:
            output["value"] = self.resolver.rewritten(output["value"])
        if "depends_on" in output:
            output["depends_on"] = self._depends_on(output)
        if "precondition" in output:
            output["precondition"] = self._conditions(f"output.{name}", output["precondition"], self.resolver)
        return output

    def _checks(self, sections: object) -> Json:
        return {
            name: {"assert": conditions}
            for section in blocks(sections)
            for name, bodies in labelled(section)
            for body in blocks(bodies)
            if (conditions := self._conditions(f"check.{name}", body.get("assert"), self.resolver))
        }

    def _remote_states(self, sections: object) -> Json:
        found = {
            name: state_files.remote_state(self.resolver.rewritten(dict(labelled(body))), self.states)
            for section in blocks(sections)
            for names in blocks(section.get(REMOTE_STATE))
            for name, bodies in labelled(names)
            for body in blocks(bodies)
        }
        for body in found.values():
            if "depends_on" in body:
                body["depends_on"] = self._depends_on(body)
        return {REMOTE_STATE: found} if found else {}

    def _imports(self, sections: object) -> list[Json]:
        return [
            {
                key: _address(value, self.resolver) if key == "to" else self.resolver.rewritten(value)
                for key, value in labelled(body)
                if key != "provider"
            }
            for body in blocks(sections)
        ]

    def _moves(self, sections: object) -> list[Json]:
        return [
            {
                key: _renamed(value) if key in {"from", "to"} else value
                for key, value in labelled(body)
                if key not in {"connection", "provisioner"}
            }
            for body in blocks(sections)
        ]

    def _terraform(self, sections: object) -> Json:
        terraform: Json = {}
        for section in blocks(sections):
            terraform |= {key: value for key, value in section.items() if key in {"experiments", "required_version"}}
            if backend := state_files.backend(section, self.states):
                terraform["backend"] = backend
        return terraform

    def _add_local(self, name: str, value: object) -> None:
        _add(self.locals, name, value)

    def _note(self, declaration: Declaration, what: str) -> None:
        self.notes.append(f"{declaration.address}: {what}")


_WRITE_ONLY_SUFFIX = "_wo"


def _add(section: Json, name: str, value: object) -> None:
    if name in section:
        raise ShadowError(f"two objects of the shadow are called {name!r}")
    section[name] = value


def _with_scoped_data(stack: Mapping[str, Any]) -> Json:
    """Lift data sources out of `check` blocks, where nothing else than a data source may stand."""
    scoped = [
        section
        for checks in blocks(stack.get("check"))
        for _, bodies in labelled(checks)
        for body in blocks(bodies)
        for section in blocks(body.get(DATA))
    ]
    return {**stack, DATA: [*blocks(stack.get(DATA)), *scoped]} if scoped else dict(stack)


def _split_write_only(arguments: Json, path: str = "") -> tuple[Json, Json]:
    """Separate write-only arguments at any depth; these are keyed by their path."""
    ordinary: Json = {}
    write_only: Json = {}
    for key, value in arguments.items():
        where = path + key
        if key.endswith(_WRITE_ONLY_SUFFIX):
            write_only[where] = value
        elif isinstance(value, dict):
            ordinary[key], found = _split_write_only(value, f"{where}.")
            write_only |= found
        elif isinstance(value, list):
            ordinary[key] = []
            for at, part in enumerate(value):
                kept, found = _split_write_only(part, f"{where}[{at}].") if isinstance(part, dict) else (part, {})
                ordinary[key].append(kept)
                write_only |= found
        else:
            ordinary[key] = value
    return ordinary, write_only


def _address(text: str, resolver: Resolver) -> str:
    """Rewrite the bare address of a whole object."""
    reference = sole_reference(text)
    return (reference and resolver.whole(reference)) or text


def _trigger(text: str, resolver: Resolver) -> str:
    """Rewrite the bare address of an object or an attribute."""
    reference = sole_reference(text)
    return (reference and resolver(reference)) or text


def _renamed(address: str) -> str:
    """Rewrite an address that need not be declared, because the object has gone or moved."""
    reference = sole_reference(address)
    if reference is None or reference.root == "module" or not reference.steps:
        return address
    name, *instance = reference.steps
    renamed = Declaration(MANAGED, reference.root, str(name.key), {}).shadow_address
    return renamed + "".join(step.text for step in instance)


def _attribute_path(text: str) -> list[Step]:
    """Read a path that starts at a resource's own attribute."""
    reference = sole_reference(text)
    return [Step("attribute", f".{reference.root}", reference.root), *reference.steps] if reference else []
