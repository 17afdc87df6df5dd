"""Synthesis as a person sees it: judge first, write everything or nothing, say what came out."""

import gc
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh import names
from mesh.check import check
from mesh.errors import ProjectError
from mesh.findings import report
from mesh.model import Environment
from mesh.project import DEFAULT_ENVIRONMENT, load

STACK_FILE: Final = "cdk.tf.json"

ASSETS: Final = "assets"
"""Folder of a stack with the files that it refers to."""

INTERRUPTED: Final = 130
"""Exit code as shells give it after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A written stack."""

    id: str
    resources: int
    path: Path


def run(name: str, *, root: Path) -> int:
    """Loads, judges and synthesizes an environment; prints the outcome. Returns the exit code."""
    gc.disable()  # a short run that builds much and frees nothing: looking for garbage would take a third of it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    try:
        return _run(name, root)
    except KeyboardInterrupt:
        return _fail("interrupted; what was there before is as it was", INTERRUPTED)
    except ProjectError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot write {error.filename2 or error.filename or 'the output'}: {error.strerror}")
    except RuntimeError as error:
        if not _from_cdktf(error) or os.environ.get("JSII_DEBUG"):
            raise
        return _fail(f"{error}\n(JSII_DEBUG=1 shows the whole trace)")


def _run(name: str, root: Path) -> int:
    environment = load(name, root)
    if findings := check(environment):
        return _fail(report(name, findings, after="; nothing was written"))
    _choose_node(root)
    stacks = synthesize(environment, root / (os.environ.get("CDKTF_OUTDIR") or "cdktf.out"))
    print(_summary(name, environment, stacks))
    return 0


def _fail(message: str, status: int = 1) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status


def synthesize(
    environment: Environment, outdir: Path, stacks: tuple[str, ...] | None = None
) -> tuple[SynthesizedStack, ...]:
    """Writes the stacks of a sound environment to ``outdir``: all of them, or, on an error, none.

    Terraform's own files in ``outdir`` (``.terraform``, plans) stay.

    Raises:
        RuntimeError: CDKTF refuses the tree; its message names the constructs.
    """
    from stacks.application import compose

    chosen = names.stacks(environment) if stacks is None else stacks
    outdir.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(outdir) as scratch:
        compose(environment, outdir=scratch, stacks=chosen).synth()
        _publish(scratch, outdir)
    return tuple(_synthesized(outdir, stack) for stack in chosen)


def _choose_node(root: Path) -> None:
    """Jsii takes the Node that set-up installed, whatever is first on PATH.

    Raises:
        ProjectError: there is none at all.
    """
    node = root / "node_modules" / ".bin" / "node"
    if node.exists():
        os.environ.setdefault("JSII_NODE", str(node))
    if shutil.which(os.environ.get("JSII_NODE", "node")) is None:
        raise ProjectError("CDKTF needs Node 20 to 24, and there is none: run make setup, or put one on PATH")


@contextmanager
def _scratch(outdir: Path) -> Iterator[Path]:
    """A folder beside ``outdir``, on the same file system, that never outlives the run."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{outdir.name}.", dir=outdir.parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _publish(scratch: Path, outdir: Path) -> None:
    """Moves everything synthesized to its place; if one thing cannot be moved, all is put back as it was.

    Raises:
        OSError: something cannot be moved.
    """
    moves: list[tuple[Path | None, Path]] = [(scratch / "manifest.json", outdir / "manifest.json")]
    forget: list[Path] = []
    for stack in sorted((scratch / "stacks").iterdir()):
        folder = outdir / "stacks" / stack.name
        folder.mkdir(parents=True, exist_ok=True)
        moves += [(item, folder / item.name) for item in sorted(stack.iterdir())]
        if not (stack / ASSETS).exists():
            moves.append((None, folder / ASSETS))
        remembered = folder / ".terraform" / "terraform.tfstate"
        # Terraform would offer to migrate the state, which would be that of another environment.
        if remembered.exists() and _backend(stack / STACK_FILE) != _backend(folder / STACK_FILE):
            forget.append(remembered)
    _move_all(moves, scratch / "before")
    for remembered in forget:
        remembered.unlink(missing_ok=True)


def _move_all(moves: Sequence[tuple[Path | None, Path]], before: Path) -> None:
    """Moves every source to its target; where there is none, nothing takes the target's place."""
    before.mkdir()
    undo: list[tuple[Path, Path]] = []
    try:
        for number, (source, target) in enumerate(moves):
            if target.exists():
                kept = before / str(number)
                target.replace(kept)
                undo.append((kept, target))
            if source is not None:
                source.replace(target)
                undo.append((target, source))
    except OSError:
        for moved, back in reversed(undo):
            moved.replace(back)
        raise


def _backend(stack: Path) -> object:
    """The backend that a stack names; none where there is no stack to read."""
    try:
        terraform = json.loads(stack.read_text(encoding="utf-8")).get("terraform", {})
    except (FileNotFoundError, ValueError):
        return None
    return terraform.get("backend"), terraform.get("cloud")


def _synthesized(outdir: Path, stack: str) -> SynthesizedStack:
    path = outdir / "stacks" / stack / STACK_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    return SynthesizedStack(stack, sum(len(named) for named in content.get("resource", {}).values()), path)


def _from_cdktf(error: RuntimeError) -> bool:
    return type(error.__cause__).__name__ == "JavaScriptError"


def _summary(name: str, environment: Environment, stacks: tuple[SynthesizedStack, ...]) -> str:
    here = Path.cwd()
    width = max(len(stack.id) for stack in stacks)
    rows = [f"{'stack':<{width}}  resources  synthesized to"]
    rows += [f"{stack.id:<{width}}  {stack.resources:>9}  {_shown(stack.path, here)}" for stack in stacks]
    # Without the variable, the command line would synthesize the default environment and deploy that.
    chosen = "" if name == DEFAULT_ENVIRONMENT else f"MESH_ENVIRONMENT={name} "
    needs = "Azure credentials" if environment.platform.azure else f"the agents: mesh lab up {name}"
    first, every = f"npx cdktf diff {stacks[0].id}", "npx cdktf deploy '*'"
    after = [
        "",
        f"next: {chosen}{first:<24} shows what would change (needs {needs})",
        f"      {chosen}{every:<24} deploys the stacks in this order",
    ]
    # Called by the CDKTF command line, it is the next step itself.
    return "\n".join([f"environment {name}", *rows, *([] if "CDKTF_CONTEXT_JSON" in os.environ else after)])


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
