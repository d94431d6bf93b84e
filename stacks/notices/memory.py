"""What one sink was told, in a file of the data tree: read when a runner begins, written at each change.

A file that is missing or damaged is begun anew: what lasts is then told once more, together in one
message. To take it as told would lose what nobody was told of, and no flood comes of it.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.errors import NoticeFailedError
from stacks.notices.decide import Episode
from stacks.notices.matters import Key
from stacks.notices.model import Kind, Message, Notice, aware
from telemetry.logs import get_logger

VERSION = 1

LARGEST = 16 << 20
"""Bytes of a file that is read."""

_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class State:
    """All that is remembered of one sink.

    Attributes:
        episodes: What lasts, and what of it was told or waits to be.
        waiting: What is not in a message yet, the newest last.
        dropped: How many were left out there because too many waited.
        message: What is being sent.
    """

    episodes: Mapping[Key, Episode] = field(default_factory=dict)
    waiting: tuple[Notice, ...] = ()
    dropped: int = 0
    message: Message | None = None


class Memory:
    """The file (0600). Its calls wait for the disk; one runner leads, so one writes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> State:
        """Read it; one that can't be read is as none."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(LARGEST + 1)
        except FileNotFoundError:
            return State()
        except OSError as error:
            _log.warning("what was told is not known", path=str(self._path), why=error.strerror)
            return State()
        with suppress(*_DAMAGED):
            return _parse(json.loads(raw))
        _log.warning("what was told is not known", path=str(self._path), why="it is damaged")
        return State()

    def save(self, state: State) -> None:
        """Write it whole.

        Raises:
            NoticeFailedError: It can't be written.
        """
        beside = self._path.with_name(f".{self._path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(_plain(state), file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            told = f"what was told can't be kept in {self._path}: {error.strerror}"
            raise NoticeFailedError(
                told, remedy="Look at the disk that holds CODEHUB_DATA."
            ) from error


def _plain(state: State) -> dict[str, Any]:
    return {
        "version": VERSION,
        "episodes": [_episode(key, one) for key, one in state.episodes.items()],
        "waiting": [notice.to_json() for notice in state.waiting],
        "dropped": state.dropped,
        "message": state.message.to_json() if state.message else None,
    }


def _episode(key: Key, one: Episode) -> dict[str, Any]:
    kind, workspace = key
    return {
        "kind": kind,
        "workspace": workspace,
        "began": one.began.isoformat(),
        "told": list(one.told),
        "reason": one.reason,
        "owner": one.owner,
    }


def _parse(data: Mapping[str, Any]) -> State:
    if data["version"] != VERSION:
        raise ValueError("another version")
    message = data["message"]
    return State(
        episodes=dict(map(_read_episode, data["episodes"])),
        waiting=tuple(map(Notice.from_json, data["waiting"])),
        dropped=int(data["dropped"]),
        message=None if message is None else Message.from_json(message),
    )


def _read_episode(data: Mapping[str, Any]) -> tuple[Key, Episode]:
    episode = Episode(
        began=aware(data["began"]),
        told=tuple(map(str, data["told"])),
        reason=str(data["reason"]),
        owner=str(data["owner"]),
    )
    return (Kind(data["kind"]), str(data["workspace"])), episode
