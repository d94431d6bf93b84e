"""A publish until a gateway process routes by it: idle, and beside a steady load of requests."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import httpx

from benchmarks.harness import Goal, Result
from benchmarks.load import COOKIE, Caller
from state_index.index import Index
from state_index.phases import Event
from tests.hub import PASSWORD, Hub, hub

WITHIN = 0.1
LOAD = 1000
LOADED, SWITCHED = "bench-load", "bench-switch"
POLL = 0.002
"""Seconds between two requests that ask whether the route is the new one: the figures' error."""

_index: list[Index] = []


def _open(url: str) -> None:
    _index.append(Index.open(url))


def _publish(event: Event) -> float:
    """Publish in a process of its own, as the runner does; returns when it was committed."""
    _index[0].publish(SWITCHED, event=event, cause="bench", owner="alice")
    return time.monotonic()  # one clock for all processes


async def publish_route(times: int) -> list[Result]:
    """By turns RUNNING (the request goes to the upstream) and WARM (424): no nudge, one gateway."""
    with hub() as served:
        served.add_user("alice")
        served.start("gateway")
        served.wait_until_serving()
        cookie = _log_in(served)
        url = f"sqlite:///{served.root}/data/index.db"
        with Index.open(url) as index:
            for workspace in (LOADED, SWITCHED):
                upstream = f"unix:{workspace}/ide.sock"
                changes: dict[str, Any] = {"owner": "alice", "upstream": upstream}
                index.publish(workspace, event=Event.READY, cause="bench", **changes)
        spawn = get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=_open, initargs=(url,)) as runner:
            return [await _measure(served, cookie, runner, times, rate) for rate in (0, LOAD)]


def _log_in(served: Hub) -> str:
    login = {"username": "alice", "password": PASSWORD}
    answer = httpx.post(f"{served.url}/api/v1/session", json=login, headers={"Origin": served.url})
    answer.raise_for_status()
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


async def _measure(
    served: Hub, cookie: str, runner: ProcessPoolExecutor, times: int, rate: int
) -> Result:
    figures: list[float] = []
    with _load(served, cookie, rate) as load:
        async with Caller.to(served.port, SWITCHED, cookie) as caller:
            await _until(caller, 200)
            for number in range(times + 2):  # the first two warm up
                event, status = (Event.READY, 200) if number % 2 else (Event.STOPPED, 424)
                publishing = asyncio.get_running_loop().run_in_executor(runner, _publish, event)
                seen = await _until(caller, status)
                figures.append(max(0.0, seen - await publishing))
        achieved = float(load.communicate(timeout=30)[0])
    return Result(
        name=f"publish to route beside {achieved:.0f} requests/s",
        goal=Goal(p99=WITHIN),
        floor_command="",
        subject=figures[2:],
    )


async def _until(caller: Caller, status: int) -> float:
    """Ask until the answer is so; when it came."""
    end = time.monotonic() + 30
    while await caller.status() != status:
        assert time.monotonic() < end, f"no {status}"
        await asyncio.sleep(POLL)
    return time.monotonic()


@contextmanager
def _load(served: Hub, cookie: str, rate: int) -> Iterator["subprocess.Popen[str]"]:
    run = str(served.root / "data" / "run")
    command = [sys.executable, "-m", "benchmarks.load", run, str(served.port), str(rate)]
    with subprocess.Popen(
        [*command, LOADED, SWITCHED],
        env=served.env | {COOKIE: cookie},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as load:
        try:
            assert load.stdout is not None
            assert load.stdout.readline() == "ready\n"
            yield load
        finally:
            load.kill()
