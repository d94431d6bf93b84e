"""Removes a home volume on a Docker engine: the one place where a volume can be removed at all."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiodocker
from aiodocker.exceptions import DockerError
from aiodocker.volumes import DockerVolume

from stacks.docker_calls import CONFLICT, NOT_FOUND, leftover, quoted, translated
from stacks.engine.model import Leftover
from stacks.errors import HomeKeptError, StacksError


@contextmanager
def untold() -> Iterator[None]:
    """Mark the errors of what is done before the engine is told: the volume is whole."""
    try:
        yield
    except StacksError as error:
        error.untouched = True
        raise


async def remove(docker: aiodocker.Docker, volume: Leftover) -> None:
    """Remove a volume, never by force; gone already is fine.

    Args:
        docker: A client.
        volume: As it was seen; with other labels it is another one.

    Raises:
        HomeKeptError: Another volume has its name by now, or a container mounts it.
        EngineUnavailableError: The engine does not answer.
    """
    found = DockerVolume(docker, volume.name)  # type: ignore[no-untyped-call]
    with untold(), translated("purge"):
        try:
            data = await found.show()  # type: ignore[no-untyped-call]
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return
        if leftover("volume", data).labels != volume.labels:
            raise HomeKeptError(f"{volume.name} is another volume now", step="purge")
    with translated("purge"):
        try:
            await found.delete()  # type: ignore[no-untyped-call]
        except DockerError as error:
            if error.status == CONFLICT:
                told = f"the engine keeps {volume.name}: {quoted(str(error.message))}"
                raise HomeKeptError(told, step="purge") from error
            if error.status != NOT_FOUND:
                raise
