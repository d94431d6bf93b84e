"""What speaks against removing a home. Pure."""

from dataclasses import replace
from typing import Any

import pytest

from stacks import grounds
from stacks.engine.model import Leftover
from stacks.errors import HomeKeptError
from stacks.grounds import Grounds
from stacks.ledger_entries import UNREADABLE, Entry
from stacks.power import Container
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from stacks.source import Snapshot
from state_index.models import Published, utc_now
from state_index.phases import Phase, Sync

VOLUME = Leftover(
    kind="volume",
    id="x-w-home-1",
    name="x-w-home-1",
    labels={LABEL_WORKSPACE: "w", LABEL_HOME: "1", LABEL_PREFIX: "x-", LABEL_TREE: "t"},
)
KEPT = Published(
    id="w",
    owner="alice",
    phase=Phase.TOMBSTONED,
    sync=Sync.SYNCED,
    grace_end=100,
    expires_at=utc_now(),
    removal="r",
)
BY_HAND = Container(id="h", name="by-hand", workspace="", state="running", image="i")
GOOD = Grounds(
    snapshot=Snapshot(invalid={"other": ()}),
    row=KEPT,
    watched=100,
    entry=Entry(removal="r", volumes=("x-w-home-1",)),
    container=None,
    volumes=(VOLUME,),
    holders=(),
)
EMPTY = Snapshot(complete=False, error="it is empty")


def labelled(**labels: str) -> Leftover:
    return replace(VOLUME, labels={**VOLUME.labels, **labels})


def phase(phase: Phase) -> Published:
    return replace(KEPT, phase=phase)


BOTH: list[tuple[dict[str, Any], str]] = [
    ({"snapshot": replace(EMPTY, unreadable=True)}, "whether its file is gone is not known"),
    ({"snapshot": Snapshot(pending=frozenset({"w"}))}, "its file is there"),
    ({"snapshot": Snapshot(invalid={"w": ()})}, "its file is there"),
    ({"container": BY_HAND}, "its container is there, by-hand"),
    ({"holders": (BY_HAND, BY_HAND)}, "it is mounted by by-hand, by-hand"),
    ({"row": phase(Phase.RUNNING)}, "it is RUNNING"),
    ({"row": phase(Phase.PENDING)}, "it is PENDING"),
    ({"volumes": (labelled(**{LABEL_WORKSPACE: "v"}),)}, "does not say that it is its home"),
    ({"volumes": (labelled(**{LABEL_HOME: "2"}),)}, "does not say that it is its home"),
    ({"volumes": (labelled(**{LABEL_PREFIX: "y-"}),)}, "does not say that it is its home"),
    ({"volumes": (VOLUME, labelled(**{LABEL_TREE: ""}))}, "that it is this data tree's"),
    ({"volumes": (replace(VOLUME, ours=False),)}, "that it is this data tree's"),
]
EXPIRY: list[tuple[dict[str, Any], str]] = [
    ({"snapshot": EMPTY}, "whether its file is gone is not known: it is empty"),
    ({"row": None}, "it has no tombstone"),
    ({"row": replace(KEPT, grace_end=None)}, "it has no tombstone"),
    ({"watched": 99}, "its grace is not over"),
    ({"row": replace(KEPT, removal="")}, "its grace is not over"),
    ({"entry": None}, "its grace is not over"),
    ({"entry": UNREADABLE}, "its grace is not over"),
    ({"entry": Entry(removal="another")}, "its grace is not over"),
    ({"entry": Entry(removal="r", left=1)}, "its grace is not over"),
]


@pytest.mark.parametrize(("told", "against"), BOTH)
@pytest.mark.parametrize("by_name", [False, True])
def test_what_speaks_against_removing_a_home_at_all(
    told: dict[str, Any], against: str, by_name: bool
) -> None:
    with pytest.raises(HomeKeptError, match=against):
        grounds.check("w", replace(GOOD, **told), by_name=by_name, begun=False)


@pytest.mark.parametrize(("told", "against"), EXPIRY)
def test_what_speaks_against_an_expiry_but_not_against_a_typed_name(
    told: dict[str, Any], against: str
) -> None:
    known = replace(GOOD, **told)
    with pytest.raises(HomeKeptError, match=against):
        grounds.check("w", known, by_name=False, begun=False)
    grounds.check("w", known, by_name=True, begun=False)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("where", sorted(Phase))
def test_in_which_phases_a_home_may_go(where: Phase, by_name: bool) -> None:
    allowed = {
        False: {Phase.TOMBSTONED, Phase.ERROR, Phase.UNKNOWN, Phase.DELETING},
        True: {Phase.DELETING},
    }
    for begun, phases in allowed.items():
        known = replace(GOOD, row=phase(where))
        if where in phases:
            grounds.check("w", known, by_name=by_name, begun=begun)
            continue
        with pytest.raises(HomeKeptError, match=f"it is {where}"):
            grounds.check("w", known, by_name=by_name, begun=begun)
