"""Debian packages that the set-up needs; nothing is installed where we may not."""

import os
import shutil
import threading
from pathlib import Path

from tools.commands import Say, run, silent
from tools.errors import MissingToolError

_one_at_a_time = threading.Lock()
LOCK_SECONDS = 600
"""How long to wait for another apt on this machine."""


def install(packages: list[str], *, why: str, log: Path, say: Say = silent) -> None:
    """Install Debian packages.

    Args:
        packages: their names.
        why: what they are for, to say when they cannot be installed.
        log: where apt's output goes.
        say: is told apt's lines.

    Raises:
        MissingToolError: we are not root or this is no Debian; says what is missing and the command for it.
        CommandFailedError: apt failed.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise MissingToolError(
            f"{why}: missing, and there is no apt-get here",
            remedy=f"install what Debian calls: {names}",
        )
    if os.geteuid() != 0:
        raise MissingToolError(
            f"{why}: missing, and only root may install it",
            remedy=f"as root: apt-get update && apt-get install -y --no-install-recommends {names}",
        )
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    options = ["-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}", "-q", "-y"]
    with _one_at_a_time:
        run(["apt-get", *options, "update"], env=env, log=log, say=say)
        command = ["apt-get", *options, "install", "--no-install-recommends", *packages]
        run(command, env=env, log=log, say=say)
