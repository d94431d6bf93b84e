"""The lock: one holder, told by name to the second taker, freed by death."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.errors import LockHeldError
from stacks.lock import Holder, RunnerLock, read_holder

HOLD = """
import sys
from pathlib import Path
from stacks.lock import RunnerLock
with RunnerLock(Path(sys.argv[1]), daemon=True):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_taker_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "runner.lock"
    with RunnerLock(path, daemon=True), pytest.raises(LockHeldError) as caught:
        RunnerLock(path).acquire()
    holder = Holder(**vars(read_holder(path)))
    assert "another runner works on this data tree: pid " in caught.value.message
    assert ", since 20" in caught.value.message
    assert holder == Holder(), "released: nobody is named"


def test_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "runner.lock"
    lock = RunnerLock(path)
    with lock:
        assert not read_holder(path).daemon
    lock.release()
    with RunnerLock(path, daemon=True):
        assert read_holder(path).daemon
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "runner.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeldError, match=f"pid {holder.pid} "):
            RunnerLock(path).acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with RunnerLock(path):
            assert read_holder(path).pid != holder.pid


@pytest.mark.parametrize(
    ("program", "shown"),
    [
        ("/srv/venv/bin/codehub", "codehub run"),
        ("/srv/checkout/cli/__main__.py", "codehub run"),
        ("/srv/checkout/benchmarks/__main__.py", "python -m benchmarks run"),
    ],
)
def test_a_holder_is_shown_as_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, shown: str
) -> None:
    monkeypatch.setattr(sys, "argv", [program, "run"])
    with RunnerLock(tmp_path / "runner.lock"):
        assert read_holder(tmp_path / "runner.lock").command == shown


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1, "more": 2}'])
def test_an_unreadable_holder_is_unknown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "runner.lock"
    path.write_bytes(content)
    assert read_holder(path) == Holder()
    assert str(read_holder(path)) == "pid 0 (unknown)"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "runner.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        RunnerLock(tmp_path / "runner.lock").acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_asking_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runner.lock"
    assert not RunnerLock(path).is_held()
    assert not path.exists()
    with RunnerLock(path):
        before = path.read_bytes()
        assert RunnerLock(path).is_held()
        assert path.read_bytes() == before
    assert not RunnerLock(path).is_held()


ASK = """
import sys
from pathlib import Path
from stacks.lock import RunnerLock
print("asking", flush=True)
while True:
    RunnerLock(Path(sys.argv[1])).is_held()
"""


def test_who_asks_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "runner.lock"
    path.touch()
    with subprocess.Popen([sys.executable, "-c", ASK, str(path)], stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == b"asking\n"
        for _ in range(200):
            with RunnerLock(path):
                assert RunnerLock(path).is_held()
        assert asker.poll() is None
        asker.kill()
