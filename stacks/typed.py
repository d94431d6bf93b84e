"""Decides whether someone may have done what the runner never does by itself. Pure.

A home is adopted, or made anew where the former one is gone, only where the workspace waits for
that, and by who typed its id after being told what happens.
"""

from stacks import identity, renames
from stacks.errors import (
    HomeMissingError,
    HomeOwnerError,
    HomePartlyRemovedError,
    HomeThereError,
    NotConfirmedError,
    NothingToAdoptError,
    StacksError,
)
from stacks.planned import Change


def check_adoption(change: Change, *, confirm: str, owner: str = "") -> str:
    """Refuse to have a home adopted that does not wait for it; gives what is done, in words.

    Args:
        change: What the plan says without it.
        confirm: The workspace's id, as someone typed it.
        owner: Who gets it, as was told before that; "" where nothing was told.

    Raises:
        NothingToAdoptError: Neither its owner nor its being whole is in question.
        NotConfirmedError: The id was not typed, or for another owner; it says who gives and who gets.
    """
    spec, error = change.known.spec, change.error
    if not isinstance(error, HomeOwnerError | HomePartlyRemovedError) or spec is None:
        raise NothingToAdoptError(f"the home of {change.id} does not wait for another owner")
    before = identity.former_owner(change.known)
    told = f"the home of {change.id} goes from {before} to {spec.owner}"
    if isinstance(error, HomePartlyRemovedError):
        told = f"what is left of {error.volume} is taken as it is"
    elif torn := change.known.torn & {home.name for home in change.known.homes}:
        told += f", and what is left of {', '.join(sorted(torn))} is taken as it is"
    if confirm != change.id or owner not in {"", spec.owner}:
        by_now = f"its file names {spec.owner} by now, not {owner}: " if owner else ""
        command = f"codehub adopt {change.id} --confirm {change.id} --owner {spec.owner}"
        refusal = _unconfirmed(f"{by_now}{told}", command)
        refusal.owner = spec.owner
        raise refusal
    return told


def check_new_home(change: Change, told: StacksError | None, *, confirm: str, there: bool) -> str:
    """Refuse to have a home made where the former one may be found; gives what is done, in words.

    Args:
        change: What the plan says without it.
        told: The plan's error, with what was found out about it.
        confirm: The workspace's id, as someone typed it.
        there: Whether anything has the name of the volume that is missed.

    Raises:
        HomeThereError: It is not missed, or may be elsewhere.
        NotConfirmedError: The id was not typed; it says what is gone and what is made.
    """
    error = change.error
    if isinstance(error, HomePartlyRemovedError):
        done = f"{error.message}; home {error.number + 1} of {change.id} is made, empty"
        if confirm != change.id:
            raise _unconfirmed(done, f"codehub home new {change.id} --confirm {change.id}")
        return f"home {error.number} is partly removed, home {error.number + 1} is made"
    if not isinstance(error, HomeMissingError):
        raise HomeThereError(f"the home of {change.id} is not missed")
    if told is not error or there or renames.hint(change.known):
        found = told or error
        raise HomeThereError(found.message, step="home", remedy=found.remedy)
    done = f"{error.message}; home {error.number + 1} of {change.id} is made, empty"
    if confirm != change.id:
        raise _unconfirmed(done, f"codehub home new {change.id} --confirm {change.id}")
    return f"home {error.number} is gone, home {error.number + 1} is made"


def _unconfirmed(told: str, command: str) -> NotConfirmedError:
    return NotConfirmedError(told, remedy=f"Nothing was changed. Give the id again: `{command}`.")
