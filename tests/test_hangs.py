"""A test that hangs fails alone, and the others go on: what `timeout_method` is there for."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
HANGING = """
import asyncio, subprocess, time
import pytest

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.fixture
def slow(): time.sleep(60)

@pytest.fixture
async def slow_end():
    yield
    await asyncio.sleep(60)

def test_sync(): time.sleep(60)
def test_child(): subprocess.run(["sleep", "60"])
async def test_async(): await asyncio.sleep(60)
def test_fixture(slow): pass
async def test_end(slow_end): pass
def test_after_them(): pass
async def test_after_them_too(): await asyncio.sleep(0)
"""


def test_each_hang_is_a_failure_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "test_hanging.py"
    file.write_text(HANGING)
    options = ("-c", str(PROJECT), f"--rootdir={tmp_path}", "--timeout=1", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, str(file)],
        env={**os.environ, "COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 failed, 3 passed, 2 errors" in done.stdout
    for name in ("test_sync", "test_child", "test_async", "test_fixture", "test_end"):
        assert f"::{name} - Failed: Timeout" in done.stdout
