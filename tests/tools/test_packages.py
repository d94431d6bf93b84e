"""The packages of the images are the locked ones, and the gateway's lack what only the runner needs."""

from pathlib import Path

import pytest

from tests.tools.wheels import add_wheel
from tools import packages
from tools.cache import Cache
from tools.commands import silent
from tools.errors import CommandFailedError


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of three packages, whose wheels pip finds on this machine."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    lines = []
    for name in ("pulumi_docker", "opentelemetry_api", "litestar"):
        add_wheel(folder, name, "one.txt", {f"{name}/__init__.py": "x = 1\n"})
        lines.append((folder / "one.txt").read_text())
    (tmp_path / "lock.txt").write_text("".join(lines))
    return tmp_path / "lock.txt"


def test_they_are_installed_once_for_each_lock(cache: Cache, lock: Path) -> None:
    tree = packages.tree(cache, lock=lock)
    assert (tree / "litestar" / "__init__.py").is_file()
    assert not list(tree.rglob("*.pyc"))
    said: list[str] = []
    assert packages.tree(cache, lock=lock, say=said.append) == tree
    assert said == []
    lock.write_text(lock.read_text().splitlines()[0])
    other = packages.tree(cache, lock=lock)
    assert list(other.parent.iterdir()) == [other]


def test_what_is_not_the_locked_one_is_refused(cache: Cache, lock: Path) -> None:
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0"))
    with pytest.raises(CommandFailedError):
        packages.tree(cache, lock=lock, say=silent)


def test_what_only_the_runner_needs(cache: Cache, lock: Path) -> None:
    tree = packages.tree(cache, lock=lock)
    theirs = {path.relative_to(tree).parts[0] for path in packages.runners(tree)}
    assert {"pulumi_docker", "opentelemetry_api"} <= theirs
    assert not any(name.startswith("litestar") for name in theirs)


def test_each_named_package_is_in_the_lock() -> None:
    locked = {line.partition("==")[0] for line in packages.LOCK.read_text().splitlines()}
    assert locked >= packages.RUNNERS
