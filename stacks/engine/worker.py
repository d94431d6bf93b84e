"""One operation, in a process of its own that was forked from a warm one.

Serves the inline program and the event log to the Pulumi CLI from one gRPC port, calls the CLI
once, and reports. Ends itself and all that it started when the runner's end of the socket closes,
and when the runner's right to act runs out: a runner that stands still can't end anything.
It knows no other operation and no lock; the SDK's process-wide state dies with it.
"""

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import asdict
from typing import IO, Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc
from pulumi.runtime.proto.events_pb2_grpc import add_EventsServicer_to_server

from stacks.engine import wire
from stacks.engine.command import Servers, arguments, environment
from stacks.engine.held import Held
from stacks.engine.model import Kind, Operation
from stacks.engine.plugin import Plugin
from stacks.engine.policies import Policies
from stacks.engine.processes import kill_session
from stacks.engine.right import Right
from stacks.engine.servicer import EventLog
from stacks.engine.wire import Lines, Request, Result
from stacks.errors import StacksError
from stacks.programs.program import Program

GRPC_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.so_reuseport", 0)]
KEPT_STDERR = 8192
_RUNS_PROGRAM = frozenset({Kind.UP, Kind.PREVIEW})


def run(connection: socket.socket) -> None:
    """Do what the runner asks for over `connection`, then return."""
    lines = Lines(connection)
    messages = lines.receive()
    first = next(messages, None)
    held = None
    if first and "hold" in first:
        held = _hold(first, lines)
        first = next(messages, None)
    if first is None:
        return  # nothing is to be done: a CLI that waits ends with this process
    worker = _Worker(Request.from_json(first), lines, held)
    for target, args in ((worker.listen, (messages,)), (worker.watch, ())):
        threading.Thread(target=target, args=args, daemon=True).start()
    lines.send({"result": asdict(worker.work())})


def _hold(message: Mapping[str, Any], lines: Lines) -> Held:
    """Start a CLI before its operation is known, and tell the runner once it waits."""
    config, salt = wire.held(message)
    held = Held(config, salt=salt)
    is_held = held.wait()
    with contextlib.suppress(OSError):  # a runner that is gone is told by the next line
        lines.send({"held": is_held})
    return held


def load_program(name: str) -> Program:
    """Import ``module:name``.

    Raises:
        TypeError: It is not a `Program`.
    """
    module, _, attribute = name.partition(":")
    program = getattr(importlib.import_module(module), attribute)
    if not isinstance(program, Program):
        raise TypeError(f"{name} is not a Program")
    return program


class _Worker:
    def __init__(self, request: Request, lines: Lines, held: Held | None) -> None:
        self._request = request
        self._held = held
        self._log = EventLog(lines)
        operation = request.operation
        self._plugin = self._start_plugin()
        self._policies = Policies(wanted=_wants_policies(operation), rules=operation.rules)
        self._cli: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._starting = threading.Lock()
        self._right = Right(request.until)

    def listen(self, messages: Any) -> None:
        """Follow the runner's words, and end all with it; runs in a thread of its own."""
        try:
            # A runner that was killed before it had read everything closes with a reset.
            with contextlib.suppress(OSError):
                for message in messages:
                    if "stop" in message:
                        self._stop()
                    if "drained" in message:
                        self._log.drained.set()
                    if "until" in message:
                        self._right.extend(message["until"])
        finally:
            # The runner is gone: nothing that we started may go on.
            self._end()

    def watch(self) -> None:
        """End all when the runner's right to act runs out; runs in a thread of its own."""
        self._right.wait()
        self._end()

    def _end(self) -> None:
        with self._starting:  # or the CLI could begin after the last look for processes
            kill_session(os.getpid(), spare=os.getpid())
            os._exit(1)

    def work(self) -> Result:
        """Run the operation."""
        operation = self._request.operation
        program = load_program(operation.program)
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=GRPC_OPTIONS)
        add_EventsServicer_to_server(self._log, server)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
            LanguageServer(lambda: self._render(program)), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            code, stderr = self._call(f"127.0.0.1:{port}")
        finally:
            server.stop(grace=None)
            self._policies.end()
            if self._plugin is not None:
                self._plugin.end()
        settle = self._settle(program) if code == 0 and operation.kind is Kind.UP else None
        return self._result(code, stderr, settle)

    def _render(self, program: Program) -> None:
        if self._held is not None and self._plugin is not None:
            self._held.add(self._plugin.environment())
        program.render(self._request.operation.inputs, self._request.adopt)

    def _call(self, address: str) -> tuple[int, str]:
        request = self._request
        servers = Servers(address=address, policy_pack=self._policies.executable)
        words, added = arguments(request.operation, servers), self._policies.environment()
        with tempfile.TemporaryFile() if self._held is None else self._held.stderr as stderr:
            with self._starting:
                if self._right.is_over:
                    kill_session(os.getpid(), spare=os.getpid())
                    os._exit(1)  # nothing was begun
                self._cli = self._begin(words, added, stderr)
            if self._stopped:
                self._stop()
            code = self._cli.wait()
            if code != 0:
                # A CLI that was killed leaves its plugins behind.
                kill_session(os.getpid(), spare=os.getpid())
            stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - KEPT_STDERR))
            return code, stderr.read().decode(errors="replace")

    def _begin(
        self, words: Sequence[str], added: Mapping[str, str], stderr: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Tell the CLI that waits, or else start one."""
        if self._held is not None and self._held.release(words, added):
            return self._held.process
        config = self._request.config
        return subprocess.Popen(
            [str(config.pulumi), *words],
            cwd=config.work,
            env={**environment(config), **added},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )

    def _start_plugin(self) -> Plugin | None:
        """Start the plugin where the CLI waits and the program is what first asks for it."""
        operation = self._request.operation
        if self._held is None or operation.refresh or operation.kind not in _RUNS_PROGRAM:
            return None
        with contextlib.suppress(OSError):  # the CLI says what is wrong with it
            return Plugin(self._request.config, stderr=self._held.stderr)
        return None

    def _stop(self) -> None:
        """Ask the CLI to end after the step that it is at."""
        self._stopped = True
        if self._cli is not None:
            self._cli.send_signal(signal.SIGINT)

    def _settle(self, program: Program) -> dict[str, Any] | None:
        if program.settle is None:
            return None
        try:
            program.settle(self._request.operation.inputs, self._request.config.docker_host)
        except StacksError as error:
            return error.to_json()
        return None

    def _result(self, code: int, stderr: str, settle: dict[str, Any] | None) -> Result:
        found = self._log.collector
        return Result(
            exit_code=code,
            stderr=stderr,
            changes=[asdict(change) for change in found.changes()],
            outputs=found.outputs,
            errors=found.errors,
            policies=[asdict(violation) for violation in found.policies],
            settle=settle,
        )


def _wants_policies(operation: Operation) -> bool:
    return operation.policies and operation.kind in _RUNS_PROGRAM


def warm() -> None:
    """Import what workers need that is not imported above, so that forks share it."""
    for name in ("stacks.programs.docker", "policies.pack.pack"):
        importlib.import_module(name)
    asyncio.new_event_loop().close()
    # A look for garbage writes to each object, and so copies the memory that forks share. They
    # live for one operation only.
    gc.disable()
    sys.stdout.flush()
