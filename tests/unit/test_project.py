"""Loading an environment of the project it is run in."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.errors import ProjectError
from mesh.project import available, load

GOOD = """
from mesh.model import Azure, Community, Environment, Flat, Platform
PLATFORM = Platform(edition=Community(), topology=Flat(), azure=Azure(region="koreacentral"))
ENVIRONMENT = Environment("good", platform=PLATFORM, services=[])
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project of its own, whose modules are forgotten afterwards."""
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "good.py").write_text(GOOD)
    (folder / "_shared.py").write_text("")
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "environments"}
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "environments"]:
        del sys.modules[name]
    sys.modules.update(before)
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]


def broken(root: Path, text: str) -> str:
    (root / "environments" / "bad.py").write_text(text)
    with pytest.raises(ProjectError) as caught:
        load("bad", root)
    return str(caught.value)


def test_available_and_load(root: Path) -> None:
    assert available(root) == ("good",)
    assert load("good", root).name == "good"


def test_file_and_environment_have_one_name(root: Path) -> None:
    (root / "environments" / "my_shop.py").write_text(GOOD.replace('"good"', '"my-shop"'))
    assert load("my_shop", root).name == load("my-shop", root).name == "my-shop"
    (root / "environments" / "other.py").write_text(GOOD)
    with pytest.raises(ProjectError, match='declares the environment "good"'):
        load("other", root)


def test_an_unknown_name_is_repeated_as_it_was_written(root: Path) -> None:
    with pytest.raises(ProjectError, match='no environment is called "no-such": there are'):
        load("no-such", root)


def test_an_unknown_name_lists_those_that_exist(root: Path) -> None:
    with pytest.raises(
        ProjectError, match='no environment is called "goood": did you mean "good"\\? there are good in environments/'
    ):
        load("goood", root)


@pytest.mark.parametrize("name", ["../good", "", "_shared", "__init__"])
def test_names_are_not_paths(root: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="no environment is called"):
        load(name, root)


def test_a_misspelt_argument_is_shown_with_its_line(root: Path) -> None:
    message = broken(root, "from mesh.model import Upstream\n\nx = Upstream('api', locl_port=1)\n")
    assert message.startswith("environments/bad.py:3: TypeError: ")
    assert message.endswith('did you mean "local_port"?')


def test_a_misspelt_field_of_an_entry_is_shown_with_its_line(root: Path) -> None:
    imports = "from mesh.consul.entries import ServiceDefaults\n"
    message = broken(root, f"{imports}x = ServiceDefaults(name='a', protocl='http')\n")
    assert message.startswith("environments/bad.py:2: TypeError: ")
    assert message.endswith('did you mean "protocol"?')


def test_so_is_one_of_a_part_of_an_entry(root: Path) -> None:
    imports = "from mesh.consul.entries.service_router import HttpMatch\n"
    assert broken(root, f"{imports}x = HttpMatch(pathprefix='/')\n").endswith('did you mean "path_prefix"?')


def test_a_syntax_error_is_shown_with_its_line(root: Path) -> None:
    assert broken(root, "x = 1\ny = = 2\n") == "environments/bad.py:2: invalid syntax"


def test_a_module_without_an_environment(root: Path) -> None:
    assert broken(root, "") == "environments/bad.py: there is no ENVIRONMENT = Environment(...)"
