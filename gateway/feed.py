"""What is published of each workspace, in memory, and the streams of events that pages follow.

`update` is called with all rows whenever the index changed. A stream tells first what is so, then
each change; it ends when its session ends or the gateway stops. Rows of other owners never get
into a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.bodies import WorkspaceBody
from gateway.pages.views import counts
from state_index.models import Published

KEEPALIVE: Final = 8.0
"""Seconds without an event after which a stream says that it is alive."""

_RETRY: Final = b"retry: 2000\n\n"
_ALIVE: Final = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Interest:
    """Which workspaces a stream tells about.

    Attributes:
        owner: Those of one owner; None for everybody's.
        workspace: Only this one; None for all of them.
    """

    owner: str | None
    workspace: str | None = None


class Feed:
    """The newest rows, and who waits for the next ones."""

    def __init__(self, *, keepalive: float = KEEPALIVE) -> None:
        self._keepalive = keepalive
        self._rows: Mapping[str, Published] = {}
        self._by_owner: Mapping[str, Mapping[str, Published]] = {}
        self._changed = asyncio.Event()
        self._closed = False

    def update(self, rows: Sequence[Published]) -> None:
        """Take over what the index says now, and wake every stream."""
        by_owner: dict[str, dict[str, Published]] = {}
        for row in rows:
            by_owner.setdefault(row.owner, {})[row.id] = row
        self._rows = {row.id: row for row in rows}
        self._by_owner = by_owner
        self.wake()

    def find(self, workspace_id: str) -> Published | None:
        """Return what is published of a workspace."""
        return self._rows.get(workspace_id)

    def rows(self, interest: Interest) -> Mapping[str, Published]:
        """Return the rows that a stream tells about, by id."""
        rows = self._rows if interest.owner is None else self._by_owner.get(interest.owner, {})
        if interest.workspace is None:
            return rows
        row = rows.get(interest.workspace)
        return {} if row is None else {row.id: row}

    def wake(self) -> None:
        """Have every stream look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """End every stream, also those that begin later."""
        self._closed = True
        self.wake()

    async def stream(
        self, interest: Interest, *, ended: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[bytes]:
        """Tell what is so, then what changes, as server-sent events.

        Args:
            interest: Which workspaces.
            ended: Whether the session is over; asked after each `wake`.
        """
        told: dict[str, int] = {}
        yield _RETRY
        while not self._closed and not ended():
            changed = self._changed
            news = b"".join(_news(self.rows(interest), told))
            if news:
                yield news
            try:
                await asyncio.wait_for(changed.wait(), self._keepalive)
            except TimeoutError:
                yield _ALIVE


def _news(rows: Mapping[str, Published], told: dict[str, int]) -> list[bytes]:
    """Return the events that bring a listener up to date, and note that it was told."""
    gone = [_event("gone", {"id": workspace_id}) for workspace_id in told.keys() - rows.keys()]
    fresh = [row for row in rows.values() if told.get(row.id) != row.generation]
    events = [_event("workspace", WorkspaceBody.of(row), row.generation) for row in fresh]
    if not gone and not events:
        return []
    told.clear()
    told.update({row.id: row.generation for row in rows.values()})
    return [*gone, *events, _event("counts", {"words": counts(list(rows.values()))})]


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
