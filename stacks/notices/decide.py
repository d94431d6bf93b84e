"""Decides what one sink is told: from what it was told before, and what is the matter now. Pure.

Told is once: each fingerprint of a matter, as long as the matter lasts. What may pass by itself is
told when it lasted; that it is over, only when it had been told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stacks.notices.matters import Key, Matter, Scene
from stacks.notices.model import Kind, Notice

GATHER = timedelta(seconds=10)
"""What is due so soon goes along with what is due: an engine that ends takes all with it at once."""

MOST_TOLD = 16
"""Fingerprints that are remembered of one matter."""

ENDS = {Kind.FAILURE: Kind.RECOVERED, Kind.DRIFT: Kind.DRIFT_ENDED}
"""What is told when a matter is over; of others nothing is."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One matter, for as long as it lasts.

    Attributes:
        began: When it was first seen, or earlier where the row says so.
        told: The fingerprints that were told, the newest last.
        reason: Of what was told last.
        owner: Whose it was then.
    """

    began: datetime
    told: tuple[str, ...] = ()
    reason: str = ""
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What is told, and what is remembered then."""

    episodes: Mapping[Key, Episode]
    notices: tuple[Notice, ...] = ()


def decide(
    before: Mapping[Key, Episode], now_seen: Scene, *, now: datetime, after: timedelta
) -> Decided:
    """Decide.

    Args:
        before: What is remembered.
        now_seen: What is the matter.
        now: The time.
        after: How long what may pass must last until it is told.
    """
    lasting = {
        key: _lasting(before.get(key), one, now=now) for key, one in now_seen.matters.items()
    }
    new = [key for key, one in now_seen.matters.items() if one.fingerprint not in lasting[key].told]
    aged = [
        key for key in new if _is_due(now_seen.matters[key], lasting[key], now=now, after=after)
    ]
    if aged:
        soon = max(after - GATHER, timedelta())
        aged = [
            key for key in new if _is_due(now_seen.matters[key], lasting[key], now=now, after=soon)
        ]
    told = {key: _told(lasting[key], now_seen.matters[key]) for key in aged}
    unclear = {key: before[key] for key in now_seen.unclear if key in before}
    over = [key for key in before if key not in lasting and key not in unclear]
    return Decided(
        episodes={**unclear, **lasting, **told},
        notices=(
            *(replace(now_seen.matters[key].notice, since=lasting[key].began) for key in aged),
            *(_over(key, before[key], now_seen, now=now) for key in over if _is_told(before, key)),
        ),
    )


def _lasting(before: Episode | None, matter: Matter, *, now: datetime) -> Episode:
    # A clock that was put back makes nothing older than it is.
    if before is None:
        return Episode(began=min(matter.notice.since, now))
    return replace(before, began=min(before.began, now))


def _is_due(matter: Matter, episode: Episode, *, now: datetime, after: timedelta) -> bool:
    return not matter.passing or now - episode.began >= after


def _told(episode: Episode, matter: Matter) -> Episode:
    told = (*episode.told, matter.fingerprint)[-MOST_TOLD:]
    return replace(episode, told=told, reason=matter.notice.reason, owner=matter.notice.owner)


def _is_told(before: Mapping[Key, Episode], key: Key) -> bool:
    return bool(before[key].told) and key[0] in ENDS


def _over(key: Key, episode: Episode, seen: Scene, *, now: datetime) -> Notice:
    kind, workspace = key
    row = seen.rows.get(workspace)
    return Notice(
        kind=ENDS[kind],
        workspace=workspace,
        owner=row.owner if row else episode.owner,
        phase=str(row.phase) if row else "",
        reason=episode.reason,
        message=f"it is {row.phase}" if row else "it is not there any more",
        since=now,
    )
