"""The data tree's id: made once, whole, for its owner alone; never guessed when it is broken."""

import stat
import threading
from pathlib import Path

import pytest

from settings.errors import DataFolderError
from settings.tree import TreeIds, ensure, read

OWN, LOST = "0123456789abcdef", "fedcba9876543210"


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "tree"
    assert read(path) is None
    made = ensure(path)
    assert ensure(path) == read(path) == made
    assert (len(made.own), made.also) == (16, frozenset())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert ensure(tmp_path / "other") != made


def test_of_those_that_begin_at_once_all_take_one_id(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    found: list[TreeIds] = []

    def begin() -> None:
        barrier.wait()
        found.append(ensure(tmp_path / "tree"))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_further_lines_are_trees_that_it_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "tree"
    path.write_text(f"{OWN}\n\n{LOST}\nnone\n")
    ids = ensure(path)
    assert ids == TreeIds(OWN, frozenset({LOST, ""}))
    assert [ids.name(label) for label in (OWN, LOST, "", "another")] == [True, True, True, False]
    assert not TreeIds(OWN).name("")


def test_a_lost_file_is_made_again_with_the_ids_that_the_tree_had(tmp_path: Path) -> None:
    path, had = tmp_path / "tree", TreeIds(OWN, frozenset({LOST, ""}))
    assert ensure(path, former=lambda: had) == had
    assert path.read_text() == f"{OWN}\nnone\n{LOST}\n"
    assert ensure(path, former=lambda: TreeIds(LOST)) == had, "it is asked for only when lost"
    assert ensure(tmp_path / "other", former=lambda: None).own not in {OWN, LOST}


@pytest.mark.parametrize(
    "text", ["", "\n", "none\n", "ABCDEF0123456789\n", f"{OWN}\nmine\n", "\xff"]
)
def test_a_broken_file_is_told_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tree"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataFolderError, match=str(path)):
        ensure(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_folder_that_cannot_hold_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="can't be kept"):
        ensure(tmp_path / "nowhere" / "tree")
    (tmp_path / "tree").mkdir()
    with pytest.raises(DataFolderError, match="can't be read"):
        ensure(tmp_path / "tree")
