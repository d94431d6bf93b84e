"""Reads what is secret for a sink from the file that a setting names. Nothing of it is ever quoted."""

import os
import stat
from pathlib import Path

from stacks.errors import NoticeUnusableError

LARGEST = 4096


def read(path: Path) -> str:
    """Give the one line that a file holds.

    Links are followed, since that is how secrets are mounted.

    Raises:
        NoticeUnusableError: It can't be read, others may read it, or it is not one line of text.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise NoticeUnusableError(f"{path} can't be read: {error.strerror}") from None
    try:
        _check(path, os.fstat(descriptor))
        raw = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    text = raw.decode("utf-8", "replace").strip()
    if len(raw) > LARGEST or not text or not text.isprintable() or "\ufffd" in text:
        raise NoticeUnusableError(f"{path} does not hold one line of text")
    return text


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NoticeUnusableError(f"{path} is not a file")
    if found.st_uid not in {0, os.geteuid()}:
        raise NoticeUnusableError(f"{path} belongs to another user")
    if found.st_mode & stat.S_IRWXO:
        remedy = f"chmod o= {path}"
        raise NoticeUnusableError(f"others may read or write {path}", remedy=remedy)
