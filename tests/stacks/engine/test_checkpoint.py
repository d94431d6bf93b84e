"""State files: reading, mending, keeping what is unreadable."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.engine.checkpoint import Checkpoint, StateFiles, read, write

TYPE = "docker:index/container:Container"


def resource(name: str, id_: str = "abc", **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::codehub::{TYPE}::{name}", "type": TYPE, "id": id_, **more}


def document(*resources: dict[str, Any], pending: Any = None) -> bytes:
    latest: dict[str, Any] = {"manifest": {"magic": "m"}, "resources": list(resources)}
    if pending:
        latest["pending_operations"] = pending
    content = {"version": 3, "checkpoint": {"stack": "organization/codehub/s", "latest": latest}}
    return json.dumps(content).encode()


@pytest.fixture
def files(tmp_path: Path) -> StateFiles:
    found = StateFiles(tmp_path, "s")
    found.checkpoint.parent.mkdir(parents=True)
    return found


def test_a_fresh_state_holds_nothing_and_is_read_back() -> None:
    fresh = Checkpoint.fresh("s")
    assert Checkpoint.parse(fresh.to_bytes()) == fresh
    assert fresh.resources == ()
    assert fresh.pending == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 2, "checkpoint": {}}',
        b'{"version": 3}',
        b'{"version": 3, "checkpoint": 1}',
        b'{"version": 3, "checkpoint": {"stack": 1}}',
        b'{"version": 3, "checkpoint": {"stack": "s", "latest": 1}}',
        b'{"version": 3, "checkpoint": {"stack": "s", "latest": {"resources": {"a": 1}}}}',
        b'{"version": 3, "checkpoint": {"stack": "s", "latest": {"resources": [1]}}}',
        b'{"version": 3, "checkpoint": {"stack": "s", "latest": {"resources": [{"id": "1"}]}}}',
        document(resource("container"))[:-20],
        b"\xff\xfe",
    ],
)
def test_what_is_not_a_whole_state_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        Checkpoint.parse(raw)


def test_identities_are_the_engines_ids_of_a_type() -> None:
    found = Checkpoint.parse(document(resource("a", "1"), resource("b", "2"), resource("c", "")))
    assert found.identities(TYPE) == {"1", "2"}
    assert found.identities("other") == frozenset()


def test_mending_drops_pending_operations_and_taints_what_is_half_made() -> None:
    pending = [{"type": "creating", "resource": resource("container", "")}]
    half = resource("container", initErrors=["no network"])
    found = Checkpoint.parse(document(half, resource("home"), pending=pending))
    assert found.pending == ("creating container",)
    assert found.half_made == ("container",)

    mended = found.mended()

    assert mended.pending == ()
    assert mended.half_made == ()
    assert [item.get("taint") for item in mended.resources] == [True, None]
    assert mended.content["checkpoint"]["latest"]["manifest"] == {"magic": "m"}


MADE, LATER = "2026-11-21T18:29:57.899909822Z", "2026-11-21T18:30:00.204229812Z"


def test_what_failed_to_be_changed_is_kept_and_what_failed_to_be_made_is_not() -> None:
    half: dict[str, Any] = {"initErrors": ["no"], "created": MADE}
    made, changed = ({**resource(name), **half} for name in ("a", "b"))
    made["modified"], changed["modified"] = MADE, LATER
    found = Checkpoint.parse(document(made, changed, resource("c", created=MADE, modified=LATER)))
    assert (found.half_made, found.half_changed) == (("a",), ("b",))

    mended = found.mended()

    assert (mended.half_made, mended.half_changed) == ((), ())
    assert [item.get("taint") for item in mended.resources] == [True, None, None]
    assert [bool(item.get("initErrors")) for item in mended.resources] == [True, False, False]


def test_mending_a_fresh_state_keeps_it_empty() -> None:
    assert Checkpoint.fresh("s").mended().resources == ()


def test_no_file_is_no_state(files: StateFiles) -> None:
    assert read(files) == (None, "")


def test_a_written_state_is_read_back_and_leaves_no_file_beside(files: StateFiles) -> None:
    state = Checkpoint.parse(document(resource("container")))
    write(files, state)
    assert read(files) == (state, "")
    assert [path.name for path in files.checkpoint.parent.iterdir()] == ["s.json"]


def test_an_unreadable_state_is_kept_and_the_copy_is_used(files: StateFiles) -> None:
    good = document(resource("container"))
    files.checkpoint.write_bytes(good[:40])
    files.backup.write_bytes(good)

    state, wrong = read(files)

    assert state == Checkpoint.parse(good)
    assert "unreadable" in wrong
    (kept,) = files.checkpoint.parent.glob("s.json.corrupt-*")
    assert kept.read_bytes() == good[:40]
    assert kept.name in wrong


@pytest.mark.parametrize("copy", [None, b"{"])
def test_without_a_usable_copy_there_is_none(files: StateFiles, copy: bytes | None) -> None:
    files.checkpoint.write_bytes(b"{")
    if copy is not None:
        files.backup.write_bytes(copy)
    state, wrong = read(files)
    assert state is None
    assert wrong


def test_locks_and_history_go_and_other_stacks_keep_theirs(files: StateFiles) -> None:
    other = StateFiles(files.root, "other")
    for found in (files, other):
        for folder in (found.locks, found.history):
            folder.mkdir(parents=True)
            (folder / "one.json").write_text("{}")
    assert files.break_locks() == 1
    files.prune_history()
    assert list(files.locks.iterdir()) == list(files.history.iterdir()) == []
    assert len(list(other.locks.iterdir())) == len(list(other.history.iterdir())) == 1


def test_of_the_history_the_newest_entries_may_stay(files: StateFiles) -> None:
    """An entry is two files; those of other names are nobody's entries."""
    files.history.mkdir(parents=True)
    for number in (1, 2, 3):
        for kind in ("history", "checkpoint"):
            (files.history / f"ws-{10**18 + number}.{kind}.json").touch()
    (files.history / "notes").touch()
    files.prune_history(2)
    stamps = sorted(path.name.split(".")[0][-1] for path in files.history.iterdir())
    assert stamps == ["2", "2", "3", "3", "s"]
    files.prune_history()
    assert list(files.history.iterdir()) == []


def test_there_may_be_no_locks_and_no_history(files: StateFiles) -> None:
    assert files.break_locks() == 0
    files.prune_history()


def test_removing_a_stack_leaves_no_file(files: StateFiles) -> None:
    write(files, Checkpoint.fresh("s"))
    files.backup.write_bytes(b"{}")
    files.locks.mkdir(parents=True)
    (files.locks / "one.json").write_text("{}")
    files.remove()
    assert [path for path in files.root.rglob("*") if path.is_file()] == []
