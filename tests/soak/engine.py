"""A Docker engine to be killed and filled: own disk, namespaces, data root, socket and bridge.

Its processes live in pid, mount and network namespaces of their own, so that a second dockerd takes
no bridge from the machine's, and whatever it leaves behind ends with the first process of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from tests.hub import wait_for
from tools.engine import Engine

DISK = 768 << 20
"""Bytes of the disk: a few hundred are used."""

FIRST = """
import os, signal, time
while True:
    try:
        os.wait()
    except ChildProcessError:
        signal.sigtimedwait({signal.SIGCHLD}, 1)
"""
"""The namespace's first process: it buries whatever a killed engine leaves behind."""


@contextmanager
def disk(place: Path, *, size: int = DISK) -> Iterator[Path]:
    """Mount a small file system of its own."""
    image, folder = place / "disk.img", place / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        # Lazily: a process that is just ending may stand in it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        image.unlink()


class OwnEngine:
    """A dockerd of its own; a context manager, which starts it and ends all of it."""

    def __init__(self, place: Path, disk: Path) -> None:
        """Prepare.

        Args:
            place: A folder for sockets and logs, with a short path.
            disk: A folder for its data root.
        """
        self.place = place
        self.root = disk / "engine"
        self.socket = place / "docker.sock"
        self.address = f"unix://{self.socket}"
        self.log = place / "dockerd.log"
        self._exec = place / "exec"
        self._group = place.name
        self._room: subprocess.Popen[bytes] | None = None
        self._entered: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        flags = ["--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]
        self._room = subprocess.Popen(
            ["unshare", *flags, sys.executable, "-c", FIRST], start_new_session=True
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._room is not None
        if (pid := self.pid) and self._entered is not None:
            os.kill(pid, signal.SIGTERM)  # it ends its containers
            with suppress(subprocess.TimeoutExpired):
                self._entered.wait(20)
        self._room.kill()
        self._room.wait(20)
        if self._entered is not None:
            self._entered.wait(20)
        # The kernel takes a moment to bury what was killed with its namespace.
        wait_for(lambda: not _groups_left(self._group), "the end of its control groups")

    @property
    def pid(self) -> int:
        """The engine's process, 0 when there is none."""
        return _child(self._entered.pid) if self._entered and self._entered.poll() is None else 0

    def start(self) -> None:
        """Start dockerd and wait until it answers."""
        assert self._room is not None
        first = wait_for(lambda: _child(self._room.pid if self._room else 0), "the namespaces")
        enter = ["nsenter", "--target", str(first), "--net", "--pid", "--mount", "--"]
        with self.log.open("ab") as log:
            self._entered = subprocess.Popen(
                [*enter, "dockerd", *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(Engine(self.address).answers, f"the engine, see {self.log}")

    def _options(self) -> list[str]:
        return [
            f"--data-root={self.root}",
            f"--exec-root={self._exec}",
            f"--pidfile={self.place / 'docker.pid'}",
            f"--host={self.address}",
            f"--cgroup-parent=/{self._group}",
            "--storage-driver=overlay2",
        ]

    def kill(self) -> int:
        """SIGKILL dockerd alone: its containers go on, and the next start ends or restarts them."""
        assert self._entered is not None
        if pid := self.pid:
            os.kill(pid, signal.SIGKILL)
        self._entered.wait(20)
        # Its containerd dies with it, a moment later: the next dockerd must not take it for a living one.
        wait_for(lambda: not self._containerd(), "the end of containerd")
        for file in (self.place / "docker.pid", self._exec / "containerd" / "containerd.pid"):
            file.unlink(missing_ok=True)
        return pid

    def _containerd(self) -> list[int]:
        config = str(self._exec / "containerd" / "containerd.toml").encode()
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and config in _arguments(entry)
        ]

    def load(self, image: str) -> None:
        """Take an image from the machine's engine."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                ["docker", "-H", self.address, "load", "-q"],
                stdin=saved.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        assert saved.returncode == 0, f"docker save {image}"


def _child(pid: int) -> int:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if children else 0


def _arguments(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _groups_left(name: str) -> bool:
    """Remove the control groups of our containers; whether some could not be removed yet."""
    base = Path("/sys/fs/cgroup")
    tops = [top for top in (base / name, *base.glob(f"*/{name}")) if top.exists()]
    for top in tops:
        for folder in sorted(top.glob("**/"), reverse=True):
            with suppress(OSError):
                folder.rmdir()
    return any(top.exists() for top in tops)
