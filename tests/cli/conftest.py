"""A place of its own for every command: data tree, folder of workspaces, no settings from outside."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

Cli = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logging_restored: None) -> Path:
    """The current folder, with an empty workspaces.d; CODEHUB_* are those of the place only.

    Commands in this process set logging up: it is left as it was for other tests.
    """
    for name in list(os.environ):
        if name.startswith("CODEHUB_") or name in {"NO_COLOR", "TERM", "DISPLAY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("CODEHUB_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workspaces.d").mkdir()
    return tmp_path


@pytest.fixture
def cli(place: Path) -> Cli:
    """Run a command in this process: `cli("status", "-o", "json", env={...}, typed="...")`."""

    def run(*args: str, env: dict[str, str] | None = None, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, args, prog_name="codehub", env=env, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
