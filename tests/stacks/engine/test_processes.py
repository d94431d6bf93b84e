"""Sessions: found whole, ended whole, also after the runner that started them is gone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.engine.processes import (
    end_recorded,
    kill_session,
    read_process,
    record_session,
    session_members,
)

# A leader with a child in a process group of its own, as Pulumi starts its plugins.
LEADER = """
import os, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
    print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def session() -> Iterator[tuple[int, int]]:
    """A session's leader and its child."""
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    yield process.pid, child
    kill_session(process.pid)
    process.stdout.close()
    process.wait()


def test_a_session_has_its_members_in_whatever_group(session: tuple[int, int]) -> None:
    leader, child = session
    assert {item.pid for item in session_members(leader)} == {leader, child}
    found = read_process(child)
    assert found is not None
    assert (found.parent, found.session) == (leader, leader)
    assert os.getpgid(child) == child


def test_killing_a_session_leaves_nobody(session: tuple[int, int]) -> None:
    leader, child = session
    assert kill_session(leader) == 2
    assert session_members(leader) == []
    assert kill_session(leader) == 0
    gone = read_process(child)
    assert gone is None or gone.state == "Z"


def test_one_process_can_be_spared(session: tuple[int, int]) -> None:
    leader, _ = session
    assert kill_session(leader, spare=leader) == 1
    assert [item.pid for item in session_members(leader)] == [leader]


def test_a_session_of_a_reused_id_is_left_alone(session: tuple[int, int]) -> None:
    leader, _ = session
    found = read_process(leader)
    assert found is not None
    assert kill_session(leader, started=found.started + 1_000_000) == 0
    assert len(session_members(leader)) == 2


def test_a_process_that_is_gone_is_none() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert read_process(process.pid) is None


def test_a_recorded_session_is_ended_once(session: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "x.session"
    leader, _ = session
    started = record_session(path, leader)
    assert started > 0
    assert end_recorded(path) == 2
    assert not path.exists()
    assert end_recorded(path) == 0


def test_a_record_of_another_boot_kills_nobody(session: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "x.session"
    record_session(path, session[0])
    path.write_text(json.dumps({**json.loads(path.read_text()), "boot": "another"}))
    assert end_recorded(path) == 0
    assert len(session_members(session[0])) == 2
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"pid": 1}', '{"x": 1}'])
def test_an_unreadable_record_is_dropped(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.session"
    path.write_text(text)
    assert end_recorded(path) == 0
    assert not path.exists()


def test_a_process_that_is_gone_is_not_recorded(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert record_session(tmp_path / "x.session", process.pid) == 0
    assert not (tmp_path / "x.session").exists()


def test_a_session_whose_id_went_to_a_later_process_is_left_alone(
    session: tuple[int, int], tmp_path: Path
) -> None:
    """Ids come round after 32768 of them: what the record means may have ended long ago."""
    path = tmp_path / "x.session"
    started = record_session(path, session[0])
    path.write_text(json.dumps({**json.loads(path.read_text()), "started": started - 1}))
    assert end_recorded(path) == 0
    assert len(session_members(session[0])) == 2
    assert not path.exists()
