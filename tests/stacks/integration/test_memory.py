"""The runner's memory, measured as `scripts/bench memory` does: of its processes, by the kernel."""

import pytest

from benchmarks.memory import BOUND, measured

pytestmark = pytest.mark.engine

FEW = 120 << 20
"""What a runner may take that has hardly anything to do: what it imports shows here."""


@pytest.mark.timeout(120)
async def test_a_runner_of_a_few_files_is_small() -> None:
    found = await measured(files=40, real=0, passes=1)
    assert 20 << 20 < found < FEW


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_files_stay_within_the_bound() -> None:
    """50 of them real, so that Pulumi's part is loaded too."""
    assert await measured(files=1000, real=50) < BOUND
