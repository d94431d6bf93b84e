"""`codehub isolation` and what `codehub doctor` says of it, on the real engine."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from settings.types import Gap
from tests.cli.conftest import Cli
from tests.hub import Hub, docker, hub

pytestmark = pytest.mark.engine


@pytest.fixture
def served() -> Iterator[Hub]:
    """A CodeHub with isolation on; its table of rules is removed at the end."""
    with hub(settings={"CODEHUB_ALLOW_UNENFORCED": ""}) as made:
        try:
            yield made
        finally:
            made.run("isolation", "remove")


def network(served: Hub) -> str:
    return served.env["CODEHUB_NETWORK"]


def make_network(served: Hub, *options: str) -> None:
    docker("network", "create", *options, network(served))
    (served.root / "data").mkdir(mode=0o700)
    (served.root / "data" / "run").mkdir(mode=0o750)


def table(served: Hub) -> str:
    words = ["nft", "list", "table", "inet", f"codehub_{network(served)}"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def doctor(served: Hub, **env: str) -> dict[str, dict[str, str]]:
    shown = json.loads(served.run("doctor", "-o", "json", check=False, **env).stdout)
    return {one["name"]: one for one in shown["checks"] if one["name"].startswith("isolation")}


def test_before_the_first_up_a_network_like_it_is_tried(served: Hub) -> None:
    done = served.run("isolation", "check")
    rows = [line.split()[:2] for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["WAY", *Gap]
    assert {row[1] for row in rows[1:]} == {"closed", "absent"}
    assert "all is as it should be" in done.stderr
    assert network(served) not in docker("network", "ls", "--format", "{{.Name}}")
    assert table(served) == ""
    assert "no network of workspaces yet" in doctor(served)["isolation"]["detail"]
    missing = served.run("isolation", "rules", check=False)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "The first `codehub up` makes it" in missing.stderr


def test_with_a_network_that_one_is_tried_and_the_doctor_knows(served: Hub) -> None:
    make_network(served, "-o", "com.docker.network.bridge.enable_icc=false")
    shown = json.loads(served.run("isolation", "check", "-o", "json").stdout)
    assert (shown["ok"], shown["network"], shown["scratch"]) == (True, network(served), False)
    found = doctor(served)
    assert set(found) == {"isolation"}
    assert "host-ipv4 closed" in found["isolation"]["detail"]
    served.run("isolation", "remove")
    # The doctor changes nothing: it says what is open now, by name.
    opened = doctor(served, CODEHUB_ALLOW_UNENFORCED="metadata")
    assert set(opened) == {"isolation host-ipv4", "isolation metadata", "isolation"}
    assert opened["isolation metadata"]["ok"]
    assert not opened["isolation host-ipv4"]["ok"]
    assert "codehub isolation rules | nft -f -" in opened["isolation host-ipv4"]["remedy"]
    assert table(served) == ""
    # What an admin does where the runner may not.
    printed = served.run("isolation", "rules").stdout
    subprocess.run(["nft", "-f", "-"], input=printed, text=True, check=True)
    assert set(doctor(served)) == {"isolation"}


def test_what_is_open_fails_the_check_with_its_remedy(served: Hub) -> None:
    make_network(served)
    done = served.run("isolation", "check", check=False)
    assert done.returncode == 1
    assert ["workspace-ipv4", "open", "reached"] in [
        line.split()[:3] for line in done.stdout.splitlines()
    ]
    assert "inter-container traffic off" in done.stderr
    accepted = served.run("isolation", "check", CODEHUB_ALLOW_UNENFORCED="workspace-ipv4")
    assert accepted.returncode == 0


def test_without_an_engine_it_says_so(served: Hub) -> None:
    nowhere = {"CODEHUB_DOCKER_HOST": "unix:///nonexistent.sock"}
    done = served.run("isolation", "check", check=False, **nowhere)
    assert done.returncode == 1
    assert "the engine does not answer" in done.stderr
    (served.root / "data" / "run").mkdir(mode=0o750, parents=True)
    assert not doctor(served, **nowhere)["isolation"]["ok"]


def test_where_nobody_wants_it_the_doctor_warns(served: Hub) -> None:
    found = doctor(served, CODEHUB_ALLOW_UNENFORCED="all")["isolation"]
    assert found["ok"]
    assert "neither enforced nor tried" in found["detail"]
    assert found["remedy"]


def test_who_may_not_remove_the_rules_is_told(cli: Cli) -> None:
    env = {"PATH": "/nonexistent", "CODEHUB_NETWORK": "codehub-test-no-net"}
    done = cli("isolation", "remove", env=env)
    assert done.exit_code == 1
    assert "the table codehub_codehub-test-no-net was not removed" in done.stderr
    assert "as root" in done.stderr
