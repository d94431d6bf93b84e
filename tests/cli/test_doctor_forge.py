"""What `codehub doctor` says of the forge: a real Gitea, one that refuses, and one that is not there."""

from pathlib import Path

from pydantic import SecretStr

from cli.commands import doctor
from settings.load import load
from settings.model import RunnerSettings
from tests.forges import gitea
from tools.dev import free_port


def settings_of(folder: Path, url: str, repository: str, token: SecretStr) -> RunnerSettings:
    file = folder / "token"
    file.write_text(token.get_secret_value())
    file.chmod(0o600)
    told = {
        "CODEHUB_FORGE": "gitea",
        "CODEHUB_FORGE_URL": url,
        "CODEHUB_FORGE_REPOSITORY": repository,
        "CODEHUB_FORGE_TOKEN_FILE": str(file),
    }
    return load(RunnerSettings, told, cwd=folder)


def test_one_that_answers_and_one_that_refuses(tmp_path: Path) -> None:
    with gitea.serving() as server:
        alice = server.new_user("alice")
        name = server.new_repository(alice, "fleet").name
        (found,) = doctor._forge(settings_of(tmp_path, server.url, name, alice.token))
        assert (found.ok, found.detail) == (True, f"gitea has {name}: 0 open pull requests")

        wrong = SecretStr("0" * 40)
        (found,) = doctor._forge(settings_of(tmp_path, server.url, name, wrong))
        assert (found.ok, bool(found.remedy)) == (False, True)
        assert "0000" not in found.detail + found.remedy

        (found,) = doctor._forge(settings_of(tmp_path, server.url, "alice/other", alice.token))
        assert not found.ok


def test_one_that_is_not_there_and_one_that_is_half_set(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    (found,) = doctor._forge(settings_of(tmp_path, url, "a/b", SecretStr("x" * 40)))
    assert not found.ok

    half = load(RunnerSettings, {"CODEHUB_FORGE": "github"}, cwd=tmp_path)
    (found,) = doctor._forge(half)
    assert "CODEHUB_FORGE_TOKEN_FILE" in found.remedy
    assert doctor._forge(load(RunnerSettings, {}, cwd=tmp_path)) == []
