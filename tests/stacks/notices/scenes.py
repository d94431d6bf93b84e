"""Rows, notices and messages for the tests of notices."""

from datetime import UTC, datetime, timedelta
from typing import Any

from stacks.notices.model import Kind, Message, Notice
from state_index.models import Published
from state_index.phases import Phase, Sync

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def row(name: str = "alice-api", phase: Phase = Phase.RUNNING, **more: Any) -> Published:
    """One published row; times are the tests' own unless said."""
    told = {"owner": "alice", "sync": Sync.SYNCED, "since": START, "updated_at": START}
    return Published(id=name, phase=phase, **{**told, **more})


def failed(name: str = "alice-api", reason: str = "IMAGE_MISSING", **more: Any) -> Published:
    message = more.pop("message", "there is no image none:1")
    return row(name, Phase.ERROR, reason=reason, message=message, **more)


def drifted(name: str = "alice-api", found: str = "999", **more: Any) -> Published:
    one = {"field": "pids", "wanted": "128", "found": found, "stays": more.pop("stays", False)}
    return row(name, drift=(one,), **{"spec_json": '{"drift": "report"}', **more})


def notice(workspace: str = "alice-api", **more: Any) -> Notice:
    told: dict[str, Any] = {
        "kind": Kind.FAILURE,
        "owner": "alice",
        "phase": "ERROR",
        "reason": "IMAGE_MISSING",
        "message": "there is no image none:1",
        "remedy": "Build it.",
        "since": START,
    }
    return Notice(workspace=workspace, **{**told, **more})


def message(*notices: Notice, more: int = 0) -> Message:
    return Message(id="0" * 32, made_at=START, notices=notices or (notice(),), more=more)
