"""The name of who is at the command line."""

import getpass

import pytest

from cli.actor import actor

VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def test_it_is_the_system_s_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert actor() == f"cli:{getpass.getuser()}"
    monkeypatch.setenv("LOGNAME", "eve")
    assert actor() == "cli:eve"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert actor() == "cli:4000000"
