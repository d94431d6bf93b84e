"""Errors of our rooms as `error: ...` on standard error, with a hint and an exit code.

Exit codes: 2 for bad input or configuration, 130 for Ctrl-C, 1 for everything else. Errors are
known by their names, so that no room is imported for it: an error that is here has been imported.
"""

import errno
import os
import sys
import traceback
from typing import NamedTuple

import click

from cli.frame import current

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_BAD_INPUT = frozenset(
    {
        "cli.failures.InputError",
        "forges.errors.ForgeAddressError",
        "gateway.errors.base.InvalidUserNameError",
        "gateway.errors.base.WeakPasswordError",
        "settings.errors.DataFolderError",
        "settings.errors.SettingsError",
        "spec.errors.SpecError",
        "stacks.errors.asked.BadRequestError",
        "stacks.errors.asked.InvalidFileError",
        "stacks.errors.asked.SourceError",
    }
)
_FAILED = frozenset(
    {
        "cli.failures.CliError",
        "forges.errors.ForgeError",
        "gateway.errors.base.GatewayError",
        "stacks.errors.base.StacksError",
        "state_index.errors.StateIndexError",
        "tools.errors.ToolError",
    }
)
_CANCELLED = "asyncio.exceptions.CancelledError"
"""What asyncio makes of a Ctrl-C that comes at the moment when a timeout ends too."""


class CliError(Exception):
    """A command can't do what was asked.

    Attributes:
        message: what is wrong.
        hint: what helps, or "".
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(CliError):
    """What was given on the command line can't be right."""


class Failure(NamedTuple):
    """How a command ends."""

    code: int
    message: str
    hint: str = ""


def report(error: BaseException) -> int:
    """Say what went wrong; the exit code.

    Raises:
        BaseException: the error itself when it is not for us (the process is told to exit).
    """
    if isinstance(error, SystemExit):
        raise error
    if _is_closed_pipe(error):
        return _silence()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return BAD_INPUT
    if current().verbose and isinstance(error, Exception):
        from telemetry.words import harmless

        told = _without_secrets("".join(traceback.format_exception(error)))
        click.echo(harmless(told), err=True, nl=False)
    failure = judge(error)
    if failure.message:
        say_error(failure.message, hint=failure.hint)
    return failure.code


def judge(error: BaseException) -> Failure:
    """Exit code, message and hint of an error. Pure."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return judge(error.exceptions[0])  # task groups wrap what ends them
    if isinstance(error, click.Abort | KeyboardInterrupt) or _name(type(error)) == _CANCELLED:
        return Failure(INTERRUPTED, "")
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError):
        return Failure(FAILED, _of_system(error))
    return _of_rooms(error)


def _of_rooms(error: BaseException) -> Failure:
    names = {_name(kind) for kind in type(error).__mro__}
    message = str(getattr(error, "message", "") or error)
    hint = str(getattr(error, "hint", "") or getattr(error, "remedy", ""))
    if names & _BAD_INPUT:
        return Failure(BAD_INPUT, _located(error, message), hint)
    if names & _FAILED:
        return Failure(FAILED, message, hint)
    hint = "this is a bug in CodeHub: run it again with --verbose and report what it prints"
    return Failure(FAILED, f"{type(error).__name__}: {_without_secrets(str(error))}", hint)


def _without_secrets(text: str) -> str:
    """Foreign errors quote addresses, with the credentials in them."""
    from telemetry.redact import redact_text

    return redact_text(text)


def say_error(message: str, *, hint: str = "") -> None:
    """Print an error as every command does."""
    from telemetry.words import harmless

    head = click.style("error:", fg="red", bold=True)
    # Its words may be of others: a commit, a container's log.
    click.echo(f"{head} {harmless(message)}", err=True, color=current().colored(sys.stderr))
    if hint:
        click.echo(f"  hint: {harmless(hint)}", err=True)


def _usage(error: click.ClickException) -> Failure:
    message = error.format_message()
    message = message[:1].lower() + message[1:].removesuffix(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "codehub"
    return Failure(error.exit_code, message, f"{path} --help")


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def _of_system(error: OSError) -> str:
    what = (error.strerror or "").lower() or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what


def _located(error: BaseException, message: str) -> str:
    folder = getattr(error, "folder", "")
    return f"{folder}: {message}" if folder else message


def _is_closed_pipe(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _is_closed_pipe(error.exceptions[0])
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _silence() -> int:
    """Nobody reads any more (`codehub list | head -1`): end quietly, also at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
    return FAILED
