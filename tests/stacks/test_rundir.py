"""The run folder: made with the right owner and mode, and nothing in it is trusted."""

import os
import socket
from pathlib import Path

import pytest

from stacks import rundir
from stacks.errors import RunFolderError


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
