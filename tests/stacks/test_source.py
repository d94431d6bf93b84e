"""Reading the folder: nothing thin is taken for "gone", nothing half-written is taken at all."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.folder_events import Fingerprint
from stacks.source import FolderSource, settle_delay

GOOD = "owner: alice\nimage: codehub/light\n"


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    """Put a file in place as an editor does: written beside, then renamed."""
    draft = folder / f".{name}.draft"
    draft.write_text(text)
    return draft.rename(folder / name)


async def test_specs_and_problems_by_id(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    write(tmp_path, "bob.yaml", "owner: bob\n")
    write(tmp_path, "_defaults.yaml", "nothing: here\n")
    read = await FolderSource(tmp_path).read()
    assert set(read.specs) == {"alice"}
    assert read.specs["alice"].owner == "alice"
    assert [problem.key for problem in read.invalid["bob"]] == ["image"]
    assert (read.complete, read.error, read.pending) == (True, "", frozenset())
    assert read.ids == {"alice", "bob"}


async def test_an_unchanged_folder_is_not_parsed_again(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    source = FolderSource(tmp_path)
    read = await source.read()
    assert await source.read() is read
    write(tmp_path, "alice.yaml", GOOD + "env: {A: b}\n")
    assert (await source.read()).specs["alice"].env == {"A": "b"}


async def test_a_missing_folder_is_not_an_empty_one(tmp_path: Path) -> None:
    read = await FolderSource(tmp_path / "none").read()
    assert (read.complete, read.ids) == (False, frozenset())
    assert read.error == f"{tmp_path / 'none'}: no such file or directory"


async def test_an_unreadable_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    read = await FolderSource(tmp_path / "file").read()
    assert not read.complete
    assert read.error


async def test_an_empty_folder_is_not_complete(tmp_path: Path) -> None:
    read = await FolderSource(tmp_path).read()
    assert (read.complete, read.error) == (False, "the folder holds no workspace file")


async def test_what_only_looks_like_files_is_no_ground_to_delete(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "docs").mkdir()
    write(tmp_path, "bob.yaml", "owner: [")
    source = FolderSource(tmp_path)
    read = await source.read()
    assert (read.complete, read.error) == (False, "the folder holds no valid workspace file")
    write(tmp_path, "alice.yaml")
    assert (await source.read()).complete


async def test_a_file_written_in_place_counts_once_it_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "alice.yaml").write_text(GOOD)
    begin = time.monotonic()
    read = await FolderSource(tmp_path, settle=0.2).read()
    assert set(read.specs) == {"alice"}
    assert time.monotonic() - begin >= 0.15


async def test_a_renamed_file_counts_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "alice.yaml")
    found = path.stat()
    # A kernel with coarse clocks cannot tell; there the file waits like any other.
    os.utime(path, ns=(found.st_atime_ns, found.st_ctime_ns - 1_000_000))
    begin = time.monotonic()
    read = await FolderSource(tmp_path, settle=5).read()
    assert set(read.specs) == {"alice"}
    assert time.monotonic() - begin < 4


async def test_a_file_that_never_rests_is_pending(tmp_path: Path) -> None:
    write(tmp_path, "bob.yaml")
    path = tmp_path / "alice.yaml"
    source = FolderSource(tmp_path, settle=0.05)
    async with asyncio.TaskGroup() as group:
        scribbling = group.create_task(_scribble(path))
        path.touch()
        read = await source.read()
        scribbling.cancel()
    assert read.pending == {"alice"}
    assert set(read.specs) == {"bob"}
    assert read.complete
    assert "alice" in read.ids


async def _scribble(path: Path) -> None:
    while True:
        with path.open("a") as file:
            file.write("# half of a file\n")
        await asyncio.sleep(0.002)


async def test_changes_are_told_as_they_happen(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, poll_interval=60)
    async with asyncio.timeout(20):
        watching = aiter(source.changes())
        async with asyncio.TaskGroup() as group:
            first = group.create_task(_next(watching))
            while not first.done():
                write(tmp_path, "alice.yaml")
                await asyncio.sleep(0.05)


async def _next(watching: object) -> None:
    await anext(watching)  # type: ignore[call-overload]


async def test_a_missing_folder_is_polled_for_and_then_watched(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    source = FolderSource(folder, poll_interval=0.05)
    async with asyncio.timeout(20):
        watching = aiter(source.changes())
        await anext(watching)
        folder.mkdir()
        await anext(watching)
        write(folder, "alice.yaml")
        while not (await source.read()).specs:
            await anext(watching)
        (folder / "alice.yaml").unlink()
        folder.rmdir()
        while not (await source.read()).error.count("no such file"):
            await anext(watching)


PRINT = st.builds(
    Fingerprint,
    inode=st.just(1),
    size=st.just(1),
    mtime_ns=st.integers(0, 10**10),
    ctime_ns=st.integers(0, 10**10),
)


@given(print_=PRINT, now_ns=st.integers(0, 10**10), seen_for=st.floats(0, 10))
def test_the_delay_is_never_more_than_the_settle_time(
    print_: Fingerprint, now_ns: int, seen_for: float
) -> None:
    delay = settle_delay(print_, now_ns=now_ns, seen_for=seen_for, settle=0.3)
    assert 0 <= delay <= 0.3
    assert delay == 0 or seen_for < 0.3


@pytest.mark.parametrize(
    ("mtime", "ctime", "now", "seen_for", "delay"),
    [
        (100, 100, 100, 0.0, 0.3),
        (100, 101, 101, 0.0, 0.0),  # renamed
        (100, 100, 300_000_100, 0.0, 0.0),  # old
        (900, 900, 100, 0.1, 0.2),  # a clock that was set back
        (900, 900, 100, 0.3, 0.0),
    ],
)
def test_when_a_file_counts(
    mtime: int, ctime: int, now: int, seen_for: float, delay: float
) -> None:
    print_ = Fingerprint(1, 1, mtime, ctime)
    found = settle_delay(print_, now_ns=now, seen_for=seen_for, settle=0.3)
    assert found == pytest.approx(delay)
