"""One git process that talks to a server: bounded in time and size, ended with all that it started.

A local call is `stacks.git.command`; this one may hang, send without end, or be cut at any byte.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from stacks.errors import GitError
from stacks.git.command import ALLOWED, Git, not_started, said

MAX_BYTES = 4 << 30
"""Bytes that a repository may have here: whole history of one branch."""

LOOK_EVERY = 0.5
"""Seconds between two looks at what was received so far."""

GRACE = 2.0
"""Seconds that git gets to remove its own temporary files."""

SAID_MAX = 64 * 1024


async def transfer(
    git: Git,
    *args: str,
    within: float,
    environment: Mapping[str, str],
    protocol: str,
    folder: Path,
    most: int = MAX_BYTES,
    kept: Sequence[int] = (),
    hide: Callable[[str], str] = str,
) -> None:
    """Run git until it ends.

    Args:
        git: The repository.
        args: Subcommand and its arguments.
        within: Seconds that it may take.
        environment: Besides git's usual one: how to log in.
        protocol: The one transport that it may use, such as `https`.
        folder: What must not become larger than `most`.
        most: Bytes.
        kept: Descriptors that live as long as git, and all that it starts, does.
        hide: Takes secrets out of git's words, which may hold what a server sent back.

    Raises:
        GitError: It failed; with its own words, cut.
        ToolchainError: There is no git on this machine, or it can't be started now.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *git.argv(*args),
            env={**git.environment(), **environment, ALLOWED: protocol},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=kept,
        )
    except OSError as error:
        raise not_started(error) from None
    try:
        async with asyncio.timeout(within):
            told = await _last_words(process, folder, most)
            code = await process.wait()
    except TimeoutError:
        raise GitError(f"git {args[0]} took longer than {within:g} s", step="fetch") from None
    finally:
        await _end(process)
    if code:
        raise GitError(f"git {args[0]}: {said(told, hide)}", step="fetch")


async def _last_words(process: asyncio.subprocess.Process, folder: Path, most: int) -> bytes:
    """Give the last lines of what git says, and look after the size of the folder meanwhile."""
    assert process.stderr is not None
    told, is_cut, looked = b"", False, time.monotonic()
    while True:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                piece = await process.stderr.read(SAID_MAX)
        except TimeoutError:
            piece = None
        if piece == b"":
            # The rest of a line that was cut may be half of a secret.
            return told.partition(b"\n")[2] if is_cut else told
        told += piece or b""
        is_cut, told = is_cut or len(told) > SAID_MAX, told[-SAID_MAX:]
        if time.monotonic() - looked >= LOOK_EVERY:
            if await asyncio.to_thread(size_of, folder) > most:
                raise GitError(f"the repository has more than {most >> 20} MiB", step="fetch")
            looked = time.monotonic()


def size_of(folder: Path) -> int:
    """Give the bytes of the files below a folder; what goes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(f"{place}/{name}").st_size
    return total


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group, if it runs: git's helpers (https, ssh, index-pack) are its children."""
    if process.returncode is not None:
        return
    _signal(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await process.wait()
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)
