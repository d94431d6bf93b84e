"""`codehub wait` over a real index; as a process where something changes meanwhile."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import conditions
from cli.conditions import Condition, ConditionError
from state_index.index import Index
from state_index.models import Published
from state_index.phases import Event, Phase, Sync
from tests.cli import processes
from tests.cli.conftest import Cli

IMAGE_MISSING = {"reason": "IMAGE_MISSING", "message": "no image light. Build it"}


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    (place / "data").mkdir(mode=0o700)
    with Index.open(f"sqlite:///{place}/data/index.db") as opened:
        yield opened


def publish(index: Index, *events: Event) -> None:
    index.publish("aa", cause="test", owner="alice", sync=Sync.SYNCED)
    for event in events:
        index.publish("aa", cause="test", event=event)


@contextmanager
def waiting(*args: str) -> Iterator["subprocess.Popen[str]"]:
    """A `codehub wait` that runs; killed at the end if it still does."""
    with subprocess.Popen(
        [*processes.COMMAND, "wait", *args],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=processes.DEADLINE)
    return process.returncode, out, err


def begun(process: "subprocess.Popen[str]", index_db: Path) -> None:
    """Wait until it has the index open, as the kernel tells, so that it looked or will at once."""
    deadline = time.monotonic() + processes.DEADLINE
    while index_db not in opened(process.pid):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def settled(process: "subprocess.Popen[str]", index_db: Path) -> None:
    """Wait until each of its three connections has its log open, so that it only watches now.

    Whoever moves the files of an index that is just being opened, mixes them with others.
    """
    log = index_db.with_name(f"{index_db.name}-wal")
    deadline = time.monotonic() + processes.DEADLINE
    while opened(process.pid)[log] < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, opened(process.pid)
        time.sleep(0.01)


def opened(pid: int) -> Counter[Path]:
    found: Counter[Path] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[link.readlink()] += 1
        except FileNotFoundError:  # closed meanwhile
            continue
    return found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["phase=RUNNING"], "phase=RUNNING"),
        (["phase=running"], "phase=RUNNING"),
        (["sync=synced"], "sync=Synced"),
        (["phase=RUNNING", "sync=Synced"], "phase=RUNNING, sync=Synced"),
        (["phase=RUNNING", "phase=RUNNING"], "phase=RUNNING"),
    ],
)
def test_what_is_so_already(cli: Cli, index: Index, wanted: list[str], said: str) -> None:
    publish(index, Event.BOOTING, Event.READY)
    done = cli("wait", "aa", *(f"--for={one}" for one in wanted))
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"aa: {said}\n", "")


def test_what_comes_while_it_waits(place: Path, index: Index) -> None:
    publish(index, Event.BOOTING)
    with waiting("aa", "--for", "phase=RUNNING", "--for", "sync=Synced") as process:
        begun(process, place / "data/index.db")
        index.publish("aa", cause="test", event=Event.READY, sync=Sync.OUT_OF_SYNC)
        index.publish("bb", cause="test", owner="bob")
        index.publish("aa", cause="test", sync=Sync.SYNCED)
        assert ended(process) == (0, "aa: phase=RUNNING, sync=Synced\n", "")


def test_what_is_not_there_yet_is_waited_for(place: Path) -> None:
    with waiting("aa", "--for", "phase=RUNNING") as process:
        begun(process, place / "data/index.db")
        with Index.open(f"sqlite:///{place}/data/index.db") as index:
            publish(index, Event.BOOTING, Event.READY)
        assert ended(process) == (0, "aa: phase=RUNNING\n", "")


def move_away(data: Path) -> None:
    """As a person does with an index that shall be made anew."""
    (data / "old").mkdir()
    for found in data.glob("index.db*"):
        found.rename(data / "old" / found.name)


def test_another_index_in_its_place_is_waited_at(place: Path, index: Index) -> None:
    publish(index, Event.BOOTING)
    with Index.open(f"sqlite:///{place}/other.db") as other:
        publish(other, Event.BOOTING)
    with waiting("aa", "--for", "phase=RUNNING") as process:
        settled(process, place / "data/index.db")
        move_away(place / "data")
        (place / "other.db").rename(place / "data/index.db")
        with Index.open(f"sqlite:///{place}/data/index.db") as rebuilt:
            rebuilt.publish("aa", cause="test", event=Event.READY)
            code, out, _ = ended(process)
    assert (code, out) == (0, "aa: phase=RUNNING\n")


def test_an_index_that_was_moved_away_is_not_made_but_waited_for(place: Path, index: Index) -> None:
    publish(index, Event.BOOTING)
    data = place / "data"
    with waiting("aa", "--for", "phase=RUNNING") as process:
        settled(process, data / "index.db")
        move_away(data)
        assert process.stderr is not None
        assert process.stderr.readline() == (
            f"the state index in {data} was moved away: waiting for another one\n"
        )
        assert not (data / "index.db").exists()
        with Index.open(f"sqlite:///{data}/index.db") as made:
            publish(made, Event.BOOTING, Event.READY)
            assert ended(process) == (0, "aa: phase=RUNNING\n", "")


def test_the_time_is_over_without_an_index_too(place: Path, index: Index) -> None:
    publish(index, Event.BOOTING)
    with waiting("aa", "--for", "phase=RUNNING", "--timeout", "2s") as process:
        settled(process, place / "data/index.db")
        move_away(place / "data")
        code, _, err = ended(process)
    assert code == 1
    assert "error: timed out: aa is phase=STARTING" in err


def test_an_error_that_comes_meanwhile_ends_it(place: Path, index: Index) -> None:
    publish(index, Event.PROVISION)
    with waiting("aa", "--for", "phase=RUNNING") as process:
        begun(process, place / "data/index.db")
        index.publish("aa", cause="test", event=Event.FAILED, **IMAGE_MISSING)  # type: ignore[arg-type]
        code, out, err = ended(process)
    assert (code, out) == (1, "")
    assert err == (
        "error: it failed: aa is phase=ERROR, sync=Synced (IMAGE_MISSING: no image light. Build it)\n"
        "  hint: mend what is wrong, then: codehub retry aa\n"
    )


def test_an_error_that_is_tried_again_is_waited_out(cli: Cli, index: Index) -> None:
    publish(index, Event.PROVISION, Event.FAILED)
    index.publish("aa", cause="test", retry_at=datetime.now(UTC) + timedelta(minutes=1))
    done = cli("wait", "aa", "--for", "phase=RUNNING", "--timeout", "100ms")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: timed out: aa is phase=ERROR, sync=Synced\n")


@pytest.mark.parametrize("timeout", ["0s", "150ms"])
def test_the_time_is_over(cli: Cli, index: Index, timeout: str) -> None:
    publish(index, Event.STOPPED)
    began = time.monotonic()
    done = cli("wait", "aa", "--for", "phase=RUNNING", "--timeout", timeout)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "error: timed out: aa is phase=WARM, sync=Synced\n"
        "  hint: codehub history aa says how it came\n"
    )
    assert timeout == "0s" or time.monotonic() - began >= 0.15


def test_what_never_was(cli: Cli, place: Path) -> None:
    done = cli("wait", "aa", "--for", "phase=RUNNING", "--timeout", "0s")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "timed out: there is no workspace aa" in done.stderr
    assert cli("wait", "aa", "--for", "gone").stdout == "aa: gone\n"


def test_gone(cli: Cli, place: Path, index: Index) -> None:
    publish(index, Event.STOPPED)
    with waiting("aa", "--for", "gone") as process:
        begun(process, place / "data/index.db")
        index.publish("aa", cause="test", event=Event.DELETE)
        index.publish("aa", cause="test", event=Event.REMOVED)
        assert ended(process) == (0, "aa: gone\n", "")
    assert cli("wait", "aa", "--for", "gone", "--for", "phase=TOMBSTONED").exit_code == 0
    index.forget("aa", "test")
    assert cli("wait", "aa", "--for", "gone").stdout == "aa: gone\n"


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ((), "missing option"),
        (("--for", "RUNNING"), "'RUNNING' is no condition: phase=RUNNING, sync=Synced, gone"),
        (("--for", "gone=yes"), "'gone=yes' is no condition"),
        (("--for", "phase"), "'phase' is no condition"),
        (("--for", "phase=RUNING"), "'RUNING' is no phase: did you mean RUNNING?"),
        (("--for", "sync=xyz"), "'xyz' is no sync: one of Synced, OutOfSync, Invalid"),
        (
            ("--for", "phase=RUNNING", "--for", "phase=WARM"),
            "phase=RUNNING and phase=WARM can't both be met",
        ),
        (("--for", "phase=WARM", "--for", "gone"), "gone and phase=WARM can't both be met"),
        (("--for", "gone", "--timeout", "60"), "a number with a unit"),
    ],
)
def test_what_can_not_be_waited_for(cli: Cli, args: tuple[str, ...], problem: str) -> None:
    done = cli("wait", "aa", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_name_that_is_no_id(cli: Cli) -> None:
    assert cli("wait", "../etc", "--for", "gone").exit_code == 2


def test_control_c_ends_it(place: Path, index: Index) -> None:
    publish(index)
    with processes.terminal("wait", "aa", "--for", "phase=RUNNING") as screen:
        deadline = time.monotonic() + processes.DEADLINE
        while place / "data/index.db" not in opened(screen.process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        screen.type("\x03")
        assert screen.end() == 130
    assert "Traceback" not in screen.shown


@pytest.mark.parametrize(
    ("phase", "retry", "wanted", "hopeless"),
    [
        (Phase.ERROR, False, "phase=RUNNING", True),
        (Phase.ERROR, False, "phase=WARM", True),
        (Phase.ERROR, True, "phase=RUNNING", False),
        (Phase.ERROR, False, "phase=TOMBSTONED", False),
        (Phase.ERROR, False, "sync=Synced", False),
        (Phase.ERROR, False, "gone", False),
        (Phase.UNKNOWN, False, "phase=RUNNING", False),
    ],
)
def test_what_is_hopeless(phase: Phase, retry: bool, wanted: str, hopeless: bool) -> None:
    row = Published(
        id="aa",
        owner="a",
        phase=phase,
        sync=Sync.SYNCED,
        retry_at=datetime.now(UTC) if retry else None,
    )
    assert conditions.is_hopeless(row, [conditions.parse(wanted)]) is hopeless
    assert not conditions.is_hopeless(None, [conditions.parse(wanted)])


def test_every_phase_and_sync_can_be_waited_for() -> None:
    for phase in Phase:
        assert conditions.parse(f"phase={phase}") == Condition(key="phase", value=phase)
    for sync in Sync:
        assert conditions.parse(f"sync={sync}") == Condition(key="sync", value=sync)
    with pytest.raises(ConditionError):
        conditions.parse("")
