"""`codehub retry`: by this process under the lock, or by the daemon; real engine, real Pulumi."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.hub import Hub, docker, hub

LIGHT = "owner: alice\nimage: {image}\nresources: {{cpu: 0.5, memory: 64Mi, pids: 64}}\n"


@pytest.fixture
def story() -> Iterator[Hub]:
    with hub() as made:
        made.write("aa", LIGHT.format(image=image(made)))
        try:
            yield made
        finally:
            docker("rmi", image(made), check=False)


def image(place: Hub) -> str:
    """An image that is not there yet."""
    return f"{place.name}:light"


def make_image(place: Hub) -> None:
    docker("tag", "codehub/light:latest", image(place))


def history(place: Hub) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place.run("history", "aa", "-o", "json").stdout)[
        "history"
    ]
    return found


@pytest.mark.engine
@pytest.mark.timeout(120)
@pytest.mark.parametrize("daemon", [False, True])
def test_a_lasting_error_is_tried_again_when_it_is_asked_for(story: Hub, daemon: bool) -> None:
    if daemon:
        story.start("run")
    else:
        assert "IMAGE_MISSING" in story.run("up", check=False).stderr
    story.run("wait", "aa", "--for", "phase=ERROR")
    assert "IMAGE_MISSING" in story.run("status").stdout
    waited = story.run("wait", "aa", "--for", "phase=RUNNING", check=False)
    assert waited.returncode == 1
    assert "it failed: aa is phase=ERROR" in waited.stderr
    failed = story.run("retry", "aa", check=False)
    assert failed.returncode == 1
    assert "error: aa: IMAGE_MISSING: " in failed.stderr
    make_image(story)
    done = story.run("retry", "aa")
    assert ["aa", "create", "RUNNING", "Synced"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert story.run("wait", "aa", "--for", "phase=RUNNING").stdout == "aa: phase=RUNNING\n"
    asked = [row for row in history(story) if row["event"] == "retry"]
    who = f"cli:{getpass.getuser()}"
    assert [(row["actor"], row["cause"]) for row in asked] == [
        (who, f"{who} asked to try it again")
    ] * 2
    assert len({row["request_id"] for row in asked} - {""}) == 2
    refused = story.run("retry", "aa", "bb", check=False)
    assert refused.returncode == 1
    assert "error: aa: NOTHING_TO_RETRY: aa is RUNNING: nothing failed" in refused.stderr
    assert "error: bb: UNKNOWN_WORKSPACE: " in refused.stderr


def test_what_is_wrong_with_a_file_is_bad_input(cli: Cli, place: Path) -> None:
    env = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}
    (place / "workspaces.d/aa.yaml").write_text("owner: 5\n")
    cli("up", env=env)
    done = cli("retry", "aa", env=env)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error: aa: INVALID_FILE: the file of aa has errors" in done.stderr
    assert "codehub validate" in done.stderr


def test_names_that_can_not_be_ids_and_unknown_ones(cli: Cli, place: Path) -> None:
    (place / "workspaces.d/aa.yaml").write_text(LIGHT.format(image="none"))
    env = {"CODEHUB_NAME_PREFIX": "codehub-test-none-"}
    assert cli("retry", "../etc", env=env).exit_code == 2
    done = cli("retry", "nobody", env=env)
    assert done.exit_code == 1
    assert "there is no workspace nobody" in done.stderr
    new = cli("retry", "aa", env=env)
    assert "aa is not brought up yet: nothing failed" in new.stderr
