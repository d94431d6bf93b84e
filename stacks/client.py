"""The same calls as `Runner`, to a daemon over its unix socket."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from stacks.asking import Revision
from stacks.changes import WorkspaceChange
from stacks.edits.calls import FileCalls
from stacks.errors import RunnerUnreachableError, from_json
from stacks.gc.calls import GcCalls, only_looks
from stacks.home_calls import HomeCalls
from stacks.look_calls import LookCalls
from stacks.operator import LOG_TAIL
from stacks.reach import headers_of, unreachable
from stacks.steps import OnStep, Result, Step
from stacks.streams.client import ClientStreams
from stacks.streams.frames import PIECE, SUBPROTOCOL
from stacks.streams.model import Query, Streams

T = TypeVar("T")

CONNECT_WITHIN = 10.0
"""Seconds to wait for a daemon that has the lock but does not serve yet."""

RETRY_CONNECT = 0.05
MAX_LINE = 1 << 24
"""Most bytes of one line of the stream: the result of a large fleet."""


class RunnerClient(HomeCalls, GcCalls, LookCalls, FileCalls):
    """A daemon, as a runner. Use it as ``async with RunnerClient(path) as runner``."""

    def __init__(self, path: Path, *, connect_within: float = CONNECT_WITHIN) -> None:
        """Prepare.

        Args:
            path: The daemon's socket.
            connect_within: Seconds to wait for a daemon that is only starting.
        """
        self._path = path
        self._connect_within = connect_within
        self._folder = -1
        self.handed_over: list[str] = []
        """What the daemon is at for us, by kind of operation; it goes on without us."""
        self._session: aiohttp.ClientSession | None = None
        self.streams: Streams = ClientStreams(self._call, self._connect)

    async def __aenter__(self) -> Self:
        """Prepare to call; nothing is sent yet.

        Raises:
            RunnerUnreachableError: There is no data tree.
        """
        # Socket paths end at 108 bytes; the folder's descriptor is a short name for it.
        try:
            self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RunnerUnreachableError(f"there is no runner: {error}") from error
        near = f"/proc/self/fd/{self._folder}/{self._path.name}"
        sent = aiohttp.TraceConfig()
        sent.on_request_headers_sent.append(self._sent)
        self._session = aiohttp.ClientSession(
            "http://runner",
            trace_configs=[sent],
            connector=aiohttp.UnixConnector(near),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            os.close(self._folder)

    async def status(self) -> dict[str, Any]:
        """Tell who runs."""
        status: dict[str, Any] = await self.ask("/v1/status")
        return status

    async def ask(self, path: str, *, query: Query = ()) -> Any:
        """Read what the daemon says at a path, as plain values."""
        async with self._call("GET", path, query=query) as response:
            with unreachable():
                return await response.json()

    async def preview(self, ids: Iterable[str] | None = None) -> list[WorkspaceChange]:
        """Tell what `up` would do; see `Operator`."""
        changes = await self.operate("preview", ids)
        return [WorkspaceChange.from_json(change) for change in changes]

    async def up(
        self,
        ids: Iterable[str] | None = None,
        *,
        on_step: OnStep | None = None,
        prune: bool | None = None,
        max_delete: int | None = None,
        revision: Revision | None = None,
        now: bool = False,
        actor: str = "",
        request_id: str = "",
    ) -> list[Result]:
        """Bring workspaces to what their files say; see `Operator`."""
        results = await self.operate(
            "up",
            ids,
            options={
                "prune": prune,
                "max_delete": max_delete,
                "revision": None if revision is None else asdict(revision),
                "now": now,
                "actor": actor,
            },
            on_step=on_step,
            request_id=request_id,
        )
        return [Result.from_json(result) for result in results]

    async def destroy(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Remove a workspace whose file is gone; see `Operator`."""
        return await self.one("destroy", workspace_id, on_step, request_id, actor=actor)

    async def start(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Start a workspace and wait until its IDE answers; see `Operator`."""
        return await self.one("start", workspace_id, on_step, request_id, actor=actor)

    async def stop(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Stop a workspace; see `Operator`."""
        return await self.one("stop", workspace_id, on_step, request_id, actor=actor)

    async def retry(
        self,
        workspace_id: str,
        *,
        actor: str = "",
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Result:
        """Try again now what failed, and forget how often it did; see `Operator`."""
        return await self.one("retry", workspace_id, on_step, request_id, actor=actor)

    async def logs(self, workspace_id: str, *, tail: int = LOG_TAIL) -> str:
        """Give the last lines that its container printed; see `Operator`."""
        path = f"/v1/workspaces/{workspace_id}/logs"
        async with self._call("GET", path, query=[("tail", str(tail))]) as response:
            with unreachable():
                return await response.text()

    async def one(
        self,
        kind: str,
        workspace_id: str,
        on_step: OnStep | None,
        request_id: str,
        **options: str | bool,
    ) -> Result:
        """Have the daemon do an operation on one workspace; options that say nothing are left out."""
        result = await self.operate(
            kind,
            [workspace_id],
            options={key: value for key, value in options.items() if value},
            on_step=on_step,
            request_id=request_id,
        )
        return Result.from_json(result)

    async def operate(
        self,
        kind: str,
        ids: Iterable[str] | None,
        *,
        options: dict[str, Any] | None = None,
        on_step: OnStep | None = None,
        request_id: str = "",
    ) -> Any:
        """Have the daemon do an operation; gives its result as plain values."""
        body = {
            "kind": kind,
            "ids": None if ids is None else sorted(ids),
            "options": options or {},
        }
        handed = "" if only_looks(kind, options or {}) else kind
        async with self._call(
            "POST", "/v1/operations", body=body, request_id=request_id, handed=handed
        ) as response:
            with unreachable():
                async for line in response.content:
                    told = json.loads(line)
                    if "step" not in told:
                        self._ended(handed)
                    if "error" in told:
                        raise from_json(told["error"])
                    if "result" in told:
                        return told["result"]
                    if on_step is not None:
                        on_step(Step(**told["step"]))
        raise RunnerUnreachableError("the runner broke off before it was done")

    async def _sent(self, _: object, trace: Any, __: object) -> None:
        """Keep in mind what the daemon was told to do: its answer comes when it has begun."""
        self.handed_over += [trace.trace_request_ctx] if trace.trace_request_ctx else []

    def _ended(self, handed: str) -> None:
        if handed in self.handed_over:
            self.handed_over.remove(handed)

    @asynccontextmanager
    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Query = (),
        request_id: str = "",
        handed: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async def ask(session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
            return await session.request(
                method,
                path,
                params=list(query),
                json=body,
                headers=headers_of(request_id),
                read_bufsize=MAX_LINE if body else PIECE,
                trace_request_ctx=handed,
            )

        with unreachable():
            response = await self._patiently(ask)
        async with response:
            if not response.ok:
                self._ended(handed)
                with unreachable():
                    raise from_json((await response.json())["error"])
            yield response

    @asynccontextmanager
    async def _connect(
        self, path: str, *, query: Query
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async def ask(session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
            return await session.ws_connect(
                path, params=list(query), protocols=(SUBPROTOCOL,), headers=headers_of("")
            )

        with unreachable():
            socket = await self._patiently(ask)
        async with socket:
            yield socket

    async def _patiently(self, ask: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
        """Wait for a daemon that is only starting."""
        assert self._session is not None, "use it as `async with RunnerClient(...)`"
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connect_within
        while True:
            try:
                return await ask(self._session)
            except aiohttp.ClientConnectorError:
                # Nothing was sent, so trying again repeats nothing.
                if loop.time() >= deadline:
                    raise
            await asyncio.sleep(RETRY_CONNECT)
