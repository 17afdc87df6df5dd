"""Run the real Terraform on a shadowed stack, apart from everything around it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shadow.declarations import Json

MINIMUM = (1, 11)
"""Write-only arguments and ephemeral values, which stacks use, need this version."""

_CONFIGURATION = "cdk.tf.json"
_VARIABLES = "variables.json"
_PLAN = "shadow.tfplan"
_TIMEOUT_SECONDS = 600
_INHERITED = ("PATH", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT")


def find_terraform() -> tuple[Path | None, str]:
    """Return Terraform's path, or None and the reason why it cannot be used."""
    found = shutil.which("terraform")
    if found is None:
        return None, "terraform is not on PATH"
    finished = subprocess.run(
        [found, "version", "-json"],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    match = re.search(r'"terraform_version":\s*"(\d+)\.(\d+)', finished.stdout)
    if match is None:
        return None, f"{found} does not tell its version: {finished.stderr.strip()}"
    version = int(match[1]), int(match[2])
    if version < MINIMUM:
        needed = ".".join(map(str, MINIMUM))
        return None, f"{found} is version {version[0]}.{version[1]}; at least {needed} is needed"
    return Path(found), ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of Terraform."""

    severity: str
    summary: str
    detail: str
    place: str
    """Where it is: file, line, block and the text in question."""

    def __str__(self) -> str:
        return f"{self.severity.capitalize()}: {self.summary}\n  {self.place}\n  {self.detail}"


class TerraformError(Exception):
    """Terraform found something wrong."""

    def __init__(self, command: Sequence[str], directory: Path, diagnostics: Sequence[Diagnostic], output: str) -> None:
        self.diagnostics = tuple(diagnostics)
        said = "\n".join(map(str, diagnostics)) or output
        super().__init__(f"terraform {' '.join(command)} failed in {directory}\n{said}")


class Terraform:
    """Terraform in one directory."""

    def __init__(self, directory: Path, executable: Path | None = None) -> None:
        found, reason = (executable, "") if executable else find_terraform()
        if found is None:
            raise FileNotFoundError(reason)
        self.directory = directory
        self._executable = found

    def write(self, stack: Mapping[str, Any]) -> None:
        """Put a stack into the directory, which is made if need be."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / _CONFIGURATION).write_text(json.dumps(stack, indent=2), encoding="utf-8")

    def init(self) -> None:
        """Prepare the directory: reads the configuration, checks the version, sets up the backend."""
        self._run("init", "-reconfigure", *_QUIET)

    def validate(self) -> list[Diagnostic]:
        """Check everything that needs neither variables nor state; return the warnings."""
        return self._run("validate", "-json", "-no-color")[1]

    def plan(self, variables: Mapping[str, object] | None = None) -> Json:
        """Plan against the state in the backend; return the plan as JSON, which holds all evaluated values."""
        self._run("plan", f"-out={_PLAN}", *_QUIET, *self._given(variables))
        return self.show(_PLAN)

    def apply(self, variables: Mapping[str, object] | None = None) -> Json:
        """Plan and apply; return the new state as JSON."""
        self._run("apply", "-auto-approve", *_QUIET, *self._given(variables))
        return self.show()

    def show(self, plan: str | None = None) -> Json:
        """Return the state as JSON, or the plan in a file."""
        document = json.loads(self._run("show", "-json", "-no-color", *([plan] if plan else []))[0])
        if not isinstance(document, dict):
            raise TypeError(f"terraform show said {document!r}")
        return document

    def _given(self, variables: Mapping[str, object] | None) -> list[str]:
        # A file keeps the types apart, which TF_VAR_ and -var do not; its name is none that Terraform loads by itself.
        (self.directory / _VARIABLES).write_text(json.dumps(dict(variables or {})), encoding="utf-8")
        return [f"-var-file={_VARIABLES}"]

    def _run(self, *command: str) -> tuple[str, list[Diagnostic]]:
        finished = subprocess.run(
            [self._executable, *command],
            cwd=self.directory,
            env=_environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        diagnostics = [] if command[0] == "show" else _diagnostics(finished.stdout)
        if finished.returncode != 0:
            errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
            raise TerraformError(command, self.directory, errors, finished.stdout + finished.stderr)
        return finished.stdout, diagnostics


_QUIET = ("-input=false", "-no-color", "-json")


def _environment() -> dict[str, str]:
    """Return an environment in which nothing of the caller's reaches Terraform: no TF_*, no credentials, no home."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_IN_AUTOMATION": "1",
    }


def _diagnostics(output: str) -> list[Diagnostic]:
    """Read messages from the one object of `validate`, or from the lines of the other commands."""
    try:
        found = json.loads(output)["diagnostics"]
    except (ValueError, KeyError):
        found = [event["diagnostic"] for event in map(_event, output.splitlines()) if "diagnostic" in event]
    return [
        Diagnostic(message["severity"], message["summary"], message.get("detail", ""), _place(message))
        for message in found
    ]


def _event(line: str) -> Json:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _place(message: Mapping[str, Any]) -> str:
    where = message.get("range")
    if where is None:
        return str(message.get("address", "the whole configuration"))
    snippet = message.get("snippet") or {}
    start, end = snippet.get("highlight_start_offset", 0), snippet.get("highlight_end_offset", 0)
    # A line may hold a whole job: show the text in question, and what stands around it.
    around = 60
    excerpt = str(snippet.get("code", ""))[max(0, start - around) : min(end, start + 4 * around) + around].strip()
    place = f"{where['filename']}:{where['start']['line']}"
    if context := snippet.get("context"):
        place += f", in {context}"
    return f"{place}: {excerpt}"
