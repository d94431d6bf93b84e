"""The probe's containers: made as workspaces are, alive for seconds, spoken to over their run folder's socket."""

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError

from stacks import rundir
from stacks.docker_calls import NOT_FOUND, UNMAKING_TIMEOUT, translated
from stacks.errors import EngineUnavailableError, IsolationUnenforcedError, StacksError
from stacks.programs.inputs import RUN_PATH, USER

IMAGE = "codehub/probe:latest"
VERSION = 1
LABEL = "codehub.probe"
READY = 20.0
"""Seconds until a probe must be ready; it takes half a second on an idle machine."""

LIFE = 120.0
"""Seconds after which no probe is there any more: it ends itself after half of it."""

GRACE = 3.0
"""Seconds that the engine has to end each thing that was begun; who is told to end waits for two: a start, a removal."""

AGAIN = 0.01
MEMORY = 64 << 20
PIDS = 64
STEP = "isolation"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where a probe is put: what a workspace has.

    Attributes:
        network: The network of workspaces.
        run: Parent of the run folders.
        image: The probe's image.
        binds: Mounts besides the own run folder; workspaces have none, tests do.
    """

    network: str
    run: Path
    image: str = IMAGE
    binds: tuple[str, ...] = ()


class Inmate:
    """A running probe."""

    def __init__(self, cell: Cell, name: str, token: str) -> None:
        self._cell = cell
        self.name = name
        self.token = token

    @property
    def folder(self) -> str:
        """Name of its run folder; no workspace has such an id."""
        return f".{self.name}"

    async def ready(self) -> Mapping[str, Any]:
        """Wait until it serves; give its addresses and port.

        Raises:
            IsolationUnenforcedError: It does not come up, or is one that we do not understand.
        """
        deadline = asyncio.get_running_loop().time() + READY
        while not self._socket_is_there():
            if asyncio.get_running_loop().time() > deadline:
                raise IsolationUnenforcedError("the probe did not come up", step=STEP)
            await asyncio.sleep(AGAIN)
        state = await self.ask("GET", "/state")
        if state.get("version") != VERSION:
            raise IsolationUnenforcedError(
                f"the image {self._cell.image} is another version's",
                step=STEP,
                remedy="Run scripts/setup.",
            )
        return state

    async def ask(self, method: str, path: str, data: Any = None) -> dict[str, Any]:
        """Ask it over its socket: the one way that is allowed.

        Raises:
            IsolationUnenforcedError: It does not answer as it should.
        """
        try:
            return await self._asked(method, path, data)
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            told = f"the probe did not answer: {str(error) or type(error).__name__}"
            raise IsolationUnenforcedError(told, step=STEP) from error

    def _socket_is_there(self) -> bool:
        try:
            os.close(rundir.open_socket(self._cell.run, self.folder))
        except OSError:
            return False
        return True

    async def _asked(self, method: str, path: str, data: Any) -> dict[str, Any]:
        socket = rundir.open_socket(self._cell.run, self.folder)
        try:
            connector = aiohttp.UnixConnector(f"/proc/self/fd/{socket}")
            deadline = aiohttp.ClientTimeout(total=READY)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=deadline) as session,
                session.request(method, f"http://probe{path}", json=data) as answer,
            ):
                answer.raise_for_status()
                given: dict[str, Any] = await answer.json()
                return given
        finally:
            os.close(socket)


@asynccontextmanager
async def inmate(docker: aiodocker.Docker, cell: Cell, kind: str) -> AsyncIterator[Inmate]:
    """Run a probe while the block runs.

    Raises:
        IsolationUnenforcedError: Its image is not there.
        StacksError: The engine refused, or does not answer.
    """
    token = secrets.token_hex(8)
    probe = Inmate(cell, f"{cell.network}-probe-{kind}-{token}", token)
    await asyncio.to_thread(_sweep, cell)
    try:
        await asyncio.to_thread(rundir.prepare, cell.run, probe.folder)
        async with _running(docker, cell, probe):
            yield probe
    finally:
        await asyncio.to_thread(shutil.rmtree, cell.run / probe.folder, ignore_errors=True)


@asynccontextmanager
async def _running(docker: aiodocker.Docker, cell: Cell, probe: Inmate) -> AsyncIterator[None]:
    within = UNMAKING_TIMEOUT
    try:
        await _to_its_end(_started(docker, cell, probe))
        yield
    except (asyncio.CancelledError, EngineUnavailableError):
        within = GRACE  # an engine that hangs there, hangs here too
        raise
    finally:
        await _to_its_end(_removed(docker, probe, within=within))


async def _removed(docker: aiodocker.Docker, probe: Inmate, *, within: float) -> None:
    """Remove it by force, for it holds nothing; should that fail, it ends by itself or `gc` finds it."""
    with suppress(StacksError), translated(STEP):
        container = docker.containers.container(probe.name)
        await container.delete(force=True, v=True, timeout=aiohttp.ClientTimeout(total=within))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await it; where we are cancelled, what the engine has begun is awaited all the same.

    Of what is cut off it makes a container that nobody knows of, or never answers who removes it.
    """
    begun = asyncio.ensure_future(work)
    try:
        await asyncio.shield(begun)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({begun}, timeout=GRACE)
        finally:
            begun.add_done_callback(_seen)
            begun.cancel()  # also where we are cancelled once more
        await asyncio.wait({begun})
        raise


def _seen(task: asyncio.Future[None]) -> None:
    """Take note of how it went, as nobody asks any more: else asyncio complains."""
    if not task.cancelled():
        task.exception()


async def _started(docker: aiodocker.Docker, cell: Cell, probe: Inmate) -> None:
    with translated(STEP):
        container = await _created(docker, cell, probe)
        await container.start()


def _sweep(cell: Cell) -> None:
    """Remove the folders of probes whose runner was killed; the containers went by themselves."""
    for folder in cell.run.glob(f".{cell.network}-probe-*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > LIFE:
                shutil.rmtree(folder)


async def _created(docker: aiodocker.Docker, cell: Cell, probe: Inmate) -> Any:
    try:
        return await docker.containers.create(_config(cell, probe), name=probe.name)
    except DockerError as error:
        if error.status != NOT_FOUND:
            raise
        raise IsolationUnenforcedError(
            f"isolation cannot be probed: image {cell.image} is not on this engine",
            step=STEP,
            remedy="Run scripts/setup, which builds it.",
        ) from error


def _config(cell: Cell, probe: Inmate) -> dict[str, Any]:
    """Give what the engine makes it of: in what counts here, a workspace."""
    return {
        "Image": cell.image,
        "User": USER,
        "Env": [f"PROBE_TOKEN={probe.token}"],
        "Labels": {LABEL: cell.network},
        "HostConfig": {
            "NetworkMode": cell.network,
            "Binds": [f"{cell.run / probe.folder}:{RUN_PATH}", *cell.binds],
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "Memory": MEMORY,
            "PidsLimit": PIDS,
            # It ends by itself, should we be killed; then it goes by itself too.
            "AutoRemove": True,
        },
    }
