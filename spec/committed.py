"""Writes the files of the checkout that are made from the code."""

import sys
from collections.abc import Iterable
from pathlib import Path


def write(outputs: Iterable[tuple[Path, str]]) -> None:
    """Write each file, and name it on standard output.

    Args:
        outputs: Files with their texts.
    """
    for path, text in outputs:
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
