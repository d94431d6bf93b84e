"""What `codehub doctor` says of the ledger of graces."""

from pathlib import Path

import pytest

from cli.commands import doctor
from settings.load import load
from settings.model import RunnerSettings
from stacks.ledger import Ledger


@pytest.fixture
def settings(tmp_path: Path) -> RunnerSettings:
    return load(RunnerSettings, {"CODEHUB_DATA": str(tmp_path)}, cwd=tmp_path)


def test_the_ledger_is_told_of(settings: RunnerSettings) -> None:
    fine = doctor._graces(settings)
    assert (fine.name, fine.ok, fine.remedy) == ("graces", True, "")
    ledger = Ledger(settings.paths.graces)
    ledger.removing("ws", "x-ws-home-1", volumes=["x-ws-home-1"])
    torn = doctor._graces(settings)
    assert torn.ok
    assert "partly removed: x-ws-home-1" in torn.detail
    assert "codehub purge" in torn.remedy
    settings.paths.graces.write_text("{")
    broken = doctor._graces(settings)
    assert not broken.ok
    assert "move it away" in broken.remedy
