"""One call of the git command, with nobody's configuration but ours.

Repositories come from outside: no hook, filter, alias, replaced object, credential helper or
transport of theirs or of the machine's takes part. Arguments that could be taken for an option are
the callers' to guard with `--end-of-options`.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacks.errors import GitError, ToolchainError

TIMEOUT = 60.0
"""Seconds that a call on a local repository may take."""

SAID_MAX = 400
"""Characters of git's own words that a message quotes."""

_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false",
    "protocol.allow=never", "protocol.https.allow=always", "protocol.http.allow=always",
    "protocol.ssh.allow=always", "protocol.file.allow=always", "fetch.recurseSubmodules=no", "fetch.unpackLimit=1",
    "transfer.fsckObjects=true", "credential.helper=", "http.followRedirects=false",
    "core.quotePath=false", "safe.directory=*",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, kw_only=True)
class Git:
    """Git on one repository.

    Attributes:
        folder: The repository: bare, or a work tree's.
        extra: Environment besides ours, such as how to log in.
    """

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *args: str, stdin: bytes = b"", timeout: float = TIMEOUT) -> bytes:
        """Call git and give what it wrote.

        Args:
            args: Subcommand and its arguments.
            stdin: What it reads.
            timeout: Seconds after which it is killed.

        Raises:
            GitError: It failed, or took too long; with its own words, cut.
            ToolchainError: There is no git on this machine.
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
        except FileNotFoundError:
            raise ToolchainError(
                "git is not installed", step="git", remedy="Install git."
            ) from None
        except subprocess.TimeoutExpired:
            message = f"git {args[0]} took longer than {timeout:g} s"
            raise GitError(message, step="git") from None
        if done.returncode:
            raise GitError(f"git {args[0]}: {said(done.stderr)}", step="git")
        return done.stdout

    def argv(self, *args: str) -> list[str]:
        """Give the words of a call."""
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return ["git", "-C", str(self.folder), *settings, *args]

    def environment(self) -> dict[str, str]:
        """Give the whole environment of a call."""
        found = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**found, **_ENVIRONMENT, **self.extra}


def said(stderr: bytes) -> str:
    """Give git's own words for a message: its last lines, without control characters."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    told = "; ".join(line.strip() for line in lines[-3:] if line.strip()) or "no word"
    return "".join(char if char.isprintable() else "?" for char in told)[:SAID_MAX]
