"""`codehub purge` and `up --max-delete`: typed names, who may, what is told; real engine and Pulumi."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.conftest import Cli
from tests.hub import Hub, docker, hub

LIGHT = "owner: alice\nimage: codehub/light\nresources: {cpu: 0.5, memory: 64Mi, pids: 64}\n"
NONE = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}


@pytest.fixture
def story() -> Iterator[Hub]:
    with hub(settings={"CODEHUB_DELETE_GRACE": "7d", "CODEHUB_EXPIRE_HOMES": "true"}) as made:
        made.write("aa", LIGHT + "state: warm\n")
        made.write("bb", "owner: 5\n")
        yield made


def volumes(place: Hub) -> list[str]:
    return docker("volume", "ls", "-q", "--filter", f"name={place.prefix}").split()


@pytest.mark.engine
@pytest.mark.timeout(180)
@pytest.mark.parametrize("daemon", [False, True])
def test_a_home_goes_by_its_typed_name_only(story: Hub, daemon: bool) -> None:
    if daemon:
        story.start("run")
        story.run("wait", "aa", "--for", "phase=WARM")
    else:
        story.run("up", check=False)
    stands = story.run("purge", "aa", "--confirm", "aa", check=False)
    assert (stands.returncode, stands.stdout) == (1, "")
    assert "error: the file of aa asks for it" in stands.stderr
    (story.workspaces / "aa.yaml").unlink()
    there = story.run("purge", "aa", "--confirm", "aa", check=False)
    assert "aa still has its container" in there.stderr
    assert "`codehub destroy` first" in there.stderr
    story.run("destroy", "aa")
    _is_shown(story)
    _is_refused(story)
    _goes(story)


def _is_shown(place: Hub) -> None:
    head, row = place.run("status", "aa", "-o", "wide").stdout.splitlines()
    assert row[head.index("EXPIRES") :].startswith("in 6d")
    (plain,) = json.loads(place.run("status", "aa", "-o", "json").stdout)["workspaces"]
    assert plain["removed_at"] < plain["expires_at"]
    assert "grace_end" not in plain


def _is_refused(place: Hub) -> None:
    nobody = place.run("purge", "aa", check=False)
    assert nobody.returncode == 2
    assert "nobody is there to type the id" in nobody.stderr
    assert "codehub purge aa --confirm aa" in nobody.stderr
    wrong = place.run("purge", "aa", "--confirm", "ab", check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "'ab' is not aa: nothing was removed" in wrong.stderr
    for typed, told in (("ab\n", "'ab' is not aa"), ("\n", "nothing was removed")):
        with processes.terminal("purge", "aa", env=place.env) as screen:
            screen.wait_for("Type aa to go on")
            screen.type(typed)
            assert screen.end() in {1, 2}
            assert told in screen.shown
    assert volumes(place) == [f"{place.prefix}aa-home-1"]


def _goes(place: Hub) -> None:
    with processes.terminal("purge", "aa", env=place.env) as screen:
        screen.wait_for("Type aa to go on")
        assert "removes the home of aa for good" in screen.shown
        assert "It was alice's. It would go by itself in 6d." in screen.shown
        screen.type("aa\n")
        assert screen.end() == 0
        assert "DELETED" in screen.shown
    assert volumes(place) == []
    assert "aa" not in place.run("list", "-q").stdout.split()
    found = json.loads(place.run("history", "aa", "-o", "json").stdout)["history"]
    who = f"cli:{getpass.getuser()}"
    assert [(row["actor"], row["to_phase"]) for row in found[-3:-1]] == [
        (who, "DELETING"),
        (who, "DELETED"),
    ]
    assert found[-2]["cause"] == f"{who} purged it; its name was typed"
    unknown = place.run("purge", "aa", "--confirm", "aa", check=False)
    assert "there is no workspace aa" in unknown.stderr


@pytest.mark.engine
@pytest.mark.timeout(180)
def test_more_are_pruned_when_it_is_allowed(story: Hub) -> None:
    names = ("cc", "dd", "ee", "ff")
    for name in names:
        story.write(name, LIGHT + "state: warm\n")
    story.run("up", check=False)
    for name in names:
        (story.workspaces / f"{name}.yaml").unlink()
    first = story.run("up", "--prune", check=False)
    assert first.stdout.count("TOMBSTONED") == 3
    assert "ff: its file is gone, but it is kept" in first.stderr
    assert "codehub up --prune --max-delete N" in first.stderr
    assert "ff" in story.run("status", "ff").stdout
    second = story.run("up", "--prune", "--max-delete", "4", check=False)
    assert second.stdout.count("TOMBSTONED") == 1


def test_names_and_numbers_that_can_not_be(cli: Cli, place: Path) -> None:
    assert cli("purge", "../etc", "--confirm", "../etc", env=NONE).exit_code == 2
    assert cli("up", "--max-delete", "-1", env=NONE).exit_code == 2
    nobody = cli("purge", "nobody", "--confirm", "nobody", env=NONE)
    assert nobody.exit_code == 1
    assert "there is no workspace nobody" in nobody.stderr
