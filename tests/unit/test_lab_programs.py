"""Where the lab's programs are found: in a variable, on the path, or built."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.lab.programs import CONSUL, NOMAD, UnavailableError, build, find_consul, find_nomad

Find = Callable[[Path], Path]

FINDS = pytest.mark.parametrize(
    ("find", "name", "says"),
    [(find_consul, "consul", f"Consul v{CONSUL}"), (find_nomad, "nomad", f"Nomad v{NOMAD}")],
)


def program(path: Path, text: str, *, status: int = 0) -> Path:
    """A program that prints a text, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project where nothing is installed and everything can be built."""
    program(tmp_path / "tools/build-go-tool", "/built/it")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/bin:/usr/bin")
    for name in ("CONSUL_BIN", "NOMAD_BIN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@FINDS
def test_what_is_on_the_path_is_taken(root: Path, find: Find, name: str, says: str) -> None:
    installed = program(root / "path" / name, f"{says}\nBuildDate 2026-01-01")
    assert find(root) == installed


@FINDS
@pytest.mark.parametrize("other", ["v1.0.0", "+ent"])
def test_another_version_is_not(root: Path, find: Find, name: str, says: str, other: str) -> None:
    program(root / "path" / name, says.split(maxsplit=1)[0] + f" {other}" if other.startswith("v") else says + other)
    assert find(root) == Path("/built/it")


@FINDS
def test_a_variable_comes_first(root: Path, find: Find, name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program(root / "path" / name, says)
    chosen = program(root / "chosen", says)
    monkeypatch.setenv(f"{name.upper()}_BIN", str(chosen))
    assert find(root) == chosen


@FINDS
def test_a_variable_must_be_right(
    root: Path, find: Find, name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(root / "path" / name, says)
    wrong = (program(root / "other", "something else"), program(root / "failing", says, status=1), root / "nowhere")
    for chosen in wrong:
        monkeypatch.setenv(f"{name.upper()}_BIN", str(chosen))
        with pytest.raises(UnavailableError, match=f"{name.upper()}_BIN .* is no {says.split(maxsplit=1)[0]}"):
            find(root)


@FINDS
def test_what_cannot_be_built_says_why(root: Path, find: Find, name: str, says: str) -> None:
    program(root / "tools/build-go-tool", "", status=3).write_text("#!/bin/sh\necho no Go >&2\nexit 3\n")
    with pytest.raises(UnavailableError) as caught:
        find(root)
    product, version = says.replace(" v", " ").split()
    assert str(caught.value) == f"there is no {product} {version} on PATH, and none can be built: no Go"
    assert name == product.lower()


def test_progress_is_shown(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = '#!/bin/sh\necho "building $1" >&2\necho "/bin/$1"\n'
    program(root / "tools/build-go-tool", "").write_text(text)
    assert build(root, "helm") == Path("/bin/helm")
    assert capfd.readouterr().err == "building helm\n"


@pytest.mark.usefixtures("interruptible")
def test_a_build_ends_with_whoever_is_interrupted(root: Path) -> None:
    tool = root / "tools/build-go-tool"
    tool.write_text('#!/bin/sh\nsleep 60 & echo "$!" >"$0.pid"\necho building >&2\nwait\n')
    code = f"from pathlib import Path; from mesh.lab.programs import build; build(Path({str(root)!r}), 'x')"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert process.stderr.readline() == "building\n"
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    compiler = int(Path(f"{tool}.pid").read_text())
    deadline = time.monotonic() + 5
    while is_running(compiler):
        assert time.monotonic() < deadline, "the compiler goes on"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
