"""Routes in memory: what counts, for how long, and how they follow a real index."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from gateway.routing import Route, Routes, follow
from state_index.errors import IndexReplacedError, IndexUnavailableError
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase
from state_index.watch import INTERVAL, Watcher
from tests.waiting import until


def route(workspace: str = "demo", owner: str = "alice", upstream: str = "unix:demo/s") -> Route:
    return Route(id=workspace, owner=owner, phase=Phase.RUNNING, upstream=upstream)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_known_at_first() -> None:
    routes = Routes()
    assert routes.current() is None
    routes.confirm()
    assert routes.current() is None


def test_knowledge_gets_old() -> None:
    clock = Clock()
    routes = Routes(stale_after=5, now=clock)
    routes.replace([route()], generation=1)
    clock.now += 5
    assert routes.current() == {"demo": route()}
    clock.now += 0.1
    assert routes.current() is None
    routes.confirm()
    assert routes.current() == {"demo": route()}


@pytest.mark.parametrize(
    ("after", "ended"),
    [
        ([route()], False),
        ([Route(id="demo", owner="alice", phase=Phase.WARM, upstream="unix:demo/s")], False),
        ([route(owner="bob")], True),
        ([route(upstream="unix:demo/t")], True),
        ([route(workspace="other")], True),
        ([], True),
    ],
)
def test_which_ways_end(after: list[Route], *, ended: bool) -> None:
    routes = Routes()
    assert routes.replace([route()], generation=1) == []
    assert routes.replace(after, generation=2) == ([route()] if ended else [])


async def test_what_is_told_is_awaited_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    routes = Routes(stale_after=5, now=clock)
    monkeypatch.setattr("gateway.routing.BEHIND", 3600)
    await routes.reach(1)  # nothing is known: every request is refused
    routes.replace([route()], generation=1)
    await routes.reach(1)
    reached = asyncio.ensure_future(routes.reach(3))
    for generation in (2, 3):
        await asyncio.sleep(0)
        assert not reached.done()
        routes.replace([route()], generation=generation)
    await reached
    clock.now += 5.1
    await routes.reach(4)  # what is known is outdated
    routes.confirm()
    routes.forget_generation()
    reached = asyncio.ensure_future(routes.reach(2))
    await asyncio.sleep(0)
    assert not reached.done()  # what is known is of another index
    routes.replace([route()], generation=2)
    await reached
    monkeypatch.setattr("gateway.routing.BEHIND", 0.01)
    await routes.reach(4)


class Followed:
    """A follower at work on a real index."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.index = Index.open(url)
        self.routes = Routes(stale_after=0.5)
        self.rows: list[Published] = []
        self.told = 0
        self.ended: list[Route] = []

    def on_rows(self, rows: Sequence[Published]) -> None:
        self.rows = list(rows)
        self.told += 1

    async def on_ended(self, routes: Sequence[Route]) -> None:
        self.ended += routes

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._run())
            try:
                yield
            finally:
                task.cancel()

    async def _run(self) -> None:
        while True:  # as the gateway does
            with suppress(IndexUnavailableError):
                async with Watcher(self.url) as watcher:
                    await follow(
                        self.routes,
                        self.index,
                        watcher,
                        on_rows=self.on_rows,
                        on_ended=self.on_ended,
                    )
            await asyncio.sleep(0.05)

    async def until(self, workspace: str, phase: Phase | None) -> float:
        """Wait until the routes say so; returns the seconds it took."""
        began = time.monotonic()
        while True:
            current = self.routes.current() or {}
            found = current.get(workspace)
            if (found and found.phase) == phase:
                return time.monotonic() - began
            assert time.monotonic() - began < 10
            await asyncio.sleep(0.002)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(f"sqlite:///{tmp_path}/index.db")


async def test_follows_the_index(followed: Followed) -> None:
    index = followed.index
    async with followed.following():
        index.publish("demo", cause="test", owner="alice", upstream="unix:demo/ide.sock")
        await followed.until("demo", Phase.PENDING)
        index.publish("demo", event=Event.PROVISION, cause="test")
        assert await followed.until("demo", Phase.PROVISIONING) < 0.5
        assert [row.id for row in followed.rows] == ["demo"]
        assert followed.ended == []
        index.publish("demo", cause="test", owner="bob")
        await until(lambda: followed.ended)
        assert followed.ended[0].owner == "alice"
        index.forget("demo", "test")
        await followed.until("demo", None)
        assert [old.owner for old in followed.ended] == ["alice", "bob"]
    index.close()


async def test_nothing_is_read_again_without_a_change(followed: Followed) -> None:
    followed.index.publish("demo", cause="test", owner="alice")
    async with followed.following():
        await followed.until("demo", Phase.PENDING)
        followed.index.beat()  # a commit that changes no workspace
        end = time.monotonic() + 0.7  # longer than what is known lasts without a confirmation
        while time.monotonic() < end:
            assert followed.routes.current() is not None
            await asyncio.sleep(0.01)
        assert followed.told == 1
    followed.index.close()


async def test_index_that_can_not_be_read_stops_everything(
    followed: Followed, tmp_path: Path
) -> None:
    """And when it comes back, all is well again."""
    followed.index.publish("demo", cause="test", owner="alice")
    async with followed.following():
        await followed.until("demo", Phase.PENDING)
        _rename(tmp_path / "index.db", "index_clock", "elsewhere")
        await until(lambda: followed.routes.current() is None)
        _rename(tmp_path / "index.db", "elsewhere", "index_clock")
        await followed.until("demo", Phase.PENDING)
    followed.index.close()


async def test_index_that_is_gone_stops_everything_until_there_is_a_new_one(
    followed: Followed, tmp_path: Path
) -> None:
    """Connections go on reading a removed file for ever: an old owner must not count."""
    followed.index.publish("demo", cause="test", owner="alice")
    async with followed.following():
        await followed.until("demo", Phase.PENDING)
        _remove(tmp_path)
        await until(lambda: followed.routes.current() is None)
        with Index.open(followed.url) as fresh:  # as a runner does that begins
            fresh.publish("demo", cause="test", owner="bob")  # at the generation of before
        await until(lambda: followed.routes.current() is not None)
        assert [row.owner for row in followed.rows] == ["bob"]
        assert [row.owner for row in followed.index.workspaces()] == ["bob"]
        assert [old.owner for old in followed.ended] == ["alice"]
    followed.index.close()


async def test_index_that_is_replaced_is_read_again_whoever_notices(
    followed: Followed, tmp_path: Path
) -> None:
    followed.index.publish("demo", cause="test", owner="alice")
    with Index.open(f"sqlite:///{tmp_path}/other.db") as other:
        other.publish("demo", cause="test", owner="bob")
    async with followed.following():
        await followed.until("demo", Phase.PENDING)
        _remove(tmp_path)
        (tmp_path / "other.db").rename(tmp_path / "index.db")
        with suppress(IndexReplacedError):  # a readiness probe may be told first
            followed.index.generation()
        await until(lambda: followed.ended)
        assert [row.owner for row in followed.rows] == ["bob"]
    followed.index.close()


class Looks(asyncio.Event):
    """The nudge that a watcher is given; it counts how often the watcher looks at the index."""

    count = 0

    def is_set(self) -> bool:
        self.count += 1
        return super().is_set()


@pytest.mark.parametrize("nudged", [False, True])
async def test_the_first_look_after_a_publish_switches_the_route(
    tmp_path: Path, nudged: bool
) -> None:
    """Looks are 50 ms apart at most, so this is the 100 ms of the design, whatever the machine."""
    assert 2 * INTERVAL <= 0.1
    url = f"sqlite:///{tmp_path}/index.db"
    routes = Routes()
    looks = Looks()
    taken: list[tuple[str, int]] = []

    def on_rows(rows: Sequence[Published]) -> None:
        for row in rows:
            assert (routes.current() or {})[row.id].upstream == row.upstream  # switched already
            taken.append((row.upstream, looks.count))

    async def on_ended(_: Sequence[Route]) -> None:
        return

    interval = 3600 if nudged else INTERVAL
    with Index.open(url) as index:
        async with (
            Watcher(url, interval=interval, nudge=looks) as watcher,
            asyncio.TaskGroup() as tasks,
        ):
            following = tasks.create_task(
                follow(routes, index, watcher, on_rows=on_rows, on_ended=on_ended)
            )
            for number in range(20):
                address = f"unix:demo/{number}"
                await until(lambda: routes.current() is not None)
                before = looks.count
                index.publish("demo", cause="test", owner="alice", upstream=address)
                if nudged:
                    looks.set()
                await until(lambda a=address: taken and taken[-1][0] == a)  # type: ignore[misc]
                assert taken[-1][1] - before <= 1
            following.cancel()
    assert [upstream for upstream, _ in taken] == [f"unix:demo/{number}" for number in range(20)]


def _remove(folder: Path) -> None:
    for file in folder.glob("index.db*"):
        file.unlink()


def _rename(database: Path, table: str, to: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {to}")
        connection.commit()
