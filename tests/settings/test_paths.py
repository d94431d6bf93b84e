"""The data tree and the cache."""

import os
import stat
from pathlib import Path

import pytest

from settings.errors import DataFolderError
from settings.model import Settings
from settings.paths import DataPaths, ToolPaths, cache_root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_tree_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path / "deep" / "data")
    old = os.umask(0)
    try:
        paths.make()
    finally:
        os.umask(old)
    assert {path.name: oct(mode(path)) for path in paths.root.iterdir()} == {
        "state": "0o700",
        "work": "0o700",
        "run": "0o750",
        "nudge": "0o700",
        "logs": "0o700",
    }
    assert mode(paths.root) == 0o700
    paths.make()


def test_everything_lies_in_the_tree(tmp_path: Path) -> None:
    paths = Settings(data=tmp_path).paths
    assert paths == DataPaths(tmp_path)
    files = (paths.index_db, paths.store_db, paths.runner_sock, paths.runner_lock)
    assert [path.relative_to(tmp_path).name for path in files] == [
        "index.db",
        "gateway.db",
        "runner.sock",
        "runner.lock",
    ]


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, bits: int) -> None:
    root = tmp_path / "data"
    root.mkdir()
    root.chmod(bits)
    with pytest.raises(DataFolderError, match=rf"others may write .*: chmod go-w {root}"):
        DataPaths(root).make()


@pytest.mark.parametrize("holds", ["", "index.db", "gateway.db", "tree"])
@pytest.mark.parametrize("bits", [0o755, 0o750, 0o711])
def test_a_folder_of_ours_that_others_may_read_is_closed(
    tmp_path: Path, bits: int, holds: str
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    if holds:
        (root / holds).touch()
    root.chmod(bits)
    DataPaths(root).make()
    assert mode(root) == 0o700


def test_a_folder_with_other_things_that_others_may_read_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "thesis.txt").touch()
    root.chmod(0o755)
    with pytest.raises(DataFolderError, match=rf"others may read .*, or chmod 700 {root}"):
        DataPaths(root).make()
    assert (mode(root), [path.name for path in root.iterdir()]) == (0o755, ["thesis.txt"])
    root.chmod(0o700)
    DataPaths(root).make()


def test_someone_else_s_folder_is_refused(tmp_path: Path) -> None:
    root, other = Path("/usr"), 0
    if os.geteuid() == 0:
        root, other = tmp_path, 4242
        os.chown(root, other, -1)
    with pytest.raises(DataFolderError, match=f"{root} belongs to user {other}, not to"):
        DataPaths(root).make()
    assert not (root / "state").exists()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match="file/data can't be made: Not a directory"):
        DataPaths(tmp_path / "file" / "data").make()


@pytest.mark.parametrize(
    ("env", "root"),
    [
        ({"CODEHUB_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/codehub"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/codehub"),
        ({}, str(Path.home() / ".cache" / "codehub")),
    ],
)
def test_the_cache_is_where_the_environment_says(env: dict[str, str], root: str) -> None:
    assert cache_root(env) == Path(root)
    assert ToolPaths(cache_root(env)).pulumi == Path(root, "bin", "pulumi")
    assert ToolPaths(cache_root(env)).pulumi_home == Path(root, "pulumi-home")
