"""Remembers the last verdict in the data tree, so that a second runner's first start is as fast as any.

And the rules beside it: at the machine's start the engine starts workspaces before any runner runs,
so they are loaded from there (deploy/systemd/codehub-isolation.service).
"""

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
    text = json.dumps(
        {
            "situation": known.situation,
            "table": known.table,
            "verdict": known.verdict.to_json(),
        },
        indent=1,
    )
    try:
        _replace(file, text)
    except OSError as error:
        _log.warning("verdict on isolation not kept", problem=str(error))


def write_rules(file: Path, rules: str) -> None:
    """Keep the rules for the machine's next start; without them workspaces are open for seconds then."""
    try:
        if not file.exists() or file.read_text() != rules:
            _replace(file, rules)
    except OSError as error:
        _log.warning("rules of isolation not kept", problem=str(error))


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.touch(MODE)
    new.write_text(text)
    new.replace(file)
