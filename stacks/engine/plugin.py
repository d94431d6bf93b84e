"""The provider's plugin, started beside a CLI that waited instead of by it, while that gets ready.

The CLI is told the plugin's port right before the program asks for its first resource. The plugin
lives for one operation: it takes orders from whoever on this machine reaches its port. What waits
ahead is the process alone, forked while that is cheap and safe; it becomes the plugin when it is told.
"""

import contextlib
import os
import signal
import threading
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import IO

from stacks.engine.command import environment
from stacks.engine.model import EngineConfig
from stacks.engine.processes import Forked

ATTACH = "PULUMI_DEBUG_PROVIDERS"
NAME = "docker"


class Plugin:
    """A process that becomes the plugin. To be made while this process has one thread: it forks."""

    def __init__(self, config: EngineConfig, *, stderr: IO[bytes]) -> None:
        """Fork.

        Args:
            config: Where things are.
            stderr: Where it says what went wrong.
        """
        self._process = Forked(partial(_become, config), errors=stderr.fileno())
        self._said = os.fdopen(self._process.output, "rb")

    def start(self) -> None:
        """Have it become the plugin; one that was killed is missed by `wait`."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._process.orders, b"\n")

    def wait(self) -> dict[str, str]:
        """Wait for its port; gives what tells a CLI to use it, nothing when it ended instead."""
        port = self._said.readline().strip().decode(errors="replace")
        # A plugin whose words nobody takes stands still once the pipe is full.
        threading.Thread(target=self._said.read, daemon=True).start()
        return {ATTACH: f"{NAME}:{port}"} if port.isdigit() else {}

    def end(self) -> None:
        """End it: whoever asked it for something is gone."""
        self._process.end()


def _become(config: EngineConfig, orders: int) -> None:
    """Wait for the order, then be the plugin; where it is missing, the CLI says so."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python; the plugin would inherit it
        signal.signal(ignored, signal.SIG_DFL)
    if os.read(orders, 1):
        os.chdir(config.work)
        program = str(path(config.pulumi_home))
        os.execve(program, [program], environment(config))  # noqa: S606


def path(pulumi_home: Path) -> Path:
    """Give the path of the plugin that goes with the SDK."""
    version = metadata.version(f"pulumi-{NAME}")
    kind = f"resource-{NAME}"
    return pulumi_home / "plugins" / f"{kind}-v{version}" / f"pulumi-{kind}"
