"""A Pulumi CLI that was started before its operation is known, and waits for it.

Starting the CLI and deriving its key take longer than all that it then does for a new workspace.
Our build waits at its start (`tools/pulumi_cli/held`), and ends when whoever could tell it what to
do is gone. The official CLI knows nothing of this, and ends.
"""

import contextlib
import json
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, Literal

from stacks.engine.command import environment
from stacks.engine.model import EngineConfig

HOLD = "CODEHUB_HOLD"
SALT = "CODEHUB_HOLD_SALT"
HELD = b"held\n"
TAKEN = b"set\n"
PATIENCE_SECONDS = 30.0
"""One that says nothing for so long is none: whoever waits for it hears nobody else meanwhile."""


class Held:
    """A CLI that waits.

    Attributes:
        process: It.
        stderr: Where it says what went wrong.
    """

    def __init__(self, config: EngineConfig, *, salt: str) -> None:
        """Start it.

        Args:
            config: Where things are.
            salt: What the key is derived with; "" derives none.
        """
        self.stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives with the process
        self._socket, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self.process = subprocess.Popen(
                [str(config.pulumi)],
                cwd=config.work,
                env={**environment(config), HOLD: str(number), SALT: salt},
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.stderr,
            )
        self._socket.settimeout(PATIENCE_SECONDS)
        self._said = self._socket.makefile("rb")

    def wait(self) -> bool:
        """Wait until it waits; False when it ended instead, as the official one does."""
        return self._says(HELD) or self._end()

    def release(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Have it do something; whether it was there to be told."""
        order = {"arguments": list(arguments), "environment": dict(environment)}
        return (self.process.poll() is None and self._tell(order)) or self._end()

    def add(self, environment: Mapping[str, str]) -> bool:
        """Add to the environment of one that is at work; whether it took that."""
        return self._tell({"environment": dict(environment)}) and self._says(TAKEN)

    def _end(self) -> Literal[False]:
        self.process.kill()
        self.process.wait()
        self._said.close()
        self._socket.close()
        return False

    def _tell(self, order: Mapping[str, object]) -> bool:
        with contextlib.suppress(OSError):
            self._socket.sendall(json.dumps(order).encode() + b"\n")
            return True
        return False

    def _says(self, line: bytes) -> bool:
        with contextlib.suppress(OSError):
            return self._said.readline() == line
        return False
