"""Where secrets must not be: files, and what other users of a machine see of its processes."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY = 0.05
"""Seconds between two looks at the processes; a git or a Pulumi lives longer."""


def in_files(folder: Path, words: Collection[str]) -> list[Path]:
    """Name the files anywhere in a folder that hold one of these words."""
    sought = [word.encode() for word in words]
    return [path for path in folder.rglob("*") if path.is_file() and _holds(path, sought)]


def _holds(path: Path, sought: list[bytes]) -> bool:
    try:
        held = path.read_bytes()
    except OSError:  # it went meanwhile
        return False
    return any(word in held for word in sought)


@contextmanager
def in_arguments(words: Collection[str]) -> Iterator[set[str]]:
    """Look at all processes' arguments while the block runs; gives those that hold one of these words."""
    found: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            found.update(line for line in arguments() if any(word in line for word in words))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        over.set()
        looking.join()


def arguments() -> list[str]:
    """Give the arguments of each process."""
    return _of_processes("cmdline")


def environments() -> list[str]:
    """Give the environment of each process that may be read."""
    return _of_processes("environ")


def _of_processes(what: str) -> list[str]:
    found = []
    for path in Path("/proc").glob(f"[0-9]*/{what}"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found
