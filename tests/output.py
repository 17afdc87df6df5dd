"""The output of an environment, as the tests of it need it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh import names
from mesh.model import Environment
from mesh.terraform import literal
from stacks.application import compose

CANARY = "canary-7f3d"
"""Put into every credential variable during synthesis; must not come out."""

CREDENTIALS = ("CONSUL_HTTP_TOKEN", "NOMAD_TOKEN", "ARM_CLIENT_SECRET", "TF_TOKEN_app_terraform_io", "SECRET_CANARY")


@dataclass(frozen=True)
class Synthesized:
    """What came out for one environment.

    Attributes:
        environment: The declaration.
        outdir: Where it was written.
        texts: Text of each stack.
        elements: Number of resources in the construct tree of each stack.
    """

    environment: Environment
    outdir: Path
    texts: dict[str, str]
    elements: dict[str, int]

    @property
    def stacks(self) -> dict[str, Any]:
        """Parsed JSON of each stack."""
        return {stack: json.loads(text) for stack, text in self.texts.items()}

    def resources(self, stack: str, kind: str) -> dict[str, Any]:
        """Resources of one type in a stack, by name; none if the environment has no such stack."""
        assert stack in names.STACKS
        return dict(self.stacks.get(stack, {}).get("resource", {}).get(kind, {}))


def unescaped(text: str) -> str:
    """What Terraform evaluates a literal to. Fails on a text that is no plain literal."""
    plain = text.replace("$${", "${").replace("%%{", "%{")
    assert literal(plain) == text, f"not a plain literal: {text[:200]}"
    return plain


def synthesize(environment: Environment, outdir: Path) -> Synthesized:
    """Composes and synthesizes as ``main.py`` does, with a canary in every credential variable."""
    from cdktf import TerraformResource, TerraformStack

    patch = pytest.MonkeyPatch()
    try:
        for name in CREDENTIALS:
            patch.setenv(name, CANARY)
        app = compose(environment, outdir=outdir)
        stacks = [child for child in app.node.children if isinstance(child, TerraformStack)]
        elements = {
            stack.node.id: sum(isinstance(node, TerraformResource) for node in stack.node.find_all())
            for stack in stacks
        }
        app.synth()
    finally:
        patch.undo()
    texts = {
        stack: (outdir / "stacks" / stack / "cdk.tf.json").read_text(encoding="utf-8")
        for stack in sorted(path.name for path in (outdir / "stacks").iterdir())
    }
    return Synthesized(environment, outdir, texts, elements)
