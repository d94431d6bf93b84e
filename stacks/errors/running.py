"""Errors of who runs: the index, the lead, the daemon and its streams."""

from stacks.errors.base import PermanentError, TemporaryError


class PublishFailedError(TemporaryError):
    """The index did not take what was to be published."""

    reason = "INDEX_UNAVAILABLE"
    default_remedy = "It is tried again; look at the disk that holds CODEHUB_DATA."


class OvertakenError(PublishFailedError):
    """Something newer was published since the row was read."""

    reason = "OVERTAKEN"
    default_remedy = "It is tried again."


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


class LockHeldError(PermanentError):
    """Another runner holds the data tree; the message says who."""

    reason = "RUNNER_BUSY"
    default_remedy = "Wait until it ends, or stop it."


class StreamIdleError(PermanentError):
    """Neither the command nor its client said anything for too long."""

    reason = "STREAM_IDLE"
    default_remedy = "CODEHUB_EXEC_IDLE says how long a silent one is kept."
