"""Reads what is secret for a sink from the file that a setting names. Nothing of it is ever quoted."""

from pathlib import Path

from settings.errors import SecretFileError
from settings.secret_files import read_line
from stacks.errors import NoticeUnusableError

LARGEST = 4096


def read(path: Path) -> str:
    """Give the one line that a file holds.

    Raises:
        NoticeUnusableError: It can't be read, others may read it, or it is not one line of text.
    """
    try:
        return read_line(path, most=LARGEST)
    except SecretFileError as error:
        raise NoticeUnusableError(error.message, remedy=error.remedy) from None
