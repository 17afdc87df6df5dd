"""The folder `constructs` must never hide the library of the same name."""

from pathlib import Path

import constructs

import mesh

ROOT = Path(__file__).parents[2]


def test_the_folder_is_no_package() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_no_test_folder_has_the_name() -> None:
    assert not (ROOT / "tests" / "constructs").exists()


def test_the_name_means_the_library() -> None:
    assert constructs.__file__
    assert Path(constructs.__file__).parents[1].name == "site-packages"


def test_the_project_is_imported_from_the_folder() -> None:
    assert Path(mesh.__file__).parent == ROOT / "constructs" / "mesh"
