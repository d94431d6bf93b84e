"""The log of kills, one JSON object a line, and what it proves: written first, judged from the file. Pure but for the file.

A pair is (what was killed, the phase that the victim workspace's published row had right before). A run is judged by
what its log says, never by what it meant to do.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from state_index.phases import Phase


class Target(StrEnum):
    """What is killed."""

    RUNNER = "runner"
    """Every runner at once: nobody takes over, and one is started afterwards."""
    LEADER = "leader"
    """The runner that leads, while another one stands by and takes over."""
    WORKER = "worker"
    CLI = "cli"
    PLUGIN = "plugin"
    ENGINE = "engine"
    GATEWAY = "gateway"


OF_OPERATIONS = frozenset({Target.WORKER, Target.CLI, Target.PLUGIN})
"""Targets that live as long as a Pulumi operation of some workspace."""

OPERATING = frozenset({Phase.PROVISIONING, Phase.UPDATING, Phase.DELETING})
"""Phases in which the workspace itself has a Pulumi operation."""

TRANSITIONAL = (
    Phase.PROVISIONING,
    Phase.STARTING,
    Phase.STOPPING,
    Phase.UPDATING,
    Phase.DELETING,
)
"""Phases in which work is under way. ARCHIVING and RESTORING join them with archives: nothing reaches them yet."""

Pair = tuple[Target, Phase]
PAIRS: tuple[Pair, ...] = tuple((target, phase) for phase in TRANSITIONAL for target in Target)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill.

    Attributes:
        at: When, ISO 8601 in UTC.
        target: What was killed.
        phase: Of the victim, as its published row said right before.
        step: The same of its step.
        workspace: The victim.
        of: Whose operation was killed; another one than the victim where that has none in its phase.
        pids: The killed processes.
        late: Seconds between reading the row and the signal.
        seed: Of the run.
    """

    at: str
    target: Target
    phase: Phase
    step: str
    workspace: str
    of: str = ""
    pids: tuple[int, ...] = ()
    late: float = 0.0
    seed: int = 0

    @property
    def pair(self) -> Pair:
        """What it counts for."""
        return self.target, self.phase


class Log:
    """Appends kills to a file, each flushed before the next thing is done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def add(self, kill: Kill) -> None:
        """Write one down."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(kill)) + "\n")

    def kills(self) -> list[Kill]:
        """Read all back."""
        return read(self.path)


def read(path: Path) -> list[Kill]:
    """Read a log.

    Raises:
        ValueError: A line of it is no kill.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_kill(json.loads(line)) for line in lines]


def _kill(data: dict[str, object]) -> Kill:
    try:
        target, phase = Target(str(data["target"])), Phase(str(data["phase"]))
        pids = tuple(int(str(pid)) for pid in _list(data["pids"]))
        rest = {key: data[key] for key in ("at", "step", "workspace", "of", "late", "seed")}
    except KeyError as error:
        raise ValueError(f"no kill: {data}") from error
    return Kill(target=target, phase=phase, pids=pids, **rest)  # type: ignore[arg-type]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def missing(kills: Iterable[Kill]) -> list[Pair]:
    """Give the pairs that no kill counts for."""
    seen = {kill.pair for kill in kills}
    return [pair for pair in PAIRS if pair not in seen]


def shortfall(kills: list[Kill], *, seconds: float, least: int, of_seconds: float) -> list[str]:
    """Say in what a run is short of a whole one; nothing when it is not.

    Args:
        kills: What its log says.
        seconds: How long it took.
        least: How many kills it owes.
        of_seconds: How long it had to take.
    """
    short = [f"no kill of {target} in {phase}" for target, phase in missing(kills)]
    if len(kills) < least:
        short.append(f"{len(kills)} kills, {least} are owed")
    if seconds < of_seconds:
        short.append(f"{seconds:.0f} s, {of_seconds:.0f} are owed")
    return short


def table(kills: Iterable[Kill]) -> str:
    """Show how often each pair was hit, for people."""
    counted = Counter(kill.pair for kill in kills)
    head = f"{'':14}" + "".join(f"{target:>9}" for target in Target)
    rows = [
        f"{phase:14}" + "".join(f"{counted[target, phase]:9}" for target in Target)
        for phase in TRANSITIONAL
    ]
    return "\n".join([head, *rows])
