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
    │   ├── NoticeFailedError           a receiver of notices did not take one
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
        ├── RulesUnreadableError        the files of owners and rules can't be read
        ├── ProgramError                our own program raised: a bug
        ├── ToolchainError              the Pulumi CLI or a plugin is not there
        ├── RulesRefusedError           our table of rules could not be changed
        ├── StartFailedError            the IDE ended, or did not answer in time
        ├── RunFolderError              the run folder cannot be made or is not a folder
        ├── SourceError                 the folder of workspace files cannot be read
        │   ├── GitAccessError              how to log in at the repository can't be used
        │   ├── GitRefError                 the repository has no such commit or folder
        │   └── GitContentError             a commit's folder is more than is read
        ├── EditRefusedError            a change of a workspace file that is not made
        │   ├── EditsOffError               edits are switched off, or can't be made as it is set
        │   ├── EditForbiddenError          whoever asks may not change this file
        │   ├── EditInvalidError            the text is no valid workspace file
        │   ├── EditBreaksRuleError         a mandatory rule of the repository refuses it
        │   ├── EditConflictError           the file is not any more what its editor saw
        │   ├── EditPendingError            another change of the same file is under way
        │   ├── NotEditableError            generated, a link, or too large
        │   ├── NoVersionError              there is no such version of the file
        │   └── PushRefusedError            the repository does not let the runner write
        ├── RevisionRefusedError        a commit that may not count was asked for
        ├── NoticeUnusableError         where notices go can't be used as it is set
        ├── NoticeRefusedError          a receiver refused the very notice
        ├── LockHeldError               another runner holds the data tree (`holder`)
        ├── ReviewExceededError         a commit does more to it than was reviewed
        ├── UnknownWorkspaceError       no file, row or object has that id
        ├── NotRunningError             an exec, where no container runs
        ├── StreamIdleError             an exec was ended, for nothing was said for too long
        ├── FileStandsError             destroy, while the file still asks for the workspace
        ├── NotRemovedError             purge, while something of the workspace still stands
        ├── PinnedError                 `state:` in the file says otherwise
        ├── NothingToRetryError         a retry was asked for, and nothing failed
        ├── InvalidFileError            the workspace's file has errors
        ├── SyncWindowError             what the files say has to wait for a sync window
        └── BadRequestError             a call to the daemon that it does not understand
            └── NotConfirmedError           purge, without the workspace's name

Foreign errors (Pulumi, Docker) are translated at the seam where they arise: Pulumi's in
`stacks.engine.failures`, Docker's in `stacks.power`.
"""

from stacks.errors.asked import (
    BadRequestError,
    FileStandsError,
    GitAccessError,
    GitContentError,
    GitError,
    GitRefError,
    InvalidFileError,
    NotConfirmedError,
    NothingToRetryError,
    NotRunningError,
    PinnedError,
    ReviewExceededError,
    RevisionRefusedError,
    SourceError,
    SyncWindowError,
    UnknownWorkspaceError,
)
from stacks.errors.base import PermanentError, StacksError, TemporaryError
from stacks.errors.edits import (
    EditBreaksRuleError,
    EditConflictError,
    EditForbiddenError,
    EditInvalidError,
    EditPendingError,
    EditRefusedError,
    EditsOffError,
    NotEditableError,
    NoVersionError,
    PushRefusedError,
)
from stacks.errors.engine import (
    EngineRefusedError,
    EngineUnavailableError,
    ImageMissingError,
    ImageUnfitError,
    IsolationUnenforcedError,
    MemoryInUseError,
    NameTakenError,
    NetworkMissingError,
    OtherTreeError,
    RulesRefusedError,
    RunFolderError,
    StaleContainerError,
    StartFailedError,
)
from stacks.errors.homes import (
    FormerStandsError,
    HandOverError,
    HomeConflictError,
    HomeKeptError,
    HomeMissingError,
    HomeOwnerError,
    HomePartlyRemovedError,
    HomeProtectedError,
    HomeThereError,
    HomeUnseenError,
    LedgerError,
    NothingToAdoptError,
    NotRemovedError,
)
from stacks.errors.notices import NoticeFailedError, NoticeRefusedError, NoticeUnusableError
from stacks.errors.pulumi import (
    OperationFailedError,
    OperationKilledError,
    OperationTimeoutError,
    PolicyViolationError,
    ProgramError,
    RulesUnreadableError,
    StateUnavailableError,
    ToolchainError,
    Violation,
)
from stacks.errors.running import (
    LockHeldError,
    NotLeadingError,
    OvertakenError,
    PublishFailedError,
    RunnerUnreachableError,
    StreamIdleError,
    TooManyStreamsError,
)
from stacks.errors.wire import from_json, remedy_of

__all__ = [
    "BadRequestError",
    "EditBreaksRuleError",
    "EditConflictError",
    "EditForbiddenError",
    "EditInvalidError",
    "EditPendingError",
    "EditRefusedError",
    "EditsOffError",
    "EngineRefusedError",
    "EngineUnavailableError",
    "FileStandsError",
    "FormerStandsError",
    "GitAccessError",
    "GitContentError",
    "GitError",
    "GitRefError",
    "HandOverError",
    "HomeConflictError",
    "HomeKeptError",
    "HomeMissingError",
    "HomeOwnerError",
    "HomePartlyRemovedError",
    "HomeProtectedError",
    "HomeThereError",
    "HomeUnseenError",
    "ImageMissingError",
    "ImageUnfitError",
    "InvalidFileError",
    "IsolationUnenforcedError",
    "LedgerError",
    "LockHeldError",
    "MemoryInUseError",
    "NameTakenError",
    "NetworkMissingError",
    "NoVersionError",
    "NotConfirmedError",
    "NotEditableError",
    "NotLeadingError",
    "NotRemovedError",
    "NotRunningError",
    "NothingToAdoptError",
    "NothingToRetryError",
    "NoticeFailedError",
    "NoticeRefusedError",
    "NoticeUnusableError",
    "OperationFailedError",
    "OperationKilledError",
    "OperationTimeoutError",
    "OtherTreeError",
    "OvertakenError",
    "PermanentError",
    "PinnedError",
    "PolicyViolationError",
    "ProgramError",
    "PublishFailedError",
    "PushRefusedError",
    "ReviewExceededError",
    "RevisionRefusedError",
    "RulesRefusedError",
    "RulesUnreadableError",
    "RunFolderError",
    "RunnerUnreachableError",
    "SourceError",
    "StacksError",
    "StaleContainerError",
    "StartFailedError",
    "StateUnavailableError",
    "StreamIdleError",
    "SyncWindowError",
    "TemporaryError",
    "TooManyStreamsError",
    "ToolchainError",
    "UnknownWorkspaceError",
    "Violation",
    "from_json",
    "remedy_of",
]
