"""The model refuses what must not happen, and takes what may: else its word on histories is nothing."""

import pytest

from tests.gateway.intents.model import (
    Asked,
    Call,
    Finished,
    Moved,
    NotPossibleError,
    Op,
    State,
    Took,
    What,
    check,
)

STOPPED = State()
RUNS = State("RUNNING")
START, STOP = Op("1", "start"), Op("2", "stop")


def at_once(*whats: What) -> list[Call]:
    return [Call(0, 10, what) for what in whats]


def in_turn(*whats: What) -> list[Call]:
    return [Call(number, number + 0.5, what) for number, what in enumerate(whats)]


def new(op: Op) -> Asked:
    return Asked(op.kind, "new", op.id)


def joined(op: Op) -> Asked:
    return Asked(op.kind, "joined", op.id)


def test_of_requests_at_once_one_is_new_and_the_others_join_it() -> None:
    calls = at_once(joined(START), joined(START), new(START))
    assert check(calls, STOPPED) == {State("WARM", START)}


def test_a_whole_story() -> None:
    start = (new(START), Took(("1",)), Moved("start", "STARTING"), joined(START))
    ready = (Moved("ready", "RUNNING"), Finished("1"), Asked("start", "refused", "RUNNING"))
    stop = (new(STOP), Took(("2",)), Moved("stop", "STOPPING"), Moved("stopped", "WARM"))
    assert check(in_turn(*start, *ready, *stop, Finished("2")), STOPPED) == {STOPPED}


def test_a_call_may_have_its_effect_anywhere_between_its_begin_and_its_end() -> None:
    late = Call(0, 10, Asked("stop", "new", "2"))
    others = in_turn(new(START), Took(("1",)), Moved("start", "STARTING"))
    assert check([late, *others], STOPPED) == {State("STARTING", STOP, (START,))}


@pytest.mark.parametrize(
    "calls",
    [
        at_once(new(START), new(Op("9", "start"))),
        at_once(joined(START), joined(START)),
        in_turn(joined(START), new(START)),
        in_turn(new(START), joined(Op("9", "start"))),
        in_turn(new(START), new(STOP)),
        in_turn(new(START), Took(())),
        in_turn(new(START), Took(("1",)), Took(("1",))),
        in_turn(new(START), Took(("1",)), new(Op("9", "start"))),
        in_turn(new(START), Asked("start", "refused", "WARM")),
        in_turn(Asked("stop", "refused", "RUNNING")),
        in_turn(Moved("ready", "RUNNING")),
        in_turn(Finished("1")),
    ],
    ids=[
        "two operations for one transition",
        "a join of nothing",
        "a join before there was anything to join",
        "a join of something else",
        "a stop beside an open start",
        "an open intent that is not handed out",
        "one that is handed out twice",
        "a second operation while the first is taken",
        "a refusal of what is legal",
        "a refusal for a phase that it was not in",
        "ready without a start",
        "the end of what nobody took",
    ],
)
def test_what_must_not_happen(calls: list[Call]) -> None:
    with pytest.raises(NotPossibleError):
        check(calls, STOPPED)


def test_in_running_only_a_stop_is_new() -> None:
    assert check(in_turn(Asked("start", "refused", "RUNNING"), new(STOP)), RUNS)
    with pytest.raises(NotPossibleError):
        check(in_turn(new(START)), RUNS)
