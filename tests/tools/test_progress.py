"""What a person sees of the steps."""

import io
from collections.abc import Callable

import pytest

from tools.errors import BuildError
from tools.live import LiveDisplay
from tools.progress import PlainDisplay, display_for, duration
from tools.steps import Step

STEP = Step(name="a", title="Build it", estimate=200, check=lambda: True, run=lambda _say: None)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (185, "3 min 5 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_plain_lines_tell_beginning_estimate_and_end() -> None:
    stream = io.StringIO()
    with display_for(stream) as display:
        display.begin(STEP)
        display.line(STEP, "a line too many")
        display.end(STEP, 12, None)
        display.begin(STEP)
        display.end(STEP, 1, BuildError("no"))
    assert stream.getvalue().splitlines() == [
        "· Build it (about 3 min 20 s)",
        "✓ Build it (12 s)",
        "· Build it (about 3 min 20 s)",
        "✗ Build it (1 s)",
    ]


def test_a_long_step_says_now_and_then_that_it_is_alive() -> None:
    stream = io.StringIO()
    display = PlainDisplay(stream, quiet=0)
    display.begin(STEP)
    display.line(STEP, "compiling x")
    assert stream.getvalue().splitlines()[1] == "  Build it: 0 s of about 3 min 20 s: compiling x"


def test_a_terminal_gets_live_lines() -> None:
    stream = Terminal()
    with display_for(stream) as display:
        assert isinstance(display, LiveDisplay)
        display.begin(STEP)
        display.line(STEP, "compiling [x]")
        display.refresh()
        display.end(STEP, 12, None)
        display.begin(STEP)
        display.end(STEP, 3, BuildError("no"))
    shown = stream.getvalue()
    assert "3 min 20 s" in shown
    assert "compiling [x]" in shown
    assert "✓" in shown
    assert "✗" in shown


def test_nothing_to_do_shows_nothing() -> None:
    make: Callable[[], io.StringIO]
    for make in (io.StringIO, Terminal):
        stream = make()
        with display_for(stream):
            pass
        assert "Build" not in stream.getvalue()
