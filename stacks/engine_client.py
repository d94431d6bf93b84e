"""A client of the Docker engine that is open while its owner is entered: the one way to have one for a life.

What asks once opens its own; streams have theirs, with connections that no pool bounds.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiodocker
import aiohttp


@asynccontextmanager
async def streamed(
    docker: aiodocker.Docker,
    path: str,
    params: Mapping[str, Any],
    *,
    within: aiohttp.ClientTimeout,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask for what is read as it comes, as the engine says it, and close it with the block.

    aiodocker's own ways keep all of an answer, or hide that it ended; and what is not read to its end
    they leave open until it is collected.

    Args:
        docker: The engine.
        path: What is asked for.
        params: How.
        within: How long it may take.
    """
    asked = docker._query(path, params=dict(params), timeout=within)  # noqa: SLF001
    async with asked as answer:
        try:
            yield answer
        finally:
            answer.close()


class EngineClient:
    """Base of what asks one engine all its life; use it as ``async with``."""

    def __init__(self, host: str, *, timeout: aiohttp.ClientTimeout | None = None) -> None:
        """Prepare; nothing is opened yet.

        Args:
            host: The engine's address.
            timeout: Of each call that has none of its own; None: aiodocker's.
        """
        self._host = host
        self._timeout = timeout
        self._client: aiodocker.Docker | None = None

    async def __aenter__(self) -> Self:
        self._client = aiodocker.Docker(self._host, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def _docker(self) -> aiodocker.Docker:
        assert self._client is not None, f"use it as `async with {type(self).__name__}(...)`"
        return self._client
