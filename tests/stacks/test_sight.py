"""What is gathered of a workspace: also what its history told long ago."""

from pathlib import Path

from stacks.board import Board
from stacks.sight import index_proof, is_purged
from state_index.index import Index
from state_index.phases import Event
from state_index.publishing import HISTORY_BOUND


async def test_a_home_is_known_though_it_failed_more_often_than_is_kept(tmp_path: Path) -> None:
    """Its row was made anew, so that nothing but one old line tells that there was a home."""
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        for event in (Event.PROVISION, Event.APPLIED):
            index.publish("ws", event=event, cause="made")
        index.forget("ws", "lost")
        for _ in range(HISTORY_BOUND // 2 + 1):
            index.publish("ws", event=Event.FAILED, cause="it is missing")
            index.publish("ws", event=Event.RETRY, cause="tried again")
        history = await Board(index).history("ws")
        assert index_proof(index.workspace("ws"), history).had_home
        assert not is_purged(history)
        for event in (Event.PROVISION, Event.APPLIED, Event.DELETE, Event.PURGED):
            index.publish("ws", event=event, cause="purged")
        index.forget("ws", "purged")
        history = await Board(index).history("ws")
        assert not index_proof(None, history).had_home
        assert is_purged(history)
