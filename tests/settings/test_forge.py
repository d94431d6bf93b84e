"""The forge's settings: secrets are in files, and what is wrong with a file is told without its contents."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from settings.errors import SecretFileError, SettingsError
from settings.forge import MAX_SECRET, read_secret
from settings.load import load
from settings.model import ForgeSettings
from settings.secret_files import check

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
    path.chmod(0o640)
    secret = read_secret(path, setting_name="CODEHUB_FORGE_TOKEN_FILE")
    assert secret.get_secret_value() == CANARY
    assert CANARY not in repr(secret)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b" \n", "does not hold one line"),
        (CANARY.encode() + b"\xff", "does not hold one line"),
        (f"{CANARY}\n{CANARY}".encode(), "does not hold one line"),
        (b"x" * (MAX_SECRET + 1), "does not hold one line"),
    ],
)
def test_files_that_hold_no_secret(content: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(SettingsError, match=told) as wrong:
        read_secret(path, setting_name="CODEHUB_FORGE_TOKEN_FILE")
    assert "CODEHUB_FORGE_TOKEN_FILE" in str(wrong.value)
    assert CANARY not in str(wrong.value)


def _others(path: Path) -> None:
    path.write_text(CANARY)
    path.chmod(0o604)


@pytest.mark.parametrize(
    ("make", "told"), [(_others, "others may read or write.*chmod o="), (Path.mkdir, "not a file")]
)
def test_files_that_are_not_fit_for_a_secret(
    make: Callable[[Path], object], told: str, tmp_path: Path
) -> None:
    make(tmp_path / "token")
    with pytest.raises(SettingsError, match=told) as wrong:
        read_secret(tmp_path / "token", setting_name="CODEHUB_FORGE_TOKEN_FILE")
    assert CANARY not in str(wrong.value)


@pytest.mark.parametrize(("owner", "fits"), [(0, True), (os.geteuid(), True), (12345, False)])
def test_a_secret_is_root_s_or_ours(*, owner: int, fits: bool) -> None:
    found = os.stat_result((0o100600, 1, 1, 1, owner, 0, 8, 0, 0, 0))
    if fits:
        check(Path("url"), found)
        return
    with pytest.raises(SecretFileError, match="belongs to another user"):
        check(Path("url"), found)
