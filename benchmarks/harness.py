"""The measuring part of `scripts/bench`: pairs, figures, table and JSON. Knows no scenario."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

Measure = Callable[[], Awaitable[float]]
"""One measurement: runs the thing once, returns seconds (or what `unit` says)."""

PACKAGES = ("pulumi", "pulumi-docker", "litestar", "uvicorn", "aiohttp", "sqlalchemy")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a scenario must reach: a ratio to its floor, absolute bounds, or both.

    Ratio and seconds are of medians; `p99` is what 99 of 100 figures must be within, in seconds.
    Figures of another `unit` are bounded by `seconds` all the same.
    """

    ratio: float | None = None
    seconds: float | None = None
    p99: float | None = None
    unit: str = "s"

    def text(self) -> str:
        """Say the goal in a few characters."""
        parts = []
        if self.ratio is not None:
            parts.append(f"<= {self.ratio:g} x floor")
        if self.seconds is not None:
            parts.append(f"<= {self.seconds:g} {self.unit}")
        if self.p99 is not None:
            parts.append(f"p99 <= {self.p99:g} s")
        return ", ".join(parts) or "-"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The raw figures of one scenario, in order; `floor` is empty where a goal is absolute."""

    name: str
    goal: Goal
    floor_command: str
    subject: list[float]
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """Median of the subject over median of the floor."""
        if not self.floor:
            return None
        return statistics.median(self.subject) / statistics.median(self.floor)

    @property
    def met(self) -> bool:
        """Whether every part of the goal holds."""
        median = statistics.median(self.subject)
        in_time = self.goal.seconds is None or median <= self.goal.seconds
        in_ratio = self.goal.ratio is None or (self.ratio or 0.0) <= self.goal.ratio
        in_tail = self.goal.p99 is None or percentile(self.subject, 99) <= self.goal.p99
        return in_time and in_ratio and in_tail


def percentile(figures: list[float], percent: int) -> float:
    """Return a percentile (the figure itself when there is one)."""
    if len(figures) < 2:
        return figures[0]
    return statistics.quantiles(figures, n=100, method="inclusive")[percent - 1]


async def alternate(
    name: str, *, goal: Goal, floor_command: str, floor: Measure, subject: Measure, pairs: int
) -> Result:
    """Measure floor and subject in turn, changing who goes first; one unmeasured pair warms up."""
    floors: list[float] = []
    subjects: list[float] = []
    for i in range(-1, pairs):
        order = [(floor, floors), (subject, subjects)]
        for measure, figures in order if i % 2 == 0 else reversed(order):
            figure = await measure()
            if i >= 0:
                figures.append(figure)
        print(f"  {name}: pair {i + 1} of {pairs}", flush=True)
    return Result(name=name, goal=goal, floor_command=floor_command, subject=subjects, floor=floors)


async def repeat(name: str, *, goal: Goal, subject: Measure, times: int) -> Result:
    """Measure the subject alone, for a goal that is absolute; one unmeasured run warms up."""
    await subject()
    figures = [await subject() for _ in range(times)]
    return Result(name=name, goal=goal, floor_command="", subject=figures)


def machine() -> dict[str, str]:
    """Describe where the figures come from; no host name, no path."""
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "engine": engine.stdout.strip(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **{package: version(package) for package in PACKAGES},
    }


def table(results: list[Result]) -> str:
    """Lay the results out as a Markdown table."""
    lines = [
        "| scenario | floor median (p95) | subject median (p95) | ratio | goal | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for r in results:
        ratio = "-" if r.ratio is None else f"{r.ratio:.2f}"
        tail = "" if r.goal.p99 is None else f", p99 {percentile(r.subject, 99):.3f}"
        lines.append(
            f"| {r.name} | {_figures(r.floor)} | {_figures(r.subject)}{tail} | {ratio} "
            f"| {r.goal.text()} | {'yes' if r.met else 'no'} |"
        )
    return "\n".join(lines)


def _figures(figures: list[float]) -> str:
    if not figures:
        return "-"
    return f"{statistics.median(figures):.3f} ({percentile(figures, 95):.3f})"


def results_file(folder: Path, facts: dict[str, str]) -> Path:
    """Name a run's file after its beginning."""
    return folder / f"{facts['when'].replace(':', '')}.json"


def save(results: list[Result], facts: dict[str, str], file: Path) -> None:
    """Write raw figures, machine and versions as JSON, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": facts, "results": [asdict(r) | {"ratio": r.ratio} for r in results]}
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(file)
