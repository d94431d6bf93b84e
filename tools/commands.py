"""Running the programs the set-up is made of: output to a log file, the last line to the display."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.errors import CommandFailedError, MissingToolError

TAIL_LINES = 15
"""How much of a failed program's output an error quotes; the log has it whole."""

Say = Callable[[str], None]
"""Shows one line of a step's progress."""


def silent(_line: str) -> None:
    """Show nothing."""


def run(
    argv: Sequence[object],
    *,
    log: Path,
    say: Say = silent,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = "",
) -> None:
    """Run a program to its end, its output appended to a log.

    Args:
        argv: the program and its arguments; never a shell line.
        log: where standard output and error go.
        say: is told each line, for a display.
        cwd: the folder to run in.
        env: what to add to this process's environment.
        remedy: what a person can do when it fails; the log is named in any case.

    Raises:
        MissingToolError: there is no such program.
        CommandFailedError: it ended with anything but 0.
    """
    words = [str(a) for a in argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        out.write(f"$ {' '.join(words)}\n")
        out.flush()
        code, tail = _stream(words, out.write, say, cwd=cwd, env=env)
    if code != 0:
        raise CommandFailedError(
            words[0], code, "\n".join(tail), remedy=remedy or f"the whole output is in {log}"
        )


def _stream(
    words: list[str],
    write: Callable[[str], object],
    say: Say,
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
) -> tuple[int, list[str]]:
    tail: list[str] = []
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"there is no program {words[0]} here") from error
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            write(line)
            tail = [*tail[-TAIL_LINES + 1 :], line.rstrip()]
            if line.strip():
                say(line.rstrip())
    return process.returncode, tail


def output(argv: Sequence[object], *, timeout: float = 20) -> str | None:
    """What a short-lived program prints, or None where it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            [str(a) for a in argv], capture_output=True, text=True, timeout=timeout, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
