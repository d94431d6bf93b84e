"""Answers to changes of workspace files that can't be."""

from gateway.errors.base import RequestError


class EditConflictError(RequestError):
    """The file is not, or no more, what the change began with; the details hold both."""

    status = 409
    code = "EDIT_CONFLICT"
    default = "The file changed while you edited it."


class EditUnderWayError(RequestError):
    """Another change of the same file is asked for or under way; the details name it."""

    status = 409
    code = "EDIT_WAITS"
    default = "Another change of this file is under way. Wait until it is done."


class NotEditableError(RequestError):
    """The file can't be changed here; the message says why."""

    status = 409
    code = "NOT_EDITABLE"
    default = "This file can't be changed here."


class InvalidFileError(RequestError):
    """The text is not a right workspace file; the details say what is wrong where."""

    status = 422
    code = "INVALID_FILE"
    default = "The file would not be right."


class RevisionMissingError(RequestError):
    """Which revision of the file is to be changed is not said."""

    status = 428
    code = "REVISION_REQUIRED"
    default = "Say which revision of the file you change: If-Match, or `base` in the body."
