"""`codehub user`: accounts in a real store; passwords by prompt, standard input and variable."""

import json
from pathlib import Path

import pytest

from gateway.passwords import verify
from gateway.store import Store
from tests.cli import processes
from tests.cli.conftest import Cli

SECRET = "correct-horse-battery"


def fits(place: Path, name: str, password: str) -> bool:
    with Store(f"sqlite:///{place}/data/gateway.db", idle=60) as store:
        found = store.users.credentials(name)
        return found is not None and verify(found.password_hash, password)


def test_add_with_the_variable(cli: Cli, place: Path) -> None:
    result = cli("user", "add", "alice", "--admin", env={"CODEHUB_PASSWORD": SECRET})
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "user alice added\n")
    assert fits(place, "alice", SECRET)


def test_add_from_standard_input(cli: Cli, place: Path) -> None:
    assert cli("user", "add", "bob", "--password-stdin", typed=f"{SECRET}\nx").exit_code == 0
    assert fits(place, "bob", SECRET)


def test_add_with_a_generated_password_prints_it_alone(cli: Cli, place: Path) -> None:
    result = cli("user", "add", "bob", "--generate")
    assert fits(place, "bob", result.stdout.strip())
    assert result.stdout.strip() not in result.stderr


def test_add_at_a_prompt_shows_no_password(place: Path) -> None:
    with processes.terminal("user", "add", "alice") as screen:
        screen.wait_for("Password: ")
        screen.type(f"{SECRET}\n")
        screen.wait_for("Repeat for confirmation: ")
        screen.type(f"{SECRET}\n")
        assert screen.end() == 0
    assert SECRET not in screen.shown
    assert fits(place, "alice", SECRET)


def test_control_c_at_the_prompt_ends_with_130(place: Path) -> None:
    with processes.terminal("user", "add", "alice") as screen:
        screen.wait_for("Password: ")
        screen.type("\x03")
        assert screen.end() == 130
    assert "Traceback" not in screen.shown


def test_without_a_terminal_and_a_password_nothing_is_asked(cli: Cli) -> None:
    result = cli("user", "add", "bob")
    assert result.exit_code == 2
    assert "hint: use --password-stdin, --generate or CODEHUB_PASSWORD" in result.stderr


@pytest.mark.parametrize(
    ("name", "password", "code", "text"),
    [
        ("bob", "short", 2, "at least 8"),
        ("Bob", SECRET, 2, "can't be a user's name"),
        ("alice", SECRET, 1, "already"),
    ],
)
def test_refused(cli: Cli, name: str, password: str, code: int, text: str) -> None:
    cli("user", "add", "alice", "--generate")
    result = cli("user", "add", name, env={"CODEHUB_PASSWORD": password})
    assert result.exit_code == code
    assert text in result.stderr
    assert password not in result.output


def test_passwd(cli: Cli, place: Path) -> None:
    cli("user", "add", "alice", "--generate")
    result = cli("user", "passwd", "alice", env={"CODEHUB_PASSWORD": SECRET})
    assert result.stderr == "password of alice changed\n"
    assert fits(place, "alice", SECRET)
    assert cli("user", "passwd", "nobody", "--generate").exit_code == 1


def test_list_disable_enable(cli: Cli) -> None:
    cli("user", "add", "alice", "--admin", "--generate")
    cli("user", "add", "bob", "--generate")
    assert cli("user", "disable", "bob").stderr == "user bob disabled\n"
    rows = [line.split()[:3] for line in cli("user", "list").stdout.splitlines()]
    assert rows == [
        ["NAME", "ROLE", "STATE"],
        ["alice", "admin", "active"],
        ["bob", "user", "disabled"],
    ]
    assert cli("user", "enable", "bob").stderr == "user bob enabled\n"
    users = json.loads(cli("user", "list", "-o", "json").stdout)["users"]
    assert [(one["name"], one["admin"], one["disabled"]) for one in users] == [
        ("alice", True, False),
        ("bob", False, False),
    ]


@pytest.mark.parametrize("verb", ["disable", "enable"])
def test_unknown_users(cli: Cli, verb: str) -> None:
    result = cli("user", verb, "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.stderr


def test_a_store_that_is_none(cli: Cli, place: Path) -> None:
    (place / "broken.db").write_bytes(b"no database" * 100)
    result = cli("user", "list", env={"CODEHUB_STORE_URL": f"sqlite:///{place}/broken.db"})
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
