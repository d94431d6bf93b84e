"""One call of the git command, with nobody's configuration but ours.

Repositories come from outside: no hook, filter, alias, replaced object, credential helper or
transport of theirs or of the machine's takes part. A call talks to nobody, also not for an object
that a partial clone lacks: only `stacks.git.transfer` does. Arguments that could be taken for an
option are the callers' to guard with `--end-of-options`.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacks.errors import GitAccessError, GitError, ToolchainError
from telemetry.words import printable

TIMEOUT = 60.0
"""Seconds that a call on a local repository may take."""

SAID_MAX = 400
"""Characters of git's own words that a message quotes."""

ALLOWED = "GIT_ALLOW_PROTOCOL"
"""Variable of the transports that git may use."""

NOT_NOW = (ToolchainError, OSError)
"""Git could not be started, or the machine is out of something: it says nothing of a repository."""

_FOREIGN = b"dubious ownership"

_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false",
    "protocol.allow=never", "fetch.recurseSubmodules=no", "fetch.unpackLimit=1",
    "transfer.fsckObjects=true", "credential.helper=", "http.followRedirects=false",
    "core.quotePath=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    ALLOWED: "none",  # stronger than all of the repository's own `protocol.*`
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, kw_only=True)
class Git:
    """Git on one repository.

    Attributes:
        folder: The repository: bare, or a work tree's. Whoever names it means it: that very folder
            is read whoever owns it, but none above it that belongs to another user.
        bare: Whether that folder is the repository, and none above it is looked for.
        extra: Environment besides ours, such as how to log in.
    """

    folder: Path
    bare: bool = False
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *args: str, stdin: bytes = b"", timeout: float = TIMEOUT) -> bytes:
        """Call git and give what it wrote.

        Args:
            args: Subcommand and its arguments.
            stdin: What it reads.
            timeout: Seconds after which it is killed.

        Raises:
            GitError: It failed, or took too long; with its own words, cut.
            GitAccessError: A folder above the named one is a repository of another user.
            ToolchainError: There is no git on this machine, or it can't be started now.
        """
        try:
            done = subprocess.run(
                self.argv(*args),
                input=stdin,
                capture_output=True,
                check=False,
                timeout=timeout,
                env=self.environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise not_started(error) from None
        except subprocess.TimeoutExpired:
            message = f"git {args[0]} took longer than {timeout:g} s"
            raise GitError(message, step="git") from None
        if done.returncode and _FOREIGN in done.stderr:
            told = "a folder above this one is a repository of another user"
            raise GitAccessError(told, step="git", remedy="Name the repository's own folder.")
        if done.returncode:
            raise GitError(f"git {args[0]}: {said(done.stderr)}", step="git")
        return done.stdout

    def argv(self, *args: str) -> list[str]:
        """Give the words of a call."""
        meant = f"safe.directory={os.path.realpath(self.folder)}"
        settings = [word for setting in (*_SETTINGS, meant) for word in ("-c", setting)]
        place = ["--git-dir=."] if self.bare else []
        return ["git", "-C", str(self.folder), *place, *settings, *args]

    def environment(self) -> dict[str, str]:
        """Give the whole environment of a call."""
        found = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**found, **_ENVIRONMENT, **self.extra}


def not_started(error: OSError) -> ToolchainError:
    """Say why git did not begin, such as while it is upgraded, or where processes or files are out."""
    if isinstance(error, FileNotFoundError):
        return ToolchainError("git is not installed", step="git", remedy="Install git.")
    told = f"git can't be started: {(error.strerror or '').lower()}"
    return ToolchainError(
        told, step="git", remedy="See the machine's limits of processes and files."
    )


def not_now(error: ToolchainError | OSError) -> str:
    """Say why a copy can't be read now, of one of `NOT_NOW`."""
    if isinstance(error, ToolchainError):
        return error.message
    return f"the copy of the repository can't be read now: {(error.strerror or '').lower()}"


def said(stderr: bytes, hide: Callable[[str], str] = str) -> str:
    """Give git's own words for a message: its last lines, without control characters.

    Args:
        stderr: What it wrote.
        hide: Takes out what must not be told; it gets all of it, as a cut could leave a part.
    """
    lines = hide(stderr.decode("utf-8", "replace")).strip().splitlines()
    told = "; ".join(line.strip() for line in lines[-3:] if line.strip()) or "no word"
    return printable(told)[:SAID_MAX]
