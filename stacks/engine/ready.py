"""What an operation needs beside its request, made for it or ahead of it.

Processes are forked first: one with threads must not, and gRPC has some.
"""

from concurrent import futures
from dataclasses import dataclass
from typing import Self

import grpc

from stacks.engine.held import Held
from stacks.engine.model import EngineConfig, Kind, Operation
from stacks.engine.plugin import Plugin
from stacks.engine.policies import Policies

GRPC_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.so_reuseport", 0)]
_RUNS_PROGRAM = frozenset({Kind.UP, Kind.PREVIEW})


@dataclass(kw_only=True)
class Ready:
    """What is there for one operation.

    Attributes:
        server: Serves the program and the event log; it has no port yet.
        policies: The policy pack's process; None where it is not wanted.
        cli: A CLI that waits; None where the operation starts its own.
        plugin: What becomes the plugin; None where the CLI starts it.
    """

    server: grpc.Server
    policies: Policies | None = None
    cli: Held | None = None
    plugin: Plugin | None = None

    @classmethod
    def ahead(cls, config: EngineConfig, *, salt: str) -> Self:
        """Make all of it before the operation is known; salt as in `Held`."""
        cli = Held(config, salt=salt)
        plugin, policies = Plugin(config, stderr=cli.stderr), Policies()
        return cls(server=grpc_server(), policies=policies, cli=cli, plugin=plugin)

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """Make what an operation needs at once."""
        policies = Policies() if _wants_policies(operation) else None
        return cls(server=grpc_server(), policies=policies)

    def wait(self) -> bool:
        """Wait until the CLI waits; False when it ended instead, which then starts its own plugin."""
        is_held = self.cli is not None and self.cli.wait()
        if not is_held:
            self._drop_plugin()
        return is_held

    def begin(self, operation: Operation) -> None:
        """Tell what was made ahead what it is for, and end what is not wanted.

        Raises:
            BrokenPipeError: What serves the policies was killed.
        """
        if operation.refresh or operation.kind not in _RUNS_PROGRAM:
            self._drop_plugin()  # the program is not what first asks for it
        if self.plugin is not None:
            self.plugin.start()
        if self.policies is None:
            return
        if _wants_policies(operation):
            self.policies.tell(operation.rules)
        else:
            self.policies.end()
            self.policies = None

    def end(self) -> None:
        """End what the operation used."""
        self.server.stop(grace=None)
        for process in (self.policies, self.plugin):
            if process is not None:
                process.end()

    def _drop_plugin(self) -> None:
        if self.plugin is not None:
            self.plugin.end()
        self.plugin = None


def grpc_server() -> grpc.Server:
    """Make a server without a port."""
    return grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=GRPC_OPTIONS)


def _wants_policies(operation: Operation) -> bool:
    return operation.policies and operation.kind in _RUNS_PROGRAM
