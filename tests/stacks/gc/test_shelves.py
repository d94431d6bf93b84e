"""What is kept of the past in files: bounded, and never the present."""

import os
from pathlib import Path

import pytest

from settings.paths import DataPaths
from stacks.engine.checkpoint import StateFiles
from stacks.gc.shelves import UNREADABLE_KEPT, File, Shelves, too_old_or_many

NOW = 2_000_000_000.0
DAY = 86400.0


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    data = DataPaths(tmp_path / "data")
    data.make()
    return Shelves(
        data=data,
        pulumi_home=tmp_path / "home",
        kept=2,
        log_bytes=1000,
        log_age=DAY,
        clock=lambda: NOW,
    )


def put(path: Path, *, size: int = 1, age: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - age, NOW - age))
    return path


def history(shelves: Shelves, stack: str, count: int) -> StateFiles:
    files = StateFiles(shelves.data.state, stack)
    for number in range(count):
        name = f"{stack}-{1_795_269_986_000_000_000 + number}"
        for kind in ("history", "checkpoint"):
            put(files.history / f"{name}.{kind}.json")
            put(files.history / f"{name}.{kind}.json.attrs")
        put(files.backups / f"{stack}.{1_795_269_986_000_000_000 + number}.json")
    put(files.checkpoint)
    put(files.backup)
    return files


def names(files: tuple[File, ...]) -> list[str]:
    return [file.path.name for file in files]


def test_nothing_is_beyond_where_there_is_nothing(shelves: Shelves) -> None:
    assert shelves.beyond() == ()


def test_the_newest_entries_of_each_stack_stay(shelves: Shelves) -> None:
    """In every order in which a pass may be cut off, what goes is oldest first."""
    history(shelves, "alice", 4)
    history(shelves, "alice-2", 2)
    gone = names(shelves.beyond())
    assert len(gone) == 2 * 4 + 2
    assert all("98600000000" in name and name.startswith("alice") for name in gone)
    stamps = [name.split("17952699860000")[1][:5] for name in gone]
    assert stamps == ["00000"] * 4 + ["00001"] * 4 + ["00000", "00001"]


def test_the_state_and_its_copy_are_on_no_shelf(shelves: Shelves) -> None:
    files = history(shelves, "alice", 9)
    none = Shelves(**{**vars(shelves), "kept": 0})
    for file in none.beyond():
        file.path.unlink()
    assert files.checkpoint.exists()
    assert files.backup.exists()
    assert list(files.history.iterdir()) == list(files.backups.iterdir()) == []


def test_somebody_elses_files_stay(shelves: Shelves) -> None:
    files = history(shelves, "alice", 4)
    foreign = [put(files.history / "notes.txt"), put(files.backups / "mine.json")]
    foreign += [put(shelves.pulumi_home / "logs" / "own.log", age=9 * DAY)]
    foreign += [put(shelves.pulumi_home / "logs" / "organization+plain+a.log", age=9 * DAY)]
    assert not {file.path for file in shelves.beyond()} & set(foreign)


def test_of_unreadable_states_the_newest_stay(shelves: Shelves) -> None:
    files = StateFiles(shelves.data.state, "alice")
    for number in range(UNREADABLE_KEPT + 2):
        put(files.checkpoint.with_name(f"alice.json.corrupt-{100 + number}"))
    put(files.checkpoint.with_name("bob.json.corrupt-1"))
    assert names(shelves.beyond()) == ["alice.json.corrupt-100", "alice.json.corrupt-101"]


def test_logs_of_other_trees_stay(shelves: Shelves) -> None:
    """Pulumi's folder is everybody's on this machine, and only names of stacks tell whose a log is."""
    history(shelves, "alice-2", 1)
    StateFiles(shelves.data.state, "bob").history.mkdir(parents=True)
    logs = shelves.pulumi_home / "logs"
    names_ = ("alice-2", "bob", "alice", "alice-2-b", "shared")
    for name in names_:
        put(logs / f"organization+codehub+{name}-20261122T041752.log", age=9 * DAY)
    gone = {file.path.name.split("+")[2].rpartition("-")[0] for file in shelves.beyond()}
    assert gone == {"alice-2", "bob"}, "the second one was removed here"


def test_logs_are_bounded_by_age_and_bytes(shelves: Shelves) -> None:
    history(shelves, "a", 1)
    for number, age in enumerate((0.1, 0.2, 0.3, 0.4, 2.0)):
        path = shelves.pulumi_home / "logs" / f"organization+codehub+a-{number}.log"
        put(path, size=400, age=age * DAY)
    stamps = [name[-5] for name in names(shelves.beyond())]
    assert stamps == ["4", "3", "2"], "the oldest first; 0 and 1 are 800 bytes"


def test_a_clock_that_was_put_back_makes_nothing_old() -> None:
    young = File(path=Path("a"), size=1, changed=NOW + DAY)
    assert list(too_old_or_many([young], now=NOW, age=1.0, most=10)) == []


def test_a_file_that_went_meanwhile_is_no_error(shelves: Shelves) -> None:
    folder = shelves.pulumi_home / "logs"
    history(shelves, "a", 1)
    put(folder / "organization+codehub+a-1.log", age=9 * DAY)
    (file,) = shelves.beyond()
    file.path.unlink()
    assert shelves.beyond() == ()
