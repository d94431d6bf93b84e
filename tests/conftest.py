"""Fixtures of every test."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from telemetry.logs import OurHandler

# Some machines set it, and then output that nobody flushes arrives all the same: test without.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell starts what it puts in the background with SIGINT ignored, and so would be all that we
# start: tests that press Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same with SIGHUP, by `nohup`: tests of hang-ups end what they start by it.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# What an example takes tells of the machine's other work, not of the code.
settings.register_profile("codehub", deadline=None)
settings.load_profile("codehub")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """For tests that set logging up: leave it as it was for those after."""
    root = logging.getLogger()
    level, config = root.level, structlog.get_config()
    ours = [handler for handler in root.handlers if isinstance(handler, OurHandler)]
    yield
    root.setLevel(level)
    others = [handler for handler in root.handlers if not isinstance(handler, OurHandler)]
    root.handlers[:] = [*others, *ours]
    structlog.configure(**config)
