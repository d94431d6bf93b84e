"""The set-up's steps on a terminal: a spinner, a clock, the estimate, the last words."""

import sys
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tools.errors import ToolError
from tools.progress import LINE_WIDTH, duration
from tools.steps import Step


class LiveDisplay:
    """A spinner, a clock, the estimate and the last words of each running step."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("of about {task.fields[about]}  [dim]{task.fields[said]}"),
            console=Console(file=stream),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, step: Step) -> None:
        """Add the step's line."""
        self._progress.start()
        self._tasks[step.name] = self._progress.add_task(
            step.title, total=None, about=duration(step.estimate), said=""
        )

    def line(self, step: Step, text: str) -> None:
        """Show the step's last words."""
        self._progress.update(self._tasks[step.name], said=escape(text.strip()[:LINE_WIDTH]))

    def end(self, step: Step, seconds: float, error: ToolError | None) -> None:
        """Replace the line by a lasting one."""
        mark = "[red]✗" if error else "[green]✓"
        self._progress.remove_task(self._tasks.pop(step.name))
        self._progress.print(f"{mark}[/] {step.title} [dim]({duration(seconds)})")

    def refresh(self) -> None:
        """Draw now, not at the next tenth of a second."""
        self._progress.refresh()
