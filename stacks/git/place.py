"""Which files are followed. Pure."""

from dataclasses import dataclass

from state_index.repository import Followed


@dataclass(frozen=True)
class Place:
    """Which files are followed: another one's history says nothing of it."""

    url: str
    branch: str
    path: str


def place_of(followed: Followed) -> Place:
    """Give the place that the index's row is of."""
    return Place(followed.url, followed.branch, followed.path)
