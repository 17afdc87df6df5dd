"""A broken version never takes over. Last, because it takes minutes in the background: see the fixture."""

from concurrent.futures import Future

import pytest

from tests.lab.deployments import SLOW_RATE, Reverted, said
from tests.lab.running import lost

pytestmark = pytest.mark.lab


def test_a_broken_version_is_reverted_and_nobody_notices(reverted: Future[Reverted]) -> None:
    found = reverted.result()
    assert "job api-v1 failed: Failed due to progress deadline - rolling back to job version 0" in found.error
    assert "api: alloc unhealthy: " in found.error
    assert [status for status, _ in found.deployments] == ["successful", "failed", "successful"]
    assert not found.deployments[1][1], "the broken one was promoted"
    assert found.message == {"works", "broken"}  # web is well, and its new version has taken over
    assert lost(found.load) == []
    assert len(found.load.answers) > SLOW_RATE * 120
    assert {frozenset(said(answer)) for _, _, answer in found.load.answers} <= {
        frozenset({"works"}),
        frozenset({"works", "broken"}),
    }
