"""Programs of a workspace whose last part tells that it was run, fails, or never ends."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks.errors import OperationFailedError
from stacks.programs.docker import render_workspace
from stacks.programs.program import Program


def mark(data: Mapping[str, Any]) -> Path:
    """Give the file that shows that the last part was begun."""
    return Path(data["run_folder"]) / "settled"


def _tell(data: Mapping[str, Any], _docker_host: str | None) -> None:
    mark(data).touch()


def _fail(data: Mapping[str, Any], docker_host: str | None) -> None:
    _tell(data, docker_host)
    raise OperationFailedError("the last part failed", step="last")


def _hang(data: Mapping[str, Any], docker_host: str | None) -> None:
    _tell(data, docker_host)
    threading.Event().wait()


TELLING = Program(render=render_workspace, settle=_tell)
FAILING = Program(render=render_workspace, settle=_fail)
HANGING = Program(render=render_workspace, settle=_hang)
