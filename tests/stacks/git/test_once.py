"""Commands that read a branch once: each branch has its own copy, few are kept, the daemon's is left alone."""

import fcntl
import os
from pathlib import Path

from settings.load import load
from settings.model import RunnerSettings
from stacks.git.mirror import Mirror
from stacks.git.once import KEPT, LOCK, name_of, read_branch
from stacks.git.remote import Remote
from tests.stacks.git.repository import WORKSPACE, Repository


def settings_of(tmp_path: Path, branch: str) -> RunnerSettings:
    env = {
        "CODEHUB_REPO": f"file://{tmp_path}/team",
        "CODEHUB_REPO_BRANCH": branch,
        "CODEHUB_REPO_PATH": "ws",
        "CODEHUB_DATA": str(tmp_path / "data"),
    }
    return load(RunnerSettings, env, cwd=tmp_path)


def kept(settings: RunnerSettings) -> set[str]:
    return {path.name for path in settings.paths.branches.iterdir() if path.is_dir()}


async def test_another_branch_leaves_the_daemons_copy_alone(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "team")
    commit = repository.commit({"ws/one.yaml": WORKSPACE})
    repository.call("branch", "other")
    settings = settings_of(tmp_path, "other")
    settings.paths.make()
    remote = Remote(url=f"file://{tmp_path}/team", branch="main")
    mirror = Mirror(settings.paths.mirror, remote, timeout=30)
    await mirror.fetch()
    assert (await read_branch(settings)).specs.keys() == {"one"}
    assert mirror.head() == commit
    assert kept(settings) == {name_of(Remote.of(settings))}
    for path in (settings.paths.branches, *settings.paths.branches.iterdir()):
        assert path.stat().st_mode & 0o077 == 0


async def test_few_branches_are_kept_and_none_goes_while_one_is_read(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "team")
    repository.commit({"ws/one.yaml": WORKSPACE})
    names = [f"b{number}" for number in range(KEPT + 2)]
    all_settings = [settings_of(tmp_path, name) for name in names]
    settings = all_settings[0]
    for name, each in zip(names, all_settings, strict=True):
        repository.call("branch", name)
        if name == names[-1]:
            break
        await read_branch(each)
        place = settings.paths.branches / name_of(Remote.of(each))
        if place.exists():
            os.utime(place, (len(kept(settings)), int(name[1:])))
    assert len(kept(settings)) == KEPT
    with (settings.paths.branches / LOCK).open() as reading:
        fcntl.flock(reading, fcntl.LOCK_SH)
        await read_branch(all_settings[-1])
        assert len(kept(settings)) == KEPT + 1
    await read_branch(all_settings[-1])
    wanted = {name_of(Remote.of(each)) for each in all_settings[-KEPT:]}
    assert kept(settings) == wanted
