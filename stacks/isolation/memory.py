"""Remembers the last verdict in the data tree, so that a second runner's first start is as fast as any."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.isolation.verdict import Verdict
from telemetry.logs import get_logger

MODE = 0o600
_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What was found, and when it holds.

    Attributes:
        situation: Network, engine's start, rules: where one differs, nothing is known.
        table: What told our table from a changed one; "" when it was not ours to load.
        verdict: What was found.
    """

    situation: str
    table: str
    verdict: Verdict


def read(file: Path) -> Remembered | None:
    """Read what was remembered; None when there is nothing, or nothing that makes sense."""
    try:
        data: dict[str, Any] = json.loads(file.read_text())
        return Remembered(
            situation=str(data["situation"]),
            table=str(data["table"]),
            verdict=Verdict.from_json(data["verdict"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def is_recent(file: Path, *, within: float) -> bool:
    """Whether what is remembered was found in the last so many seconds."""
    try:
        return 0 <= time.time() - file.stat().st_mtime < within
    except OSError:
        return False


def write(file: Path, known: Remembered) -> None:
    """Remember it; that it can't be kept only costs the next one a probe."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    text = json.dumps(
        {
            "situation": known.situation,
            "table": known.table,
            "verdict": known.verdict.to_json(),
        },
        indent=1,
    )
    try:
        new.touch(MODE)
        new.write_text(text)
        new.replace(file)
    except OSError as error:
        _log.warning("verdict on isolation not kept", problem=str(error))
