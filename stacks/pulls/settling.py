"""Asks the forge what was reviewed, whenever something waits for its word."""

import asyncio

from forges.errors import ForgeError
from stacks.errors import NotLeadingError
from stacks.pulls.desk import Desk
from stacks.pulls.pauses import pause
from stacks.pulls.reporting import Reports
from stacks.pulls.source import BoundSource
from telemetry.logs import get_logger

AGAIN = 1.0
"""Seconds until a forge is asked again that may not know of a merge yet."""

_log = get_logger(__name__)


class Settling:
    """The asking, for one branch."""

    def __init__(self, desk: Desk, source: BoundSource, reports: Reports) -> None:
        """Prepare; nothing is asked.

        Args:
            desk: What is worked with.
            source: The branch, held to its reviews.
            reports: Tells the forge what is held.
        """
        self._desk = desk
        self._source = source
        self._reports = reports

    async def run(self) -> None:
        """Ask until cancelled."""
        failures = 0
        while True:
            await self._source.binding.undecided.wait()
            try:
                decided = await self._source.settle()
            except NotLeadingError:
                raise
            except Exception as error:  # noqa: BLE001 - a bug here must not end the runner
                failures += 1
                _log.warning("not known what was reviewed", message=str(error))
                await asyncio.sleep(pause(error, failures))
                continue
            failures = 0
            if decided:
                await self._desk.sweep("the forge said what was reviewed")
                await self._tell()
            else:
                await asyncio.sleep(AGAIN)

    async def _tell(self) -> None:
        try:
            async with self._desk.forge() as forge:
                await self._reports.guarded(forge)
        except ForgeError as error:  # its token can't be read
            _log.warning("what is held not told to the forge", message=error.message)
