"""What is wanted of a workspace, and its place in the queue. Plain values; the queue is elsewhere."""

import asyncio
import random
from dataclasses import dataclass, field, replace

from spec import WorkspaceSpec
from stacks import retries
from stacks.board import Context
from stacks.errors import EngineUnavailableError, TemporaryError
from stacks.plan import Action, Change, Wish
from stacks.steps import Result
from state_index.phases import Phase
from telemetry import context

_MAKING = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.START, Action.STOP})


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is wanted of one workspace.

    Attributes:
        cause: Why, for the history.
        request_id: The request behind it.
        actor: The user behind it.
        asked: Whether it shall run; None leaves that to file and last wish.
        force: Whether a lasting error is tried again.
        prune: Whether it is removed when its file is gone.
        remove: Whether it is removed, its file being gone, whatever else the folder says.
        retry: Whether someone asks to try again what failed; the history then says so.
        purge: Whether its home is removed: someone typed its name.
        watched: Milliseconds that runners watched so far; None: no home expires by this.
        max_delete: Most workspaces that may be pruned within the hour; None for the rule.
        retire: The workspace that takes its home over, for which it goes; "" for none.
        adopt: The owner to whom its home goes, as someone typed after being told; "" for none.
        new_home: Whether someone typed that a home is made where the former one is gone.
        forget_missing: Whether someone typed that a home which is on no engine is forgotten.
        heal: Whether drift is healed where the file wants it reported.
        spares: Whether no container is made anew for drift: others come first.
        now: Whether no sync window is waited for.
        explained: Whether the history also says what the plan said of the workspace.
        revision: The content of its file, as git names it; read when it is worked on.
    """

    cause: str
    request_id: str = ""
    actor: str = ""
    asked: bool | None = None
    force: bool = False
    prune: bool = False
    remove: bool = False
    retry: bool = False
    purge: bool = False
    watched: int | None = None
    max_delete: int | None = None
    retire: str = ""
    adopt: str = ""
    new_home: bool = False
    forget_missing: bool = False
    heal: bool = False
    spares: bool = False
    now: bool = False
    explained: bool = False
    revision: str = ""

    def merged(self, newer: "Demand") -> "Demand":
        """Give one demand for both; of contrary wishes, the newer one."""
        return replace(
            newer,
            asked=self.asked if newer.asked is None else newer.asked,
            force=self.force or newer.force,
            prune=self.prune or newer.prune,
            remove=self.remove or newer.remove,
            retry=self.retry or newer.retry,
            purge=self.purge or newer.purge,
            watched=self.watched if newer.watched is None else newer.watched,
            max_delete=_more(self.max_delete, newer.max_delete),
            retire=newer.retire or self.retire,
            adopt=newer.adopt or self.adopt,
            new_home=self.new_home or newer.new_home,
            forget_missing=self.forget_missing or newer.forget_missing,
            heal=self.heal or newer.heal,
            spares=self.spares and newer.spares,
            now=self.now or newer.now,
        )

    @property
    def is_look(self) -> bool:
        """Whether nobody asks for anything: the files or the engine may have changed."""
        words = self.retry or self.remove or self.purge or self.adopt or self.new_home
        asks = words or self.forget_missing or self.heal or bool(self.retire)
        return not self.force and self.asked is None and not asks

    @property
    def again(self) -> "Demand":
        """The same for a later attempt; what someone's word was needed for is not in it.

        A word is for what was told when it was typed: until a later attempt, the file may name
        another owner, or the home have come back. What the attempt did get done stands, and the
        later one goes on from it: a home that was adopted is, one that was made is there.
        """
        return replace(
            self,
            cause="tried again",
            actor="",
            retry=False,
            purge=False,
            forget_missing=False,
            adopt="",
            new_home=False,
            now=False,
        )

    def why(self, change: Change | None = None) -> Context:
        """The same for the index, with what the plan said; what removes tells its reason itself."""
        # One that was renamed says so of its former id, whose history gets this cause too.
        renamed = change and change.spec and change.spec.formerly
        told = change and change.action in _MAKING and not renamed
        cause = (
            f"{self.cause}; {change.reason}" if told and change and self.explained else self.cause
        )
        return Context(
            cause=cause, request_id=self.request_id, actor=self.actor, revision=self.revision
        )

    @property
    def wish(self) -> Wish:
        """The same for the plan."""
        return Wish(
            prune=self.prune,
            remove=self.remove,
            force=self.force,
            purge=self.purge,
            watched=self.watched,
            max_delete=self.max_delete,
            retire=self.retire,
            adopt=self.adopt,
            new_home=self.new_home,
            forget_missing=self.forget_missing,
            heal=self.heal,
            spares=self.spares,
            # Someone typed its name, to have it now.
            now=self.now or self.new_home or bool(self.adopt),
        )


def asked_by(actor: str, did: str, request_id: str) -> Demand:
    """What somebody did, to be filled in: `did` is the cause's end, ``asked to start it``."""
    return Demand(
        cause=f"{actor or 'someone'} {did}",
        actor=actor,
        request_id=request_id or context.request_id(),
    )


def _more(one: int | None, two: int | None) -> int | None:
    """Give the larger number that someone allowed; None when nobody did."""
    return max((number for number in (one, two) if number is not None), default=None)


Aim = tuple[WorkspaceSpec | None, str]
"""What an attempt was to reach: the file and its hash, which also knows our program."""


@dataclass
class Entry:
    """One workspace's place in the queue.

    Attributes:
        demand: What is wanted next.
        waiting: Who wants to know how that ends.
        task: The work, while there is any.
        failures: How often its present aim was missed in a row.
        aim: That aim; a new one begins with no failures.
        retry: The timer of the next attempt.
        owed: What that attempt is for: whoever comes before it does that too.
        away: Whether the engine may have been away for all since the last attempt.
        unseen: Whether it did not answer that attempt, though it had let itself be looked at.
    """

    demand: Demand | None = None
    waiting: list[asyncio.Future[Result]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    failures: int = 0
    aim: Aim | None = None
    retry: asyncio.TimerHandle | None = None
    owed: Demand | None = None
    away: bool = False
    unseen: bool = False

    def wants(self, demand: Demand) -> None:
        """Take a demand in; who asks comes in place of the next attempt of what failed."""
        if not demand.is_look:
            if self.retry is not None:
                # It counts for the attempt that it comes before: who asks often makes none late.
                self.failures = max(0, self.failures - 1)
            demand = self.take_up(demand)
        self.demand = self.demand.merged(demand) if self.demand else demand

    def take_up(self, demand: Demand) -> Demand:
        """Call the next attempt off, and give the demand with what that was for."""
        owed = self.owed
        self.rest()
        if owed is None:
            return demand
        asked = owed.asked if demand.asked is None else demand.asked
        # Whether its file is gone still is for the plan to say.
        remove = demand.remove or owed.remove
        return replace(demand, asked=asked, heal=demand.heal or owed.heal, remove=remove)

    def owe(self, demand: Demand, timer: asyncio.TimerHandle) -> None:
        """Keep a demand that failed for its next attempt, with what was owed before."""
        self.owed, self.retry = self.take_up(demand), timer

    def rest(self) -> None:
        """Call the next attempt off, if there is one."""
        if self.retry is not None:
            self.retry.cancel()
        self.owed = self.retry = None

    def backs_off(self, change: Change) -> bool:
        """Whether its timer alone tries it again: a mere look must not cut the backoff short.

        One that is UNKNOWN because the engine was away does not wait: a plan means that it is back.
        """
        waits = self.retry is not None and self.aim == aim_of(change)
        return waits and not (self.away and change.known.phase is Phase.UNKNOWN)

    def succeeded(self) -> None:
        """What was wanted is done."""
        self.failures, self.away, self.unseen = 0, False, False
        self.rest()

    def delay(self, error: TemporaryError, *, seen: bool) -> float:
        """Count one more failure; the seconds until the next attempt.

        Args:
            error: What it failed with.
            seen: Whether the engine had let itself be looked at.
        """
        self.failures += 1
        unseen = isinstance(error, EngineUnavailableError)
        # Where it answers looks, and one attempt after the other not, that is the attempt's own matter.
        self.away = unseen and not (seen and self.unseen)
        self.unseen = unseen and seen
        chance = random.random()  # noqa: S311 - spreads load only
        return retries.backoff(self.failures, chance=chance, least=error.delay or 0.0)


def aim_of(change: Change) -> Aim:
    """What the change is to reach."""
    return change.spec, change.desired_hash
