"""Packages are installed where we may; elsewhere the command for it is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import apt
from tools.errors import CommandFailedError, MissingToolError


def test_without_apt_the_packages_are_named(
    tmp_path: Path, only_programs: Callable[[str, str], Path]
) -> None:
    with pytest.raises(
        MissingToolError, match=r"a compiler: missing.*\n.*Debian calls: g\+\+ make"
    ):
        apt.install(["g++", "make"], why="a compiler", log=tmp_path / "log")


@pytest.mark.usefixtures("no_root")
def test_without_rights_the_command_is_told(
    tmp_path: Path, only_programs: Callable[[str, str], Path]
) -> None:
    only_programs("apt-get", "exit 1")
    with pytest.raises(MissingToolError, match=r"as root: apt-get .* g\+\+$"):
        apt.install(["g++"], why="a compiler", log=tmp_path / "log")


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.usefixtures("as_root")
def test_lists_are_read_before_installing(
    tmp_path: Path, path_first: Callable[[str, str], Path]
) -> None:
    path_first("apt-get", 'echo "$DEBIAN_FRONTEND $*"')
    said: list[str] = []
    apt.install(["g++", "make"], why="a compiler", log=tmp_path / "log", say=said.append)
    assert [line.split(" -y ")[1] for line in said] == [
        "update",
        "install --no-install-recommends g++ make",
    ]
    assert all(line.startswith("noninteractive") for line in said)


@pytest.mark.usefixtures("as_root")
def test_apts_failure_is_quoted(tmp_path: Path, path_first: Callable[[str, str], Path]) -> None:
    path_first("apt-get", "echo E: Unable to locate package x; exit 100")
    with pytest.raises(CommandFailedError, match="Unable to locate package x"):
        apt.install(["x"], why="x", log=tmp_path / "log")
