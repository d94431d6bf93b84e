"""The one call of the CLI: arguments and environment."""

import os
from pathlib import Path

import pytest

from stacks.engine.command import Servers, arguments, environment
from stacks.engine.model import EngineConfig, Kind, Operation

CONFIG = EngineConfig(
    pulumi=Path("/p/pulumi"),
    pulumi_home=Path("/p/home"),
    state=Path("/d/state"),
    work=Path("/d/work"),
)
SERVERS = Servers(address="127.0.0.1:99", policy_pack="./policy-pack")


def args(kind: Kind, servers: Servers = SERVERS, *, refresh: bool = False) -> list[str]:
    return arguments(Operation(kind=kind, stack="alice-api", refresh=refresh), servers)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_call_names_its_stack_and_never_asks(kind: Kind) -> None:
    found = args(kind)
    assert found[0] == kind.value
    assert found[found.index("--stack") + 1] == "organization/codehub/alice-api"
    assert "--non-interactive" in found
    assert "--event-log=tcp://127.0.0.1:99" in found
    assert "--output=json" in found


def test_up_runs_the_program_and_the_policies_without_a_preview() -> None:
    found = args(Kind.UP)
    assert {"--client=127.0.0.1:99", "--yes", "--skip-preview"} <= set(found)
    assert "--policy-pack=./policy-pack" in found
    assert "--refresh" not in found
    assert "--refresh" in args(Kind.UP, refresh=True)


def test_a_preview_confirms_nothing() -> None:
    assert "--yes" not in args(Kind.PREVIEW)


def test_without_a_pack_no_pack_is_named() -> None:
    found = args(Kind.UP, Servers(address="127.0.0.1:99"))
    assert not any(item.startswith("--policy-pack") for item in found)


def test_destroy_leaves_what_is_protected_and_runs_no_program() -> None:
    found = args(Kind.DESTROY)
    assert "--exclude-protected" in found
    assert not any(item.startswith(("--client", "--policy-pack")) for item in found)


def test_refresh_runs_no_program() -> None:
    assert not any(item.startswith("--client") for item in args(Kind.REFRESH))


def test_the_environment_holds_no_secret_and_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODEHUB_STORE_URL", "postgresql://user:secret@db/x")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "token")
    found = environment(CONFIG)
    assert not {"CODEHUB_STORE_URL", "PULUMI_ACCESS_TOKEN"} & found.keys()
    assert "PULUMI_CONFIG_PASSPHRASE" not in found
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/d/work/passphrase"
    assert found["PULUMI_BACKEND_URL"] == "file:///d/state?metadata=skip"


def test_a_folder_is_itself_whatever_its_name_holds() -> None:
    config = EngineConfig(**{**vars(CONFIG), "state": Path("/d/50%, a?b#c/state")})
    url = environment(config)["PULUMI_BACKEND_URL"]
    assert url == "file:///d/50%25%2C%20a%3Fb%23c/state?metadata=skip"


def test_pulumi_is_told_who_it_is_also_where_the_uid_has_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("USER", raising=False)
    assert environment(CONFIG)["USER"] == str(os.getuid())
    monkeypatch.setenv("USER", "codehub")
    assert environment(CONFIG)["USER"] == "codehub"


def test_the_plugin_is_told_the_engine_that_all_else_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    config = EngineConfig(**{**vars(CONFIG), "docker_host": "unix:///x.sock"})
    monkeypatch.setenv("DOCKER_HOST", "unix:///y.sock")
    assert environment(config)["DOCKER_HOST"] == "unix:///x.sock"
    assert environment(CONFIG)["DOCKER_HOST"] == "unix:///y.sock"
    monkeypatch.delenv("DOCKER_HOST")
    assert environment(CONFIG)["DOCKER_HOST"] == "unix:///var/run/docker.sock"
