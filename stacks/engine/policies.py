"""Serves the policy pack to one operation from a process forked beside the worker.

The CLI takes an executable as a policy pack: it starts it and reads a port from its first line.
Ours is a ``cat`` of the pipe into which the forked process, where the SDK and the pack are
imported already, prints its port. Starting Python anew for each operation takes 0.4 s.
"""

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks.engine.processes import die_with_parent

EXECUTABLE = "policy-pack"
PORT_PIPE = "CODEHUB_POLICY_PORT_PIPE"
# Pulumi loads the pack by name; this room does not import the pack's.
PACK = "policies.pack.pack"
MOST_DESCRIPTORS = 1024
SCRIPT = f'#!/bin/sh\nexec cat "${PORT_PIPE}"\n'


def install(work: Path) -> None:
    """Write the executable into the work folder."""
    path = work / EXECUTABLE
    path.write_text(SCRIPT)
    path.chmod(0o700)


class Policies:
    """The pack's process. To be made while this process has one thread: it forks."""

    def __init__(self, *, wanted: bool, rules: Mapping[str, Any]) -> None:
        """Fork.

        Args:
            wanted: Whether the pack is run at all.
            rules: What `_policies.yaml` says, as the pack takes it.
        """
        self._rules = rules
        self._pid = 0
        self._pipe = -1
        if wanted:
            self._start()

    @property
    def executable(self) -> str | None:
        """Give the path for ``--policy-pack`` from the work folder, None without policies."""
        return f"./{EXECUTABLE}" if self._pid else None

    def environment(self) -> dict[str, str]:
        """Give what the executable needs to find the pipe."""
        return {PORT_PIPE: f"/proc/{os.getpid()}/fd/{self._pipe}"} if self._pid else {}

    def end(self) -> None:
        """End the process; it holds nothing that needs care."""
        if not self._pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._pipe)
        self._pid = 0

    def _start(self) -> None:
        self._pipe, writer = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(writer)
            return
        try:
            die_with_parent()
            os.dup2(writer, 1)
            os.closerange(3, MOST_DESCRIPTORS)  # the runner must see the worker's end
            # The SDK writes its port and does not flush: in a pipe it would stay in Python's buffer.
            sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), write_through=True)
            importlib.import_module(PACK).serve(self._rules)
        finally:
            os._exit(1)
