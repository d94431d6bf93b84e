"""What is known of a workspace decides on what it left."""

import pytest

from stacks.gc.known import Standing, Workspaces, looks_lost
from stacks.source import Snapshot
from state_index.phases import Phase
from tests.stacks.gc.scenes import known, row, valid


@pytest.mark.parametrize(
    ("workspaces", "standing"),
    [
        (known(snapshot=valid("xx")), Standing.LIVES),
        (known(snapshot=Snapshot(specs=valid("aa").specs, invalid={"xx": ()})), Standing.LIVES),
        (known(snapshot=valid("aa", pending=frozenset({"xx"}))), Standing.LIVES),
        (known(snapshot=valid("aa", formerly={"aa": "xx"})), Standing.LIVES),
        (known(row("xx", Phase.ERROR)), Standing.LIVES),
        (known(busy=frozenset({"xx"})), Standing.LIVES),
        (known(row("xx", Phase.TOMBSTONED)), Standing.TOMBSTONED),
        (known(row("xx", Phase.DELETED)), Standing.UNKNOWN),
        (known(), Standing.UNKNOWN),
        (known(snapshot=Snapshot(complete=False, error="no file")), Standing.UNCLEAR),
        (
            known(row("xx", Phase.DELETED), snapshot=Snapshot(complete=False, error="no file")),
            Standing.UNKNOWN,
        ),
        (
            known(
                row("xx", Phase.DELETED),
                snapshot=Snapshot(complete=False, unreadable=True, error="no folder"),
            ),
            Standing.UNCLEAR,
        ),
        (Workspaces(snapshot=valid("aa"), lost=True), Standing.UNCLEAR),
    ],
)
def test_standing(workspaces: Workspaces, standing: Standing) -> None:
    assert workspaces.standing("xx") is standing


def test_an_index_that_knows_nothing_where_there_is_something_may_be_lost() -> None:
    assert looks_lost({}, ["t-ws-a-home-1"], [])
    assert looks_lost({}, [], ["a"])
    assert not looks_lost({}, [], ["shared"])
    assert not looks_lost({"a": row("a")}, ["t-ws-a-home-1"], ["a"])
