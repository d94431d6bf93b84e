"""The run folder: made with the right owner and mode, and nothing in it is trusted."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from stacks import rundir
from stacks.errors import RunFolderError

SOMEBODY = 990


def test_the_folder_belongs_to_the_tenant_and_is_corrected(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        folder = rundir.prepare(tmp_path / "run", "alice")
    finally:
        os.umask(old)
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o7777) == (1000, 0o770)
    folder.chmod(0o700)
    (folder / "kept").touch()
    assert rundir.prepare(tmp_path / "run", "alice") == folder
    assert folder.stat().st_mode & 0o7777 == 0o770
    assert (folder / "kept").exists()


def test_something_else_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "alice").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError) as caught:
        rundir.prepare(tmp_path, "alice")
    assert caught.value.step == "run folder"
    assert (tmp_path / "elsewhere").stat().st_uid != 1000


def test_a_socket_is_opened_by_descriptor(tmp_path: Path) -> None:
    folder = tmp_path / "alice"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(folder / rundir.SOCKET_NAME))
        server.listen()
        fd = rundir.open_socket(tmp_path, "alice")
        client.connect(f"/proc/self/fd/{fd}")
        os.close(fd)


def _file(path: Path) -> None:
    path.write_text("")


def _link(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path.parent / "other.sock"))
    path.symlink_to("other.sock")


@pytest.mark.parametrize("plant", [_file, _link, os.mkfifo, os.mkdir])
def test_anything_but_a_socket_is_refused(tmp_path: Path, plant: object) -> None:
    folder = tmp_path / "alice"
    folder.mkdir()
    assert callable(plant)
    plant(folder / rundir.SOCKET_NAME)
    with pytest.raises(OSError):
        rundir.open_socket(tmp_path, "alice")


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bob").mkdir()
    (tmp_path / "alice").symlink_to("bob")
    with pytest.raises(OSError):
        rundir.open_socket(tmp_path, "alice")


@contextmanager
def somebody(*groups: int) -> Iterator[Path]:
    """Be a user without rights, with a folder, and root again."""
    folder = Path(mkdtemp(prefix="codehub-test-"))  # pytest's own are closed to others
    os.chown(folder, SOMEBODY, SOMEBODY)
    before = os.getgroups()
    try:
        os.setgroups(groups)
        os.setegid(SOMEBODY)
        os.seteuid(SOMEBODY)
        yield folder
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
        shutil.rmtree(folder)


def test_who_may_not_give_it_away_shares_it_by_the_tenants_group() -> None:
    with somebody(rundir.TENANT_GID) as place:
        for _ in range(2):
            found = rundir.prepare(place / "run", "alice").stat()
            assert (found.st_uid, found.st_gid) == (SOMEBODY, rundir.TENANT_GID)
            assert found.st_mode & 0o7777 == 0o770


def test_one_that_root_made_is_left_as_it_is() -> None:
    with somebody(rundir.TENANT_GID) as place:
        os.seteuid(0)
        made = rundir.prepare(place / "run", "alice").stat()
        os.chown(place / "run", SOMEBODY, SOMEBODY)
        os.seteuid(SOMEBODY)
        assert rundir.prepare(place / "run", "alice").stat() == made


def test_who_is_not_in_the_tenants_group_is_told() -> None:
    with somebody() as place, pytest.raises(RunFolderError, match="not permitted"):
        rundir.prepare(place / "run", "alice")
