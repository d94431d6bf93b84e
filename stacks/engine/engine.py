"""The engine as its callers see it: run one operation, tell its steps, give its outcome."""

import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stacks.engine import checkpoint as state
from stacks.engine import failures, policies, recovery, salt
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.engine.command import PROJECT
from stacks.engine.launcher import Worker
from stacks.engine.model import (
    EngineConfig,
    EngineEvent,
    Kind,
    Leftovers,
    Operation,
    Outcome,
    ResourceChange,
)
from stacks.engine.processes import end_recorded, kill_session, record_session
from stacks.engine.recovery import Prepared
from stacks.engine.spare import Workers
from stacks.engine.wire import Request, Result, encode
from stacks.errors import (
    NameTakenError,
    OperationKilledError,
    OperationTimeoutError,
    StacksError,
    StateUnavailableError,
    ToolchainError,
)
from stacks.fence import Fence

OnEvent = Callable[[EngineEvent], None]
PROJECT_FILE = (
    f"name: {PROJECT}\nruntime:\n  name: python\n"
    f"  options: {{virtualenv: {json.dumps(sys.prefix)}}}\n"
)
PROGRAM_FILE = """\
# For `pulumi preview` and `pulumi up` by hand; `codehub` itself does not read it.
from stacks.plain import main

main()
"""


class Engine:
    """Runs Pulumi operations, each in a process of its own that dies with this one.

    Operations on different stacks may run at the same time; of one stack, one at a time is the
    caller's promise.

    Attributes:
        workers: Who does it.
    """

    def __init__(
        self, config: EngineConfig, *, leftovers: Leftovers, fence: Fence | None = None
    ) -> None:
        """Prepare.

        Args:
            config: Where things are.
            leftovers: The container engine.
            fence: Says whether anything may be done, and until when; None: always.
        """
        self._config = config
        self._leftovers = leftovers
        self._fence = fence or Fence.always()
        self.workers = Workers(config)

    async def __aenter__(self) -> Self:
        """Prepare the folders and start the process that operations are forked from.

        Raises:
            ToolchainError: There is no Pulumi CLI, or the SDK cannot be loaded.
        """
        await asyncio.to_thread(prepare_folders, self._config)
        await self.workers.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process that operations are forked from."""
        await self.workers.stop()

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        """Run one operation to its end.

        Cancelling ends the operation by force; what it leaves is picked up by the next one.

        Args:
            operation: What to do.
            on_event: Called in the event loop for each step.

        Returns:
            How it ended; failures are in ``Outcome.error``, not raised.
        """
        began = time.monotonic()
        try:
            outcome = await self._attempt(operation, on_event)
            if isinstance(outcome.error, NameTakenError):
                outcome = await self._again(operation, on_event, outcome)
        except StacksError as error:
            outcome = Outcome(error=error)
        except OSError as error:
            outcome = Outcome(error=_unavailable(error))
        with contextlib.suppress(OSError, StacksError):  # the next operation prunes it too
            self._fence.check()
            prune = self._files(operation.stack).prune_history
            await asyncio.to_thread(prune, self._config.history)
        return replace(outcome, duration=time.monotonic() - began)

    async def forget(self, stack: str) -> None:
        """Drop a stack from Pulumi's state; what it held stays on the engine.

        An operation on it that was cut off is ended first: it could write the state again.

        Raises:
            StateUnavailableError: The state cannot be written.
            NotLeadingError: The lease is not held.
        """
        self._fence.check("forget")
        await asyncio.to_thread(end_recorded, self._record(stack))
        try:
            await asyncio.to_thread(self._files(stack).remove)
            salt.settings_file(self._config.work, stack).unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(error) from error

    async def _again(
        self, operation: Operation, on_event: OnEvent | None, outcome: Outcome
    ) -> Outcome:
        """Try once more when a container of ours that nobody recorded held the name."""
        notes = await recovery.clear_name(operation, self._files(operation.stack), self._leftovers)
        if not notes:
            return outcome
        again = await self._attempt(operation, on_event)
        return replace(again, recovered=(*outcome.recovered, *notes, *again.recovered))

    async def _attempt(self, operation: Operation, on_event: OnEvent | None) -> Outcome:
        self._fence.check(operation.kind)
        killed = await asyncio.to_thread(end_recorded, self._record(operation.stack))
        files = self._files(operation.stack)
        prepared = await recovery.prepare(
            operation, files, self._leftovers, killed=killed, fence=self._fence
        )
        if operation.kind is Kind.DESTROY and prepared.empty:
            # The CLI takes a state without resources for a stack that is not there.
            return Outcome(recovered=prepared.notes)
        changed = replace(operation, refresh=prepared.refresh)
        until = self._fence.until
        request = Request(operation=changed, config=self._config, adopt=prepared.adopt, until=until)
        work, stack = self._config.work, operation.stack
        is_new = prepared.empty and await asyncio.to_thread(salt.give, work, stack)
        result = await self._work(request, on_event)
        if is_new and result.exit_code == 0:
            await asyncio.to_thread(salt.keep, work, stack)
        if operation.kind is Kind.PREVIEW:
            result = replace(result, outputs={})  # not known before `up`
        return _outcome(result, prepared)

    async def _work(self, request: Request, on_event: OnEvent | None) -> Result:
        """Run a worker for the request and end whatever is left of it."""
        record = self._record(request.operation.stack)
        async with self.workers.worker() as worker:
            started = await asyncio.to_thread(record_session, record, worker.pid)
            try:
                result = await self._converse(worker, request, on_event)
            except BaseException:
                await asyncio.to_thread(kill_session, worker.pid, started=started)
                raise
        record.unlink(missing_ok=True)
        return result

    async def _converse(self, worker: Worker, request: Request, on_event: OnEvent | None) -> Result:
        limit = request.operation.timeout or self._config.timeout
        worker.writer.write(encode(request.to_json()))
        conversation = _Conversation(worker, on_event)
        try:
            with self._fence.telling(conversation.extend):
                async with asyncio.timeout(limit):
                    return await conversation.result()
        except TimeoutError:
            await self._stop(conversation)
            raise OperationTimeoutError(
                f"it took longer than {limit:g} s and was ended", step=conversation.step
            ) from None

    async def _stop(self, conversation: "_Conversation") -> None:
        """Let Pulumi write down what it has, within the grace."""
        conversation.stop()
        with contextlib.suppress(TimeoutError, OperationKilledError):
            async with asyncio.timeout(self._config.grace):
                await conversation.result()

    def _files(self, stack: str) -> StateFiles:
        return StateFiles(self._config.state, stack)

    def _record(self, stack: str) -> Path:
        return self._config.work / f"{stack}.session"


@dataclass
class _Conversation:
    """What is said with one worker, from the request to its result."""

    worker: Worker
    on_event: OnEvent | None
    step: str = ""

    async def result(self) -> Result:
        """Follow the worker to its result.

        Raises:
            OperationKilledError: It closed without one.
        """
        async for message in self._messages():
            if "event" in message:
                self._tell(EngineEvent(**message["event"]))
            elif "drained" in message:
                self.worker.writer.write(encode({"drained": True}))
            elif "result" in message:
                return Result(**message["result"])
        raise OperationKilledError("the process of the operation was ended", step=self.step)

    def stop(self) -> None:
        """Ask for an end after the present step."""
        self.worker.writer.write(encode({"stop": True}))

    def extend(self, until: float) -> None:
        """Tell when the right to act ends now."""
        self.worker.writer.write(encode({"until": until}))

    def _tell(self, event: EngineEvent) -> None:
        if event.kind == "begin":
            self.step = f"{event.op} {event.resource}"
        if self.on_event is not None:
            self.on_event(event)

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        with contextlib.suppress(ConnectionError):
            while line := await self.worker.reader.readline():
                yield json.loads(line)


def _outcome(result: Result, prepared: Prepared) -> Outcome:
    changes = (ResourceChange(**_tuples(item)) for item in result.changes)
    return Outcome(
        changes=tuple(changes),
        outputs=result.outputs,
        error=failures.classify(result),
        violations=tuple(item for item in failures.violations(result) if not item.mandatory),
        recovered=prepared.notes,
    )


def prepare_stack(config: EngineConfig, stack: str) -> None:
    """Make an empty stack where there is none, as Pulumi's command wants one for all it does."""
    files = StateFiles(config.state, stack)
    if state.read(files)[0] is None:
        state.write(files, Checkpoint.fresh(stack))


def _unavailable(error: OSError) -> StateUnavailableError:
    where = f"{error.filename}: " if error.filename else ""
    told = f"Pulumi's state cannot be used: {where}{error.strerror or error}"
    return StateUnavailableError(told, step="state")


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "replace_keys": tuple(item["replace_keys"])}


def prepare_folders(config: EngineConfig) -> None:
    """Make the folders that Pulumi works in, and what it wants there.

    Raises:
        ToolchainError: There is no Pulumi CLI.
    """
    if not config.pulumi.is_file():
        raise ToolchainError(f"there is no Pulumi CLI at {config.pulumi}")
    for folder in (config.state, config.work):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (config.work / "Pulumi.yaml").write_text(PROJECT_FILE)
    (config.work / "__main__.py").write_text(PROGRAM_FILE)
    # The data tree may lie in a repository: the CLI would ask it for its state at every call.
    # It takes the nearest `.git`, and an empty one for none.
    (config.work / ".git").mkdir(exist_ok=True)
    policies.install(config.work)
    with contextlib.suppress(FileExistsError):
        path = config.work / "passphrase"
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secrets.token_urlsafe(32))
