"""Asks the runner for what only it can do: logs, and commands in workspaces. Over its unix socket.

The runner publishes its address in the index. A runner that is not there is an answer like any
other: RUNNER_UNAVAILABLE. Nothing of the workspace's text is interpreted here.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from gateway.errors import InvalidInputError, NotFoundError, RunnerUnavailableError
from state_index.index import Index
from telemetry.logs import get_logger

_PREFIX: Final = "unix:"
_CONNECT_SECONDS: Final = 2.0
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_REFUSAL_MAX: Final = 16 * 1024
_OK: Final = 200
_FILES_MAX: Final = 8 << 20
_PIECE: Final = 64 * 1024
_COMMITS_MAX: Final = 8 * 2**20
"""Bytes of an answer about commits: twenty diffs of 64 KiB, however they are written."""

_Query = Mapping[str, str] | Sequence[tuple[str, str]]

_log = get_logger(__name__)


class CommitTold(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that touched a workspace's file, in the words of who made it."""

    commit: str
    author: str
    at: str
    subject: str
    diff: str = ""
    cut: bool = False
    owners: list[str] = []


class _Commits(msgspec.Struct, frozen=True):
    commits: list[CommitTold]


@dataclass(frozen=True, slots=True)
class LogsWanted:
    """Which part of a log; the runner knows what makes sense.

    Attributes:
        tail: Lines from the end; None for what the runner takes for the best.
        since: A duration such as `10m` or a time; "" for all.
        follow: Whether to go on with what is written.
        timestamps: Whether each line begins with its time.
    """

    tail: int | None = None
    since: str = ""
    follow: bool = False
    timestamps: bool = False

    def query(self) -> dict[str, str]:
        """Give it as the runner reads it."""
        asked = {"tail": "" if self.tail is None else str(self.tail), "since": self.since}
        asked["follow"] = "true" if self.follow else ""
        asked["timestamps"] = "true" if self.timestamps else ""
        return {name: value for name, value in asked.items() if value}


class RunnerClient:
    """The runner's API as the gateway uses it."""

    def __init__(self, index: Index, data: Path, *, timeout: float) -> None:
        """Make a client; it connects when it is asked something.

        Args:
            index: Says where the runner listens.
            data: The data tree, to which that address is relative.
            timeout: Seconds for one answer to begin, and between its parts.
        """
        self._index = index
        self._data = data
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=timeout
        )

    @asynccontextmanager
    async def logs(
        self, workspace_id: str, wanted: LogsWanted, *, request_id: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give what a workspace wrote, in pieces, as they come.

        What is not taken is not read: at most 128 KiB wait here, the rest is the runner's.

        Raises:
            RunnerUnavailableError: The runner is not there, or failed; also between two pieces.
            NotFoundError: The runner knows no container of this workspace.
            InvalidInputError: What is wanted makes no sense to it.
        """
        path = f"/v1/workspaces/{workspace_id}/logs"
        async with self._get(path, wanted.query(), request_id, quiet=wanted.follow) as response:
            if response.status == _NOT_FOUND:
                raise NotFoundError("The workspace has no container yet, so it has no logs.")
            if response.status == _BAD_REQUEST:
                with _translated():
                    raise InvalidInputError(said(await response.content.read(_REFUSAL_MAX)))
            if response.status != _OK:
                _log.warning("runner_refused", status=response.status, path=path)
                raise RunnerUnavailableError("The runner could not give the logs.")
            async with aclosing(_pieces(response)) as pieces:
                yield pieces

    async def file(self, workspace_id: str, *, at: str = "", request_id: str) -> dict[str, Any]:
        """Give a workspace's file: id, text, revision, commit, path, owner, editable and reason.

        Whose file it is and who may see it is the caller's to look at: `owner` is what it says.

        Args:
            workspace_id: Whose.
            at: A commit, or a content of this file; "" for the newest.
            request_id: For the runner's log.

        Raises:
            RunnerUnavailableError: The runner is not there, or can't read it now.
            NotFoundError: There is no such file, or no such version of it.
        """
        query = {"at": at} if at else {}
        found: dict[str, Any] = await self._json(f"/v1/files/{workspace_id}", query, request_id)
        return found

    async def reasons(self, ids: Sequence[str], *, request_id: str) -> dict[str, str]:
        """Give why files can't be edited, by id, "" for those that can; raises as `file`."""
        query = [("id", id_) for id_ in ids]
        found: dict[str, str] = await self._json("/v1/files", query, request_id)
        return found

    async def templates(self, *, request_id: str) -> list[dict[str, str]]:
        """Give what a new file may begin with: name and text of each; raises as `file`."""
        found: list[dict[str, str]] = await self._json("/v1/templates", {}, request_id)
        return found

    async def _json(self, path: str, query: _Query, request_id: str) -> Any:
        async with self._get(path, query, request_id, quiet=False) as response:
            with _translated():
                body = await response.content.read(_FILES_MAX + 1)
                while len(body) <= _FILES_MAX and not response.content.at_eof():
                    body += await response.content.read(_FILES_MAX + 1 - len(body))
            if response.status == _NOT_FOUND:
                raise NotFoundError(said(body) or "There is no such file.")
            if response.status != _OK or len(body) > _FILES_MAX:
                _log.warning("runner_refused", status=response.status, path=path)
                raise RunnerUnavailableError(said(body) or "The runner could not read the file.")
            return json.loads(body)

    async def commits(
        self, workspace_id: str, *, limit: int, diff: bool, request_id: str
    ) -> list[CommitTold]:
        """Give the commits of the followed branch that touched a workspace's file, newest first.

        Raises:
            RunnerUnavailableError: The runner is not there, failed, or can't read the repository.
        """
        path = f"/v1/workspaces/{workspace_id}/commits"
        params = {"limit": str(limit), "diff": "true" if diff else "false"}
        async with self._get(path, params, request_id, quiet=False) as response:
            with _translated():
                body = await response.content.read(_COMMITS_MAX)
                while len(body) < _COMMITS_MAX and (more := await response.content.read(_PIECE)):
                    body += more
            if response.status != _OK:
                _log.warning("runner_refused", status=response.status, path=path)
                raise RunnerUnavailableError("The commits could not be read.")
        try:
            return msgspec.json.decode(body, type=_Commits).commits
        except msgspec.DecodeError as error:
            _log.warning("runner_answered_otherwise", path=path)
            raise RunnerUnavailableError("The commits could not be read.") from error

    async def connect(self, end: asyncio.BaseProtocol) -> None:
        """Connect a protocol to the runner's socket; what it says there is its own business.

        Raises:
            RunnerUnavailableError: The runner is not there.
        """
        address = await self._address()
        with _translated(), _near(address) as near:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: end, near)

    async def reachable(self) -> bool:
        """Return whether something listens at the runner's address."""
        info = await asyncio.to_thread(self._index.runner)
        if info is None or not info.address.startswith(_PREFIX):
            return False
        try:
            with _near(self._data / info.address.removeprefix(_PREFIX)) as near:
                _, writer = await asyncio.open_unix_connection(near)
        except OSError:
            return False
        writer.close()
        return True

    async def _address(self) -> Path:
        info = await asyncio.to_thread(self._index.runner)
        if info is None or not info.address.startswith(_PREFIX):
            raise RunnerUnavailableError
        return self._data / info.address.removeprefix(_PREFIX)

    @asynccontextmanager
    async def _get(
        self, path: str, params: _Query, request_id: str, *, quiet: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        address = await self._address()
        timeout = self._timeout
        if quiet:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        async with AsyncExitStack() as opened:
            with _translated():
                near = opened.enter_context(_near(address))
                session = await opened.enter_async_context(
                    aiohttp.ClientSession(connector=aiohttp.UnixConnector(near), timeout=timeout)
                )
                asked = session.get(
                    f"http://runner{path}",
                    params=params,
                    headers={"X-Request-Id": request_id},
                    allow_redirects=False,
                )
                response = await opened.enter_async_context(asked)
            yield response


async def _pieces(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    with _translated():
        async for piece in response.content.iter_any():
            yield piece


def said(body: bytes) -> str:
    """Return the message in a runner's refusal, as a sentence; "" when there is none."""
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f"{message[:1].upper()}{message[1:]}." if message else ""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        _log.warning("runner_unavailable", problem=type(error).__name__)
        raise RunnerUnavailableError from error


@contextmanager
def _near(path: Path) -> Iterator[str]:
    """Give a short path to a socket: socket addresses end at 108 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
