"""One bad file of the table, and what its report must say."""

from typing import NamedTuple

Told = tuple[int, int, str, str]
"""Line, column, key, hint."""

OWNER = "owner: alice\n"
IMAGE = "image: codehub/code-server\n"
GOOD = OWNER + IMAGE
"""Two lines with which any file is right, so the third is what is wrong."""
KEYS = "the keys are owner, image, resources, env, state, drift, formerly"


class Case(NamedTuple):
    """A file, its name, and every problem that must be told, in order."""

    name: str
    raw: bytes
    file: str
    told: tuple[Told, ...]


def bad(name: str, content: str | bytes, *told: Told, file: str = "alice-demo.yaml") -> Case:
    """One row."""
    raw = content.encode() if isinstance(content, str) else content
    return Case(name, raw, file, told)
