"""Our one comment with a marker on a pull request: which it is, and what to do. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forges.markup import is_marked


@dataclass(frozen=True)
class Comment:
    """A comment: its number, the login of its author, its text."""

    id: int
    author: str
    body: str


@dataclass(frozen=True)
class Plan:
    """What to do about the comments that are there.

    Attributes:
        edit: the one to edit; without one, a comment is to be made.
        same: whether that one says already what it should.
        remove: further ones of ours.
    """

    edit: int | None
    same: bool
    remove: tuple[int, ...]


def ours(comments: Iterable[Comment], *, us: str, marker: str) -> list[Comment]:
    """Our comments with the marker, the oldest one first.

    Whose a comment is decides: anybody can write our marker.

    Args:
        comments: all of the pull request.
        us: our login.
        marker: the marker.
    """
    # By number: what moves to the next page while one reads is told twice.
    found = {
        one.id: one for one in comments if _is_same(one.author, us) and is_marked(one.body, marker)
    }
    return [found[key] for key in sorted(found)]


def plan(ours: Sequence[Comment], body: str) -> Plan:
    """Tell what to do with our comments; the oldest one stays.

    Args:
        ours: all of them with the marker, the oldest one first.
        body: what the one that stays is to say, marker included.
    """
    if not ours:
        return Plan(None, same=False, remove=())
    first, *others = ours
    same = _lines(first.body) == _lines(body)
    return Plan(first.id, same=same, remove=tuple(one.id for one in others))


def _is_same(login: str, other: str) -> bool:
    # Logins differ in more than case on none of the forges.
    return login.casefold() == other.casefold()


def _lines(body: str) -> list[str]:
    # Forges change line ends, and take away empty lines at the end.
    return body.rstrip().splitlines()
