"""The core imports neither cdktf nor jsii, reads no environment variable, and the dependencies point one way."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "constructs" / "mesh"

HEAVY = {"cdktf", "jsii", "constructs", "imports"}
"""What only constructs and stacks may import."""

ABOVE = {"stacks", "environments"}
"""What nothing in the package may import."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def is_construct(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    return "constructs" in parts or path.name == "constructs.py"


def imported(path: Path) -> Iterator[str]:
    """Full names of everything that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    names = set(imported(path))
    roots = {name.split(".")[0] for name in names}
    assert not roots & ABOVE
    if not is_construct(path):
        assert not roots & HEAVY
        assert not [name for name in names if name.startswith("mesh.") and "constructs" in name.split(".")]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_core_reads_no_environment_variables(path: Path) -> None:
    if path.name == "cli.py" or path.parent.name in {"commands", "lab"}:
        return  # a program: it is told by them which environment is meant, and which Consul to run
    assert "environ" not in path.read_text(encoding="utf-8").replace("environment", "")


def test_checking_and_deriving_load_no_cdktf() -> None:
    program = (
        "import sys\n"
        "from environments.production import ENVIRONMENT\n"
        "from mesh.check import check\n"
        "from mesh.consul.policy import entries\n"
        "from mesh.nomad.jobs import jobs\n"
        "assert check(ENVIRONMENT) == () and entries(ENVIRONMENT) and jobs(ENVIRONMENT)\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'cdktf', 'jsii', 'constructs'}])\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
