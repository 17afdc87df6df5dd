"""Terraform, or the reason why tests that need it cannot run."""

import os
from pathlib import Path

import pytest

from tests.shadow import find_terraform

REQUIRE = "MESH_REQUIRE_TERRAFORM"
"""Set where Terraform must be there, so that a pipeline cannot pass by skipping."""


@pytest.fixture(scope="session")
def terraform() -> Path:
    """Path of a Terraform that is recent enough."""
    executable, reason = find_terraform()
    if executable is not None:
        return executable
    if os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    pytest.skip(reason)
