"""Events of a folder: which files were renamed into place, and when the folder is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stacks.folder_events import Fingerprint, FolderEvents
from stacks.source import FolderSource
from tests.waiting import until

GOOD = "owner: alice\nimage: codehub/light\n"


class Followed(FolderEvents):
    """Counts the bursts and keeps how it ended."""

    bursts_seen = 0

    async def follow(self, at_least_every: float = 60) -> None:
        async for _ in self.bursts(at_least_every=at_least_every):
            self.bursts_seen += 1


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[Followed]:
    events = Followed(folder)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(events.follow())
        await until(lambda: events.bursts_seen, "it is watched")
        yield events
        task.cancel()


def rename_into(folder: Path, name: str, text: str = GOOD) -> Path:
    draft = folder / f".{name}"
    draft.write_text(text)
    return draft.rename(folder / name)


def renamed(events: FolderEvents, path: Path) -> bool:
    return events.was_renamed(path.name, Fingerprint.of(path.lstat()))


async def test_a_rename_is_known_whatever_the_clock_says(tmp_path: Path) -> None:
    async with following(tmp_path) as events:
        for number in range(20):
            path = rename_into(tmp_path, f"w{number}.yaml")
            await until(lambda path=path: renamed(events, path), "the rename")  # type: ignore[misc]


async def test_what_was_moved_in_from_elsewhere_counts_too(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with following(folder) as events:
        path = rename_into(tmp_path, "alice.yaml").rename(folder / "alice.yaml")
        await until(lambda: renamed(events, path), "the rename")


async def test_a_write_after_the_rename_takes_it_back(tmp_path: Path) -> None:
    async with following(tmp_path) as events:
        path = rename_into(tmp_path, "alice.yaml")
        await until(lambda: renamed(events, path), "the rename")
        before = Fingerprint.of(path.lstat())
        with path.open("a") as file:
            file.write("# more\n")
        assert not renamed(events, path), "another state, before any event"
        await until(lambda: not events.was_renamed(path.name, before), "the event of the write")


async def test_a_file_written_in_place_was_not_renamed(tmp_path: Path) -> None:
    async with following(tmp_path) as events:
        path = tmp_path / "alice.yaml"
        path.write_text(GOOD)
        other = rename_into(tmp_path, "bob.yaml")
        await until(lambda: renamed(events, other), "a later rename")
        assert not renamed(events, path)


async def test_a_file_that_went_away_is_forgotten(tmp_path: Path) -> None:
    async with following(tmp_path) as events:
        path = rename_into(tmp_path, "alice.yaml")
        await until(lambda: renamed(events, path), "the rename")
        before = Fingerprint.of(path.lstat())
        path.unlink()
        await until(lambda: not events.was_renamed(path.name, before), "the event")


@pytest.mark.parametrize("way", ["removed", "moved"])
async def test_it_ends_with_the_folder(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    bursts = aiter(FolderEvents(folder).bursts(at_least_every=3600))
    await anext(bursts)
    if way == "removed":
        folder.rmdir()
    else:
        folder.rename(tmp_path / "elsewhere")
    async with asyncio.timeout(30):
        assert len([burst async for burst in bursts]) <= 1


async def test_folders_within_are_followed_from_when_they_are_there(tmp_path: Path) -> None:
    """With a settle time that would end the test: only events can tell."""
    source = FolderSource(tmp_path, settle=3600, poll_interval=3600)
    inner, later = tmp_path / "_generators", tmp_path / "later"
    text = "id: a-{n}\neach: [{n: x}]\nworkspace: {owner: alice, image: a}\n"
    changes = aiter(source.changes())
    async with asyncio.timeout(30):
        await anext(changes)
        rename_into(tmp_path, "alice.yaml")
        await anext(changes)
        for round_ in range(3):
            later.mkdir()
            later.rename(inner)
            while inner not in _followed(source):
                await anext(changes)
            rename_into(inner, "class.yaml", text.replace("{n: x}", f"{{n: x{round_}}}"))
            await anext(changes)
            while set((await source.read()).specs) != {"alice", f"a-x{round_}"}:
                await anext(changes)
            (inner / "class.yaml").unlink()
            inner.rmdir()
            while inner in _followed(source):
                await anext(changes)
            assert set((await source.read()).specs) == {"alice"}


def _followed(source: FolderSource) -> list[Path]:
    return [source._folder / prefix for prefix in source._events._prefixes.values()]


async def test_no_folder_no_bursts(tmp_path: Path) -> None:
    assert [burst async for burst in FolderEvents(tmp_path / "no").bursts(at_least_every=60)] == []


async def test_a_quiet_folder_is_told_now_and_then(tmp_path: Path) -> None:
    bursts = aiter(FolderEvents(tmp_path).bursts(at_least_every=0.01))
    async with asyncio.timeout(30):
        await anext(bursts)
        await anext(bursts)


async def test_the_source_takes_a_renamed_file_at_once(tmp_path: Path) -> None:
    """With a settle time that would end the test: only the event can tell."""
    source = FolderSource(tmp_path, settle=3600, poll_interval=3600)
    changes = aiter(source.changes())
    async with asyncio.timeout(30):
        await anext(changes)
        for number in range(20):
            rename_into(tmp_path, f"w{number}.yaml")
            await anext(changes)
            assert len((await source.read()).specs) == number + 1
