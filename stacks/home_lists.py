"""Lists the homes of one workspace on a Docker engine, also while the engine removes one.

What is there may be told by the list from before a removal (`stacks.volume_lists`); what is not there
is looked for again, and so is the home of a container that is about to be started.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from stacks.docker_calls import homes_of, label_filter, prefix_label, translated
from stacks.power import HomeVolume
from stacks.programs.inputs import LABEL_WORKSPACE
from stacks.volume_lists import VolumeLists

Homes = tuple[HomeVolume, ...]


class HomeLists:
    """The homes under one name prefix."""

    def __init__(
        self,
        ask: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]],
        *,
        name_prefix: str,
        kept: Callable[[Homes], Homes],
    ) -> None:
        """Prepare.

        Args:
            ask: Has the engine list volumes by a filter.
            name_prefix: First part of the volumes' names.
            kept: Leaves out what is not ours; called in a thread.
        """
        self._lists = VolumeLists(ask)
        self._ask = ask
        self._prefix = name_prefix
        self._kept = kept

    async def all(self) -> Mapping[str, Any]:
        """List those of all workspaces, others' included; perhaps as they were before a removal."""
        return (await self._lists.ask(label_filter(prefix_label(self._prefix)))).answer

    async def volume(self, name: str) -> Mapping[str, Any] | None:
        """Give a volume of any kind by its name; None where it is not there, as far as is told at once."""
        answer, is_fresh = await self._lists.ask({"name": [name]})
        found = _named(answer, name)
        return found if found or is_fresh else _named(await self._ask({"name": [name]}), name)

    def removing(self) -> AbstractAsyncContextManager[None]:
        """Have the list of now stand in while a home is removed."""
        return self._lists.removing(label_filter(prefix_label(self._prefix)))

    async def of(self, workspace_id: str) -> Homes:
        """List them; one that is not there may have been made since the list that stands in."""
        with translated("home"):
            answer, is_fresh = await self._lists.ask(self._filter(workspace_id))
        found = await self._ours(answer, workspace_id)
        return found if found or is_fresh else await self.now(workspace_id)

    async def now(self, workspace_id: str) -> Homes:
        """List those of now, however long a removal keeps the engine from telling."""
        with translated("home"):
            answer = await self._ask(self._filter(workspace_id))
        return await self._ours(answer, workspace_id)

    async def _ours(self, answer: Mapping[str, Any], workspace_id: str) -> Homes:
        found = homes_of(answer, name_prefix=self._prefix).get(workspace_id, ())
        return await asyncio.to_thread(self._kept, found)

    def _filter(self, workspace_id: str) -> dict[str, list[str]]:
        return label_filter(prefix_label(self._prefix) | {LABEL_WORKSPACE: workspace_id})


def _named(answer: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    # The filter matches parts of names.
    return next((data for data in answer.get("Volumes") or [] if data["Name"] == name), None)
