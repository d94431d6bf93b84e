"""A box of containers for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiodocker
import pytest

from tests.stacks.streams.box import Box, boxes


@pytest.fixture
async def box(docker: aiodocker.Docker, prefix: str, tmp_path: Path) -> AsyncIterator[Box]:
    async with boxes(docker, prefix, tmp_path) as made:
        yield made
