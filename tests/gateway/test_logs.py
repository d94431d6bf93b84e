"""Logs on their way through the gateway: streamed, cut for the page, only a few at once."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controllers.logs import PAGE_BYTES, newest
from gateway.errors import ThrottledError
from gateway.places import RETRY_SECONDS, Places
from gateway.services import LOG_READS
from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, BOB, Running, serving
from tests.waiting import until

API = "/api/v1/workspaces/alice-a/logs"
PAGE = "/workspaces/alice-a/logs"
MIB = 2**20


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        running.publish("alice-a", Phase.RUNNING)
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


def lines(count: int) -> bytes:
    """As many lines of 10 bytes."""
    return b"".join(b"%09d\n" % number for number in range(count))


async def standstill(count: Callable[[], int]) -> int:
    """Wait until a count that has begun does not move any more; returns it."""
    seen: list[int] = []

    def still() -> bool:
        seen.append(count())
        return len(seen) > 30 and 0 < seen[-30] == seen[-1]

    await until(still)
    return seen[-1]


async def test_what_the_client_does_not_take_is_not_read(hub: Running, runner: FakeRunner) -> None:
    runner.logs = lines(6 * MIB)
    async with hub.visitor() as client, client.stream("GET", API) as answer:
        assert answer.status_code == 200
        taken = await standstill(lambda: runner.sent)
        # The rest is what sockets hold: up to 6 MiB each between three processes' ends.
        assert taken < len(runner.logs) / 2
        received = b"".join([piece async for piece in answer.aiter_bytes()])
    assert received == runner.logs


async def test_a_runner_that_breaks_off_makes_no_whole_answer(
    hub: Running, runner: FakeRunner, logs: io.StringIO
) -> None:
    runner.logs, runner.break_off = lines(100_000), True
    async with hub.visitor() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(API)
    assert "runner_unavailable" in logs.getvalue()
    assert "Traceback" not in logs.getvalue()


async def test_a_page_of_a_runner_that_breaks_off_says_so(hub: Running, runner: FakeRunner) -> None:
    runner.logs, runner.break_off = lines(100_000), True
    async with hub.visitor() as client:
        page = await client.get(PAGE)
    assert page.status_code == 502
    assert "The runner does not answer." in page.text


async def test_the_page_shows_the_newest_and_the_way_to_the_rest(
    hub: Running, runner: FakeRunner
) -> None:
    runner.logs = lines(MIB)
    async with hub.visitor() as client:
        page = await client.get(f"{PAGE}?tail=5000")
        shown = page.text.partition("<code>")[2].partition("</code>")[0]
        assert runner.logs.decode().endswith(shown)
        assert shown.startswith("0")  # a whole line
        assert PAGE_BYTES - 10 < len(shown) <= PAGE_BYTES
        assert f'<a href="{API}?tail=5000">All 5000 lines' in page.text
        assert len((await client.get(f"{API}?tail=5000")).content) == 10 * MIB
        runner.logs = lines(10)
        whole = await client.get(PAGE)
        assert "000000000\n" in whole.text
        assert f'<a href="{API}' not in whole.text


@given(
    st.lists(st.text("ab\n", max_size=9).map(str.encode), max_size=20),
    st.integers(min_value=1, max_value=30),
)
def test_the_newest_are_whole_lines_at_the_end(parts: list[bytes], limit: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    whole = b"".join(parts)
    kept, cut = asyncio.run(newest(pieces(), limit))
    assert cut == (len(whole) > limit)
    assert whole.endswith(kept)
    assert len(kept) <= limit
    if cut:
        end = whole[-limit:]
        assert kept == end[end.find(b"\n") + 1 :]
    else:
        assert kept == whole


@pytest.mark.parametrize("path", [API, PAGE])
async def test_only_so_many_are_read_at_once(hub: Running, runner: FakeRunner, path: str) -> None:
    """Counted by user, whatever the session; pages and API together."""
    runner.logs, runner.gate = lines(10), asyncio.Event()
    hub.publish("bob-b", Phase.RUNNING, owner="bob")
    async with AsyncExitStack() as opened:
        first = await opened.enter_async_context(hub.visitor(ALICE))
        second = await opened.enter_async_context(hub.visitor(ALICE))
        bob = await opened.enter_async_context(hub.visitor(BOB))
        tasks = await opened.enter_async_context(asyncio.TaskGroup())
        waiting = [
            tasks.create_task(_status(client.get(path)))
            for client in (first, second) * (LOG_READS // 2)
        ]
        await until(lambda: runner.under_way == LOG_READS)
        for client in (first, second):
            for again in (API, PAGE):
                refused = await client.get(again, headers={"Accept": "text/html"})
                assert refused.status_code == 429
                assert refused.headers["retry-after"] == str(RETRY_SECONDS)
                assert "You are reading too many logs at once." in refused.text
        assert runner.under_way == LOG_READS
        others = tasks.create_task(_status(bob.get("/api/v1/workspaces/bob-b/logs")))
        await until(lambda: runner.under_way == LOG_READS + 1)
        runner.gate.set()
        assert await asyncio.gather(*waiting, others) == [200] * (LOG_READS + 1)
        assert (await first.get(API)).status_code == 200


async def _status(answer: Awaitable[httpx.Response]) -> int:
    return (await answer).status_code


@pytest.mark.parametrize("path", [API, PAGE])
async def test_a_client_that_goes_away_gives_its_place_back(
    hub: Running, runner: FakeRunner, path: str, logs: io.StringIO
) -> None:
    runner.logs, runner.gate = lines(10), asyncio.Event()
    async with hub.visitor() as client, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(_status(client.get(path))) for _ in range(LOG_READS)]
        await until(lambda: runner.under_way == LOG_READS)
        for task in waiting:
            task.cancel()
        await until(lambda: runner.under_way == 0)
        runner.gate.set()
        assert (await client.get(path)).status_code == 200
    assert "Traceback" not in logs.getvalue()


async def test_the_end_of_the_session_ends_the_reading(
    hub: Running, runner: FakeRunner, logs: io.StringIO
) -> None:
    runner.logs, runner.gate = lines(10), asyncio.Event()
    async with hub.visitor() as client, client.stream("GET", API) as answer:
        await until(lambda: runner.under_way == 1)
        assert (await client.delete("/api/v1/session")).status_code == 204
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await answer.aread()
        await until(lambda: runner.under_way == 0)
    assert "Traceback" not in logs.getvalue()


def test_places_are_each_user_s_own_and_come_back_after_errors() -> None:
    places = Places(1, message="Too many.")
    with (
        places.taken("alice"),
        places.taken("bob"),
        pytest.raises(ThrottledError, match="Too many"),
        places.taken("alice"),
    ):
        pass
    with pytest.raises(ZeroDivisionError), places.taken("alice"):
        _ = 1 / 0
    with places.taken("alice"):
        pass
