"""The provider's plugin, started beside a CLI that waited instead of by it, while that gets ready.

The CLI is told the plugin's port right before the program asks for its first resource. The plugin
lives for one operation: it takes orders from whoever on this machine reaches its port.
"""

import contextlib
import subprocess
import threading
from importlib import metadata
from pathlib import Path
from typing import IO

from stacks.engine.command import environment
from stacks.engine.model import EngineConfig
from stacks.engine.processes import die_with_parent

ATTACH = "PULUMI_DEBUG_PROVIDERS"
NAME = "docker"


class Plugin:
    """A plugin that gets ready."""

    def __init__(self, config: EngineConfig, *, stderr: IO[bytes]) -> None:
        """Start it.

        Args:
            config: Where things are.
            stderr: Where it says what went wrong.

        Raises:
            OSError: It is not where Pulumi keeps it.
        """
        self._process = subprocess.Popen(
            [str(path(config.pulumi_home))],
            cwd=config.work,
            env=environment(config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # made while there is one thread
        )

    def environment(self) -> dict[str, str]:
        """Wait for its port; gives what tells a CLI to use it, nothing when it ended instead."""
        said = self._process.stdout
        assert said is not None
        port = said.readline().strip().decode(errors="replace")
        # A plugin whose words nobody takes stands still once the pipe is full.
        threading.Thread(target=said.read, daemon=True).start()
        return {ATTACH: f"{NAME}:{port}"} if port.isdigit() else {}

    def end(self) -> None:
        """End it: whoever asked it for something is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


def path(pulumi_home: Path) -> Path:
    """Give the path of the plugin that goes with the SDK."""
    version = metadata.version(f"pulumi-{NAME}")
    kind = f"resource-{NAME}"
    return pulumi_home / "plugins" / f"{kind}-v{version}" / f"pulumi-{kind}"
