"""The engine's address may hold credentials: nothing that a command says shows them."""

from pathlib import Path

import pytest

from stacks.engine import EngineConfig
from stacks.engine.failures import classify
from stacks.engine.wire import Result
from tests.cli.conftest import Cli
from tools.dev import free_port
from tools.engine import Engine

CANARY = "hunter2canary"


@pytest.mark.parametrize("user", [f"eve:{CANARY}", CANARY, f"eve:{CANARY}/{CANARY}@{CANARY}"])
@pytest.mark.parametrize(
    "args",
    [
        ("--verbose", "up"),
        ("--verbose", "preview", "-o", "json"),
        ("--verbose", "start", "aa"),
        ("logs", "aa"),
        ("doctor",),
        ("doctor", "-o", "json"),
    ],
)
def test_no_command_shows_them(cli: Cli, place: Path, args: tuple[str, ...], user: str) -> None:
    (place / "workspaces.d/aa.yaml").write_text("owner: alice\nimage: light\n")
    port = free_port("127.0.0.1")
    done = cli(*args, env={"CODEHUB_DOCKER_HOST": f"tcp://{user}@127.0.0.1:{port}"})
    assert done.exit_code != 0
    assert done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_what_pulumi_s_plugin_quotes_is_cut() -> None:
    said = f"Cannot connect to the Docker daemon at tcp://eve:{CANARY}@h:1. Is it running?"
    error = classify(Result(exit_code=255, errors=[("container", said)]))
    assert error is not None
    assert error.reason == "ENGINE_UNAVAILABLE"
    assert "tcp://eve:" in error.message
    assert CANARY not in f"{error.to_json()} {error!r}"


def test_they_are_in_no_repr(tmp_path: Path) -> None:
    host = f"tcp://eve:{CANARY}@h:1"
    config = EngineConfig(
        pulumi=tmp_path, pulumi_home=tmp_path, state=tmp_path, work=tmp_path, docker_host=host
    )
    assert CANARY not in f"{config!r} {Engine(host)!r}"
