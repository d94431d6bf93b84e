"""The kernel's events beside a database file."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state_index.signs import Signs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "index.db"


@pytest.fixture
def signs(file: Path) -> Iterator[Signs]:
    made = Signs(file)
    yield made
    made.close()


def test_what_another_process_writes_beside_the_file_is_a_sign(signs: Signs, file: Path) -> None:
    descriptor = signs.fileno()
    assert descriptor is not None
    assert not signs.read()
    write = "import sys; open(sys.argv[1], 'ab').write(b'x')"
    subprocess.run([sys.executable, "-c", write, f"{file}-wal"], check=True)
    assert select.select([descriptor], [], [], 10)[0]
    assert signs.read()
    assert not signs.read()


def test_files_of_other_names_are_none(signs: Signs, file: Path) -> None:
    (file.parent / "gateway.db-wal").write_bytes(b"x")
    assert not signs.read()
    file.write_bytes(b"x")
    assert signs.read()


def test_more_than_the_kernel_keeps_is_a_sign(signs: Signs, file: Path) -> None:
    """The event that says so names no file."""
    bound = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    others = [os.open(file.parent / name, os.O_WRONLY | os.O_CREAT) for name in ("a", "b")]
    for _ in range(bound // 2 + 1):  # equal neighbours count as one
        for other in others:
            os.write(other, b"x")
    for other in others:
        os.close(other)
    assert signs.read()


def test_none_come_from_a_folder_that_was_moved(signs: Signs, file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))
    assert not signs.read()
    assert signs.lost
    assert signs.fileno() is None
    assert not signs.read()


def test_none_come_from_a_folder_that_is_not_there(tmp_path: Path) -> None:
    signs = Signs(tmp_path / "nowhere" / "index.db")
    assert signs.lost
    assert signs.fileno() is None
    signs.close()
