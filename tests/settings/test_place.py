"""A data tree that is copied, restored, renamed or mounted twice: which is which."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from settings import place, tree
from settings.errors import CopiedTreeError, DataFolderError
from settings.paths import DataPaths


@pytest.fixture
def made(tmp_path: Path) -> DataPaths:
    """A data tree that was begun with."""
    paths = DataPaths(tmp_path / "data")
    paths.root.mkdir()
    assert not place.check(paths), "there is no id yet"
    tree.ensure(paths.tree)
    assert not place.check(paths), "it is new"
    place.mark(paths)
    return paths


def test_the_same_tree_is_known_again(made: DataPaths) -> None:
    before = made.place.stat()
    assert not place.check(made)
    place.mark(made)
    after = made.place.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert after.st_mode & 0o777 == 0o600


def test_one_that_is_restored_in_its_place_is_a_copy_once(made: DataPaths) -> None:
    kept = made.root.with_name("kept")
    shutil.copytree(made.root, made.root.with_name("backup"))
    made.root.rename(kept)
    shutil.copytree(made.root.with_name("backup"), made.root)
    assert place.check(made)
    assert place.check(made), "nothing was written"
    place.mark(made)
    assert not place.check(made)


def test_a_copy_beside_the_original_is_refused(made: DataPaths) -> None:
    copy = DataPaths(made.root.with_name("copy"))
    shutil.copytree(made.root, copy.root)
    with pytest.raises(CopiedTreeError) as caught:
        place.check(copy)
    assert str(caught.value).startswith(
        f"{copy.root} is a copy of the data tree {made.root}, which"
    )
    assert not place.check(made), "the original goes on"
    made.root.rename(made.root.with_name("away"))
    assert place.check(copy), "it takes its place, and its graces begin anew"
    place.mark(copy)
    assert not place.check(copy)


def test_a_copy_with_an_id_of_its_own_is_another_tree(made: DataPaths) -> None:
    copy = DataPaths(made.root.with_name("copy"))
    shutil.copytree(made.root, copy.root)
    copy.tree.write_text("0123456789abcdef\n")
    assert place.check(copy), "what it remembers is still that of the other"


def test_one_that_is_renamed_or_mounted_twice_is_the_same(made: DataPaths) -> None:
    link = made.root.with_name("link")
    link.symlink_to(made.root)
    assert not place.check(DataPaths(link))
    moved = DataPaths(made.root.rename(made.root.with_name("moved")))
    assert not place.check(moved)
    place.mark(moved)
    assert not place.check(moved)
    made.root.mkdir()
    told = mounted(moved.root, made.root, f"place.check(DataPaths(Path({str(made.root)!r})))")
    assert told == "False"
    assert mounted(moved.root, made.root, f"Path({str(moved.root)!r}).exists()") == "True"


def mounted(root: Path, there: Path, ask: str) -> str:
    """Ask where a folder is mounted at a second place too."""
    python = (
        "from pathlib import Path; from settings import place; from settings.paths import DataPaths"
    )
    command = 'mount --bind "$0" "$1" && exec "$2" -c "$3"'
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = [str(root), str(there), sys.executable, f"{python}; print({ask})"]
    own = ["unshare", *user, "--mount", "--propagation=private", "sh", "-c", command, *words]
    return subprocess.run(own, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def test_a_copy_by_hard_links_is_refused_beside_the_original(made: DataPaths) -> None:
    """As `cp -al` and `rsync --link-dest` make it: its files are those of the original."""
    copy = DataPaths(made.root.with_name("copy"))
    shutil.copytree(made.root, copy.root, copy_function=os.link)
    assert copy.tree.samefile(made.tree)
    with pytest.raises(CopiedTreeError):
        place.check(copy)
    assert place.check(made), "a link changes the file: its graces begin anew, once"
    place.mark(made)
    assert not place.check(made)
    with pytest.raises(CopiedTreeError):
        place.check(copy)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"version": 2, "inode": 1, "path": "/"}']
)
def test_a_mark_that_says_nothing_is_that_of_a_copy(made: DataPaths, content: str) -> None:
    made.place.write_text(content)
    assert place.check(made)


def test_what_is_in_the_old_place_by_now_is_not_always_a_tree(made: DataPaths) -> None:
    moved = DataPaths(made.root.rename(made.root.with_name("moved")))
    made.root.mkdir()
    assert not place.check(moved)
    made.tree.write_text("no id")
    assert not place.check(moved)
    made.tree.write_text("0123456789abcdef\n")
    assert not place.check(moved)


def test_a_disk_that_takes_nothing_is_told(made: DataPaths) -> None:
    moved = DataPaths(made.root.rename(made.root.with_name("moved")))
    moved.place.unlink()
    moved.place.mkdir()
    with pytest.raises(DataFolderError, match=r"tree\.place can't be written: Is a directory"):
        place.mark(moved)
    assert {each.name for each in moved.root.iterdir()} == {"tree", "tree.place"}


def marked(paths: DataPaths, **changes: object) -> DataPaths:
    """The tree with another mark."""
    told = json.loads(paths.place.read_text())
    paths.place.write_text(json.dumps({**told, **changes}))
    return paths


def test_a_copy_at_the_same_path_is_known_though_its_inode_is_the_same(made: DataPaths) -> None:
    """As in two containers, each with a new file system of its own: numbers begin at the same one."""
    assert place.check(marked(made, changed=1))
    place.mark(made)
    assert not place.check(made)


@pytest.mark.parametrize(
    ("written", "here", "is_copy"),
    [
        ("one", "two", True),  # the disk was copied
        ("one", "one", False),
        ("", "two", False),  # a container moved: it has no id, or had none
        ("one", "", False),
    ],
)
def test_another_machine_with_the_same_disk(
    made: DataPaths, written: str, here: str, is_copy: bool
) -> None:
    now = place._here(made)
    there = replace(now, machine=written)
    assert there.is_of(replace(now, machine=here)) is not is_copy


def test_a_mark_from_before_makes_no_copy_and_is_written_anew(made: DataPaths) -> None:
    told = json.loads(made.place.read_text())
    old = {"version": 1, "inode": told["inode"], "path": told["path"]}
    made.place.write_text(json.dumps(old))
    assert not place.check(made)
    place.mark(made)
    assert json.loads(made.place.read_text()) == told
    made.place.write_text(json.dumps({**old, "inode": told["inode"] + 1}))
    assert place.check(made)
