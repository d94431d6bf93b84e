"""Errors of edits: changes of workspace files that users ask for. Their reasons are an edit's codes."""

from stacks.errors.base import PermanentError


class EditRefusedError(PermanentError):
    """A change of a workspace file that is not made."""

    reason = "EDIT_REFUSED"


class EditsOffError(EditRefusedError):
    """Edits are switched off, or can't be made as it is set."""

    reason = "EDITS_OFF"
    default_remedy = "Change the file in the repository, or have CODEHUB_REPO_EDITS set."


class EditForbiddenError(EditRefusedError):
    """Whoever asks may not change this file."""

    reason = "EDIT_FORBIDDEN"
    default_remedy = "Let the owner of the workspace, or an admin, make the change."


class EditInvalidError(EditRefusedError):
    """The text is no valid workspace file; the message holds each problem with its place."""

    reason = "EDIT_INVALID"
    default_remedy = "Mend the text, then save it again."


class EditBreaksRuleError(EditRefusedError):
    """A mandatory rule of the repository refuses it; message and remedy are the rule's own words."""

    reason = "EDIT_BREAKS_RULE"


class EditConflictError(EditRefusedError):
    """The file is not any more what its editor saw."""

    reason = "EDIT_CONFLICT"
    default_remedy = "Look at the file as it is now, and make the change again."


class EditPendingError(EditRefusedError):
    """Another change of the same file is asked for or under way."""

    reason = "EDIT_WAITS"
    default_remedy = "Wait for it, then look at the file again."


class NotEditableError(EditRefusedError):
    """The file is none that can be edited: generated, a link, or too large."""

    reason = "NOT_EDITABLE"


class NoVersionError(EditRefusedError):
    """There is no such version of the file to be read, or to go back to."""

    reason = "NO_SUCH_VERSION"
    default_remedy = "`codehub history` and `git log -- FILE` tell the versions there are."


class PushRefusedError(EditRefusedError):
    """The repository, or the forge, does not let the runner write there."""

    reason = "PUSH_REFUSED"
    default_remedy = (
        "Let the runner's token or key write, and push to the branch; or open pull requests: "
        "CODEHUB_REPO_EDITS=pull."
    )
