"""When what the files say may be applied: windows of the week, by the clocks of a place. Pure.

    Calendar((Window(allows=True, days=..., begin=22 * 60, end=6 * 60, zone=...),), now).of("alice-api")

A change may be applied when no window that denies is open, and, where there are windows that allow,
one of these is. A window is from the moment at which the clocks of its zone first show its begin
to the last one at which they show a time before its end: of a time that comes twice, the first counts for
the begin and the second for the end; one that is skipped is the moment of the jump. Nothing is read
but the zones' own tables, and what time it is is given.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes of a day."""

AHEAD = 16
"""Days that are looked ahead: weeks are alike, but for one that lost a window to a change of clocks."""

_AROUND = 2
"""Days before and after these: a window that began then may be open still, or follow on one."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time of the week.

    Attributes:
        allows: Whether changes may be applied within it, rather than may not.
        days: On which days it begins, 0 for Monday.
        begin: When, in minutes from midnight.
        end: When it ends, likewise; not after the begin: on the day after.
        zone: Whose clocks count, as the time zone database names it.
        workspaces: Patterns of the ids that it is for, with `*` for anything; none for all.
        reason: Why, for a person.
    """

    allows: bool
    days: frozenset[int] = frozenset(range(7))
    begin: int = 0
    end: int = DAY
    zone: str = "UTC"
    workspaces: tuple[str, ...] = ()
    reason: str = ""

    def is_for(self, workspace_id: str) -> bool:
        """Whether it is for a workspace."""
        return not self.workspaces or any(fnmatchcase(workspace_id, it) for it in self.workspaces)


@dataclass(frozen=True)
class Span:
    """One time at which a window is open: from its begin until before its end, in UTC."""

    window: Window
    begin: datetime
    end: datetime

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.begin <= moment < self.end


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether changes may be applied now.

    Attributes:
        open: Whether they may.
        until: When that changes, in UTC; None where it does not within `AHEAD` days.
        zone: Whose clocks people are told that by.
        reasons: Why not, as the windows say that deny it.
    """

    open: bool = True
    until: datetime | None = None
    zone: str = "UTC"
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What holds, and until when, for a person."""
        until = (
            f"until {told(self.until, self.zone)}" if self.until else f"for the next {AHEAD} days"
        )
        why = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"sync windows {'let changes in' if self.open else 'keep changes back'} {until}{why}"


ALWAYS = Standing()
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Calendar:
    """What windows say at one moment."""

    windows: tuple[Window, ...] = ()
    now: datetime = _NEVER
    _known: dict[tuple[Window, ...], Standing] = field(
        default_factory=dict, compare=False, init=False
    )

    def of(self, workspace_id: str) -> Standing:
        """Say whether a workspace's changes may be applied."""
        about = tuple(window for window in self.windows if window.is_for(workspace_id))
        if about not in self._known:
            self._known[about] = standing(about, self.now)
        return self._known[about]


def standing(windows: Iterable[Window], now: datetime) -> Standing:
    """Say whether changes may be applied at a moment, and until when that is so.

    Args:
        windows: Those that are for the workspace.
        now: The moment, aware.
    """
    about = tuple(windows)
    if not about:
        return ALWAYS
    now = now.astimezone(UTC)
    near = [span for window in about for span in spans(window, now)]
    is_open = _is_open(about, near, now)
    last = now + timedelta(days=AHEAD)
    edges = sorted({edge for span in near for edge in (span.begin, span.end) if now < edge <= last})
    turns = (edge for edge in edges if _is_open(about, near, edge) is not is_open)
    until = next(turns, None)
    denying = [span.window for span in near if not span.window.allows and span.has(now)]
    return Standing(
        open=is_open,
        until=until,
        zone=_zone(near, until, about),
        reasons=tuple(dict.fromkeys(window.reason for window in denying if window.reason)),
    )


def _is_open(windows: tuple[Window, ...], near: Iterable[Span], moment: datetime) -> bool:
    within = [span.window.allows for span in near if span.has(moment)]
    if not all(within):
        return False  # one that denies comes before all that allow
    return bool(within) or not any(window.allows for window in windows)


def _zone(near: Iterable[Span], until: datetime | None, windows: tuple[Window, ...]) -> str:
    """The zone of the window by which it turns."""
    turning = (span.window.zone for span in near if until in (span.begin, span.end))
    return next(turning, windows[0].zone)


def spans(window: Window, now: datetime) -> Iterator[Span]:
    """Give the times at which a window is open, from some days before a moment to `AHEAD` after."""
    today = now.astimezone(ZoneInfo(window.zone)).date()
    for number in range(-_AROUND, AHEAD + _AROUND + 1):
        day = today + timedelta(days=number)
        if day.weekday() in window.days:
            span = _on(window, day)
            if span.begin < span.end:
                yield span


@lru_cache(maxsize=4096)
def _on(window: Window, day: date) -> Span:
    last = window.end if window.end > window.begin else window.end + DAY
    begin, end = (_local(day, minutes) for minutes in (window.begin, last))
    return Span(window, moment(begin, window.zone, last=False), moment(end, window.zone, last=True))


def _local(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - of a clock


def moment(local: datetime, zone: str, *, last: bool) -> datetime:
    """Give the moment at which the clocks of a zone come to a time, in UTC.

    Args:
        local: What they show, without a zone.
        zone: The zone's name.
        last: Whether it is the last moment before which they show less, rather than the first at
            which they show as much.
    """
    place = ZoneInfo(zone)
    first, second = (local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:  # no clock shows it
        return _jump(local, place, after=second, before=first)
    shows_less = (second - _SECOND).astimezone(place).replace(tzinfo=None) < local
    return second if last and shows_less else first


def _jump(local: datetime, place: ZoneInfo, *, after: datetime, before: datetime) -> datetime:
    """Find the first moment at which the clocks show the time or a later one; to a second."""
    while before - after > _SECOND:
        middle = after + timedelta(seconds=(before - after) // _SECOND // 2)
        if middle.astimezone(place).replace(tzinfo=None) >= local:
            before = middle
        else:
            after = middle
    return before


def told(moment_: datetime, zone: str) -> str:
    """Write a moment for people, by the clocks of a zone.

    >>> told(datetime(2026, 11, 23, 21, 0, tzinfo=UTC), "Europe/Berlin")
    'Mon 2026-11-23 22:00 Europe/Berlin'
    """
    return f"{moment_.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"
