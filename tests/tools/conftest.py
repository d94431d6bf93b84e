"""Fixtures of the tools' tests: caches in temporary folders, small programs in place of large ones."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a shell script with a name into `bin/` below the test's folder."""

    def write(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def only_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], Path]
) -> Callable[[str, str], Path]:
    """As `program`, with a PATH that has nothing else."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return program


@pytest.fixture
def path_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], Path]
) -> Callable[[str, str], Path]:
    """As `program`, found before what else is on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process says it is an ordinary user; for what is decided before anything is tried."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
