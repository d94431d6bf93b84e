"""`Power` for a Docker engine, by aiodocker with the engine's own API version: what is ours, and what is done to it.

How it is read stands in `docker_reads`, how it is started and stopped in `docker_switch`. One client and
so one pool of connections for the life of the runner. Calls have a deadline each, so that an engine
which accepts and then says nothing shows as unreachable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from aiodocker.networks import DockerNetwork

from stacks import home_volumes, rundir
from stacks.address import engine_address
from stacks.docker_calls import (
    NOT_FOUND,
    REMOVAL_TIMEOUT,
    UNMAKING_TIMEOUT,
    container_of,
    homes_of,
    inspected_container,
    label_filter,
    leftover,
    memory_used,
    prefix_label,
    translated,
)
from stacks.docker_switch import DockerSwitch
from stacks.engine.model import Leftover
from stacks.errors import (
    HomeMissingError,
    MemoryInUseError,
    NameTakenError,
    OtherTreeError,
    StaleContainerError,
    UnknownWorkspaceError,
)
from stacks.fence import Fence
from stacks.home_lists import HomeLists
from stacks.images import Images
from stacks.power import Container, HomeVolume, Inventory
from stacks.programs.inputs import (
    LABEL_FORMERLY,
    LABEL_PREFIX,
    LABEL_SPEC_HASH,
    LABEL_TREE,
)
from stacks.tree import Tree


class DockerPower(DockerSwitch):
    """On/off and reading on one Docker engine."""

    def __init__(
        self,
        *,
        name_prefix: str,
        run: Path,
        docker_host: str | None = None,
        tree: Tree | None = None,
        cleared: Callable[[], Awaitable[None]] | None = None,
        fence: Fence | None = None,
    ) -> None:
        """Prepare; the engine is asked only when needed.

        Args:
            name_prefix: First part of our names, and the value of our prefix label.
            run: Parent of the run folders.
            docker_host: ``unix://`` or ``tcp://`` address; default: DOCKER_HOST, else the usual
                socket.
            tree: The data tree; what another one made is not touched. None: nobody else uses the
                name prefix (tests and benchmarks of the engine room).
            cleared: Awaited before any container is started; raises when none may be.
            fence: Says whether anything may be changed; asked right before. None: always.
        """
        super().__init__(engine_address(docker_host), run=run, fence=fence or Fence.always())
        self._prefix = name_prefix
        self._tree = tree
        self._cleared = cleared
        self._remover = asyncio.Lock()
        self._homes = HomeLists(self._list_volumes, name_prefix=name_prefix, kept=self._kept)
        self._images = Images()

    @property
    def tree_file(self) -> str:
        """The data tree's file of ids, for messages."""
        return str(self._tree.file) if self._tree else "the data tree's file `tree`"

    async def inventory(self) -> Inventory:
        """List all containers and homes of our prefix, in one call each."""
        filters = label_filter(prefix_label(self._prefix))
        with translated("list"):
            listed, volumes = await asyncio.gather(
                self._list_containers(filters), self._homes.all()
            )
        return await asyncio.to_thread(self._sorted, listed, volumes)

    def _sorted(self, listed: list[dict[str, Any]], volumes: Mapping[str, Any]) -> Inventory:
        """Tell ours from others'; reads Pulumi's state for what has no tree's label."""
        ours: list[Container] = []
        others: list[Container] = []
        for found in map(container_of, listed):
            (ours if self._owns(found) else others).append(found)
        homes = homes_of(volumes, name_prefix=self._prefix)
        return Inventory(
            containers={each.workspace: each for each in ours if self._is_main(each)},
            strays=tuple(each for each in ours if not self._is_main(each)),
            homes={id_: kept for id_, each in homes.items() if (kept := self._kept(each))},
            others=tuple(others),
        )

    async def container(self, workspace_id: str) -> Container | None:
        """Read one workspace's container; see `Power`."""
        name = f"{self._prefix}{workspace_id}"
        data = await self._inspect(name)
        if data is None:
            return None
        found = inspected_container(data, await self._images.read(self._docker, data["Image"]))
        if not self._is_main(found):
            raise NameTakenError(
                f"the container name {name} is taken by one that is not ours",
                step="container",
                remedy=f"Remove or rename it (docker rename {name} ...), or change "
                "CODEHUB_NAME_PREFIX.",
            )
        if not await asyncio.to_thread(self._owns, found):
            whose = found.labels.get(LABEL_TREE, "")
            raise OtherTreeError.of("container", name, whose, file=self.tree_file)
        return found

    async def homes(self, workspace_id: str) -> tuple[HomeVolume, ...]:
        """List the home volumes of one workspace; see `Power`."""
        return await self._homes.of(workspace_id)

    async def check_memory(self, workspace_id: str, limit: int) -> None:
        """Make sure that a container can go on under a memory limit; see `Power`."""
        data = await self._inspect(f"{self._prefix}{workspace_id}")
        if data is None or not data["State"]["Running"]:
            return
        if 0 < data["HostConfig"]["Memory"] <= limit:
            return
        used = memory_used(await self._sample(data["Id"]))
        if used > limit:
            # Asked to do it all the same, cgroup v1 refuses, and v2 kills.
            raise MemoryInUseError(
                f"{workspace_id} uses {used >> 20} MiB now, caches left out, and its file asks for "
                f"{limit >> 20} MiB",
                step="memory",
            )

    async def start(self, workspace_id: str, *, spec_hash: str, within: float) -> None:
        """Start the container and return when its IDE answers; see `Power`."""
        found = await self.container(workspace_id)
        if found is None or found.labels.get(LABEL_SPEC_HASH) != spec_hash:
            what = "is not there" if found is None else "was made from another spec"
            raise StaleContainerError(f"the container of {workspace_id} {what}", step="start")
        await asyncio.to_thread(rundir.prepare, self._run, workspace_id)
        if found.running:
            await self._check_home(found)
        await self._start_and_watch(found, within=within)

    async def stop(self, workspace_id: str, *, grace: float) -> None:
        """Stop the container, by force after `grace` seconds; see `Power`."""
        found = await self.container(workspace_id)
        if found is None or not found.running:
            return
        await self._stop(found.id, grace=grace)

    async def logs(self, workspace_id: str, *, tail: int) -> str:
        """Give the last lines that the container printed; see `Power`."""
        found = await self.container(workspace_id)
        if found is None:
            raise UnknownWorkspaceError(f"{workspace_id} has no container", step="logs")
        with translated("logs"):
            return await self._tail(found.id, tail)

    async def find(self, labels: Mapping[str, str]) -> tuple[Leftover, ...]:
        """Give containers, volumes and networks that carry all of these labels."""
        filters = label_filter(labels)
        with translated("find"):
            containers, volumes, networks = await asyncio.gather(
                self._list_containers(filters),
                self._list_volumes(filters),
                self._docker.networks.list(filters=filters),
            )
        found = (
            *(leftover("container", data) for data in containers),
            *(leftover("volume", data) for data in volumes.get("Volumes") or []),
            *(leftover("network", data) for data in networks),
        )
        return await asyncio.to_thread(lambda: tuple(map(self._marked, found)))

    async def named(self, kind: str, name: str) -> Leftover | None:
        """Give the object of that name, whoever made it, or None."""
        if kind == "container":
            data = await self._inspect(name)
        elif kind == "volume":
            data = await self._volume(name)
        else:
            with translated("network"):
                listed = await self._docker.networks.list(filters={"name": [name]})
            # The filter matches parts of names.
            data = next((entry for entry in listed if entry["Name"] == name), None)
        if data is None:
            return None
        return await asyncio.to_thread(self._marked, leftover(kind, data))

    async def remove_container(self, container_id: str) -> None:
        """Remove a container by force; gone already is fine. Volumes stay."""
        patience = aiohttp.ClientTimeout(total=UNMAKING_TIMEOUT)
        with translated("remove"):
            self._fence.check("remove")
            try:
                container = self._docker.containers.container(container_id)
                await container.delete(force=True, v=False, timeout=patience)
            except DockerError as error:
                if error.status != NOT_FOUND:
                    raise

    async def connect(self, container_id: str, network: str) -> None:
        """Put a container back on its network; see `Power`."""
        if self._cleared:
            await self._cleared()
        with translated("connect"):
            self._fence.check("connect")
            found: Any = DockerNetwork(self._docker, network)  # type: ignore[no-untyped-call]
            await found.connect({"Container": container_id})

    async def remove_home(self, volume: Leftover) -> None:
        """Remove a home volume for good, however long it takes; see `Power`."""
        patience = aiohttp.ClientTimeout(total=REMOVAL_TIMEOUT)
        async with self._remover, AsyncExitStack() as exits:
            patient = aiodocker.Docker(self._host, timeout=patience)
            patient = await exits.enter_async_context(patient)
            with home_volumes.untold():
                with translated("purge"):
                    await exits.enter_async_context(self._homes.removing())
                is_there = await home_volumes.is_there(self._docker, volume)
                self._fence.check("remove home")
            if not is_there:
                raise home_volumes.went(volume.name)
            await home_volumes.remove(patient, volume.name)

    async def _volume_seen(self, name: str) -> Mapping[str, Any] | None:
        return await self._homes.volume(name)

    def _owns(self, found: Container) -> bool:
        return self._tree is None or self._tree.owns_container(found)

    def _kept(self, homes: tuple[HomeVolume, ...]) -> tuple[HomeVolume, ...]:
        """Leave out the homes that another data tree made."""
        return tuple(each for each in homes if self._tree is None or self._tree.owns_home(each))

    def _marked(self, found: Leftover) -> Leftover:
        return replace(found, ours=self._tree is None or self._tree.owns(found))

    def _is_main(self, found: Container) -> bool:
        named = bool(found.workspace) and found.name == f"{self._prefix}{found.workspace}"
        return named and found.labels.get(LABEL_PREFIX) == self._prefix

    async def _may_start(self, found: Container) -> None:
        await self._check_home(found)
        if self._cleared:
            await self._cleared()

    async def _check_home(self, found: Container) -> None:
        # Docker would make an empty volume for a mount whose volume is gone: also for one that
        # another hand removed since a list from before the removal that is under way.
        former = found.labels.get(LABEL_FORMERLY, found.workspace)
        homes = {home.name for home in await self._homes.now(former)}
        if found.home not in homes:
            name = found.home or "of the container"
            told = f"the home volume {name} is not there"
            raise HomeMissingError.of(former, found.home, told)
