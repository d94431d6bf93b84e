"""What the log of kills proves, and what counts as healed: pure, with each way to fall short."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacks.steps import Result
from state_index.phases import TABLE, Kind, Phase
from tests.soak.model import Scene, Seen, Slot, differences, moved, worked
from tests.soak.records import (
    PAIRS,
    TRANSITIONAL,
    Kill,
    Log,
    Target,
    missing,
    read,
    shortfall,
    table,
)

KILL = Kill(
    at="2026-01-02T03:04:05+00:00",
    target=Target.CLI,
    phase=Phase.UPDATING,
    step="replacing container",
    workspace="w0",
    of="w0",
    pids=(7, 8),
    late=0.001,
    seed=5,
)
WHOLE = [replace(KILL, target=target, phase=phase) for target, phase in PAIRS]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "made" / "kills.jsonl")
    log.add(KILL)
    log.add(replace(KILL, target=Target.ENGINE, of=""))
    assert log.kills() == [KILL, replace(KILL, target=Target.ENGINE, of="")]
    assert Log(log.path).kills() == [], "a run begins its own log"


@pytest.mark.parametrize(
    "line", ['{"target": "cli"}', '{"target": "moon", "phase": "UPDATING"}', "x"]
)
def test_a_line_that_is_no_kill_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "log").write_text(line)
    with pytest.raises(ValueError):
        read(tmp_path / "log")


def test_a_run_owes_every_pair_its_kills_and_its_time() -> None:
    assert shortfall(WHOLE, seconds=20.0, least=len(PAIRS), of_seconds=20.0) == []
    assert missing(WHOLE[1:]) == [PAIRS[0]]
    short = shortfall(WHOLE[1:], seconds=19.0, least=len(PAIRS), of_seconds=20.0)
    target, phase = PAIRS[0]
    assert short == [
        f"no kill of {target} in {phase}",
        "34 kills, 35 are owed",
        "19 s, 20 are owed",
    ]
    assert table([KILL, KILL]).splitlines()[4].split() == [
        "UPDATING",
        "0",
        "0",
        "0",
        "2",
        "0",
        "0",
        "0",
    ]


def test_every_phase_of_work_under_way_is_among_them() -> None:
    """A phase in which a lost engine or a failure ends work is one of work: archives come later."""
    working = {
        phase
        for phase in Phase
        if any(TABLE[phase, event].kind is Kind.JOIN for (_, event) in TABLE if _ is phase)
    }
    archives = {Phase.ARCHIVING, Phase.RESTORING}
    assert working - archives - {Phase.PENDING, Phase.TOMBSTONED} - set(TRANSITIONAL) == set()


def seen(slot: Slot) -> Seen:
    return Seen(
        id="c1",
        started="t1",
        running=slot.on,
        env={**slot.env, "PATH": "/bin"},
        memory=slot.memory << 20,
        cpu=slot.cpu,
        pids=128,
        networks=frozenset({"net"}),
        home=slot.home,
        user="1000:1000",
        dropped=("ALL",),
        security=("no-new-privileges:true",),
    )


def scene(*slots: Slot) -> Scene:
    """What is there when all is as it should be."""
    known = [slot for slot in slots if slot.phase]
    return Scene(
        rows={slot.id: (str(slot.phase), "Synced", "") for slot in known},
        containers={slot.id: seen(slot) for slot in known if slot.stands},
        volumes=frozenset(slot.home for slot in known),
        networks=frozenset({"net"}),
        markers={slot.home: slot.marker for slot in known},
    )


UP = Slot("w0", stands=True, marker="h0")
ASLEEP = Slot("w1", stands=True, on=False, renamed=True, marker="h1")
KEPT = Slot("w2", marker="h2")
NEVER = Slot("w3")
ALL = [UP, ASLEEP, KEPT, NEVER]
GOOD = scene(*ALL)


def test_a_whole_scene_has_no_differences() -> None:
    assert differences(ALL, GOOD) == []
    assert GOOD.rows == {
        "w0": ("RUNNING", "Synced", ""),
        "w1-r": ("WARM", "Synced", ""),
        "w2": ("TOMBSTONED", "Synced", ""),
    }
    assert ASLEEP.text().splitlines()[-1] == "formerly: w1"


def test_a_renamed_one_that_is_removed_has_a_tombstone_under_its_old_id_too() -> None:
    kept = Slot("w2", renamed=True, marker="h2")
    slots = [UP, kept]
    assert differences(slots, scene(*slots)) == ["w2: no row, TOMBSTONED is wanted"]
    rows = {**scene(*slots).rows, "w2": ("TOMBSTONED", "OutOfSync", "")}
    assert differences(slots, replace(scene(*slots), rows=rows)) == []
    rows["w2"] = ("DELETED", "OutOfSync", "")
    assert differences(slots, replace(scene(*slots), rows=rows))


def test_in_an_empty_folder_nobody_need_look_for_the_old_id() -> None:
    kept = Slot("w2", renamed=True, marker="h2")
    assert differences([kept], scene(kept)) == []
    rows = {**scene(kept).rows, "w2": ("TOMBSTONED", "OutOfSync", "")}
    assert differences([kept], replace(scene(kept), rows=rows)) == []
    rows["w2"] = ("WARM", "OutOfSync", "")
    assert differences([kept], replace(scene(kept), rows=rows))


def other(**told: Any) -> Scene:
    """The scene in which something of one container differs."""
    return replace(GOOD, containers={**GOOD.containers, "w0": replace(seen(UP), **told)})


WRONG: dict[str, Scene] = {
    "w0: no row": replace(GOOD, rows={**GOOD.rows, "w0": ("", "", "")}),
    "w0: ERROR OutOfSync X": replace(GOOD, rows={**GOOD.rows, "w0": ("ERROR", "OutOfSync", "X")}),
    "w0: RUNNING OutOfSync": replace(GOOD, rows={**GOOD.rows, "w0": ("RUNNING", "OutOfSync", "")}),
    "w1-r: UPDATING": replace(GOOD, rows={**GOOD.rows, "w1-r": ("UPDATING", "Synced", "")}),
    "w9: a row that nobody wants": replace(GOOD, rows={**GOOD.rows, "w9": ("WARM", "", "")}),
    "container w9": replace(GOOD, containers={**GOOD.containers, "w9": seen(UP)}),
    "w0: no container": replace(GOOD, containers={"w1-r": seen(ASLEEP)}),
    "w0: runs": other(running=False),
    "w0: memory": other(memory=1),
    "w0: cpu": other(cpu=3),
    "w0: env": other(env={}),
    "w0: pids: 128 is wanted, 0 ": other(pids=0),
    "w0: networks: {'net'} is wanted, frozenset() ": other(networks=frozenset()),
    "w0: networks: {'net'} is wanted, frozenset({'bridge'})": other(networks=frozenset({"bridge"})),
    "w0: home: w0-home-1 is wanted, w1-home-1 ": other(home="w1-home-1"),
    "w0: home: w0-home-1 is wanted,  ": other(home=""),
    "w0: user: 1000:1000 is wanted, 0:0 ": other(user="0:0"),
    "w0: dropped capabilities: ('ALL',) is wanted, () ": other(dropped=()),
    "w0: security options: ('no-new-privileges:true',) is wanted, () ": other(security=()),
    "w2: nobody counts its grace": replace(GOOD, endless=frozenset({"w2"})),
    "stop w1 taken: nobody ended it": replace(GOOD, unended=("stop w1 taken",)),
    "volume w9": replace(GOOD, volumes=GOOD.volumes | {"w9-home-1"}),
    "volume w2-home-1 is GONE": replace(GOOD, volumes=GOOD.volumes - {"w2-home-1"}),
    "volume w1-home-1: its marker": replace(GOOD, markers={**GOOD.markers, "w1-home-1": ""}),
    "networks": replace(GOOD, networks=frozenset({"net", "other"})),
}


@pytest.mark.parametrize("said", WRONG)
def test_each_difference_is_told(said: str) -> None:
    if said == "w0: no row":
        rows = {id_: row for id_, row in GOOD.rows.items() if id_ != "w0"}
        found = differences(ALL, replace(GOOD, rows=rows))
    else:
        found = differences(ALL, WRONG[said])
    assert len(found) == 1
    assert found[0].startswith(said)


def test_a_renamed_one_keeps_the_home_of_its_first_id() -> None:
    wrong = replace(GOOD.containers["w1-r"], home="w1-r-home-1")
    found = differences(ALL, replace(GOOD, containers={**GOOD.containers, "w1-r": wrong}))
    assert found == ["w1-r: home: w1-home-1 is wanted, w1-r-home-1 is there"]


def test_an_up_that_does_something_or_says_nothing_is_told() -> None:
    idle = [Result(id=id_, action="nothing") for id_ in ("w0", "w1-r", "w2")]
    standing = {"w0", "w1-r"}
    assert worked(standing, idle) == []
    assert worked(standing, []) == ["w0: nothing is said of it", "w1-r: nothing is said of it"]
    assert worked(standing, idle[1:]) == ["w0: nothing is said of it"]
    assert worked(standing, [replace(idle[0], changed=True), *idle[1:]]) == ["w0: nothing  "]
    assert worked(standing, [replace(idle[0], reason="X"), *idle[1:]]) == ["w0: nothing X "]


def test_what_moved_without_cause_is_told() -> None:
    before = dict(GOOD.containers)
    again = {**before, "w0": replace(before["w0"], started="t2")}
    other = {**before, "w0": replace(before["w0"], id="c2")}
    gone = {"w1-r": before["w1-r"]}
    assert moved(before, before, spared=set(), restarted=False) == []
    assert moved(before, again, spared=set(), restarted=True) == []
    for after in (again, other, gone):
        assert moved(before, after, spared={"w0"}, restarted=False) == []
        assert len(moved(before, after, spared=set(), restarted=False)) == 1
    assert len(moved(before, gone, spared=set(), restarted=True)) == 1
