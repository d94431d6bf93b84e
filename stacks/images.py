"""What images give their containers, kept by id: an image never changes under its id."""

from collections.abc import Mapping
from typing import Any

import aiodocker
from aiodocker.exceptions import DockerError

from stacks.docker_calls import NOT_FOUND, translated

MOST = 256
"""Images that are kept; a fleet has a handful."""


class Images:
    """The images of one engine."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, Any]] = {}

    async def read(self, docker: aiodocker.Docker, image_id: str) -> Mapping[str, Any] | None:
        """Give the part of an image's description that its containers have; None when it is gone.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        if image_id not in self._known:
            with translated("image"):
                try:
                    found = await docker.images.inspect(image_id)
                except DockerError as error:
                    if error.status != NOT_FOUND:
                        raise
                    return None
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[image_id] = {"Config": found.get("Config") or {}}
        return self._known[image_id]
