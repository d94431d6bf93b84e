"""Reading the folder: nothing thin is taken for "gone", nothing half-written is taken at all."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.folder_events import Fingerprint
from stacks.folder_scan import Vanished, settle_delay
from stacks.source import FolderSource

GOOD = "owner: alice\nimage: codehub/light\n"


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    """Put a file in place as an editor does: written beside, then renamed."""
    draft = folder / f".{name}.draft"
    draft.write_text(text)
    return draft.rename(folder / name)


async def test_specs_and_problems_by_id(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    write(tmp_path, "bob.yaml", "owner: bob\n")
    write(tmp_path, "_other.yaml", "nothing: here\n")
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


CLASS = 'id: class-{name}\neach: [{name: a}, {name: b}]\nworkspace: {owner: "{name}"}\n'


def write_all(folder: Path) -> None:
    (folder / "_generators").mkdir()
    write(folder, "_defaults.yaml", "image: codehub/light\n")
    write(folder / "_generators", "class.yaml", CLASS)
    write(folder, "alice.yaml")


async def test_what_files_say_together_is_read_and_read_again(tmp_path: Path) -> None:
    write_all(tmp_path)
    source = FolderSource(tmp_path)
    read = await source.read()
    assert set(read.specs) == {"alice", "class-a", "class-b"}
    assert (read.complete, read.error) == (True, "")
    assert read.origins["class-b"].generated
    assert read.origins["class-b"].file == f"{tmp_path.name}/_generators/class.yaml"
    assert await source.read() is read
    write(tmp_path / "_generators", "class.yaml", CLASS.replace("{name: b}", "{name: c}"))
    assert set((await source.read()).specs) == {"alice", "class-a", "class-c"}
    write(tmp_path, "_defaults.yaml", "image: other\n")
    assert (await source.read()).specs["class-a"].image == "other"


async def test_wrong_ones_let_nothing_be_removed(tmp_path: Path) -> None:
    write_all(tmp_path)
    source = FolderSource(tmp_path)
    write(tmp_path / "_generators", "class.yaml", "id: [")
    read = await source.read()
    assert (set(read.specs), read.complete, read.blind) == ({"alice"}, False, True)
    assert read.error == read.doubt
    assert "class.yaml can't be read whole" in read.error
    write(tmp_path / "_generators", "class.yaml", CLASS)
    write(tmp_path, "_defaults.yaml", "owner: x\n")
    read = await source.read()
    assert (read.specs, read.complete) == ({}, False)
    assert set(read.invalid) == {"alice", "class-a", "class-b"}
    assert "_defaults.yaml can't be read whole" in read.error


async def test_a_folder_of_generators_that_can_not_be_looked_into_is_told(tmp_path: Path) -> None:
    write(tmp_path, "alice.yaml")
    write(tmp_path, "_generators", "x")
    read = await FolderSource(tmp_path).read()
    assert read.error == f"{tmp_path.name}/_generators can't be read whole: must be a folder"


@pytest.mark.parametrize(
    ("name", "pending"),
    [
        ("_defaults.yaml", {"alice", "class-a", "class-b"}),
        ("_generators/class.yaml", {"class-a", "class-b"}),
    ],
)
async def test_while_one_is_being_written_its_workspaces_are_pending(
    tmp_path: Path, name: str, pending: set[str]
) -> None:
    write_all(tmp_path)
    source = FolderSource(tmp_path, settle=0.05)
    async with asyncio.TaskGroup() as group:
        scribbling = group.create_task(_scribble(tmp_path / name))
        (tmp_path / name).touch()
        read = await source.read()
        scribbling.cancel()
    assert read.pending == pending
    assert set(read.specs) == {"alice", "class-a", "class-b"} - pending
    assert (read.complete, read.error) == (
        False,
        f"{tmp_path.name}/{name} is still being written",
    )


@pytest.mark.parametrize(
    ("name", "pending"),
    [
        ("_defaults.yaml", {"alice", "class-a", "class-b"}),
        ("_generators", set()),
        ("_generators/class.yaml", set()),
    ],
)
async def test_what_is_gone_for_a_moment_leaves_all_as_it_was(
    tmp_path: Path, name: str, pending: set[str]
) -> None:
    write_all(tmp_path)
    source = FolderSource(tmp_path, absence=3600)
    before = await source.read()
    away = (tmp_path / name).rename(tmp_path / ".away")
    for _ in range(2):
        read = await source.read()
        assert read.pending >= pending
        assert (set(read.specs) & pending, read.complete, read.blind) == (set(), False, True)
        assert read.error.endswith(".yaml was there a moment ago")
        assert set(read.specs) | pending >= {"alice"}
    away.rename(tmp_path / name)
    assert await source.read() == before


@pytest.mark.parametrize("name", ["_defaults.yaml", "_generators"])
async def test_what_stays_away_is_gone(tmp_path: Path, name: str) -> None:
    write_all(tmp_path)
    source = FolderSource(tmp_path, absence=0.01)
    await source.read()
    (tmp_path / name).rename(tmp_path / ".away")
    async with asyncio.timeout(20):
        while not (read := await source.read()).complete:
            pass
    assert "class-a" not in read.specs
    assert await source.read() is read


async def test_a_rule_file_that_is_gone_for_a_moment_is_no_lack_of_rules(tmp_path: Path) -> None:
    write_all(tmp_path)
    write(tmp_path, "_owners.yaml", "people: {alice: {}}\n")
    source = FolderSource(tmp_path, absence=3600)
    assert not (await source.read()).rules.broken
    (tmp_path / "_owners.yaml").unlink()
    (problem,) = (await source.read()).rules.problems
    assert problem.message == "it was there a moment ago"


def test_a_name_has_vanished_for_as_long_as_is_said() -> None:
    vanished = Vanished(5.0)
    one, two = "_defaults.yaml", "_generators/a.yaml"
    looks: list[tuple[float, set[str], set[str]]] = [
        (0.0, {one, two, "alice.yaml", "_generators", "_defaults.yml"}, set()),
        (1.0, {two}, {one}),
        (2.0, set(), {one, two}),
        (5.9, set(), {one, two}),
        (6.0, set(), {two}),
        (6.5, {two}, set()),
        (6.6, set(), {two}),
        (11.5, set(), {two}),
        (11.6, set(), set()),
        (99.0, {one}, set()),
    ]
    for now, there, gone in looks:
        assert vanished.look(there, now=now) == gone


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
