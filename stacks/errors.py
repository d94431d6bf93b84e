"""The errors of the runner. Nothing else leaves this room.

    StacksError                    reason (a stable code), message, step, remedy
    ├── TemporaryError             trying again may help; `delay` says when to
    │   ├── EngineUnavailableError      the Docker engine does not answer
    │   ├── OperationTimeoutError       an operation was ended because its time was over
    │   ├── OperationKilledError        the worker, the Pulumi CLI or the plugin died under it
    │   ├── OperationFailedError        Pulumi reported a failure that we cannot place
    │   ├── StateUnavailableError       Pulumi's state files cannot be read or written
    │   ├── GitError                    git failed, or its remote does not answer
    │   ├── HandOverError               what a renamed workspace was before is still there
    │   ├── NetworkMissingError         the shared network is not on the engine
    │   ├── LedgerError                 the ledger of graces can't be read or written
    │   ├── HomeKeptError               something speaks against removing a home
    │   │   └── HomeUnseenError             a home that is known is not on this engine
    │   ├── EngineRefusedError          the Docker engine refused a call
    │   ├── IsolationUnenforcedError    a workspace could reach what it must not; nothing is started
    │   ├── StaleContainerError         the container is gone or made from another spec: needs `up`
    │   ├── PublishFailedError          the index did not take what was to be published
    │   │   └── OvertakenError              the row was changed since it was read
    │   ├── NotLeadingError             another runner may lead by now, so this one must not act
    │   ├── TooManyStreamsError         no place for one more log or exec
    │   └── RunnerUnreachableError      the daemon does not answer on its socket
    └── PermanentError             only a change of input or by hand helps
        ├── ImageMissingError           the engine does not have the image
        ├── ImageUnfitError             the image would keep files of the home elsewhere
        ├── MemoryInUseError            less memory was asked for than is in use
        ├── NameTakenError              an object of that name is there and is not ours
        │   └── OtherTreeError              it is another data tree's
        ├── HomeMissingError            the home volume is gone; never healed by making one
        ├── HomePartlyRemovedError      the removal of the home began, and did not end
        ├── HomeOwnerError              the home belongs to someone else than the file says
        ├── HomeConflictError           a renamed workspace has a home of its own too
        ├── FormerStandsError           a former id has a file and the home
        ├── HomeThereError              a new home was asked for, and the home may be there
        ├── NothingToAdoptError         adopt, where no owner is in question
        ├── HomeProtectedError          a step would have deleted a home; Pulumi refused
        ├── PolicyViolationError        a mandatory policy said no (`violations`)
        ├── ProgramError                our own program raised: a bug
        ├── ToolchainError              the Pulumi CLI or a plugin is not there
        ├── RulesRefusedError           our table of rules could not be changed
        ├── StartFailedError            the IDE ended, or did not answer in time
        ├── RunFolderError              the run folder cannot be made or is not a folder
        ├── SourceError                 the folder of workspace files cannot be read
        │   ├── GitRefError                 the repository has no such commit or folder
        │   └── GitContentError             a commit's folder is more than is read
        ├── LockHeldError               another runner holds the data tree (`holder`)
        ├── UnknownWorkspaceError       no file, row or object has that id
        ├── NotRunningError             an exec, where no container runs
        ├── StreamIdleError             an exec was ended, for nothing was said for too long
        ├── FileStandsError             destroy, while the file still asks for the workspace
        ├── NotRemovedError             purge, while something of the workspace still stands
        ├── PinnedError                 `state:` in the file says otherwise
        ├── NothingToRetryError         a retry was asked for, and nothing failed
        ├── InvalidFileError            the workspace's file has errors
        └── BadRequestError             a call to the daemon that it does not understand
            └── NotConfirmedError           purge, without the workspace's name

Foreign errors (Pulumi, Docker) are translated at the seam where they arise: Pulumi's in
`stacks.engine.failures`, Docker's in `stacks.power`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class StacksError(Exception):
    """A failure of the runner, told in words for its user.

    Attributes:
        reason: Stable code of the kind of failure, published in the index.
        message: What happened, one sentence.
        step: What was being done, for example ``container alice-api``.
        remedy: What the reader can do about it.
        untouched: Of the removal of a home: whether it is surely as it was.
    """

    reason: ClassVar[str] = "FAILED"
    default_remedy: ClassVar[str] = ""
    untouched: bool = False

    def __init__(self, message: str, *, step: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.step = step
        self.remedy = remedy or self.default_remedy

    def to_json(self) -> dict[str, Any]:
        """Give the error as plain values, to be published or sent over a socket."""
        return {
            "reason": self.reason,
            "message": self.message,
            "step": self.step,
            "remedy": self.remedy,
        }


class TemporaryError(StacksError):
    """Trying again may help; `delay` is the least time to wait, in seconds (None: backoff)."""

    reason = "TEMPORARY"

    def __init__(
        self, message: str, *, step: str = "", remedy: str = "", delay: float | None = None
    ) -> None:
        super().__init__(message, step=step, remedy=remedy)
        self.delay = delay


class EngineUnavailableError(TemporaryError):
    """The Docker engine does not answer."""

    reason = "ENGINE_UNAVAILABLE"
    default_remedy = "Start the Docker engine; `codehub doctor` shows how it is reached."


class OperationTimeoutError(TemporaryError):
    """An operation was ended because its time was over."""

    reason = "OPERATION_TIMEOUT"
    default_remedy = "It is tried again; raise CODEHUB_OPERATION_TIMEOUT if it is always too short."


class OperationKilledError(TemporaryError):
    """The worker, the Pulumi CLI or the plugin died while an operation ran."""

    reason = "OPERATION_KILLED"
    default_remedy = "It is tried again and picks up what was left behind."


class OperationFailedError(TemporaryError):
    """Pulumi reported a failure that has no kind of its own."""

    reason = "OPERATION_FAILED"
    default_remedy = "It is tried again; the message is Pulumi's or the engine's own."


class EngineRefusedError(TemporaryError):
    """The Docker engine answered with an error that has no kind of its own."""

    reason = "ENGINE_REFUSED"
    default_remedy = "It is tried again; the message is the engine's own."


class IsolationUnenforcedError(TemporaryError):
    """From inside a workspace something can be reached that must not be; nothing is started.

    A passing error: once somebody closed the gap, the next attempt sees it.
    """

    reason = "ISOLATION_UNENFORCED"
    default_remedy = "`codehub isolation check` shows what was tried, and what closes it."


class StaleContainerError(TemporaryError):
    """The container is not there, or was made from another spec: only `up` helps.

    Attributes:
        broken: Whether it is there but can never be started again: its network is gone, or
            the engine forgot that it runs.
    """

    reason = "STALE_CONTAINER"
    default_remedy = "Run `codehub up` for this workspace."
    broken = False


class PublishFailedError(TemporaryError):
    """The index did not take what was to be published."""

    reason = "INDEX_UNAVAILABLE"
    default_remedy = "It is tried again; look at the disk that holds CODEHUB_DATA."


class OvertakenError(PublishFailedError):
    """Something newer was published since the row was read."""

    reason = "OVERTAKEN"
    default_remedy = "It is tried again."


class StateUnavailableError(TemporaryError):
    """Pulumi's state files cannot be read or written."""

    reason = "STATE_UNAVAILABLE"
    default_remedy = "It is tried again; look at the disk that holds CODEHUB_DATA."


class NotLeadingError(TemporaryError):
    """This runner does not hold the lease (any more): another one may lead, so it must not act."""

    reason = "NOT_LEADING"
    default_remedy = "The runner that leads goes on with it; `codehub status` shows what it does."


class RunnerUnreachableError(TemporaryError):
    """The daemon does not answer on its socket, or broke off."""

    reason = "RUNNER_UNREACHABLE"
    default_remedy = "Try again; `codehub doctor` shows whether the daemon runs."


class TooManyStreamsError(TemporaryError):
    """As many logs and execs are open as one runner serves."""

    reason = "TOO_MANY_STREAMS"
    default_remedy = "End a `codehub logs --follow` or a `codehub exec`, then try again."


class NetworkMissingError(TemporaryError):
    """The shared network is not on the engine."""

    reason = "NETWORK_MISSING"
    default_remedy = "The next `up` makes it again; nothing of the workspace was changed."


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


class GitError(TemporaryError):
    """Git failed: the remote does not answer, refuses, or the copy of it can't be used."""

    reason = "GIT_FAILED"
    default_remedy = "See whether `git ls-remote` of the repository answers with these credentials."


class HandOverError(TemporaryError):
    """What a renamed workspace was before is still there, with the home."""

    reason = "HAND_OVER"
    default_remedy = "It is tried again; the message says what keeps the former container."


class PermanentError(StacksError):
    """Only a change of input, or a person, helps."""

    reason = "PERMANENT"


class ImageMissingError(PermanentError):
    """The engine does not have the image."""

    reason = "IMAGE_MISSING"
    default_remedy = "Build or pull the image on this engine, or change `image:` in the file."


class ImageUnfitError(PermanentError):
    """The image declares a volume inside the home: what is written there would go with a container."""

    reason = "IMAGE_UNFIT"
    default_remedy = (
        "Build the image without that VOLUME line (an image inherits those of the one it is built "
        "on), or name another in the file. All below the home is kept without it."
    )


class MemoryInUseError(PermanentError):
    """The file asks for less memory than the running workspace uses; it goes on with what it had."""

    reason = "MEMORY_IN_USE"
    default_remedy = (
        "The workspace uses more than that now and goes on as it was: stop it first, or ask for "
        "more memory in the file."
    )


class NameTakenError(PermanentError):
    """An object of that name is there and does not carry our labels."""

    reason = "NAME_TAKEN"
    default_remedy = "Remove or rename that object, or change CODEHUB_NAME_PREFIX."


class OtherTreeError(NameTakenError):
    """An object of that name was made by another data tree, which alone may touch it."""

    reason = "OTHER_TREE"

    @classmethod
    def of(cls, kind: str, name: str, tree: str, *, file: str) -> "OtherTreeError":
        """Say whose it is and what helps.

        Args:
            kind: ``container`` or ``volume``.
            name: Its name.
            tree: Id of that data tree, "" when the object does not say.
            file: This data tree's file of ids.
        """
        told = f"is that of another data tree, {tree}" if tree else "does not say whose it is"
        return cls(
            f"the {kind} {name} {told}: it is left alone",
            step=f"{kind} {name}",
            remedy="Give this data tree a CODEHUB_NAME_PREFIX of its own: two on one engine need "
            "two. Only if the folder of that other data tree is deleted, append the line "
            f"{tree or 'none'} to {file}, and what it made is this one's.",
        )


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


class ProgramError(PermanentError):
    """Our own Pulumi program raised: a bug."""

    reason = "PROGRAM_ERROR"
    default_remedy = "This is a bug in CodeHub; the log has the traceback."


class ToolchainError(PermanentError):
    """The Pulumi CLI or a plugin is not there."""

    reason = "TOOLCHAIN_MISSING"
    default_remedy = "Run `scripts/dev`, or `codehub doctor` to see what is missing."


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One policy said no to one resource.

    Attributes:
        rule: Id of the rule, as in the policy reference.
        resource: Type and name of the resource, or "" for a rule on the stack.
        message: Reason and remedy in one text.
        mandatory: Whether it stops the operation.
    """

    rule: str
    resource: str
    message: str
    mandatory: bool = True


class PolicyViolationError(PermanentError):
    """At least one mandatory policy said no."""

    reason = "POLICY_VIOLATION"
    default_remedy = "Change the workspace file so that it keeps the rules named in the message."

    def __init__(
        self, violations: tuple[Violation, ...], *, step: str = "", remedy: str = ""
    ) -> None:
        told = "; ".join(
            f"{found.rule} ({found.resource}): {found.message}" for found in violations
        )
        super().__init__(told, step=step, remedy=remedy)
        self.violations = violations


class RulesRefusedError(PermanentError):
    """Our table of rules could not be changed."""

    reason = "RULES_REFUSED"
    default_remedy = "Run it as root on the engine's machine, with nft installed."


class StartFailedError(PermanentError):
    """The container was started, but its IDE ended or did not answer in time."""

    reason = "START_FAILED"
    default_remedy = "Read `codehub logs`; correct the image or raise CODEHUB_START_TIMEOUT."


class RunFolderError(PermanentError):
    """A run folder cannot be made, or something else stands in its place."""

    reason = "RUN_FOLDER"
    default_remedy = "Run as root or as uid 1000, and keep hands off the data tree's `run`."


class SourceError(PermanentError):
    """The folder of workspace files is missing or unreadable."""

    reason = "SOURCE_UNREADABLE"
    default_remedy = "Give an existing folder in CODEHUB_WORKSPACES."


class GitRefError(SourceError):
    """The repository has no such commit, branch or folder."""

    reason = "GIT_REF_UNKNOWN"
    default_remedy = "Name a commit, branch or folder that the repository has."


class GitContentError(SourceError):
    """A commit's folder is more than is read: too many files, or too much in them."""

    reason = "GIT_CONTENT_REFUSED"
    default_remedy = "Keep other files out of the folder of workspace files."


class LockHeldError(PermanentError):
    """Another runner holds the data tree; the message says who."""

    reason = "RUNNER_BUSY"
    default_remedy = "Wait until it ends, or stop it."


class UnknownWorkspaceError(PermanentError):
    """No file, published row or object has that id."""

    reason = "UNKNOWN_WORKSPACE"
    default_remedy = "`codehub list` shows the workspaces there are."


class NotRunningError(PermanentError):
    """A command was to run in a workspace that is not running."""

    reason = "NOT_RUNNING"

    @classmethod
    def of(cls, workspace_id: str, state: str) -> "NotRunningError":
        """Say in which state its container is, and what helps."""
        told = f"{workspace_id} is not running" + (f": its container is {state}" if state else "")
        return cls(told, step="exec", remedy=f"Run `codehub start {workspace_id}`, then try again.")


class StreamIdleError(PermanentError):
    """Neither the command nor its client said anything for too long."""

    reason = "STREAM_IDLE"
    default_remedy = "CODEHUB_EXEC_IDLE says how long a silent one is kept."


class FileStandsError(PermanentError):
    """A workspace was to be destroyed while its file still asks for it."""

    reason = "FILE_STANDS"
    default_remedy = "Remove the file first."


class NotRemovedError(PermanentError):
    """A home was to be purged while something of its workspace still stands."""

    reason = "NOT_REMOVED"
    default_remedy = "Only the home of what was removed can be purged: `codehub destroy` first."


class PinnedError(PermanentError):
    """The file pins the power state, so nobody else may change it."""

    reason = "PINNED_IN_GIT"
    default_remedy = "Set `state: auto` in the file."


class NothingToRetryError(PermanentError):
    """Someone asked to try again what did not fail, or what no file asks for."""

    reason = "NOTHING_TO_RETRY"
    default_remedy = (
        "`codehub status` shows what failed; `codehub up` applies the files as they are."
    )


class InvalidFileError(PermanentError):
    """The workspace's file has errors, so there is nothing to apply."""

    reason = "INVALID_FILE"
    default_remedy = "`codehub validate` shows each error with its line."


class BadRequestError(PermanentError):
    """A call to the daemon that it does not understand."""

    reason = "BAD_REQUEST"


class NotConfirmedError(BadRequestError):
    """A home was to be purged, or adopted, by who did not give its workspace's name a second time.

    Attributes:
        owner: Who would get it, as the message says; "" where that is not the question.
    """

    reason = "NOT_CONFIRMED"
    default_remedy = "Nothing was removed. Give the id again: `codehub purge ID --confirm ID`."
    owner = ""

    def to_json(self) -> dict[str, Any]:
        """Give the error as plain values, with the owner."""
        return {**super().to_json(), "owner": self.owner}


def from_json(data: Mapping[str, Any]) -> StacksError:
    """Take what `to_json` gave; an unknown reason becomes a `PermanentError`."""
    kind = _kinds(StacksError).get(str(data.get("reason", "")), PermanentError)
    error = kind.__new__(kind)
    # Not the class's own way: some are made from more than a message.
    StacksError.__init__(
        error,
        str(data.get("message", "")),
        step=str(data.get("step", "")),
        remedy=str(data.get("remedy", "")),
    )
    if isinstance(error, TemporaryError):
        error.delay = None
    if isinstance(error, PolicyViolationError):
        error.violations = ()
    if isinstance(error, NotConfirmedError):
        error.owner = str(data.get("owner", ""))
    return error


def _kinds(base: type[StacksError]) -> dict[str, type[StacksError]]:
    found = {base.reason: base}
    for kind in base.__subclasses__():
        found |= _kinds(kind)
    return found
