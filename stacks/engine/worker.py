"""One operation, in a process of its own that was forked from a warm one.

Serves the inline program and the event log to the Pulumi CLI from one gRPC port, calls the CLI
once, and reports. Ends itself and all that it started when the runner's end of the socket closes,
and when the runner's right to act runs out: a runner that stands still can't end anything.
It knows no other operation and no lock; the SDK's process-wide state dies with it.
"""

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
import traceback
from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import asdict
from typing import IO, Any

import pulumi.log
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc
from pulumi.runtime.proto.events_pb2_grpc import add_EventsServicer_to_server

from stacks.engine import wire
from stacks.engine.command import Servers, arguments, environment
from stacks.engine.model import WORKSPACE_PROGRAM, Kind
from stacks.engine.policies import PACK_PATH
from stacks.engine.processes import kill_session
from stacks.engine.ready import Ready
from stacks.engine.rehearsal import rehearse
from stacks.engine.right import Right
from stacks.engine.servicer import EventLog
from stacks.engine.wire import Lines, Request, Result
from stacks.errors import StacksError
from stacks.programs.program import Program

KEPT_STDERR = 8192


def run(connection: socket.socket) -> None:
    """Do what the runner asks for over `connection`, then return."""
    lines = Lines(connection)
    messages = lines.receive()
    first = next(messages, None)
    ready = None
    if first and "hold" in first:
        ready = _hold(first, lines)
        first = next(messages, None)
    if first is None:
        return  # nothing is to be done: what waits ends with this process
    request = Request.from_json(first)
    ready = ready or Ready.of(request.operation)
    ready.begin(request.operation)
    worker = _Worker(request, lines, ready)
    for target, args in ((worker.listen, (messages,)), (worker.watch, ())):
        threading.Thread(target=target, args=args, daemon=True).start()
    lines.send({"result": asdict(worker.work())})


def _hold(message: Mapping[str, Any], lines: Lines) -> Ready:
    """Make ready what can be before the operation is known, and tell the runner once the CLI waits."""
    config, salt = wire.held(message)
    ready = Ready.ahead(config, salt=salt)
    is_held = ready.wait()
    with contextlib.suppress(OSError):  # a runner that is gone is told by the next line
        lines.send({"held": is_held})
    return ready


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
    def __init__(self, request: Request, lines: Lines, ready: Ready) -> None:
        self._request = request
        self._ready = ready
        self._log = EventLog(lines, summed=self._begin_settling)
        self._program = load_program(request.operation.program)
        self._settling: futures.Future[dict[str, Any] | None] | None = None
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
        server = self._ready.server
        add_EventsServicer_to_server(self._log, server)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
            LanguageServer(self._render), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            code, stderr = self._call(f"127.0.0.1:{port}")
        finally:
            self._ready.end()
        return self._result(code, stderr, self._settled(code))

    def _render(self) -> None:
        ready = self._ready
        if ready.cli is not None and ready.plugin is not None:
            ready.cli.add(ready.plugin.wait())
        self._program.render(self._request.operation.inputs, self._request.adopt)

    def _call(self, address: str) -> tuple[int, str]:
        policies, held = self._ready.policies, self._ready.cli
        servers = Servers(address=address, policy_pack=PACK_PATH if policies else None)
        words = arguments(self._request.operation, servers)
        added = policies.environment() if policies else {}
        with tempfile.TemporaryFile() if held is None else held.stderr as stderr:
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
        held = self._ready.cli
        if held is not None and held.release(words, added):
            return held.process
        config = self._request.config
        return subprocess.Popen(
            [str(config.pulumi), *words],
            cwd=config.work,
            env={**environment(config), **added},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )

    def _stop(self) -> None:
        """Ask the CLI to end after the step that it is at."""
        self._stopped = True
        if self._cli is not None:
            self._cli.send_signal(signal.SIGINT)

    def _begin_settling(self) -> None:
        """Begin with the program's last part while the CLI, which is done, writes that down and ends."""
        if self._request.operation.kind is Kind.UP and not self._stopped:
            self._settling = futures.ThreadPoolExecutor(1).submit(self._settle)

    def _settled(self, code: int) -> dict[str, Any] | None:
        """Give how the program's last part failed, which belongs to what ended well only."""
        if code != 0 or self._request.operation.kind is not Kind.UP:
            return None  # what was begun ends with this process
        return self._settling.result() if self._settling is not None else self._settle()

    def _settle(self) -> dict[str, Any] | None:
        if self._program.settle is None:
            return None
        try:
            self._program.settle(self._request.operation.inputs, self._request.config.docker_host)
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


def warm() -> None:
    """Load and work out what workers need that is not imported above, so that forks share it."""
    for name in ("policies.pack.pack", "grpc._channel"):
        importlib.import_module(name)
    # Each would be a call that the program waits for, and what it says is dropped here again.
    pulumi.log.debug = _nothing
    program = load_program(WORKSPACE_PROGRAM)
    try:
        rehearse(program)
    except Exception:  # noqa: BLE001  # it saves time and is needed for nothing else
        traceback.print_exc()
    # A look for garbage writes to each object, and so copies the memory that forks share. They
    # live for one operation only.
    gc.disable()
    sys.stdout.flush()


def _nothing(*_arguments: object, **_named: object) -> None:
    """Do nothing."""
