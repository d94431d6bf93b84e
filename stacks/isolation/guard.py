"""Says whether workspaces may be started: loads the rules, probes when it must, remembers what it found.

The engine's network list (one call) and our table's listing tell whether anything changed since the
last probe: the network made anew, the engine started anew, the rules changed. Only then two
containers are started, and only who wants to start a workspace waits for them.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

import aiohttp

from settings.model import RunnerSettings
from settings.types import Gap
from stacks.address import engine_address
from stacks.docker_calls import CALL_TIMEOUT, translated
from stacks.engine.processes import boot_id
from stacks.engine_client import EngineClient
from stacks.errors import IsolationUnenforcedError, StacksError
from stacks.fence import Fence
from stacks.isolation import memory, nft
from stacks.isolation.bridge import Bridge, find, nameservers
from stacks.isolation.containers import STEP, VERSION, Cell
from stacks.isolation.memory import Remembered
from stacks.isolation.probe import observe
from stacks.isolation.remedies import remedy, told
from stacks.isolation.rules import Network, Site, marker, render
from stacks.isolation.verdict import Verdict, judge
from telemetry.logs import get_logger

FRESH = 10.0
"""Seconds that a look at our table counts, and that a gap is believed before it is tried again."""

VALID = 3600.0
"""Seconds that a verdict counts at most: Docker's own rules and the kernel's settings may change."""

VALID_UNSEEN = 300.0
"""The same where we can't see our table, which then may go without a sign."""

TRIES = 2

_log = get_logger(__name__)


class Guard(EngineClient):
    """Keeps rules and verdict of one network. Use it as ``async with Guard(...) as guard``."""

    def __init__(
        self,
        *,
        cell: Cell,
        file: Path,
        rules: Path | None = None,
        docker_host: str | None = None,
        allowed: Iterable[Gap] = (),
        blocked: tuple[Network, ...] = (),
        loads: bool = True,
        fence: Fence | None = None,
    ) -> None:
        """Prepare; nothing is asked or loaded yet.

        Args:
            cell: What a workspace has.
            file: Where the verdict is remembered.
            rules: Where rules that were loaded are kept for the machine's next start; None: nowhere.
            docker_host: The engine's address; as in `DockerPower`.
            allowed: Gaps that do not matter; when all are, nothing is loaded or probed.
            blocked: Networks that are closed besides.
            loads: Whether rules that are not there are loaded.
            fence: Says whether anything may be loaded or started; None: always.
        """
        timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT)
        super().__init__(engine_address(docker_host), timeout=timeout)
        self._fence = fence or Fence.always()
        self._cell = cell
        self._file = file
        self._rules = rules
        self._allowed = frozenset(allowed)
        self._blocked = blocked
        self._loads = loads
        self._turn = asyncio.Lock()
        self._known: Remembered | None = None
        self._fresh: Bridge | None = None
        self._fresh_until = 0.0
        self._warned = ""

    @property
    def waived(self) -> bool:
        """Whether nobody wants isolation here."""
        return self._allowed == frozenset(Gap)

    async def check(self) -> None:
        """Return when workspaces may be started.

        Raises:
            IsolationUnenforcedError: Something that nobody allowed can be reached, or might be.
            EngineUnavailableError: The engine does not answer.
            NotLeadingError: Another runner may lead, so nothing is tried here.
        """
        if self.waived:
            return
        verdict = await self.verdict()
        if verdict is None:
            return  # without its network nothing can be started
        if open_ := verdict.unenforced(self._allowed):
            raise IsolationUnenforcedError(told(open_), step=STEP, remedy=remedy(open_))

    async def keep(self, every: float) -> None:
        """Look now and then, until cancelled: rules may be flushed, and the engine may start anew."""
        while not self.waived:
            try:
                await self.look()
            except StacksError as error:
                self._warn(error.message)
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Bring rules and verdict up to date, and say what is not enforced once."""
        verdict = await self.verdict(again=False)
        open_ = verdict.unenforced() if verdict else ()
        if open_:
            self._warn(told(open_))
        elif verdict and not verdict.named:
            self._warn("names are not resolved in workspaces")
        else:
            self._warned = ""

    async def verdict(self, *, again: bool = True, anew: bool = False) -> Verdict | None:
        """Give what is known of the network, probed anew where that may be out of date.

        Args:
            again: Whether a gap that was found is tried again, when nothing tells of a change.
            anew: Whether it is probed in any case.

        Returns:
            None when the network is not there.
        """
        async with self._turn:
            bridge = await self.bridge()
            if bridge is None:
                return None
            now = asyncio.get_running_loop().time()
            if anew or self._known is None or bridge != self._fresh or now > self._fresh_until:
                self._known = await self._renewed(bridge, again=again, anew=anew)
                self._fresh = bridge
                self._fresh_until = asyncio.get_running_loop().time() + FRESH
            return self._known.verdict

    async def bridge(self) -> Bridge | None:
        """Read the network; None when it is not there."""
        with translated(STEP):
            listed = await self._docker.networks.list()
        return find(listed, self._cell.network)

    async def site(self, bridge: Bridge) -> Site:
        """Give what the rules are about."""
        return Site(
            network=bridge.name,
            interface=bridge.interface,
            nameservers=await asyncio.to_thread(nameservers),
            blocked=self._blocked,
        )

    async def _renewed(self, bridge: Bridge, *, again: bool, anew: bool) -> Remembered:
        self._fence.check(STEP)
        site = await self.site(bridge)
        known = self._known or await asyncio.to_thread(memory.read, self._file)
        situation = _situation(bridge, site)
        same = known is not None and known.situation == situation
        before = table = await nft.listed(site)
        if self._loads:
            right = known.table if known and same else ""
            table = await nft.ensure(site, known=right, seen=before)
            if table and self._rules:
                await asyncio.to_thread(memory.write_rules, self._rules, render(site))
        retry = anew or (again and known is not None and bool(known.verdict.unenforced()))
        # Whoever removed our table may have removed more: loading it again is no proof.
        unchanged = known is not None and same and known.table == table == before
        if known and unchanged and not retry and await self._counts(table):
            return known
        found = Remembered(situation=situation, table=table, verdict=await self._probed(bridge))
        await asyncio.to_thread(memory.write, self._file, found)
        return found

    async def _counts(self, table: str) -> bool:
        """Whether a verdict is young enough: not all that enforces it can be watched."""
        within = VALID if table else VALID_UNSEEN
        return await asyncio.to_thread(memory.is_recent, self._file, within=within)

    async def _probed(self, bridge: Bridge) -> Verdict:
        """Probe; once more where a control failed, which a busy machine may be the reason for."""
        verdict = Verdict()
        for _ in range(TRIES):
            seen = await observe(self._docker, bridge=bridge, cell=self._cell, engine=self._host)
            verdict = judge(seen)
            if not verdict.unclear:
                break
        return verdict

    def _warn(self, message: str) -> None:
        if message != self._warned:
            _log.warning("isolation", problem=message)
            self._warned = message


def guard_of(settings: RunnerSettings, *, loads: bool = True, fence: Fence | None = None) -> Guard:
    """Make the guard that the settings ask for."""
    return Guard(
        cell=Cell(network=settings.network, run=settings.paths.run),
        file=settings.paths.isolation,
        rules=settings.paths.rules,
        docker_host=settings.docker_host,
        allowed=settings.allow_unenforced,
        blocked=settings.blocked_networks,
        loads=loads,
        fence=fence,
    )


def _situation(bridge: Bridge, site: Site) -> str:
    """Sum up all that, changed, makes an old verdict worthless."""
    facts = (bridge.id, bridge.boot, boot_id(), marker(site), str(VERSION))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
