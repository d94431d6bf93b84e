"""A way to the engine that a test can cut: forwards a unix socket of ours to the engine's."""

import asyncio
import contextlib
import os
from pathlib import Path

ENGINE = (os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock").removeprefix("unix://")


class Cut:
    """Forwards connections until it is cut; can be joined again.

    Attributes:
        removes: Cleared to let the engine's removals wait.
        starts: Cleared to let its starts wait.
        lists: Cleared to let its lists of volumes wait, as an engine does that removes one.
        held: The lists that waited.
        asked: The first line of each request, as far as one piece brings it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.removes = asyncio.Event()
        self.removes.set()
        self.starts = asyncio.Event()
        self.starts.set()
        self.lists = asyncio.Event()
        self.lists.set()
        self.asked: list[str] = []
        self.held: list[str] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def host(self) -> str:
        return f"unix://{self.path}"

    async def join(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def cut(self) -> None:
        """Refuse new connections and break those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.path.unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(ENGINE)
        self._writers |= {writer, engine_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(reader, engine_writer))
                group.create_task(_copy(engine_reader, writer))
        finally:
            self._writers -= {writer, engine_writer}
            writer.close()
            engine_writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                self.asked.append(data.split(b"\r\n", 1)[0].decode(errors="replace"))
                if data.startswith(b"DELETE"):
                    await self.removes.wait()
                if "/start " in self.asked[-1]:
                    await self.starts.wait()
                if "/volumes?" in self.asked[-1] and not self.lists.is_set():
                    self.held.append(self.asked[-1])
                    await self.lists.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
