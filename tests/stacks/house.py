"""A runner's whole surroundings for tests: folder, data tree, names of its own, real engine."""

import asyncio
import io
import os
import signal
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiodocker

from settings.load import load
from settings.model import RunnerSettings
from stacks.runner import Runner
from stacks.steps import Result
from state_index.index import Index
from state_index.models import Published
from tests.waiting import until

DAEMON = """
import asyncio
from settings.load import load
from settings.model import RunnerSettings
from stacks import daemon
from telemetry.logs import configure

configure("debug")
asyncio.run(daemon.run(load(RunnerSettings)))
"""

HOME = "/home/coder"
MEMORY = "64Mi"


@dataclass(frozen=True, kw_only=True)
class House:
    """One data tree and folder, with a name prefix of its own."""

    root: Path
    prefix: str
    docker: aiodocker.Docker
    image: str
    extra: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.root / "workspaces.d"

    @property
    def env(self) -> dict[str, str]:
        return {
            "CODEHUB_DATA": str(self.root / "data"),
            "CODEHUB_WORKSPACES": str(self.folder),
            "CODEHUB_NAME_PREFIX": self.prefix,
            "CODEHUB_NETWORK": f"{self.prefix}net",
            "CODEHUB_POLL_INTERVAL": "1s",
            "CODEHUB_START_TIMEOUT": "30s",
            # Each house has a network of its own, and a probe takes seconds: tests of it say so.
            "CODEHUB_ALLOW_UNENFORCED": "all",
            **self.extra,
        }

    @property
    def settings(self) -> RunnerSettings:
        kept = {key: os.environ[key] for key in ("CODEHUB_CACHE",) if key in os.environ}
        return load(RunnerSettings, {**kept, **self.env}, cwd=self.root)

    def write(self, workspace: str, **keys: str) -> None:
        """Write a workspace file and rename it into place."""
        told = {
            "owner": "alice",
            "image": self.image,
            "resources": f"{{cpu: 1, memory: {MEMORY}, pids: 128}}",
            **keys,
        }
        self.write_raw(workspace, "".join(f"{key}: {value}\n" for key, value in told.items()))

    def write_raw(self, workspace: str, text: str) -> None:
        self.folder.mkdir(exist_ok=True)
        draft = self.folder / f".{workspace}"
        draft.write_text(text)
        draft.rename(self.folder / f"{workspace}.yaml")

    def remove(self, workspace: str) -> None:
        (self.folder / f"{workspace}.yaml").unlink()

    @asynccontextmanager
    async def runner(self, **more: Any) -> AsyncIterator[Runner]:
        async with Runner(self.settings, **more) as runner:
            yield runner

    async def up(self, *ids: str, **more: Any) -> list[Result]:
        """Run one `up` and give its results."""
        async with self.runner() as runner:
            return await runner.up(ids or None, **more)

    def row(self, workspace: str) -> Published | None:
        with Index.open(self.settings.index_url) as index:
            return index.workspace(workspace)

    async def until(
        self, workspace: str, condition: Callable[[Published], bool], *, within: float = 60.0
    ) -> Published:
        """Wait until a row meets a condition; tell the row when it does not."""
        with Index.open(self.settings.index_url) as index:
            found: Published | None = None

            async def met() -> bool:
                nonlocal found
                found = await asyncio.to_thread(index.workspace, workspace)
                return found is not None and condition(found)

            try:
                await until(met, within=within)
            except TimeoutError:
                raise AssertionError(f"not in {within:g} s: {found}") from None
            assert found is not None
            return found

    async def until_phase(self, workspace: str, phase: str, *, within: float = 60.0) -> Published:
        return await self.until(workspace, lambda row: row.phase == phase, within=within)

    async def announced(self) -> bool:
        """Whether a daemon said that it runs."""
        with Index.open(self.settings.index_url) as index:
            return await asyncio.to_thread(index.runner) is not None

    async def inspect(self, workspace: str) -> dict[str, Any]:
        """Give what the engine says about a workspace's container."""
        return await self.docker.containers.container(f"{self.prefix}{workspace}").show()

    async def started(self, workspace: str) -> tuple[str, str]:
        """Give the container's id and start time: the same when nothing happened to it."""
        found = await self.inspect(workspace)
        return found["Id"], found["State"]["StartedAt"]

    async def leave_marker(self, workspace: str, text: str) -> None:
        """Write a file into the home."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            info = tarfile.TarInfo("marker")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
        container = self.docker.containers.container(f"{self.prefix}{workspace}")
        await container.put_archive(HOME, packed.getvalue())  # type: ignore[no-untyped-call]

    async def marker(self, workspace: str) -> str:
        """Read the file that `leave_marker` wrote; KeyError when it is not there."""
        container = self.docker.containers.container(f"{self.prefix}{workspace}")
        try:
            archive = await container.get_archive(f"{HOME}/marker")
        except aiodocker.exceptions.DockerError as error:
            raise KeyError(workspace) from error
        found = archive.extractfile("marker")
        assert found is not None
        return found.read().decode()

    async def volumes(self) -> set[str]:
        listed = await self.docker.volumes.list()  # type: ignore[no-untyped-call]
        names = {data["Name"] for data in listed.get("Volumes") or []}
        return {name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix)}

    async def containers(self) -> set[str]:
        listed = await self.docker.containers.list(all=True)
        names = {found["Names"][0].removeprefix("/") for found in listed}
        return {name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix)}

    async def remove_container(self, workspace: str) -> None:
        await self.docker.containers.container(f"{self.prefix}{workspace}").delete(force=True)

    async def remove_volume(self, name: str) -> None:
        volume: Any = aiodocker.volumes.DockerVolume
        await volume(self.docker, f"{self.prefix}{name}").delete()

    @asynccontextmanager
    async def daemon(
        self, *, script: str = DAEMON, name: str = "daemon"
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the daemon as a process of its own; it is ended with SIGTERM unless it ended.

        Args:
            script: What it runs.
            name: Tells its log from those of others.
        """
        log = (self.root / f"{name}.log").open("ab")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            env={**os.environ, **self.env},
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            log.close()
            if process.returncode is None:
                process.terminate()
                process.send_signal(signal.SIGCONT)  # a test that failed may have stopped it
                async with asyncio.timeout(20):
                    await process.wait()

    def log(self, name: str = "daemon") -> str:
        return (self.root / f"{name}.log").read_text()
