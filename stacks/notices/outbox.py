"""Tells one sink what it has to be told: decided, remembered, put together, sent until it is taken.

At least once: what is told is written down before it is sent, and taken off the file afterwards. Each
sink has an outbox of its own, so one that does not answer holds up nobody else.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from stacks.errors import NoticeFailedError, NoticeRefusedError, NotLeadingError, StacksError
from stacks.notices.apart import apart
from stacks.notices.decide import decide
from stacks.notices.matters import Scene
from stacks.notices.memory import Memory, State
from stacks.notices.model import Kind, Message, Notice
from telemetry.logs import get_logger

LISTED = 20
"""Most notices of one message; the others are counted."""

QUEUE = 500
"""Most notices that wait; beyond that the oldest are counted only."""

SPACING, LONGEST_SPACING = 15.0, 240.0
"""Seconds between two messages, doubled as long as there is more each time: that goes together."""

RANK = {Kind.FAILURE: 0, Kind.APPROVAL: 1, Kind.DRIFT: 2}
"""What is listed first where not all is; of all others nobody has to do anything."""

SEND_SECONDS = 30.0

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds until what was not taken is sent again: doubled each time, a fifth less by chance."""

REFUSALS = 3
"""After so many, a message that the receiver refuses for what it is is given up."""

_log = get_logger(__name__)


class Sink(Protocol):
    """Where notices go."""

    @property
    def name(self) -> str:
        """Its name in settings, logs and commands."""

    def send(self, message: Message) -> None:
        """Send one message, and return when it was taken. It waits for the network.

        Raises:
            NoticeFailedError: It was not taken now.
            NoticeRefusedError: It will not be taken.
            NoticeUnusableError: The sink can't be used as it is set.
        """


class Clock(Protocol):
    """The time; a seam for tests."""

    def now(self) -> datetime:
        """Give the time, aware."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """The time that it is."""

    def now(self) -> datetime:
        """Give it in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How an outbox goes about it.

    Attributes:
        after: How long what may pass must last until it is told.
        clock: The time.
        chance: Gives numbers from 0 to 1.
        check: Raises when this runner does not lead; asked right before each message.
    """

    after: timedelta
    check: Callable[[], None]
    clock: Clock
    chance: Callable[[], float] = random.random


class Outbox:
    """What goes to one sink."""

    def __init__(self, sink: Sink, memory: Memory, pace: Pace) -> None:
        self.name = sink.name
        self._sink = sink
        self._memory = memory
        self._pace = pace
        self._state = State()
        self._writing = asyncio.Lock()
        self._work = asyncio.Event()
        self._trouble = ""

    async def open(self) -> None:
        """Read what was told before."""
        self._state = await asyncio.to_thread(self._memory.load)
        self._wake()

    async def see(self, scene: Scene) -> None:
        """Take in what is the matter now."""
        now, before = self._pace.clock.now(), self._state
        decided = decide(before.episodes, scene, now=now, after=self._pace.after)
        if decided.episodes == before.episodes and not decided.notices:
            return
        waiting = (*before.waiting, *decided.notices)
        await self._become(
            replace(
                before,
                episodes=decided.episodes,
                waiting=waiting[-QUEUE:],
                dropped=before.dropped + max(0, len(waiting) - QUEUE),
            )
        )
        self._wake()

    async def run(self) -> None:
        """Send, until cancelled or until this runner does not lead any more."""
        spacing = SPACING
        while True:
            if not self._work.is_set():
                spacing = SPACING
            await self._work.wait()
            try:
                await self._deliver(await self._packed())
            except NotLeadingError:
                _log.info("no more notices: this runner does not lead", sink=self.name)
                return
            self._wake()
            await self._pace.clock.sleep(spacing)
            spacing = min(2 * spacing, LONGEST_SPACING)

    def _wake(self) -> None:
        if self._state.message or self._state.waiting:
            self._work.set()
        else:
            self._work.clear()

    async def _packed(self) -> Message:
        """Give the message that is under way, or put one together of all that waits."""
        state = self._state
        if state.message is not None:
            return state.message
        message = packed(state.waiting, state.dropped, now=self._pace.clock.now())
        await self._become(replace(state, waiting=(), dropped=0, message=message))
        return message

    async def _deliver(self, message: Message) -> None:
        tries, refusals = 0, 0
        while refusals < REFUSALS:
            self._pace.check()
            try:
                await apart(lambda: self._sink.send(message), within=SEND_SECONDS)
            except StacksError as error:
                tries, refusals = tries + 1, refusals + isinstance(error, NoticeRefusedError)
                self._say(error.message, error.remedy)
                await self._pace.clock.sleep(pause(tries, error, self._pace.chance()))
            except Exception as error:  # noqa: BLE001 - one sink's bug must not end the others
                tries += 1
                # Not its text: it may hold what is secret.
                self._say(f"bug: {type(error).__name__}", "")
                await self._pace.clock.sleep(pause(tries, None, self._pace.chance()))
            else:
                self._trouble = ""
                _log.info("told", sink=self.name, notices=len(message.notices), id=message.id)
                break
        else:
            _log.error("given up", sink=self.name, notices=len(message.notices), id=message.id)
        await self._become(replace(self._state, message=None))

    def _say(self, message: str, remedy: str) -> None:
        """Log what is wrong, once as long as it is the same."""
        if message != self._trouble:
            _log.warning("not told", sink=self.name, message=message, remedy=remedy)
        self._trouble = message

    async def _become(self, state: State) -> None:
        self._state = state
        async with self._writing:
            try:
                await asyncio.to_thread(self._memory.save, self._state)
            except NoticeFailedError as error:
                _log.warning("told twice perhaps", sink=self.name, message=error.message)


def packed(waiting: tuple[Notice, ...], dropped: int, *, now: datetime) -> Message:
    """Put one message together: the newest of what matters most is listed, all others counted."""
    last = len(RANK)
    ranked = sorted(
        range(len(waiting)), key=lambda place: (RANK.get(waiting[place].kind, last), -place)
    )
    return Message(
        id=secrets.token_hex(16),
        made_at=now,
        notices=tuple(waiting[place] for place in sorted(ranked[:LISTED])),
        more=dropped + max(0, len(waiting) - LISTED),
    )


def pause(tries: int, error: StacksError | None, chance: float) -> float:
    """Give the seconds until the next attempt: at least what the receiver asks for, within bounds."""
    asked = error.delay if isinstance(error, NoticeFailedError) and error.delay else 0.0
    doubled = FIRST_PAUSE * 2.0 ** min(tries - 1, 10)
    return min(LONGEST_PAUSE, max(asked, doubled)) * (1 - 0.2 * chance)
