"""The fence: open as long as the lease lasts by our own clock, then shut for all that asks."""

import math

import pytest

from stacks.errors import NotLeadingError
from stacks.fence import Fence


class Monotonic:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_nobody_acts_without_a_right() -> None:
    with pytest.raises(NotLeadingError, match="the lease is not held") as caught:
        Fence().check("start")
    assert caught.value.step == "start"


def test_the_right_ends_by_itself_and_can_be_prolonged() -> None:
    clock = Monotonic()
    fence = Fence(clock=clock)
    fence.extend(110.0)
    fence.check()
    clock.seconds = 110.0
    with pytest.raises(NotLeadingError):
        fence.check()
    fence.extend(120.0)
    fence.check()
    assert fence.until == 120.0


def test_once_closed_it_stays_so() -> None:
    fence = Fence(clock=Monotonic())
    fence.extend(110.0)
    fence.close()
    fence.extend(120.0)
    assert not fence.is_open
    assert fence.until == 0.0


def test_listeners_hear_of_each_change_while_they_listen() -> None:
    fence, heard = Fence(clock=Monotonic()), list[float]()
    fence.extend(110.0)
    with fence.telling(heard.append):
        fence.extend(120.0)
        fence.close()
        fence.extend(130.0)
    fence.close()
    assert heard == [120.0, 0.0]


def test_an_engine_room_of_its_own_is_never_fenced() -> None:
    fence = Fence.always()
    fence.check()
    assert fence.until == math.inf
