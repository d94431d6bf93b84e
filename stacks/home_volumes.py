"""Removes a home volume on a Docker engine: the one place where a volume can be removed at all."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiodocker
from aiodocker.exceptions import DockerError
from aiodocker.volumes import DockerVolume

from stacks.docker_calls import CONFLICT, NOT_FOUND, leftover, quoted, translated
from stacks.engine.model import Leftover
from stacks.errors import HomeKeptError, HomeUnseenError, StacksError


@contextmanager
def untold() -> Iterator[None]:
    """Mark the errors of what is done before the engine is told: the volume is whole."""
    try:
        yield
    except StacksError as error:
        error.untouched = True
        raise


async def is_there(docker: aiodocker.Docker, volume: Leftover) -> bool:
    """Look whether a volume is there still, and the same.

    Args:
        docker: A client.
        volume: As it was seen; with other labels it is another one.

    Raises:
        HomeKeptError: Another volume has its name by now.
        EngineUnavailableError: The engine does not answer.
    """
    found = DockerVolume(docker, volume.name)  # type: ignore[no-untyped-call]
    with translated("purge"):
        try:
            data = await found.show()  # type: ignore[no-untyped-call]
        except DockerError as error:
            if error.status != NOT_FOUND:
                raise
            return False
    if leftover("volume", data).labels != volume.labels:
        raise HomeKeptError(f"{volume.name} is another volume now", step="purge")
    return True


def went(name: str) -> HomeUnseenError:
    """Give the error of a volume that is not there though it was a moment ago.

    Another hand removed it, or this is another store by now: the ledger must not say that we did. It
    goes on saying that we were about to, so that a look at the engine where it was seen proves it.
    """
    error = HomeUnseenError(f"{name} went meanwhile, and not by this removal", step="purge")
    error.untouched = False
    return error


async def remove(docker: aiodocker.Docker, name: str) -> None:
    """Remove a volume, never by force.

    Args:
        docker: A client, patient enough for all of its files.
        name: Which; `is_there` was asked right before.

    Raises:
        HomeKeptError: A container mounts it.
        HomeUnseenError: It is not there any more.
        EngineUnavailableError: The engine does not answer.
    """
    found = DockerVolume(docker, name)  # type: ignore[no-untyped-call]
    with translated("purge"):
        try:
            await found.delete()  # type: ignore[no-untyped-call]
        except DockerError as error:
            if error.status == CONFLICT:
                told = f"the engine keeps {name}: {quoted(str(error.message))}"
                raise HomeKeptError(told, step="purge") from error
            if error.status == NOT_FOUND:
                raise went(name) from error
            raise
