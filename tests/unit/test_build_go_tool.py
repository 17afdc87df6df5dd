"""The script that builds programs for tests, on a module of one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/build-go-tool"
WITHOUT_GO = ("bash", "cat", "cksum", "dirname", "tr")

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on PATH")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the script and one module."""
    module = tmp_path / "tools/hello"
    module.mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "tools")
    (module / "go.mod").write_text("module mesh.test/tools/hello\n\ngo 1.24\n\ntool mesh.test/tools/hello\n")
    (module / "go.sum").touch()
    (module / "main.go").write_text('package main\n\nfunc main() { print("hello") }\n')
    return tmp_path


def run(root: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    command = [str(root / "tools/build-go-tool"), *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=300)


@needs_go
def test_a_program_is_built_once_for_each_version_of_its_module(root: Path) -> None:
    first = run(root, "hello")
    assert first.returncode == 0, first.stderr
    assert "building hello" in first.stderr
    program = Path(first.stdout.rstrip("\n"))
    assert program.parent == root / "bin"
    answer = subprocess.run([str(program)], check=True, capture_output=True, text=True)
    assert answer.stderr == "hello"  # where Go's print writes

    again = run(root, "hello")
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")

    programs = {first.stdout}
    for source in ("go.mod", "main.go"):
        with (root / "tools/hello" / source).open("a") as file:
            file.write("// another version\n")
        other = run(root, "hello")
        assert other.returncode == 0, other.stderr
        programs.add(other.stdout)
    assert len(programs) == len(list((root / "bin").iterdir())) == 3


@needs_go
def test_a_program_can_have_build_tags(root: Path) -> None:
    module = root / "tools/hello"
    (module / "louder.go").write_text('//go:build loud\n\npackage main\n\nfunc init() { print("HELLO, ") }\n')
    said = []
    for tags in (None, "loud\n", "quiet,loud"):
        if tags is not None:
            (module / "tags").write_text(tags)
        built = run(root, "hello")
        assert built.returncode == 0, built.stderr
        assert "building hello" in built.stderr
        said.append(subprocess.run([built.stdout.rstrip("\n")], check=True, capture_output=True, text=True).stderr)
    assert said == ["hello", "HELLO, hello", "HELLO, hello"]


@needs_go
def test_what_does_not_compile_leaves_nothing_behind(root: Path) -> None:
    (root / "tools/hello/main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    failed = run(root, "hello")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "undefined: nothing" in failed.stderr
    assert list((root / "bin").iterdir()) == []


@needs_go
def test_a_newer_go_is_never_downloaded(root: Path) -> None:
    (root / "tools/hello/go.mod").write_text("module mesh.test/tools/hello\n\ngo 1.999.0\n")
    refused = run(root, "hello")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "Go 1.999.0 is needed to build hello" in refused.stderr


def test_without_go_it_says_so(root: Path) -> None:
    folder = root / "path"
    folder.mkdir()
    for name in WITHOUT_GO:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    refused = run(root, "hello", path=str(folder))
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr == "build-go-tool: Go is needed to build hello, and there is no go on PATH\n"


@pytest.mark.parametrize("arguments", [(), ("",), ("a", "b"), ("--all",), ("../hello",), ("other",)])
def test_wrong_usage(root: Path, arguments: tuple[str, ...]) -> None:
    misused = run(root, *arguments)
    assert (misused.returncode, misused.stdout) == (2, "")
    assert misused.stderr.startswith("build-go-tool: ")


def test_help(root: Path) -> None:
    shown = run(root, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: tools/build-go-tool NAME")
