"""Entries of Pulumi's history and backups in one stack's folder: which of them are one too many."""

import contextlib
import re
from collections import defaultdict
from pathlib import Path

HISTORY = re.compile(r"(?P<entry>.+)\.(?:history|checkpoint)\.json(?:\.attrs)?")
BACKUPS = re.compile(r"(?P<entry>.+\.[0-9]+)\.json(?:\.attrs)?")


def beyond(folder: Path, named: re.Pattern[str], most: int) -> list[Path]:
    """Give the files of the entries beyond the newest so many, the oldest first.

    Args:
        folder: The stack's folder; there may be none.
        named: Matches names of entries' files, and gives the entry. They end with the time in
            nanoseconds, all of one length, so their order is that of time.
        most: How many entries stay.
    """
    entries: defaultdict[str, list[Path]] = defaultdict(list)
    for path in files(folder):
        if match := named.fullmatch(path.name):
            entries[match["entry"]].append(path)
    gone = sorted(entries, reverse=True)[most:]
    return [path for entry in reversed(gone) for path in sorted(entries[entry])]


def files(folder: Path) -> list[Path]:
    """List the files of a folder; none where it cannot be read."""
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.is_file()]
    return []
