"""Synthesis as a person sees it: judge first, write everything or nothing, say what came out."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.check import check
from mesh.findings import Finding
from mesh.model import Environment
from mesh.names import STACKS
from mesh.project import ProjectError, load

STACK_FILE: Final = "cdk.tf.json"


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A written stack."""

    id: str
    resources: int
    path: Path


def run(name: str, *, root: Path) -> int:
    """Loads, judges and synthesizes an environment; prints the outcome. Returns the exit code."""
    try:
        environment = load(name, root)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if findings := check(environment):
        print(_report(name, findings), file=sys.stderr)
        return 1
    _use_the_projects_node(root)
    outdir = root / (os.environ.get("CDKTF_OUTDIR") or "cdktf.out")
    try:
        stacks = synthesize(environment, outdir)
    except RuntimeError as error:
        if _from_cdktf(error) and not os.environ.get("JSII_DEBUG"):
            print(f"error: {error}\n(JSII_DEBUG=1 shows the whole trace)", file=sys.stderr)
            return 1
        raise
    print(_summary(environment, stacks))
    return 0


def synthesize(
    environment: Environment, outdir: Path, stacks: tuple[str, ...] = STACKS
) -> tuple[SynthesizedStack, ...]:
    """Writes the stacks of a sound environment to ``outdir``: all of them, or, on an error, none.

    Terraform's own files in ``outdir`` (``.terraform``, plans) stay.

    Raises:
        RuntimeError: CDKTF refuses the tree; its message names the constructs.
    """
    from stacks.application import compose

    outdir.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(outdir) as scratch:
        compose(environment, outdir=scratch, stacks=stacks).synth()
        _publish(scratch, outdir)
    return tuple(_synthesized(outdir, stack) for stack in stacks)


def _use_the_projects_node(root: Path) -> None:
    """Jsii takes the Node that set-up installed, whatever is first on PATH. Does nothing where there is none."""
    node = root / "node_modules" / ".bin" / "node"
    if node.exists():
        os.environ.setdefault("JSII_NODE", str(node))


@contextmanager
def _scratch(outdir: Path) -> Iterator[Path]:
    """A folder beside ``outdir``, on the same file system, that never outlives the run."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{outdir.name}.", dir=outdir.parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _publish(scratch: Path, outdir: Path) -> None:
    """Moves every synthesized file to its place; assets of an earlier synthesis go."""
    for stack in sorted((scratch / "stacks").iterdir()):
        target = outdir / "stacks" / stack.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target / "assets", ignore_errors=True)
        for item in stack.iterdir():
            item.replace(target / item.name)
    (scratch / "manifest.json").replace(outdir / "manifest.json")


def _synthesized(outdir: Path, stack: str) -> SynthesizedStack:
    path = outdir / "stacks" / stack / STACK_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    return SynthesizedStack(stack, sum(len(named) for named in content.get("resource", {}).values()), path)


def _from_cdktf(error: RuntimeError) -> bool:
    return type(error.__cause__).__name__ == "JavaScriptError"


def _report(name: str, findings: tuple[Finding, ...]) -> str:
    count = f"{len(findings)} problem" + ("s" if len(findings) > 1 else "")
    return "\n".join([f"error: environment {name} has {count}; nothing was written", "", *map(str, findings)])


def _summary(environment: Environment, stacks: tuple[SynthesizedStack, ...]) -> str:
    here = Path.cwd()
    width = max(len(stack.id) for stack in stacks)
    rows = [f"{'stack':<{width}}  resources  synthesized to"]
    rows += [f"{stack.id:<{width}}  {stack.resources:>9}  {_shown(stack.path, here)}" for stack in stacks]
    after = [
        "",
        "next: npx cdktf diff infra     shows what would change (needs Azure credentials)",
        "      npx cdktf deploy '*'     deploys the stacks in this order",
    ]
    # Called by the CDKTF command line, it is the next step itself.
    return "\n".join([f"environment {environment.name}", *rows, *([] if "CDKTF_CONTEXT_JSON" in os.environ else after)])


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
