"""Serves the policy pack to one operation from a process forked beside the worker.

The CLI takes an executable as a policy pack: it starts it and reads a port from its first line.
Ours is a ``cat`` of the pipe into which the forked process, where the SDK and the pack are
imported already, prints its port. Starting Python anew for each operation takes 0.4 s.
"""

import importlib
import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks.engine.processes import Forked

EXECUTABLE = "policy-pack"
PACK_PATH = f"./{EXECUTABLE}"
"""The executable, for ``--policy-pack`` from the work folder."""
PORT_PIPE = "CODEHUB_POLICY_PORT_PIPE"
# Pulumi loads the pack by name; this room does not import the pack's.
PACK = "policies.pack.pack"
SCRIPT = f'#!/bin/sh\nexec cat "${PORT_PIPE}"\n'


def install(work: Path) -> None:
    """Write the executable into the work folder."""
    path = work / EXECUTABLE
    path.write_text(SCRIPT)
    path.chmod(0o700)


class Policies:
    """The pack's process. To be made while this process has one thread: it forks."""

    def __init__(self) -> None:
        """Fork; it waits for its rules."""
        self._process = Forked(_serve)

    def tell(self, rules: Mapping[str, Any]) -> None:
        """Tell it what `_policies.yaml` says, as the pack takes it; it serves from then on.

        Raises:
            BrokenPipeError: It was killed.
        """
        with open(self._process.orders, "wb", closefd=False) as orders:
            orders.write(json.dumps(rules).encode() + b"\n")

    def environment(self) -> dict[str, str]:
        """Give what the executable needs to find the pipe."""
        return {PORT_PIPE: f"/proc/{os.getpid()}/fd/{self._process.output}"}

    def end(self) -> None:
        """End the process; it holds nothing that needs care."""
        self._process.end()
        os.close(self._process.output)


def _serve(orders: int) -> None:
    """Be the process."""
    with open(orders, "rb") as told:
        rules = told.readline()
    if rules:
        # The SDK writes its port and does not flush: in a pipe it would stay in Python's buffer.
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), write_through=True)
        importlib.import_module(PACK).serve(json.loads(rules))
