"""`imports`: nobody pays for a provider that is not used, in Python or in Node."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import copy
from types import ModuleType

import pytest

from imports import BINDINGS, Binding, provider_versions
from imports._lazy import mount
from imports._node_index import PRELOAD, SWITCH, preload

ROOT = Path(__file__).resolve().parents[2]
NODE = os.environ.get("JSII_NODE", "node")
EACH_BINDING = pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.name)

# Modules of jsii programs by now, without the copies (`x._private`) that their packaging leaves.
REPORT = """
import json, sys
ours = {name for name in sys.modules if name.startswith(("cdktf", "jsii", "constructs"))}
print(json.dumps(sorted(name for name in ours if not name.endswith("._private"))))
"""


def environ(**changes: str) -> dict[str, str]:
    """The environment without what an earlier `import imports` of this process has put there."""
    return {**{name: value for name, value in os.environ.items() if name not in {"NODE_OPTIONS", SWITCH}}, **changes}


def fresh(program: str) -> list[str]:
    """Run a program in an interpreter of its own; the list that it printed last, as JSON."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed: list[str] = json.loads(done.stdout.splitlines()[-1])
    return printed


def listed(binding: Binding) -> dict[str, list[str]]:
    """Classes of `imports/<name>.py` by the module that they come from."""
    tree = ast.parse((ROOT / "imports" / f"{binding.name}.py").read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {line.module: [alias.name for alias in line.names] for line in lines if line.module}


# Python


def test_the_package_itself_loads_nothing() -> None:
    assert fresh(f"import imports{REPORT}") == [binding.package for binding in BINDINGS]


@EACH_BINDING
def test_a_provider_loads_its_listed_modules_and_no_others(binding: Binding) -> None:
    names = [name for classes in listed(binding).values() for name in classes]
    check = f"assert all(isinstance(m.__dict__[name], type) for name in {names})"
    loaded = fresh(f"import imports.{binding.name} as m\n{check}\n{REPORT}")
    assert names
    modules = {name for name in loaded if name.startswith("cdktf_cdktf_provider_") and "." in name}
    assert modules == {*listed(binding), f"{binding.package}._jsii"}


def test_a_package_that_was_loaded_first_is_left_as_it_is() -> None:
    modules = fresh(f"""
import cdktf_cdktf_provider_consul as eager
from imports.consul import ConfigEntry
assert ConfigEntry is eager.config_entry.ConfigEntry
{REPORT}""")
    assert "cdktf_cdktf_provider_consul.intention" in modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose `__init__` must not run, and which is mounted."""
    name = "a_package_to_mount"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('the __init__ ran')")
    (folder / "sound.py").write_text("answer = 42")
    (folder / "broken.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    assert mount(name)
    yield name
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]


def test_modules_of_a_mounted_package_load_when_named(package: str) -> None:
    assert f"{package}.sound" not in sys.modules
    assert sys.modules[package].sound.answer == 42
    assert not mount(package)  # a second time it is loaded already


def test_what_a_mounted_package_lacks_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = sys.modules[package].nothing


def test_what_a_module_lacks_is_said_as_it_is(package: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        _ = sys.modules[package].broken


def test_a_package_that_is_not_installed_is_not_mounted() -> None:
    assert not mount("a_package_that_is_not_installed")
    assert "a_package_that_is_not_installed" not in sys.modules


# Versions


@EACH_BINDING
def test_the_table_says_what_is_installed(binding: Binding) -> None:
    assert version(binding.distribution) == binding.version
    spec = find_spec(binding.package)
    assert spec is not None
    assert spec.submodule_search_locations
    generated = Path(spec.submodule_search_locations[0]) / "provider" / "__init__.py"
    opening = generated.read_text(encoding="utf-8")[:500]
    assert f"/{binding.provider}/{binding.provider_version}/docs" in opening


def test_provider_versions() -> None:
    assert provider_versions() == {binding.name: binding.provider_version for binding in BINDINGS}


# NODE_OPTIONS


def test_what_was_in_node_options_stays() -> None:
    options = {"NODE_OPTIONS": "--no-warnings"}
    preload(options)
    assert options["NODE_OPTIONS"].startswith("--no-warnings --require=")
    once = dict(options)
    assert preload(options)
    assert options == once


def test_the_switch_leaves_node_options_alone() -> None:
    options = {SWITCH: "0"}
    assert not preload(options)
    assert "NODE_OPTIONS" not in options


def test_it_says_when_it_came_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "constructs._jsii", raising=False)
    assert preload({})
    monkeypatch.setitem(sys.modules, "constructs._jsii", ModuleType("constructs._jsii"))
    assert not preload({})


# The index in Node

USE = """
globalThis.loaded = [];
const index = require(process.env.INDEX);
const first = [...loaded];
const names = Object.keys(index);
const values = [index.one.value, index.two.value];
const { get, ...property } = Object.getOwnPropertyDescriptor(index, "one");
const same = index.one === index.one;
console.log(JSON.stringify({ first, names, values, loaded, esModule: index.__esModule, property, same }));
"""

GENERATED = """"use strict";
/**
 * Copyright, and a * of its own
 */
Object.defineProperty(exports, "__esModule", { value: true });
exports.two = exports.one = void 0;
// generated by cdktf get
exports.one = require("./one");
exports.two = require("./two");
//# sourceMappingURL=data:application/json;base64,e30=
"""

EAGER = ["one", "two"]
LAZY: list[str] = []


def use(
    folder: Path, index: str, *, package: str = "@cdktf/provider-fake", script: Path = PRELOAD, switch: str = "1"
) -> list[str]:
    """Load a made-up binding in Node and look at what became of it; which of its modules were loaded at once."""
    lib = folder / "node_modules" / package / "lib"
    for name in EAGER:
        (lib / name).mkdir(parents=True)
        (lib / name / "index.js").write_text(f'loaded.push("{name}"); exports.value = "value of {name}";')
    (lib / "index.js").write_text(index)
    options = {"NODE_OPTIONS": "--no-warnings"}
    preload(options, script)
    done = subprocess.run(
        [NODE, "-e", USE],
        env=environ(INDEX=str(lib / "index.js"), **options, **{SWITCH: switch}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    first: list[str] = result.pop("first")
    assert result == {
        "names": ["one", "two"] if first == LAZY else result["names"],
        "values": ["value of one", "value of two"],
        "loaded": ["one", "two"],
        "esModule": True,
        "property": {"value": {"value": "value of one"}, "writable": True, "enumerable": True, "configurable": True},
        "same": True,
    }
    return first


def test_the_generated_form_is_loaded_lazily(tmp_path: Path) -> None:
    assert use(tmp_path, GENERATED) == LAZY


def test_a_path_may_hold_spaces_and_quotes(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" path \\ with spaces'
    folder.mkdir()
    script = Path(copy(PRELOAD, folder))
    assert use(tmp_path, GENERATED, script=script) == LAZY


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("exports.two = require", "globalThis.more = 1;\nexports.two = require"),
        ("exports.two = require", "exports.three = exports.one;\nexports.two = require"),
        ('require("./two");', 'require("./two"); // and a remark'),
        ('require("./two");', 'require("./two").valueOf();'),
        ("exports.two = exports.one", "exports.one"),
        ("exports.two = exports.one", "exports.two = exports.one = exports.three"),
        ('exports.one = require("./one");', 'exports.one = require("./one");\nexports.one = require("./one");'),
        ("//# source", "globalThis.more = 1;\n//# source"),
        ("/**", "/** */ globalThis.more = 1; /*"),
        ("{ value: true }", "{ value: true, writable: true }"),
        ("\n", "\r\n"),
    ],
)
def test_any_other_form_is_loaded_as_ever(tmp_path: Path, there: str, here: str) -> None:
    other = GENERATED.replace(there, here)
    assert other != GENERATED
    assert use(tmp_path, other) == EAGER


def test_any_other_package_is_loaded_as_ever(tmp_path: Path) -> None:
    assert use(tmp_path, GENERATED, package="@other/provider-fake") == EAGER


def test_the_switch_reaches_a_node_with_inherited_options(tmp_path: Path) -> None:
    assert use(tmp_path, GENERATED, switch="0") == EAGER
