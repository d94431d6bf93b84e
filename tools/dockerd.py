"""A Docker engine on this machine: the one that answers is used, else Debian's is installed and started.

An engine that we start outlives us: workspaces keep running. Where systemd runs, it is asked; elsewhere
dockerd gets a session of its own and a log in the cache.
"""

import shutil
import subprocess
import time
from pathlib import Path

from tools import apt
from tools.cache import Cache
from tools.commands import TAIL_LINES, Say, run, silent
from tools.engine import DEFAULT_ADDRESS, Engine
from tools.errors import EngineUnreachableError

START_SECONDS = 60.0
OTHER_SECONDS = 5.0
POLL_SECONDS = 0.05
SYSTEMD = Path("/run/systemd/system")
PACKAGES = ["docker.io", "iptables"]
_left_running: list[subprocess.Popen[bytes]] = []
"""Engines of `ensure`: referred to, so that Python does not warn of a process that is meant to outlive it."""


def ensure(engine: Engine, cache: Cache, *, say: Say = silent) -> None:
    """Install and start an engine where none answers.

    Raises:
        EngineUnreachableError: a named engine does not answer, or ours does not start.
        MissingToolError: it must be installed and we may not.
        CommandFailedError: installing it failed.
    """
    if engine.address != DEFAULT_ADDRESS:
        raise EngineUnreachableError(
            f"the engine at {engine.shown} does not answer",
            remedy="start it, or unset DOCKER_HOST and CODEHUB_DOCKER_HOST to use one on this machine",
        )
    _refuse_without_permission(engine)
    if not (shutil.which("dockerd") and shutil.which("iptables")):
        log = cache.logs / "apt.log"
        apt.install(PACKAGES, why="a Docker engine", log=log, say=say)
    if engine.answers():  # the package may have started it
        return
    if SYSTEMD.exists():
        run(["systemctl", "start", "docker"], log=cache.logs / "dockerd.log", say=say)
        _await(engine, None, cache.logs / "dockerd.log")
    else:
        _left_running.append(start(engine, [], log=cache.logs / "dockerd.log"))


def start(engine: Engine, options: list[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start dockerd in a session of its own and wait until it answers.

    Args:
        engine: where it will answer.
        options: dockerd's options; none means its own defaults and /etc/docker/daemon.json.
        log: where its output is kept.

    Raises:
        EngineUnreachableError: it ended or did not answer in time; quotes the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["dockerd", *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(engine, process, log)
    except EngineUnreachableError:
        process.terminate()
        process.wait()
        raise
    return process


def _await(engine: Engine, process: subprocess.Popen[bytes] | None, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    ended = False
    while not engine.answers():
        if not ended and process is not None and process.poll() is not None:
            # A package's own start may be under way, and then ours ends at once: give that one a moment.
            ended, deadline = True, time.monotonic() + OTHER_SECONDS
        if time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
            what = "ended" if ended else f"did not answer within {START_SECONDS:.0f} s"
            raise EngineUnreachableError(
                f"dockerd {what}:\n{tail}", remedy=f"the whole log is in {log}"
            )
        time.sleep(POLL_SECONDS)


def _refuse_without_permission(engine: Engine) -> None:
    # A socket that is there but closed to us is no reason to start a second engine.
    try:
        engine.version()
    except EngineUnreachableError as error:
        if isinstance(error.__cause__, PermissionError):
            raise EngineUnreachableError(
                f"this user may not use the Docker engine at {engine.shown}",
                remedy="as root: usermod -aG docker USER, then log in again",
            ) from error
