"""The phases of a workspace and the one table that moves it between them.

Pure: no database, no clock. The runner reports what it begins and what it finds as events
(`Index.publish(event=...)`); the gateway asks the same table whether a user's request can be
taken (`Index.request`). Who may send an event and when is not decided here.

A cell of the table is one of

    NAME    move to that phase (short names: _SHORT)
    join    the same work is under way already; nothing new is needed
    queue   accepted; the phase stays until the work under way has ended
    keep    a fact that the phase already says, or that the work under way overtakes
    .       refused
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from state_index.errors import IllegalTransitionError


class _Described(StrEnum):
    """Names with a meaning, which the reference page shows."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class Phase(_Described):
    """Where a workspace is in its life."""

    PENDING = "PENDING", "known, nothing begun (again)"
    PROVISIONING = "PROVISIONING", "an `up` makes its resources"
    STARTING = "STARTING", "its container runs, the IDE does not answer yet"
    RUNNING = "RUNNING", "the IDE answers"
    STOPPING = "STOPPING", "its container is being stopped"
    UPDATING = "UPDATING", "an `up` changes its resources"
    WARM = "WARM", "container stopped, home kept"
    ARCHIVING = "ARCHIVING", "its home is being archived"
    COLD = "COLD", "home archived and removed"
    RESTORING = "RESTORING", "its home is being brought back"
    DELETING = "DELETING", "its resources are being removed"
    TOMBSTONED = "TOMBSTONED", "resources removed, home kept for a grace time"
    DELETED = "DELETED", "nothing is left"
    ERROR = "ERROR", "work failed; reason, message and step say how"
    UNKNOWN = "UNKNOWN", "the target can't be reached"


WITH_HOME = frozenset({Phase.STARTING, Phase.RUNNING, Phase.STOPPING, Phase.UPDATING, Phase.WARM})
"""Phases that only a workspace with a home comes to."""


class Sync(StrEnum):
    """How the workspace compares with its file; an axis of its own."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    INVALID = "Invalid"


class Event(_Described):
    """What happens to a workspace.

    Requests (START to PURGE) are wishes of users, git or lifecycle, and at the same time what the
    runner says when it begins that work; facts (READY to UNREACHABLE) are what it found or finished.
    """

    START = "start", "wake it: start the container, or restore a cold one first"
    STOP = "stop", "let it sleep: stop the container"
    PROVISION = "provision", "make its resources"
    UPDATE = "update", "apply a changed file"
    ARCHIVE = "archive", "archive the home of a sleeping one"
    RESTORE = "restore", "bring the home back from an archive"
    RETRY = "retry", "try again what failed"
    DELETE = "delete", "remove its resources, keep the home"
    REVIVE = "revive", "the file is back while a tombstone stands"
    PURGE = "purge", "remove the kept home too"

    READY = "ready", "the IDE answers"
    BOOTING = "booting", "the container runs, the IDE does not answer (yet)"
    APPLIED = "applied", "an `up` ended, the container is there and stopped"
    STOPPED = "stopped", "the container is there and does not run"
    ARCHIVED = "archived", "a verified archive exists, the home is removed"
    RESTORED = "restored", "the home is back, the container stopped"
    REMOVED = "removed", "the resources are gone, the home is kept"
    PURGED = "purged", "nothing is left"
    FAILED = "failed", "the work under way failed"
    VANISHED = "vanished", "the container is gone, by another hand"
    HOME_MISSING = "home_missing", "the home is gone"
    UNREACHABLE = "unreachable", "the target does not answer"


class Kind(StrEnum):
    """What a cell of the table says; see the module's docstring."""

    MOVE = "move"
    JOIN = "join"
    QUEUE = "queue"
    KEEP = "keep"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell: what happens to an event, and the phase after it."""

    kind: Kind
    phase: Phase

    @property
    def accepted(self) -> bool:
        """Whether the event is possible at all."""
        return self.kind is not Kind.REFUSE


_SHORT = {
    "PEND": Phase.PENDING,
    "PROV": Phase.PROVISIONING,
    "STRT": Phase.STARTING,
    "RUN": Phase.RUNNING,
    "STOP": Phase.STOPPING,
    "UPDT": Phase.UPDATING,
    "WARM": Phase.WARM,
    "ARCH": Phase.ARCHIVING,
    "COLD": Phase.COLD,
    "REST": Phase.RESTORING,
    "DEL": Phase.DELETING,
    "TOMB": Phase.TOMBSTONED,
    "GONE": Phase.DELETED,
    "ERR": Phase.ERROR,
    "UNKN": Phase.UNKNOWN,
}

_ROWS = """
             PEND  PROV  STRT  RUN   STOP  UPDT  WARM  ARCH  COLD  REST  DEL   TOMB  GONE  ERR   UNKN
start        queue queue join  .     queue queue STRT  STRT  REST  queue .     .     .     STRT  .
stop         .     queue STOP  STOP  join  queue .     .     .     queue .     .     .     STOP  .
provision    PROV  join  .     .     .     .     .     .     .     .     .     .     .     PROV  .
update       queue queue queue UPDT  queue queue UPDT  queue queue queue .     .     .     UPDT  queue
archive      .     .     .     .     .     .     ARCH  join  .     .     .     .     .     .     .
restore      .     .     .     .     .     .     .     .     REST  join  .     .     .     REST  .
retry        join  .     .     .     .     .     .     .     .     .     .     .     .     PEND  queue
delete       DEL   queue DEL   DEL   queue queue DEL   DEL   DEL   queue join  join  .     DEL   queue
revive       .     .     .     .     .     .     .     .     .     .     queue PEND  .     .     .
purge        .     .     .     .     .     .     .     .     .     .     queue DEL   .     DEL   .
ready        RUN   RUN   RUN   keep  keep  RUN   RUN   RUN   .     keep  keep  .     .     RUN   RUN
booting      STRT  STRT  keep  STRT  keep  STRT  STRT  STRT  .     keep  keep  .     .     STRT  STRT
applied      .     WARM  .     .     .     WARM  .     .     .     .     .     .     .     .     .
stopped      WARM  keep  keep  WARM  WARM  keep  keep  keep  .     keep  keep  .     .     WARM  WARM
archived     COLD  .     .     .     .     .     .     COLD  keep  .     .     .     .     COLD  COLD
restored     .     .     .     .     .     .     .     .     .     WARM  .     .     .     .     .
removed      TOMB  .     .     .     .     .     .     .     .     .     TOMB  keep  .     .     TOMB
purged       .     .     .     .     .     .     .     .     .     .     GONE  GONE  .     .     .
failed       ERR   ERR   ERR   .     ERR   ERR   .     ERR   .     ERR   ERR   .     .     keep  ERR
vanished     keep  keep  PEND  PEND  PEND  keep  PEND  keep  keep  keep  keep  keep  .     keep  PEND
home_missing ERR   ERR   ERR   ERR   ERR   ERR   ERR   ERR   ERR   ERR   keep  keep  .     keep  ERR
unreachable  UNKN  UNKN  UNKN  UNKN  UNKN  UNKN  UNKN  UNKN  keep  UNKN  UNKN  keep  .     keep  keep
"""


def _verdict(phase: Phase, cell: str) -> Verdict:
    if cell == ".":
        return Verdict(Kind.REFUSE, phase)
    if cell in _SHORT:
        return Verdict(Kind.MOVE, _SHORT[cell])
    return Verdict(Kind(cell), phase)


def _parse(rows: str) -> dict[tuple[Phase, Event], Verdict]:
    head, *lines = rows.strip().splitlines()
    phases = [_SHORT[name] for name in head.split()]
    table: dict[tuple[Phase, Event], Verdict] = {}
    for line in lines:
        event, *cells = line.split()
        for phase, cell in zip(phases, cells, strict=True):
            table[phase, Event(event)] = _verdict(phase, cell)
    return table


TABLE = _parse(_ROWS)
"""The verdict for each phase and event; complete (a test states every cell again)."""


def decide(phase: Phase, event: Event) -> Verdict:
    """What the table says, refusals included."""
    return TABLE[phase, event]


def transition(phase: Phase, event: Event) -> Phase:
    """The phase after an event.

    Raises:
        IllegalTransitionError: the table refuses the event in this phase.
    """
    verdict = TABLE[phase, event]
    if not verdict.accepted:
        raise IllegalTransitionError(phase, event)
    return verdict.phase
