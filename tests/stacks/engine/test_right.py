"""How long an operation may go on, as its own process knows it."""

import math
import threading
import time

from stacks.engine.right import Right


def test_it_ends_at_its_time() -> None:
    assert Right(time.monotonic() - 1).is_over
    assert not Right(time.monotonic() + 60).is_over
    right = Right(time.monotonic() + 0.05)
    right.wait()
    assert right.is_over


def test_one_that_never_ends_can_be_ended() -> None:
    right = Right(math.inf)
    waiting = threading.Thread(target=right.wait)
    waiting.start()
    right.extend(0.0)
    waiting.join(30)
    assert not waiting.is_alive()
    assert right.is_over


def test_one_that_is_prolonged_in_time_goes_on() -> None:
    right = Right(time.monotonic() + 60)
    right.extend(time.monotonic() + 120)
    assert not right.is_over
