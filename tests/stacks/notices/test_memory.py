"""What was told is kept in a file, and one that is damaged is begun anew."""

import json
from pathlib import Path

import pytest

from stacks.errors import NoticeFailedError
from stacks.notices.decide import Episode
from stacks.notices.memory import LARGEST, Memory, State
from stacks.notices.model import Kind
from tests.stacks.notices.scenes import at, message, notice

FULL = State(
    episodes={
        (Kind.FAILURE, "alice-api"): Episode(
            began=at(1), told=("A", "B"), reason="B", owner="alice"
        ),
        (Kind.APPROVAL, ""): Episode(began=at(2)),
    },
    waiting=(notice(), notice("bob", kind=Kind.DRIFT)),
    dropped=3,
    message=message(notice("carol"), more=2),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notices" / "hand.json"


def test_what_is_written_is_read(path: Path) -> None:
    assert Memory(path).load() == State()
    Memory(path).save(FULL)
    assert Memory(path).load() == FULL
    Memory(path).save(State())
    assert Memory(path).load() == State()
    assert [found.name for found in path.parent.iterdir()] == ["hand.json"]


def test_nobody_else_reads_it(path: Path) -> None:
    Memory(path).save(FULL)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def _with(**more: object) -> str:
    keys = {"version": 1, "episodes": [], "waiting": [], "dropped": 0, "message": None}
    return json.dumps({**keys, **more})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        "\xff",
        _with(version=2),
        _with(episodes=[{}]),
        _with(waiting=[{**notice().to_json(), "since": "2026-03-01"}]),
        _with(waiting=[{**notice().to_json(), "workspace": 7}]),
        _with(waiting=[{**notice().to_json(), "kind": "odd"}]),
        _with(message={"id": 7}),
        _with().replace('"dropped": 0', '"dropped": 1e999'),
        _with() + " " * LARGEST,
    ],
)
def test_one_that_is_damaged_is_as_none_and_is_written_over(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    assert Memory(path).load() == State()
    Memory(path).save(FULL)
    assert Memory(path).load() == FULL


def test_what_is_no_file_is_as_none_and_cannot_be_written(path: Path) -> None:
    path.mkdir(parents=True)
    assert Memory(path).load() == State()
    with pytest.raises(NoticeFailedError, match="can't be kept"):
        Memory(path).save(FULL)


def test_a_link_in_its_way_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "other").write_text("kept")
    path.with_name(".hand.json.new").symlink_to(tmp_path / "other")
    with pytest.raises(NoticeFailedError):
        Memory(path).save(FULL)
    assert (tmp_path / "other").read_text() == "kept"
