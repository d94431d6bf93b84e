"""The set-up's trial of isolation: once, and told where something is open."""

from pathlib import Path

import pytest

from settings.load import load
from settings.model import RunnerSettings
from tools import images, isolation
from tools.cache import Cache


@pytest.fixture
def settings(tmp_path: Path) -> RunnerSettings:
    return load(RunnerSettings, env={}, cwd=tmp_path)


def test_what_is_open_is_told_once(
    cache: Cache,
    settings: RunnerSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CODEHUB_DOCKER_HOST", "unix:///nonexistent.sock")
    assert isolation.tell(cache, settings)
    told = capsys.readouterr().err
    assert "what workspaces could reach here" in told
    assert "the engine does not answer" in told
    assert not isolation.tell(cache, settings)
    assert capsys.readouterr().err == ""
    (cache.root / "isolation").write_text("another start of the machine")
    assert isolation.tell(cache, settings)


@pytest.mark.engine
def test_what_holds_is_not_told(
    cache: Cache,
    settings: RunnerSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CODEHUB_NETWORK", "codehub-test-set-up")
    monkeypatch.setenv("CODEHUB_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CODEHUB_ALLOW_UNENFORCED", raising=False)
    assert isolation.tell(cache, settings)
    assert capsys.readouterr().err == ""
    assert images.probe().key in (cache.root / "isolation").read_text()


def test_where_nobody_wants_it_nothing_is_tried(cache: Cache, tmp_path: Path) -> None:
    waived = load(RunnerSettings, env={"CODEHUB_ALLOW_UNENFORCED": "all"}, cwd=tmp_path)
    assert not isolation.tell(cache, waived)
    assert not (cache.root / "isolation").exists()
