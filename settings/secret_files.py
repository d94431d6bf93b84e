"""Reads what is secret from the file that a setting names. Nothing of it is ever quoted."""

import os
import stat
from pathlib import Path

from settings.errors import SecretFileError


def read_line(path: Path, *, most: int) -> str:
    """Give the one line that a file holds, without what editors put around it.

    Links are followed, since that is how secrets are mounted.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        SecretFileError: It can't be read, others may read it, or it is not one line of text.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretFileError(f"{path} can't be read: {error.strerror}") from None
    try:
        check(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            raw = stream.read(most + 1)
    finally:
        os.close(descriptor)
    text = raw.decode("utf-8", "replace").strip()
    if len(raw) > most or not text or not text.isprintable() or "\ufffd" in text:
        raise SecretFileError(f"{path} does not hold one line of text")
    return text


def check(path: Path, found: os.stat_result) -> None:
    """Refuse what may be another's, or be read by others.

    Raises:
        SecretFileError: Why it is refused.
    """
    if not stat.S_ISREG(found.st_mode):
        raise SecretFileError(f"{path} is not a file")
    if found.st_uid not in {0, os.geteuid()}:
        raise SecretFileError(f"{path} belongs to another user")
    if found.st_mode & stat.S_IRWXO:
        raise SecretFileError(f"others may read or write {path}", remedy=f"chmod o= {path}")
