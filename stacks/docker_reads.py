"""What is read of one Docker engine, whoever made it: lists, inspects, samples and logs.

Whose it is says `stacks.power_docker`; the plain values that it becomes say `stacks.docker_calls`.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiodocker.exceptions import DockerError
from aiodocker.multiplexed import MultiplexedResult
from aiodocker.networks import DockerNetwork

from stacks.docker_calls import (
    CALL_TIMEOUT,
    LISTED,
    NOT_FOUND,
    container_of,
    holds,
    translated,
    volumes_in_home,
)
from stacks.engine_client import EngineClient, streamed
from stacks.errors import ImageMissingError, ImageUnfitError
from stacks.log_tail import LogTail
from stacks.power import Container


class DockerReads(EngineClient):
    """Reading on one Docker engine."""

    async def check_image(self, image: str) -> None:
        """Make sure that the engine has the image, and that it is fit; see `Power`."""
        with translated("image"):
            try:
                found = await self._docker.images.inspect(image)
            except DockerError as error:
                if error.status != NOT_FOUND:
                    raise
                raise ImageMissingError(
                    f"image {image} is not on this engine; build or pull it", step="image"
                ) from error
        if inside := volumes_in_home(found):
            raise ImageUnfitError(
                f"image {image} declares a VOLUME inside the home, at {', '.join(inside)}: what is "
                "written there would be lost with each container",
                step="image",
            )

    async def holders(self, volume: str) -> tuple[Container, ...]:
        """Give the containers that mount a volume, or bind its folder; see `Power`."""
        with translated("home"):
            listed, data = await asyncio.gather(
                self._list_containers({}), self._volume_seen(volume)
            )
        place = str(data.get("Mountpoint", "")) if data else ""
        return tuple(container_of(each) for each in listed if holds(each, volume, place))

    async def identity(self) -> str:
        """Name the engine itself; see `Power`."""
        with translated("engine"):
            told = await self._docker.system.info()
            store = await self._store()
        # Two engines of one machine may share the id, which lies in a folder of settings; and both
        # stay the same where the disk at that folder is not mounted.
        named = (told.get("ID"), told.get("DockerRootDir"), store)
        return " ".join(map(str, named)) if all(named) else ""

    async def _store(self) -> str:
        """Name what the engine keeps its things in: by a network that is made once, with the store."""
        found: Any = DockerNetwork(self._docker, "none")  # type: ignore[no-untyped-call]
        try:
            return str((await found.show())["Id"])
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return ""

    async def _list_containers(self, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        listed = await self._docker.containers.list(all=True, filters=json.dumps(filters))
        return [{key: entry[key] for key in LISTED} for entry in listed]

    async def _list_volumes(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        listed: dict[str, Any] = await self._docker.volumes.list(filters=filters)  # type: ignore[no-untyped-call]
        return listed

    async def _inspect(self, name: str) -> dict[str, Any] | None:
        with translated("container"):
            try:
                return await self._docker.containers.container(name).show()
            except DockerError as error:
                if error.status != NOT_FOUND:
                    raise
                return None

    async def _sample(self, container_id: str) -> dict[str, Any]:
        """Read what a container uses; the engine takes a second or two for it."""
        deadline = aiohttp.ClientTimeout(total=CALL_TIMEOUT)
        with translated("memory"):
            container = self._docker.containers.container(container_id)
            samples = await container.stats(stream=False, timeout=deadline)
        return samples[-1] if samples else {}

    async def _volume(self, name: str) -> dict[str, Any] | None:
        with translated("home"):
            answer = await self._list_volumes({"name": [name]})
        return next((data for data in answer.get("Volumes") or [] if data["Name"] == name), None)

    async def _volume_seen(self, name: str) -> Mapping[str, Any] | None:
        """Give a volume as it is, or was right before a removal that keeps the engine from telling."""
        return await self._volume(name)

    async def _tail(self, container_id: str, lines: int) -> str:
        found = await self._docker.containers.container(container_id).show()
        path = f"containers/{container_id}/logs"
        params = {"stdout": 1, "stderr": 1, "tail": lines}
        newest = LogTail()
        within = aiohttp.ClientTimeout(total=CALL_TIMEOUT)
        async with streamed(self._docker, path, params, within=within) as answer:
            pieces: Any = MultiplexedResult(answer, raw=found["Config"]["Tty"])  # type: ignore[no-untyped-call]
            async for piece in pieces:
                newest.add(piece)
        return newest.text()
