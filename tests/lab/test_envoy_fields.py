"""The fields of Envoy in the package are those of the Envoy API that Consul is built with."""

import subprocess
from pathlib import Path

import pytest

from mesh.lab.programs import build
from tests.lab import ROOT

pytestmark = pytest.mark.lab


def test_the_fields_are_up_to_date(programs: tuple[Path, Path]) -> None:  # noqa: ARG001 - skips where there is no Go
    written = subprocess.run([build(ROOT, "envoy-fields")], check=True, capture_output=True, text=True).stdout

    assert written == (ROOT / "constructs/mesh/consul/envoy_fields.json").read_text()
