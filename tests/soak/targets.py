"""Finding what is to be killed, and killing it; what has to be started again is, at once."""

import os
import signal
from contextlib import suppress

from stacks.engine.processes import read_process
from tests.soak.engine import OwnEngine
from tests.soak.hub import GATEWAY, RUNNERS, SoakHub
from tests.soak.records import OF_OPERATIONS, Target
from tests.stacks.integration.kills import find_cli, find_plugin

Pids = tuple[int, ...]


class Targets:
    """The processes of one soak."""

    def __init__(self, hub: SoakHub, engine: OwnEngine) -> None:
        self._hub = hub
        self._engine = engine
        self._work = (hub.root / "data" / "work").resolve()

    def find(self, target: Target, workspace: str) -> Pids:
        """Give the ids of what would be killed now; nothing when there is nothing of it.

        Args:
            target: What.
            workspace: Whose operation, for what lives as long as one.
        """
        if target in OF_OPERATIONS:
            return self._of_operation(target, workspace)
        if target is Target.ENGINE:
            return (self._engine.pid,) if self._engine.pid else ()
        if target is Target.LEADER:
            leader = self._hub.leader()
            return (self._hub.processes[leader].pid,) if leader else ()
        names = RUNNERS if target is Target.RUNNER else (GATEWAY,)
        return tuple(self._hub.processes[name].pid for name in names)

    def _of_operation(self, target: Target, workspace: str) -> Pids:
        cli = find_cli(workspace, self._work)
        found = read_process(cli) if cli else None
        if found is None or found.state == "Z":
            return ()
        if target is Target.PLUGIN:
            pid = find_plugin(cli)
        else:
            pid = cli if target is Target.CLI else found.session
        return (pid,) if pid else ()

    def kill(self, target: Target, pids: Pids) -> bool:
        """SIGKILL; whether it was there."""
        if target is Target.ENGINE:
            return bool(self._engine.kill())
        return {_killed(pid) for pid in pids} == {True}

    def recover(self, target: Target, pids: Pids) -> None:
        """Start again what does not start by itself, as a service manager does."""
        if target is Target.ENGINE:
            self._engine.start()
        for name, process in list(self._hub.processes.items()):
            if process.pid in pids:
                process.wait(20)
                self._hub.launch(name)
        self._hub.wait_until_serving()
        self._hub.wait_until_led()


def _killed(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
