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
from tests.postgres import Server, serving

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """A file; tests of the store itself run on both databases."""
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    """A store with an hour of idle time, by the test's clock."""
    with Store(store_url, idle=3600, now=clock) as opened:
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
