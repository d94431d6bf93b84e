"""Fixtures of the gateway's tests."""

import io
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from gateway.store import Store
from telemetry.logs import configure
from tests.gateway.harness import Clock

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store on disk with a day of idle time, by the test's clock."""
    with Store(f"sqlite:///{tmp_path / 'gateway.db'}", idle=3600, now=clock) as opened:
        yield opened


@pytest.fixture
def logs(logging_restored: None) -> io.StringIO:
    """Everything that is logged, down to debug lines."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    return stream


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser of the test's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()
