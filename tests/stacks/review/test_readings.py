"""What was read before is believed only when it can be, and then says what reading says."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spec.defaults import NONE, read_defaults
from spec.files import together
from stacks.git import tree
from stacks.review import kept, readings
from stacks.review.kept import Kept
from stacks.review.readings import Readings
from tests.stacks.git.repository import Repository

PATH = "workspaces.d"
FILES = {
    "plain": b"owner: alice\nimage: one\nenv: {TZ: Asia/Seoul}\n",
    "full": b"owner: bob\nimage: one\nresources: {cpu: 1.5, memory: 1Gi, pids: 99}\nstate: warm\ndrift: report\n",
    "odd": b"owner: &a carol\nimage: one\nenv: {A: \"\\u00e9\", B: '\xc3\xa9'}\n",
    "heir": b"owner: alice\nimage: one\n\nformerly: old\n",
    "bad": b"owner: alice\nimage: one\nstate: cold\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    many = {f"{PATH}/w{n}.yaml": FILES["plain"] for n in range(readings.WORTH_KEEPING)}
    made.commit(many | {f"{PATH}/{name}.yaml": raw for name, raw in FILES.items()})
    (made.folder / PATH / "link.yaml").symlink_to("w0.yaml")
    made.commit({})
    return made


def entries(repository: Repository) -> list[tree.TreeEntry]:
    found = tree.entries(repository.git, tree.resolve(repository.git, "HEAD"), PATH)
    return [entry for entry in found if tree.is_workspace(entry)]


def read(repository: Repository, cache: Path | None) -> object:
    found = Readings(cache)(repository.git, entries(repository), PATH)
    assert [named.file for named in found] == [f"{PATH}/{e.name}" for e in entries(repository)]
    return list(found)


def test_what_is_kept_says_what_reading_says(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    whole = read(repository, None)
    assert read(repository, cache) == whole
    assert [file.name for file in cache.iterdir()] == [f"readings-{kept.reader_hash()}"]
    assert cache.stat().st_mode & 0o777 == 0o700
    again = Kept.load(cache)
    known = {entry.name: again.get(entry, PATH) for entry in entries(repository)}
    assert [name for name, found in known.items() if found is None] == ["bad.yaml", "link.yaml"]
    assert read(repository, cache) == whole
    assert together(list(filter(None, known.values()))).formerly == {"heir": "old"}


def test_kept_specs_are_those_that_were_read(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    read(repository, cache)
    known = Kept.load(cache)
    for entry, fresh in zip(
        entries(repository), readings.read(repository.git, entries(repository), PATH), strict=True
    ):
        found = known.get(entry, PATH)
        if found is not None:
            assert fresh.reading.spec is not None
            assert found.reading.spec is not None
            assert found.reading.spec.model_dump_json() == fresh.reading.spec.model_dump_json()


def test_what_was_read_with_other_defaults_is_never_taken(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    found = entries(repository)
    said = [read_defaults(raw, file="d") for raw in (b"state: warm\n", b"state: running\n")]
    for defaults in (NONE, *said, NONE, *reversed(said), read_defaults(b"x: y\n", file="d")):
        fresh = readings.read(repository.git, found, PATH, defaults)
        assert Readings(cache)(repository.git, found, PATH, defaults) == fresh
        assert Readings(cache)(repository.git, found, PATH, defaults) == fresh
        known = Kept.load(cache, defaults.digest)
        states = {
            it.reading.spec.state for e in found if (it := known.get(e, PATH)) and it.reading.spec
        }
        assert states <= {defaults.values.get("state", "auto"), "warm"}
        assert bool(states) is not defaults.broken


def test_defaults_go_to_the_other_processes_too(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = read_defaults(b"env: {A: b}\n", file="d")
    whole = readings.read(repository.git, entries(repository), PATH, defaults)
    monkeypatch.setattr(readings, "WORTH_SHARING", 2)
    assert readings.read(repository.git, entries(repository), PATH, defaults) == whole


def _alter(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"alice", b"mally"))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _open(file: Path) -> None:
    file.chmod(0o666)


def _link(file: Path) -> None:
    other = file.with_name("other")
    file.rename(other)
    file.symlink_to(other)


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_alter, _cut, _open, _link, _fifo, _empty, Path.unlink])
def test_a_cache_that_can_not_be_believed_is_not(
    repository: Repository, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    cache = tmp_path / "cache"
    whole = read(repository, cache)
    (file,) = cache.iterdir()
    spoil(file)
    assert all(Kept.load(cache).get(entry, PATH) is None for entry in entries(repository))
    assert read(repository, cache) == whole


def test_only_what_changed_is_read_again(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    read(repository, cache)
    repository.commit({f"{PATH}/plain.yaml": FILES["full"]})
    known = Kept.load(cache)
    missing = [entry.name for entry in entries(repository) if known.get(entry, PATH) is None]
    assert missing == ["bad.yaml", "link.yaml", "plain.yaml"]
    read(repository, cache)
    fresh = next(entry for entry in entries(repository) if entry.name == "plain.yaml")
    assert Kept.load(cache).get(fresh, PATH) is not None


def test_a_cache_is_bounded_and_drops_other_readers(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "readings-older").write_text("x")
    read(repository, cache)
    (file,) = cache.iterdir()
    monkeypatch.setattr(kept, "MOST", 50)
    repository.commit(
        {f"{PATH}/new-1.yaml": FILES["plain"]} | {f"{PATH}/w{n}.yaml": None for n in range(90)}
    )
    some = [entry for entry in entries(repository) if entry.name in {"new-1.yaml", "full.yaml"}]
    store = Kept.load(cache)
    assert store.get(some[0], PATH)
    store.put(zip(some, readings.read(repository.git, some, PATH), strict=True))
    left = json.loads(file.read_bytes().partition(b"\n")[2])
    assert len(left) == 50
    assert {key.split()[1] for key in left} >= {"new-1.yaml", "full.yaml"}


def test_a_cache_that_can_not_be_written_keeps_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert read(repository, tmp_path / "file" / "cache") == read(repository, None)


def test_many_odd_files_are_read_by_two_processes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(repository, None)
    monkeypatch.setattr(readings, "WORTH_SHARING", 2)
    monkeypatch.setattr(readings, "CHUNK", 1)
    assert read(repository, None) == whole
