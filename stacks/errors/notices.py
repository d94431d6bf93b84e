"""Errors of notices: a receiver does not take them, or can't be used as it is set."""

from stacks.errors.base import PermanentError, TemporaryError


class NoticeFailedError(TemporaryError):
    """A receiver of notices did not answer, or did not take one now."""

    reason = "NOTICE_FAILED"
    default_remedy = "It is sent again. `codehub notify test` says how it goes now."


class NoticeUnusableError(PermanentError):
    """Where notices go can't be used as it is set."""

    reason = "NOTICE_UNUSABLE"
    default_remedy = (
        "Mend what the CODEHUB_NOTIFY_... settings name; it is read before each notice."
    )


class NoticeRefusedError(PermanentError):
    """A receiver refused the very notice: it would refuse it again."""

    reason = "NOTICE_REFUSED"
    default_remedy = "See whether the receiver wants this form; `codehub notify test` tries it."
