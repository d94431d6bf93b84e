"""How the set-up's steps look: plain lines here; on a terminal live ones (`tools.live`)."""

import sys
import threading
import time
from contextlib import AbstractContextManager
from typing import Self, TextIO

from tools.errors import ToolError
from tools.steps import Display, Step

QUIET_SECONDS = 30.0
"""Off a terminal, a running step says it is alive this often."""
LINE_WIDTH = 60


def duration(seconds: float) -> str:
    """Seconds as people say them: `12 s`, `3 min 5 s`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class PlainDisplay:
    """One line when a step begins, one when it ends, one now and then between."""

    def __init__(self, stream: TextIO = sys.stderr, *, quiet: float = QUIET_SECONDS) -> None:
        self._stream = stream
        self._quiet = quiet
        self._lock = threading.Lock()
        self._spoke: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def begin(self, step: Step) -> None:
        """Say what begins and how long it usually takes."""
        self._began[step.name] = self._spoke[step.name] = time.monotonic()
        self._print(f"· {step.title} (about {duration(step.estimate)})")

    def line(self, step: Step, text: str) -> None:
        """Say that it is alive, when nothing was said for a while."""
        now = time.monotonic()
        if now - self._spoke[step.name] >= self._quiet:
            self._spoke[step.name] = now
            passed = duration(now - self._began[step.name])
            self._print(
                f"  {step.title}: {passed} of about {duration(step.estimate)}: {text[:LINE_WIDTH]}"
            )

    def end(self, step: Step, seconds: float, error: ToolError | None) -> None:
        """Say how it ended."""
        mark = "✗" if error else "✓"
        self._print(f"{mark} {step.title} ({duration(seconds)})")

    def _print(self, text: str) -> None:
        with self._lock:
            print(text, file=self._stream, flush=True)


def display_for(stream: TextIO = sys.stderr) -> AbstractContextManager[Display]:
    """The display that suits a stream."""
    if not stream.isatty():
        return PlainDisplay(stream)
    from tools.live import LiveDisplay  # noqa: PLC0415 - rich costs 0.1 s that no pipe needs

    return LiveDisplay(stream)
