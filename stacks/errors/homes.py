"""Errors about homes: kept, missing, another's, or not to be told."""

from stacks.errors.base import PermanentError, TemporaryError


class HomeKeptError(TemporaryError):
    """A home was to be removed, and something speaks against it; it is kept."""

    reason = "HOME_KEPT"
    default_remedy = "Nothing was removed."
    untouched = True
    partly = False
    """Whether another home of the same workspace was removed before."""


class HomeUnseenError(HomeKeptError):
    """A home that is known was to be removed, and no volume of it is on this engine."""

    reason = "HOME_UNSEEN"
    default_remedy = (
        "It may be under another CODEHUB_NAME_PREFIX, on another CODEHUB_DOCKER_HOST, or on a disk that "
        "is not mounted: set that right and try again. Is it gone for good, forget it: `codehub purge ID --forget-missing`."
    )


class LedgerError(TemporaryError):
    """The ledger of graces can't be read or written; no home expires, none is brought back."""

    reason = "LEDGER_UNAVAILABLE"
    default_remedy = (
        "Look at the disk that holds CODEHUB_DATA. Is the file damaged, move it away: all graces "
        "then begin anew."
    )


class HandOverError(TemporaryError):
    """What a renamed workspace was before is still there, with the home."""

    reason = "HAND_OVER"
    default_remedy = "It is tried again; the message says what keeps the former container."


class HomeMissingError(PermanentError):
    """The home volume is gone; it is never healed by making an empty one.

    Attributes:
        workspace: Whose home it is by its labels (a former id, perhaps), "" if that is not known.
        volume: Name of the volume that was looked for, likewise.
        number: The home's number, 0 if that is not known.
    """

    reason = "HOME_MISSING"
    default_remedy = (
        "Restore the volume with its labels; or have a new, empty home made: `codehub home new ID`."
    )
    workspace = ""
    volume = ""
    number = 0

    @classmethod
    def of(
        cls, workspace: str, volume: str, message: str, *, step: str = "home", remedy: str = ""
    ) -> "HomeMissingError":
        """Say which home it is, so that more can be told of it (`stacks.missing`)."""
        error = cls(message, step=step, remedy=remedy)
        error.workspace, error.volume = workspace, volume
        return error


class HomePartlyRemovedError(PermanentError):
    """The engine was told to remove a home, which is still there: part of it may be gone.

    Attributes:
        volume: Its name.
        number: The home's number.
    """

    reason = "HOME_PARTLY_REMOVED"
    default_remedy = (
        "To remove the rest, take the file away and `codehub purge ID`. To go on with what is left: "
        "`codehub adopt ID`. To begin with an empty one: `codehub home new ID`."
    )
    volume = ""
    number = 0

    @classmethod
    def of(cls, workspace: str, volume: str, number: int) -> "HomePartlyRemovedError":
        """Say which home it is."""
        error = cls(
            f"the removal of {volume}, the home of {workspace}, began and did not end: part of what "
            "was in it may be gone",
            step="home",
        )
        error.volume, error.number = volume, number
        return error


class HomeOwnerError(PermanentError):
    """A home that was found again belonged to someone else than the file says."""

    reason = "HOME_OWNER"
    default_remedy = (
        "Take another id. If the home is to change hands: `codehub adopt ID`, which asks again."
    )


class HomeConflictError(PermanentError):
    """A file names a former id whose home is there, and its workspace has a home of its own too."""

    reason = "HOME_CONFLICT"
    default_remedy = (
        "To keep its own home, remove the line `formerly`. To take the other, first save what is in "
        "its own, remove the file, `codehub destroy` and purge the id, and bring the file back."
    )


class FormerStandsError(PermanentError):
    """A file names a former id, but what has the home has a file too."""

    reason = "FORMER_STANDS"
    default_remedy = (
        "Remove the file of the former id, or the line `formerly`: a home has one user."
    )


class HomeThereError(PermanentError):
    """A new home was asked for where the former one is not truly missing."""

    reason = "HOME_THERE"
    default_remedy = "A new home is made only where the old one is gone: `codehub status` says so."


class NothingToAdoptError(PermanentError):
    """A home was to be adopted that does not wait for it."""

    reason = "NOTHING_TO_ADOPT"
    default_remedy = "`codehub adopt` is for workspaces whose status says HOME_OWNER."


class HomeProtectedError(PermanentError):
    """A step would have deleted a home volume, and Pulumi refused."""

    reason = "HOME_PROTECTED"
    default_remedy = "Nothing was deleted. Bring the workspace's file back, or purge it by name."


class NotRemovedError(PermanentError):
    """A home was to be purged while something of its workspace still stands."""

    reason = "NOT_REMOVED"
    default_remedy = "Only the home of what was removed can be purged: `codehub destroy` first."
