"""What may be answered to requests for start and stop: a pure model, and histories checked by it.

The model knows phase by open intent by taken intents, written down anew from the design, not taken
from the code that it judges. A history is what concurrent clients and one runner saw: each call with
its begin and end. It fits when the calls can be put into one order, each between its begin and its
end, in which the model gives every answer (linearizability).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["start", "stop"]
Answer = Literal["new", "joined", "refused"]

_WISHES: dict[Kind, dict[str, Answer]] = {
    "start": {
        "WARM": "new",
        "STARTING": "joined",
        "RUNNING": "refused",
        "STOPPING": "new",
        "ERROR": "new",
    },
    "stop": {
        "WARM": "refused",
        "STARTING": "new",
        "RUNNING": "new",
        "STOPPING": "joined",
        "ERROR": "new",
    },
}
_MOVES = {
    ("start", "WARM"): "STARTING",
    ("start", "ERROR"): "STARTING",
    ("ready", "STARTING"): "RUNNING",
    ("failed", "STARTING"): "ERROR",
    ("stop", "RUNNING"): "STOPPING",
    ("stop", "ERROR"): "STOPPING",
    ("stopped", "STOPPING"): "WARM",
}


@dataclass(frozen=True)
class Op:
    """An operation: its id, and what it is for."""

    id: str
    kind: Kind


@dataclass(frozen=True)
class State:
    """All that an answer depends on; `taken` in the order of being asked for."""

    phase: str = "WARM"
    open: Op | None = None
    taken: tuple[Op, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A client's request; `which` is the operation, or the phase that refused."""

    kind: Kind
    answer: Answer
    which: str


@dataclass(frozen=True)
class Took:
    """What the runner got when it asked for open intents."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """A publish of the runner, and the phase that it led to."""

    event: str
    to: str


@dataclass(frozen=True)
class Finished:
    """The runner's end of an operation."""

    id: str


What = Asked | Took | Moved | Finished


@dataclass(frozen=True)
class Call:
    """One call as its caller saw it; times of one clock, in seconds."""

    began: float
    ended: float
    what: What


class NotPossibleError(AssertionError):
    """No order of the calls gives these answers."""


def after(state: State, what: What) -> State | None:
    """The state after a call; None when the model would have answered otherwise."""
    match what:
        case Asked():
            return _asked(state, what)
        case Took(ids):
            expected = () if state.open is None else (state.open.id,)
            if ids != expected or state.open is None:
                return state if ids == expected else None
            return replace(state, open=None, taken=(*state.taken, state.open))
        case Moved(event, to):
            moved = _MOVES.get((event, state.phase)) == to
            return replace(state, phase=to) if moved else None
        case Finished(id):
            left = tuple(op for op in state.taken if op.id != id)
            return replace(state, taken=left) if left != state.taken else None


def _asked(state: State, asked: Asked) -> State | None:
    given = (asked.answer, asked.which)
    wish = _WISHES[asked.kind][state.phase]
    other_open = state.open is not None and state.open.kind != asked.kind
    if wish == "refused" or other_open:
        return state if given == ("refused", state.phase) else None
    under_way = [op for op in state.taken if op.kind == asked.kind]
    joined = state.open or (under_way[-1] if under_way else None)
    if joined is not None:
        return state if given == ("joined", joined.id) else None
    if asked.answer != wish:
        return None
    return state if wish == "joined" else replace(state, open=Op(asked.which, asked.kind))


def check(history: Iterable[Call], state: State) -> set[State]:
    """The states that the history may have led to.

    Raises:
        NotPossibleError: it fits in no order; it names the first call that can't be placed.
    """
    calls = list(history)
    begins = [(call.began, 0, number) for number, call in enumerate(calls)]
    ends = [(call.ended, 1, number) for number, call in enumerate(calls)]
    possible: set[_Possible] = {(state, frozenset())}
    pending: set[int] = set()
    for _, is_end, number in sorted(begins + ends):
        if not is_end:
            pending.add(number)
            continue
        possible = _placed(possible, number, {each: calls[each].what for each in pending})
        pending.remove(number)
        if not possible:
            raise NotPossibleError(f"{calls[number]}, after {calls[max(0, number - 5) : number]}")
    return {state for state, _ in possible}


_Possible = tuple[State, frozenset[int]]
"""A state that may be, and which of the calls under way it has in it already."""


def _placed(possible: set[_Possible], number: int, pending: Mapping[int, What]) -> set[_Possible]:
    """What may be once a call was placed; any calls under way may have come before it."""
    found: set[_Possible] = set()
    left, seen = list(possible), set(possible)
    while left:
        state, done = left.pop()
        later = {each: after(state, pending[each]) for each in pending.keys() - done}
        # A call that changes nothing may as well be placed as soon as it fits.
        done |= {each for each, then in later.items() if then == state}
        if number in done:
            found.add((state, done - {number}))
            continue
        changed = [
            (then, done | {each})
            for each, then in later.items()
            if then is not None and then != state
        ]
        left += [one for one in changed if one not in seen]
        seen |= set(changed)
    return found
