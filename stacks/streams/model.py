"""What can be asked of streams, and how the question travels in a URL. Pure, but for the clock.

The same text means the same at the command line, on the runner's socket and in the gateway's API:
`LogOptions.of` and `ExecOptions.of` are the only readers of it.
"""

import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, Self
from urllib.parse import urlencode

from settings.errors import UnitError
from settings.units import parse_duration
from stacks.errors import BadRequestError
from stacks.operator import LOG_TAIL, MAX_LOG_TAIL
from stacks.streams.frames import Channel, Size

MOST_LINES = 10_000_000
"""Most lines that can be asked for as a number; `all` has no end."""

MAX_ARGUMENTS = 32 << 10
"""Most bytes of a command with its arguments: it travels in a URL. Larger things go into stdin."""

MAX_QUERY = 100 << 10
"""Most bytes of that as written in the URL: each argument has its key, and signs may take three."""

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}

_DIGITS = re.compile(r"[0-9]{1,9}")

Query = Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """Which part of a log, and how.

    Attributes:
        tail: Lines from the end; None for all.
        since: Only what was written from then on, seconds since 1970; None for all.
        follow: Whether to go on with what is written, until the container ends.
        timestamps: Whether each line begins with its time.
    """

    tail: int | None = LOG_TAIL
    since: float | None = None
    follow: bool = False
    timestamps: bool = False

    @classmethod
    def of(cls, query: Query) -> Self:
        """Read a query. Without `tail`, it is the last lines, or with `since` all since then.

        Raises:
            BadRequestError: It is not what it should be.
        """
        asked = _single(query, {"tail", "since", "follow", "timestamps"})
        since = parse_since(asked["since"]) if asked.get("since") else None
        default = str(LOG_TAIL) if since is None else "all"
        return cls(
            tail=parse_tail(asked.get("tail") or default),
            since=since,
            follow=_boolean(asked, "follow"),
            timestamps=_boolean(asked, "timestamps"),
        )

    @property
    def bounded(self) -> bool:
        """Whether it is just the last lines, few enough to be given in one piece."""
        more = self.follow or self.timestamps or self.since is not None
        return not more and self.tail is not None and self.tail <= MAX_LOG_TAIL

    def query(self) -> list[tuple[str, str]]:
        """Give what `of` reads."""
        asked = [("tail", "all" if self.tail is None else str(self.tail))]
        if self.since is not None:
            asked.append(("since", datetime.fromtimestamp(self.since, UTC).isoformat()))
        asked += [("follow", "true")] if self.follow else []
        return asked + ([("timestamps", "true")] if self.timestamps else [])


@dataclass(frozen=True, kw_only=True)
class ExecOptions:
    """What to run in a workspace, and how.

    Attributes:
        command: The program and its arguments.
        stdin: Whether the client sends its input.
        tty: Whether it gets a terminal.
        size: The terminal's size at first; None for the engine's default.
    """

    command: tuple[str, ...]
    stdin: bool = False
    tty: bool = False
    size: Size | None = None

    @classmethod
    def of(cls, query: Query) -> Self:
        """Read a query: `command` once for the program and once for each argument.

        Raises:
            BadRequestError: It is not what it should be.
        """
        pairs = list(query)
        command = tuple(value for key, value in pairs if key == "command")
        rest = [pair for pair in pairs if pair[0] != "command"]
        asked = _single(rest, {"stdin", "tty", "cols", "rows"})
        made = cls(
            command=command,
            stdin=_boolean(asked, "stdin"),
            tty=_boolean(asked, "tty"),
            size=_size(asked),
        )
        made.check()
        return made

    def check(self) -> None:
        """Refuse what no engine runs, or what is too long for a URL.

        Raises:
            BadRequestError: It is.
        """
        if not self.command or not self.command[0]:
            raise BadRequestError("a command is wanted: the name of a program, then its arguments")
        try:
            size = sum(len(word.encode()) + 1 for word in self.command)
        except UnicodeEncodeError:
            raise BadRequestError("the command must be UTF-8") from None
        if size > MAX_ARGUMENTS:
            raise BadRequestError(
                f"the command has more than {MAX_ARGUMENTS >> 10} KiB",
                remedy="Send what is large through standard input (-i).",
            )
        if len(urlencode(self.query())) > MAX_QUERY:
            raise BadRequestError(
                f"the command has more than {MAX_QUERY >> 10} KiB as it is written in a URL",
                remedy="Send what is large, or has many parts, through standard input (-i).",
            )
        if any("\0" in word for word in self.command):
            raise BadRequestError("the command holds a NUL character")

    def query(self) -> list[tuple[str, str]]:
        """Give what `of` reads."""
        asked = [("command", word) for word in self.command]
        asked += [("stdin", "true")] if self.stdin else []
        asked += [("tty", "true")] if self.tty else []
        if self.size:
            asked += [("cols", str(self.size.cols)), ("rows", str(self.size.rows))]
        return asked


class Process(Protocol):
    """A command that runs in a workspace. Errors are `StacksError`s."""

    async def read(self) -> tuple[Channel, bytes] | None:
        """Wait for output; None when there is no more.

        What is not read is not taken from the command, which then waits.
        """

    async def write(self, data: bytes) -> None:
        """Send input; returns when there is room for more."""

    async def close_stdin(self) -> None:
        """Say that there is no more input."""

    async def resize(self, size: Size) -> None:
        """Tell the terminal's size; without a terminal nothing happens."""

    async def exit_code(self) -> int:
        """Wait for the end of the command, after `read` gave None."""


class Streams(Protocol):
    """Logs and exec, here or behind the daemon's socket."""

    def logs(
        self, workspace_id: str, wanted: LogOptions
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give a log in pieces; it ends when the container does, also when that is restarted.

        Raises:
            UnknownWorkspaceError: It has no container.
            TooManyStreamsError: There is no place for one more.
        """

    def exec(self, workspace_id: str, wanted: ExecOptions) -> AbstractAsyncContextManager[Process]:
        """Run a command in a running workspace; left before its end, it gets a SIGHUP.

        Raises:
            UnknownWorkspaceError: It has no container.
            NotRunningError: The container does not run.
            TooManyStreamsError: There is no place for one more.
        """


class OwnStreams(Streams, Protocol):
    """Logs and exec of the runner that serves them."""

    async def end_left(self) -> None:
        """Hang up the commands that a runner left which was killed; before any of our own."""


def parse_tail(text: str) -> int | None:
    """Read a number of lines; None for `all`.

    Raises:
        BadRequestError: It is none.
    """
    if text == "all":
        return None
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MOST_LINES:
        raise BadRequestError(f"tail must be 1 to {MOST_LINES} lines, or `all`")
    return int(text)


def parse_since(text: str, *, now: float | None = None) -> float:
    """Read a duration before now, such as `10m`, or a time as in RFC 3339; seconds since 1970.

    Raises:
        BadRequestError: It is neither.
    """
    try:
        return (time.time() if now is None else now) - parse_duration(text)
    except UnitError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRequestError(
            "since must be a duration such as 10m, or a time such as 2026-11-21T20:30:00Z"
        )
    return found.timestamp()


def _single(query: Query, known: set[str]) -> Mapping[str, str]:
    asked: dict[str, str] = {}
    for key, value in query:
        if key not in known:
            raise BadRequestError(f"there is no option {key!r}")
        if key in asked:
            raise BadRequestError(f"{key} is given twice")
        asked[key] = value
    return asked


def _boolean(asked: Mapping[str, str], key: str) -> bool:
    try:
        return _BOOLEANS[asked.get(key, "").lower()]
    except KeyError:
        raise BadRequestError(f"{key} must be true or false") from None


def _size(asked: Mapping[str, str]) -> Size | None:
    if "cols" not in asked and "rows" not in asked:
        return None
    # Not `int` alone: it takes spaces, signs and other scripts' digits.
    cols, rows = (_DIGITS.fullmatch(asked.get(key, "")) for key in ("cols", "rows"))
    return Size.of(int(cols[0]) if cols else None, int(rows[0]) if rows else None)
