"""Which files are followed, and what is told of a history that does not say what it removes. Pure."""

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


def rewritten(commit: str, followed: Followed, lacking: int) -> str:
    """Say why a commit removes nothing, and who may have it do so."""
    came = f"does not come after {followed.base[:12]}" if followed.base else "is the first one seen"
    return (
        f"{commit[:12]} {came}, and lacks {lacking} workspace{'s' if lacking > 1 else ''} that "
        "there are: nothing is removed by it; is it meant: `codehub up --prune`"
    )
