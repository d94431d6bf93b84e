"""The ledger of graces: what is written survives, what is not its own counts for nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.errors import LedgerError, NotLeadingError
from stacks.fence import Fence
from stacks.graces import look
from stacks.ledger import SAME_MOMENT, Ledger
from stacks.ledger_entries import UNREADABLE, Entry, agree, dump, is_over, parse
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync

NAME = "x-ws-home-1"
ROW = Published(
    id="ws",
    owner="a",
    phase=Phase.TOMBSTONED,
    sync=Sync.SYNCED,
    grace_end=5,
    expires_at=utc_now(),
    removal="r",
)
names = st.lists(st.text(max_size=5), max_size=2).map(tuple)
entries = st.builds(
    Entry,
    removal=st.text(max_size=5),
    left=st.integers(min_value=0),
    volumes=names,
    removing=names,
    removed=names,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graces.json"


@given(known=st.dictionaries(st.text(max_size=5), entries, max_size=3))
def test_what_is_written_is_read(known: dict[str, Entry]) -> None:
    assert parse(dump(known, at=1.5)) == (known, 1.5)


def test_another_process_reads_what_this_one_wrote(path: Path) -> None:
    one = Ledger(path)
    removal = one.begin("ws", left=7, volumes=[NAME])
    assert len(removal) == 32
    assert removal != one.begin("wz", left=7, volumes=[])
    assert path.stat().st_mode & 0o777 == 0o600
    assert Ledger(path).entries()["ws"] == Entry(removal=removal, left=7, volumes=(NAME,))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_time_counts_for_all_and_ends_at_nothing(path: Path) -> None:
    ledger = Ledger(path)
    ledger.begin("ws", left=7, volumes=[])
    ledger.begin("wz", left=3, volumes=[])
    ledger.count(5)
    assert {id_: each.left for id_, each in Ledger(path).entries().items()} == {"ws": 2, "wz": 0}


def test_nothing_is_written_where_nothing_is_counted(path: Path) -> None:
    Ledger(path).count(5)
    assert not path.exists()


def test_a_revival_ends_the_grace_but_not_what_is_known_of_the_volume(path: Path) -> None:
    ledger = Ledger(path)
    for id_ in ("ws", "torn"):
        ledger.begin(id_, left=7, volumes=[f"x-{id_}-home-1"])
    ledger.removing("torn", "x-torn-home-1", volumes=["x-torn-home-1"])
    assert ledger.revive(["ws", "torn", "unknown"]) == {"ws", "torn"}
    torn = ("x-torn-home-1",)
    assert Ledger(path).entries() == {"torn": Entry(volumes=torn, removing=torn)}
    assert ledger.revive(["ws", "torn"]) == frozenset()
    again = ledger.begin("torn", left=7, volumes=torn)
    assert ledger.entries()["torn"] == Entry(removal=again, left=7, volumes=torn, removing=torn), (
        "a new grace makes it no whole home"
    )
    ledger.accept(torn[0])
    assert ledger.entries()["torn"].removing == ()
    ledger.drop("torn")
    ledger.drop("torn")
    assert Ledger(path).entries() == {}


def test_a_removal_is_told_step_by_step(path: Path) -> None:
    ledger, two = Ledger(path), ("x-ws-home-1", "x-ws-home-2")
    ledger.begin("ws", left=0, volumes=two)
    assert ledger.entries()["ws"].unseen == set(two)
    ledger.removing("ws", two[0], volumes=two)
    assert ledger.entries()["ws"].begun
    ledger.removed("ws", two[0])
    ledger.removing("ws", two[1], volumes=two[1:])
    found = Ledger(path).entries()["ws"]
    assert (found.removed, found.removing) == (two[:1], two[1:])
    assert found.unseen == {two[1]}
    assert not found.is_gone, "the engine was told, and did not say that it is"
    ledger.removed("ws", two[1])
    assert ledger.entries()["ws"].is_gone


def test_which_engine_was_told_is_kept_while_a_home_may_be_torn(path: Path) -> None:
    ledger, two = Ledger(path), ("x-ws-home-1", "x-ws-home-2")
    ledger.removing("ws", two[0], volumes=two, engine="E1")
    ledger.begin("ws", left=7, volumes=two)
    ledger.removing("ws", two[0], volumes=two, engine="E1")
    assert Ledger(path).entries()["ws"].engine == "E1"
    ledger.renew("ws", two[1])
    assert Ledger(path).entries()["ws"].engine == "E1"
    ledger.removing("ws", two[1], volumes=two, engine="E2")
    assert Ledger(path).entries()["ws"].engine == "", "of two, none can tell"
    ledger.begin("ws", left=7, volumes=())
    ledger.removing("ws", two[1], volumes=two, engine="E2")
    assert Ledger(path).entries()["ws"].engine == "E2"


def test_a_ledger_from_before_knows_no_engine(path: Path) -> None:
    Ledger(path).removing("ws", "x-ws-home-1", volumes=["x-ws-home-1"], engine="E1")
    told = json.loads(path.read_text())
    del told["workspaces"]["ws"]["engine"]
    path.write_text(json.dumps(told))
    assert Ledger(path).entries()["ws"].engine == ""
    told["workspaces"]["ws"]["engine"] = 7
    path.write_text(json.dumps(told))
    with pytest.raises(LedgerError, match="engine"):
        Ledger(path).entries()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 2, "written": 1, "workspaces": {}}',
        b'{"version": 1, "written": "1", "workspaces": {}}',
        b'{"version": 1, "written": 1, "workspaces": []}',
        b'{"version": 1, "written": 1, "workspaces": {}, "more": 1}',
        b'{"version": 1, "written": 1, "workspaces": {"ws": {}}}',
        dump({"ws": Entry(left=-1)}, at=1),
        dump({"ws": Entry(removal=7)}, at=1),  # type: ignore[arg-type]
        dump({"ws": Entry(left=True)}, at=1),
        dump({"ws": Entry(volumes=(7,))}, at=1),  # type: ignore[arg-type]
    ],
)
def test_what_it_did_not_write_is_read_by_nobody(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    ledger = Ledger(path)
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"graces\.json can't be read"):
            ledger.entries()
    with pytest.raises(LedgerError):
        ledger.begin("ws", left=1, volumes=[])
    assert path.read_bytes() == content
    path.unlink()
    assert ledger.entries() == {}, "moved away, all begins anew"


def test_a_copy_put_under_a_running_runner_ends_all_graces(path: Path) -> None:
    ledger = Ledger(path)
    ledger.begin("ws", left=7, volumes=[NAME])
    old = path.read_bytes()
    ledger.count(1)
    path.write_bytes(old)
    assert ledger.entries() == {}
    assert Ledger(path).entries() == {}, "also for who comes next"


def test_one_that_was_restored_before_a_runner_began_ends_all_graces(path: Path) -> None:
    long_ago = Ledger(path, now=lambda: path.parent.stat().st_ctime - 2 * SAME_MOMENT)
    long_ago.begin("ws", left=7, volumes=[NAME])
    long_ago.begin("torn", left=7, volumes=["t"])
    long_ago.removing("torn", "t", volumes=["t"])
    assert len(long_ago.entries()) == 2, "whoever wrote it knows it again"
    assert Ledger(path).entries() == {"torn": Entry(volumes=("t",), removing=("t",))}


def test_one_that_is_gone_under_a_running_runner_is_empty(path: Path) -> None:
    ledger = Ledger(path)
    ledger.begin("ws", left=7, volumes=[NAME])
    path.unlink()
    assert ledger.entries() == {}


def test_all_graces_can_be_ended_at_once(path: Path) -> None:
    ledger = Ledger(path)
    ledger.begin_anew()
    assert not path.exists()
    ledger.begin("ws", left=7, volumes=[NAME])
    ledger.begin_anew()
    assert Ledger(path).entries() == {}


def test_whoever_does_not_lead_writes_nothing(path: Path) -> None:
    Ledger(path).begin("ws", left=7, volumes=[NAME])
    before = path.read_bytes()
    late = Ledger(path, fence=Fence())
    with pytest.raises(NotLeadingError):
        late.drop("ws")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_a_former_leader_left_half_written_is_not_put_in_place(path: Path) -> None:
    half = path.with_name(f".{path.name}.12345678")
    Ledger(path).begin("ws", left=7, volumes=[NAME])
    half.write_bytes(b"old")
    Ledger(path).entries()
    assert not half.exists()


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="can't be written: No such file or directory"):
        Ledger(tmp_path / "none" / "graces.json").begin("ws", left=1, volumes=[])
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="can't be read: Not a directory"):
        Ledger(tmp_path / "file" / "graces.json").entries()


@pytest.mark.parametrize(
    ("row", "entry", "same"),
    [
        (ROW, Entry(removal="r"), True),
        (None, Entry(removal="r"), False),
        (ROW, None, False),
        (ROW, UNREADABLE, False),
        (ROW, Entry(removal="s"), False),
        (replace(ROW, removal=""), Entry(), False),
    ],
)
def test_they_agree_on_one_and_the_same_removal_only(
    row: Published | None, entry: Entry | None, same: bool
) -> None:
    assert agree(row, entry) is same
    assert is_over(row, 5, entry) is same


@pytest.mark.parametrize(
    ("row", "watched", "entry"),
    [
        (ROW, 4, Entry(removal="r")),
        (ROW, None, Entry(removal="r")),
        (ROW, 5, Entry(removal="r", left=1)),
        (replace(ROW, grace_end=None), 5, Entry(removal="r")),
        (replace(ROW, expires_at=None), 5, Entry(removal="r")),
    ],
)
def test_it_is_over_when_both_say_so(row: Published, watched: int | None, entry: Entry) -> None:
    assert not is_over(row, watched, entry)


def test_a_look_from_outside_writes_nothing(path: Path) -> None:
    assert look(path).detail == "nothing was removed yet"
    assert not path.exists()
    ledger = Ledger(path)
    ledger.begin("ws", left=7, volumes=[NAME])
    ledger.removing("wz", "x-wz-home-1", volumes=["x-wz-home-1"])
    found = look(path)
    assert (found.readable, found.torn) == (True, ("x-wz-home-1",))
    assert found.detail == "1 removed workspaces whose homes are kept for their grace"
    path.write_text("{")
    broken = look(path)
    assert not broken.readable
    assert "so no home expires" in broken.detail
