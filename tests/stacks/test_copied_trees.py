"""A runner on a data tree that was copied: it is refused, or its graces begin anew."""

import shutil
from pathlib import Path

import pytest

from settings.errors import CopiedTreeError
from settings.load import load
from settings.model import RunnerSettings
from stacks import parts
from stacks.claim import Claim
from stacks.fence import Fence
from state_index.index import Index


@pytest.fixture
def settings(tmp_path: Path) -> RunnerSettings:
    """A data tree in which something was removed."""
    (tmp_path / "workspaces.d").mkdir()
    made = settings_of(tmp_path, "data")
    parts.check_data_tree(made)
    with Index.open(made.index_url) as index:
        parts.tree_ids(made.paths, index)
    ledger = parts.open_ledger(made, Fence.always())
    ledger.begin("ws", left=7, volumes=["x-ws-home-1"])
    return made


def settings_of(root: Path, name: str) -> RunnerSettings:
    env = {"CODEHUB_DATA": str(root / name), "CODEHUB_WORKSPACES": str(root / "workspaces.d")}
    return load(RunnerSettings, env, cwd=root)


def removals(settings: RunnerSettings) -> dict[str, str]:
    entries = parts.open_ledger(settings, Fence.always()).entries()
    return {id_: entry.removal for id_, entry in entries.items()}


def test_the_same_tree_keeps_its_graces(settings: RunnerSettings) -> None:
    before = removals(settings)
    assert before["ws"]
    assert removals(settings) == before


def test_a_copy_beside_it_does_not_lead(settings: RunnerSettings, tmp_path: Path) -> None:
    shutil.copytree(settings.paths.root, tmp_path / "copy")
    copy = settings_of(tmp_path, "copy")
    with pytest.raises(CopiedTreeError, match="which is still there"):
        Claim(copy, daemon=False).attempt()
    assert not copy.paths.runner_lock.exists(), "nothing of the other's is touched"


def test_one_from_a_backup_begins_its_graces_anew_once(
    settings: RunnerSettings, tmp_path: Path
) -> None:
    shutil.copytree(settings.paths.root, tmp_path / "backup")
    settings.paths.root.rename(tmp_path / "broken")
    shutil.copytree(tmp_path / "backup", settings.paths.root)
    assert removals(settings) == {}
    ledger = parts.open_ledger(settings, Fence.always())
    ledger.begin("ws", left=7, volumes=["x-ws-home-1"])
    assert list(removals(settings)) == ["ws"]


def test_it_stays_a_copy_while_its_ledger_cannot_be_read(
    settings: RunnerSettings, tmp_path: Path
) -> None:
    shutil.copytree(settings.paths.root, tmp_path / "backup")
    settings.paths.root.rename(tmp_path / "broken")
    shutil.copytree(tmp_path / "backup", settings.paths.root)
    whole = settings.paths.graces.read_bytes()
    settings.paths.graces.write_text("{")
    parts.open_ledger(settings, Fence.always())
    settings.paths.graces.write_bytes(whole)
    assert removals(settings) == {}


def test_whoever_only_reads_leaves_that_to_the_one_who_leads(
    settings: RunnerSettings, tmp_path: Path
) -> None:
    """`codehub logs` without a daemon, in a tree that was restored."""
    shutil.copytree(settings.paths.root, tmp_path / "backup")
    settings.paths.root.rename(tmp_path / "broken")
    shutil.copytree(tmp_path / "backup", settings.paths.root)
    ledger, mark = settings.paths.graces.read_bytes(), settings.paths.place.read_bytes()
    parts.open_ledger(settings, Fence())
    assert settings.paths.graces.read_bytes() == ledger
    assert settings.paths.place.read_bytes() == mark
    assert removals(settings) == {}, "then all begin anew"
