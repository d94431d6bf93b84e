"""`codehub adopt`, `home new` and `index rebuild`: what is told, and nothing without the typed id."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import processes
from tests.cli.conftest import Cli
from tests.hub import Hub, docker, hub

LIGHT = "image: codehub/light\nresources: {cpu: 0.5, memory: 64Mi, pids: 64}\nstate: warm\n"
NONE = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}
WHO = f"cli:{getpass.getuser()}"


@pytest.fixture
def place_of_aa() -> Iterator[Hub]:
    with hub() as made:
        made.write("aa", f"owner: alice\n{LIGHT}")
        made.run("up")
        (made.home("aa") / "marker").write_text("mine")
        yield made


def last_cause(place: Hub) -> str:
    found = json.loads(place.run("history", "aa", "-o", "json").stdout)["history"]
    assert found[-1]["actor"] == WHO
    return str(found[-1]["cause"])


def refused(place: Hub, *command: str, told: str, only: str = "") -> None:
    """Without the id, and with another word, nothing is changed."""
    nobody = place.run(*command, "aa", check=False)
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert told in nobody.stderr
    assert f"`codehub {' '.join(command)} aa --confirm aa{only}`" in nobody.stderr
    wrong = place.run(*command, "aa", "--confirm", "ab", check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "'ab' is not aa: nothing was changed" in wrong.stderr
    for typed, said in (("ab\n", "'ab' is not aa"), ("\n", "nothing was changed")):
        with processes.terminal(*command, "aa", env=place.env) as screen:
            screen.wait_for("Type aa to go on")
            screen.type(typed)
            assert screen.end() in {1, 2}
            assert said in screen.shown


def typed(place: Hub, *command: str) -> None:
    with processes.terminal(*command, "aa", env=place.env) as screen:
        screen.wait_for("Type aa to go on")
        screen.type("aa\n")
        assert screen.end() == 0


@pytest.mark.engine
@pytest.mark.timeout(180)
def test_a_home_is_adopted_after_a_lost_index(place_of_aa: Hub) -> None:
    place = place_of_aa
    for path in (place.root / "data").glob("index.db*"):
        path.unlink()
    rebuilt = json.loads(place.run("index", "rebuild", "-o", "json").stdout)["results"]
    assert [(row["id"], row["phase"], row["changed"]) for row in rebuilt] == [("aa", "WARM", True)]
    again = place.run("index", "rebuild")
    assert "0 changed, 1 unchanged" in again.stderr
    assert last_cause(place).startswith(f"{WHO} had the index rebuilt")
    place.write("aa", f"owner: bob\n{LIGHT}")
    waits = place.run("up", check=False)
    assert "HOME_OWNER" in waits.stderr
    assert "codehub adopt" in waits.stderr
    told = "the home of aa goes from alice to bob"
    refused(place, "adopt", told=told, only=" --owner bob")
    with processes.terminal("adopt", "aa", env=place.env) as screen:
        screen.wait_for("Type aa to go on")
        place.write("aa", f"owner: carol\n{LIGHT}")
        screen.type("aa\n")
        assert screen.end() == 2
        assert "its file names carol by now, not bob" in screen.shown
    place.write("aa", f"owner: bob\n{LIGHT}")
    typed(place, "adopt")
    assert last_cause(place) == f"{WHO} had it adopted: the home of aa goes from alice to bob"
    assert json.loads(place.run("status", "-o", "json").stdout)["workspaces"][0]["owner"] == "bob"
    assert (place.home("aa") / "marker").read_text() == "mine"
    done = place.run("adopt", "aa", "--confirm", "aa", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not wait for another owner" in done.stderr


@pytest.mark.engine
@pytest.mark.timeout(180)
def test_a_new_home_is_made_for_who_types_it(place_of_aa: Hub) -> None:
    place = place_of_aa
    there = place.run("home", "new", "aa", "--confirm", "aa", check=False)
    assert (there.returncode, there.stdout) == (1, "")
    assert "the home of aa is not missed" in there.stderr
    docker("rm", "-f", place.container("aa"))
    docker("volume", "rm", f"{place.prefix}aa-home-1")
    place.run("up", check=False)
    refused(place, "home", "new", told="home 2 of aa is made, empty")
    typed(place, "home", "new")
    told = f"{WHO} asked for a new home: home 1 is gone, home 2 is made"
    assert last_cause(place) == told
    volumes = docker("volume", "ls", "-q", "--filter", f"name={place.prefix}").split()
    assert volumes == [f"{place.prefix}aa-home-2"]


@pytest.mark.parametrize("command", [("adopt",), ("home", "new")])
def test_names_that_are_none(cli: Cli, place: Path, command: tuple[str, ...]) -> None:
    assert cli(*command, "../etc", "--confirm", "../etc", env=NONE).exit_code == 2
    nobody = cli(*command, "nobody", "--confirm", "nobody", env=NONE)
    assert nobody.exit_code == 1
    assert "there is no workspace nobody" in nobody.stderr
