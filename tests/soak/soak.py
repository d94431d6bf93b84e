"""One soak: kills that are aimed at what the log lacks, in the midst of work, each followed by a heal."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from state_index.models import Published
from state_index.phases import Phase, Sync
from tests.hub import wait_for
from tests.soak.heal import Healing
from tests.soak.model import Slot
from tests.soak.records import OF_OPERATIONS, OPERATING, PAIRS, Kill, Target, missing
from tests.soak.targets import Pids
from tests.soak.world import SLOTS

CATCH_SECONDS = 20.0
TRIES = 6
"""Operations that are begun for one kill: it has to be within a phase that may last 0.2 s."""

REST_SECONDS = 1.5
"""What has come to rest for so long does not go on to the phase that was waited for."""

POLL_SECONDS = 0.002


class Soak(Healing):
    """The world that the rules work on."""

    def strike(self, target: Target, phase: Phase, pick: int, lag: float) -> bool:
        """Bring a workspace into a phase and kill within it; whether it was possible.

        Args:
            target: What is killed.
            phase: Of the victim, by its published row.
            pick: Chooses among workspaces and ways.
            lag: Seconds within the phase before the kill, if it lasts so long.
        """
        for attempt in range(TRIES):
            self.heal()
            struck = self._try(target, phase, pick + attempt, lag / (attempt + 1))
            if struck:
                self.restarted = target is Target.ENGINE
                self.targets.recover(target, struck)
            self.heal()
            if struck:
                return True
        return False

    def _try(self, target: Target, phase: Phase, pick: int, lag: float) -> Pids:
        victim = self._fitting(phase, pick)
        of = victim
        if target in OF_OPERATIONS and phase not in OPERATING:
            of, lag = self._companion(victim, pick), 0.0
            before = self.hub.index.generation()
            self.edit(of, 2)
            wait_for(
                lambda: self.targets.find(target, of.id) or self._was_changed(of, before),
                f"an operation of {of.id}",
                every=0,
            )
        asked = self.hub.index.generation()
        self._lead_to(phase, victim, pick)
        if not self._reached(phase, victim, asked, lag):
            return ()
        return self._kill(target, phase, victim, of)

    def _was_changed(self, slot: Slot, before: int) -> bool:
        """Whether it rests again since: its operation was over before this process came to look."""
        row = self.hub.index.workspace(slot.id)
        if row is None or row.generation <= before:
            return False
        return row.phase in {Phase.RUNNING, Phase.WARM} and row.sync is Sync.SYNCED

    def _fitting(self, phase: Phase, pick: int) -> Slot:
        """Choose a workspace that can be led to a phase; another is brought there first where none is."""
        wanted: Callable[[Slot], bool] = {
            Phase.PROVISIONING: lambda slot: not slot.stands,
            Phase.STARTING: lambda slot: slot.stands and not slot.on,
            Phase.STOPPING: lambda slot: slot.stands and slot.on,
        }.get(phase, lambda slot: slot.stands)
        while not (fitting := [slot for slot in self.slots if wanted(slot)]):
            self._make_fitting(phase, self.slots[pick % SLOTS])
            self.heal()
        chosen = fitting[pick % len(fitting)]
        self.begin(chosen)
        return chosen

    def _make_fitting(self, phase: Phase, slot: Slot) -> None:
        self.begin(slot)
        if phase is Phase.PROVISIONING:
            self.remove(slot)
        elif not slot.stands:
            self.write(slot)
        else:
            self.power(slot, on=phase is Phase.STOPPING)

    def _companion(self, victim: Slot, pick: int) -> Slot:
        others = [slot for slot in self.slots if slot is not victim]
        chosen = others[pick % len(others)]
        self.begin(chosen)
        return chosen

    def _lead_to(self, phase: Phase, slot: Slot, pick: int) -> None:
        if phase is Phase.PROVISIONING:
            self.write(slot)
        elif phase is Phase.UPDATING:
            self.edit(slot, 1 + pick % 2)
        elif phase is Phase.DELETING:
            self.remove(slot)
        else:
            self.power(slot, on=phase is Phase.STARTING)

    def _reached(self, phase: Phase, victim: Slot, asked: int, lag: float) -> bool:
        """Wait until a row says the phase for so long; False when it has come to rest since."""
        since = rest = 0.0
        deadline = time.monotonic() + CATCH_SECONDS
        while (now := time.monotonic()) < deadline:
            row = self.hub.index.workspace(victim.id)
            if row is not None and row.phase is phase:
                since = since or now
                if now - since >= lag:
                    return True
            elif since:
                return False
            elif row is not None and row.phase is victim.phase and row.generation > asked:
                rest = rest or now
                if now - rest > REST_SECONDS:
                    return False
            time.sleep(POLL_SECONDS)
        return False

    def _kill(self, target: Target, phase: Phase, victim: Slot, of: Slot) -> Pids:
        """Kill when the target is there, and as long as the row says the phase; gives what was killed."""
        while True:
            pids = self.targets.find(target, of.id)
            asked = time.monotonic()
            row = self.hub.index.workspace(victim.id)
            if row is None or row.phase is not phase:
                return ()
            # Right before the signal: a kill also waits for the end of what it killed.
            late = time.monotonic() - asked
            if pids and self.targets.kill(target, pids):
                self._record(target, row, of, pids, late)
                return pids

    def _record(self, target: Target, row: Published, of: Slot, pids: Pids, late: float) -> None:
        kill = Kill(
            at=datetime.now(UTC).isoformat(),
            target=target,
            phase=row.phase,
            step=row.step,
            workspace=row.id,
            of=of.id if target in OF_OPERATIONS else "",
            pids=pids,
            late=round(late, 4),
            seed=self.seed,
        )
        self.log.add(kill)
        self.note(f"kill {target} while {row.id} is {row.phase}: {row.step}")

    def wanting(self, pick: int) -> tuple[Target, Phase]:
        """Choose a pair: one that is not in the log yet, if there is any."""
        pairs = missing(self.log.kills()) or list(PAIRS)
        return pairs[pick % len(pairs)]
