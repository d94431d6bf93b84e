"""Rows to dataclasses and back; no transactions here."""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from state_index.models import HistoryRow, Intent, Published, RunnerInfo
from state_index.phases import Phase, Sync


def published(row: sa.RowMapping) -> Published:
    """A row of `workspaces`."""
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    values["phase"] = Phase(values["phase"])
    values["sync"] = Sync(values["sync"])
    values["problems"] = tuple(values["problems"])
    values["removal"] = values["removal"] or ""  # none in rows from before there was one
    values["drift"] = tuple(values["drift"] or ())  # none in rows of before
    return Published(**values)


def workspace_values(row: Published) -> dict[str, Any]:
    """What to write into `workspaces`."""
    values = {item.name: getattr(row, item.name) for item in fields(row)}
    values["problems"] = list(row.problems)
    values["drift"] = list(row.drift)
    return values


def intent(row: sa.RowMapping, *, joined: bool = False) -> Intent:
    """A row of `intents`."""
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    del values["number"]
    values["phase"] = Phase(values["phase"])
    return Intent(**values, joined=joined)


def intent_values(row: Intent) -> dict[str, Any]:
    """What to write into `intents`."""
    return {item.name: getattr(row, item.name) for item in fields(row) if item.name != "joined"}


def history_row(row: sa.RowMapping) -> HistoryRow:
    """A row of `history`."""
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    del values["number"]
    for name in ("from_phase", "to_phase"):
        values[name] = Phase(values[name]) if values[name] else None
    return HistoryRow(**values)


def runner_info(row: sa.RowMapping) -> RunnerInfo:
    """The row of `runner`."""
    values: dict[str, Any] = {str(key): value for key, value in row.items()}
    del values["id"]
    return RunnerInfo(**values)


def history_values(row: HistoryRow) -> dict[str, Any]:
    """What to write into `history`."""
    return {item.name: getattr(row, item.name) for item in fields(row)}


def runner_values(info: RunnerInfo) -> dict[str, Any]:
    """What to write into `runner`, but for its id."""
    return {item.name: getattr(info, item.name) for item in fields(info)}
