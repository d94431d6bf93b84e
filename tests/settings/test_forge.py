"""The forge's settings: secrets are in files, and what is wrong with a file is told without its contents."""

from pathlib import Path

import pytest

from settings.errors import SettingsError
from settings.forge import MAX_SECRET, read_secret
from settings.load import load
from settings.model import ForgeSettings

CANARY = "canary-5f2d"


def test_without_a_forge_nothing_is_set(tmp_path: Path) -> None:
    found = load(ForgeSettings, {}, tmp_path)
    assert (found.forge, found.forge_url, found.forge_repository, found.forge_login) == (
        None,
        "",
        "",
        "",
    )
    assert (found.forge_token_file, found.forge_webhook_secret_file) == (None, None)


def test_files_are_found_from_the_current_folder(tmp_path: Path) -> None:
    env = {
        "CODEHUB_FORGE": "gitlab",
        "CODEHUB_FORGE_REPOSITORY": "acme/sub/fleet",
        "CODEHUB_FORGE_TOKEN_FILE": "secrets/token",
        "CODEHUB_FORGE_WEBHOOK_SECRET_FILE": "/etc/secret",
        "CODEHUB_FORGE_LOGIN": "github-actions[bot]",
    }
    found = load(ForgeSettings, env, tmp_path)
    assert (found.forge, found.forge_repository) == ("gitlab", "acme/sub/fleet")
    assert found.forge_token_file == tmp_path / "secrets" / "token"
    assert found.forge_webhook_secret_file == Path("/etc/secret")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORGE", "bitbucket"),
        ("FORGE_URL", f"https://user:{CANARY}@git.example.org"),
        ("FORGE_URL", "git.example.org"),
        ("FORGE_REPOSITORY", "fleet"),
        ("FORGE_REPOSITORY", "acme/fl eet"),
        ("FORGE_LOGIN", "a b"),
    ],
)
def test_wrong_ones(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"CODEHUB_{name}") as wrong:
        load(ForgeSettings, {f"CODEHUB_{name}": value}, tmp_path)
    assert CANARY not in str(wrong.value)


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\n")
    secret = read_secret(path, setting_name="CODEHUB_FORGE_TOKEN_FILE")
    assert secret.get_secret_value() == CANARY
    assert CANARY not in repr(secret)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b" \n", "holds nothing"),
        (CANARY.encode() + b"\xff", "not text"),
        (b"x" * (MAX_SECRET + 1), "longer than"),
    ],
)
def test_files_that_hold_no_secret(content: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=told) as wrong:
        read_secret(path, setting_name="CODEHUB_FORGE_TOKEN_FILE")
    assert "CODEHUB_FORGE_TOKEN_FILE" in str(wrong.value)
    assert CANARY not in str(wrong.value)
