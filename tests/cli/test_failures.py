"""Every error of every room: its exit code, its message, its hint, and never a traceback."""

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

import gateway.errors
import settings.errors
import spec.errors
import stacks.errors
import state_index.errors
import tools.errors
from cli.failures import CliError, Failure, InputError, judge, report, say_error
from cli.frame import Frame, enter
from spec import Problem


@pytest.fixture
def told_everything() -> Iterator[None]:
    enter(Frame(verbose=True))
    yield
    enter(None)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (InputError("no", hint="do"), Failure(2, "no", "do")),
        (CliError("no"), Failure(1, "no")),
        (click.Abort(), Failure(130, "")),
        (KeyboardInterrupt(), Failure(130, "")),
        (asyncio.CancelledError(), Failure(130, "")),
        (click.UsageError("No such thing."), Failure(2, "no such thing", "codehub --help")),
        (
            spec.errors.SourceUnreadableError("d", "is missing", "make it"),
            Failure(2, "d: is missing", "make it"),
        ),
        (spec.errors.InvalidIdError("`A` is no id", "a"), Failure(2, "`A` is no id", "a")),
        (
            spec.errors.InvalidSpecError([Problem("f", 1, 2, "k", "m", "h")]),
            Failure(2, "f:1:2: k: m (hint: h)"),
        ),
        (settings.errors.SettingsError([]), Failure(2, "0 settings are wrong:\n")),
        (settings.errors.DataFolderError("not ours"), Failure(2, "not ours")),
        (gateway.errors.WeakPasswordError("short"), Failure(2, "short")),
        (gateway.errors.InvalidUserNameError("name"), Failure(2, "name")),
        (gateway.errors.UserExistsError("there"), Failure(1, "there")),
        (gateway.errors.ListenError("port"), Failure(1, "port")),
        (
            stacks.errors.EngineUnavailableError("gone", remedy="start it"),
            Failure(1, "gone", "start it"),
        ),
        (stacks.errors.SourceError("gone", remedy="make it"), Failure(2, "gone", "make it")),
        (state_index.errors.IndexCorruptError("broken"), Failure(1, "broken")),
        (tools.errors.MissingToolError("no go", remedy="get it"), Failure(1, "no go", "get it")),
        (OSError(errno.ENOSPC, "No space left"), Failure(1, "no space left")),
        (PermissionError(errno.EACCES, "Denied", "/x"), Failure(1, "/x: denied")),
        (TimeoutError(), Failure(1, "TimeoutError")),
        (
            ExceptionGroup("one", [tools.errors.MissingToolError("no go", remedy="get it")]),
            Failure(1, "no go", "get it"),
        ),
        (
            RuntimeError("oops"),
            Failure(
                1,
                "RuntimeError: oops",
                "this is a bug in CodeHub: run it again with --verbose and report what it prints",
            ),
        ),
    ],
)
def test_exit_code_message_and_hint(error: BaseException, failure: Failure) -> None:
    assert judge(error) == failure


def roots() -> list[type[BaseException]]:
    return [
        spec.errors.SpecError,
        settings.errors.SettingsError,
        settings.errors.DataFolderError,
        gateway.errors.GatewayError,
        stacks.errors.StacksError,
        state_index.errors.StateIndexError,
        tools.errors.ToolError,
    ]


@pytest.mark.parametrize("root", roots())
def test_every_error_of_a_room_is_known(root: type[BaseException]) -> None:
    def kinds(kind: type[BaseException]) -> list[type[BaseException]]:
        return [kind, *(found for sub in kind.__subclasses__() for found in kinds(sub))]

    for kind in kinds(root):
        error = kind.__new__(kind)
        error.__dict__["message"] = "it failed"
        assert "bug" not in judge(error).hint, kind


def test_an_exit_is_passed_on() -> None:
    with pytest.raises(SystemExit):
        report(SystemExit(3))


def test_other_errors_of_the_system_are_no_closed_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(OSError(errno.ENOSPC, "No space left on device")) == 1
    assert capsys.readouterr().err == "error: no space left on device\n"


def test_a_closed_pipe_is_no_error_to_speak_of(capfd: pytest.CaptureFixture[str]) -> None:
    saved = os.dup(1)
    try:
        assert report(BrokenPipeError(errno.EPIPE, "Broken pipe")) == 1
    finally:
        os.dup2(saved, 1)
        os.close(saved)
    assert capfd.readouterr().err == ""


def test_the_words_of_others_steer_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say_error("it said \x1b]52;c;Y29weQ==\x07\x9b2Jbye", hint="\x1b]0;t\x07look\x9b\nhere")
    assert capsys.readouterr().err == "error: it said ?2Jbye\n  hint: look?\nhere\n"


@pytest.mark.usefixtures("told_everything")
def test_a_traceback_steers_no_terminal_either(capsys: pytest.CaptureFixture[str]) -> None:
    words = "it said \x1b]52;c;Y29weQ==\x07\x9b2J Bearer\x85abcdefghijk Bearer\x1b[1m abcdefghijk"
    assert report(RuntimeError(words)) == 1
    told = capsys.readouterr().err
    traceback, said, _ = told.splitlines()
    assert traceback == "RuntimeError: it said ?2J Bearer?[redacted] Bearer [redacted]"
    assert said == f"error: {traceback}"


def test_an_error_is_told_without_loading_what_logs() -> None:
    program = (
        "import sys; from cli.failures import say_error; say_error('x');"
        "sys.stdout.write(' '.join({'structlog', 'rich', 'pydantic'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("", "error: x\n")
