"""A workspace's container with a shell in it, made by hand on the real engine."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiodocker

from stacks.address import engine_address
from stacks.power_docker import DockerPower
from stacks.programs.inputs import LABEL_OWNER, LABEL_PREFIX, LABEL_WORKSPACE
from stacks.streams.docker import DockerStreams
from stacks.streams.frames import Channel
from stacks.streams.model import ExecOptions, LogOptions, Process, Streams
from tests.waiting import until

SHELL_IMAGE = os.environ.get("CODEHUB_TEST_SHELL_IMAGE", "codehub/code-server:latest")
"""Built by images/; the light one has no shell."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """Containers under a prefix, and the streams that are tested.

    Attributes:
        docker: A client apart from the one that is tested.
        prefix: What their names begin with.
        power: Finds them.
        streams: Tested.
    """

    docker: aiodocker.Docker
    prefix: str
    power: DockerPower
    streams: DockerStreams

    async def make(self, id_: str, script: str = "sleep 600", **more: Any) -> str:
        """Make and start a workspace's container that runs a script; gives its id."""
        labels = {LABEL_WORKSPACE: id_, LABEL_PREFIX: self.prefix, LABEL_OWNER: "alice"}
        config = {
            "Image": SHELL_IMAGE,
            "Entrypoint": ["tini", "--", "bash", "-c"],
            "Cmd": [script],
            "Labels": labels,
            "User": "1000:1000",
            "HostConfig": {"NetworkMode": "none", "CapDrop": ["ALL"]},
            **more,
        }
        made = await self.docker.containers.create(config, name=f"{self.prefix}{id_}")
        await made.start()
        return made.id

    async def state(self, id_: str) -> dict[str, Any]:
        found = await self.docker.containers.container(f"{self.prefix}{id_}").show()
        return dict(found["State"])

    async def until_ended(self, id_: str) -> None:
        async def ended() -> bool:
            return not (await self.state(id_))["Running"]

        await until(ended, f"the end of {id_}")

    async def running(self, id_: str) -> list[str]:
        """Give the command lines of all processes in it."""
        listed = await self.docker._query_json(f"containers/{self.prefix}{id_}/top")
        at = listed["Titles"].index("CMD")
        return [row[at] for row in listed["Processes"]]


@asynccontextmanager
async def boxes(
    docker: aiodocker.Docker, prefix: str, run: Path, *, idle: float = 60.0, most: int = 8
) -> AsyncIterator[Box]:
    async with DockerPower(name_prefix=prefix, run=run) as power:
        host = engine_address(None)
        async with DockerStreams(power, host=host, idle=idle, most=most) as streams:
            yield Box(docker=docker, prefix=prefix, power=power, streams=streams)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command said, and how it ended."""

    code: int
    out: bytes = b""
    err: bytes = b""


async def done(process: Process) -> Done:
    """Read all that a command says."""
    said: dict[Channel, list[bytes]] = {Channel.STDOUT: [], Channel.STDERR: []}
    while (piece := await process.read()) is not None:
        said[piece[0]].append(piece[1])
    out, err = (b"".join(pieces) for pieces in said.values())
    return Done(code=await process.exit_code(), out=out, err=err)


async def run(streams: Streams, id_: str, *command: str, **options: Any) -> Done:
    """Run a command without input to its end."""
    async with streams.exec(id_, ExecOptions(command=command, **options)) as process:
        return await done(process)


def shell(script: str) -> Sequence[str]:
    return ("sh", "-c", script)


async def whole_log(streams: Streams, id_: str, **options: Any) -> bytes:
    async with streams.logs(id_, LogOptions(**options)) as pieces:
        return b"".join([piece async for piece in pieces])


async def read_until(process: Process, text: bytes) -> bytes:
    """Read output until it holds a text; gives all that was read."""
    said = b""
    while text not in said:
        piece = await process.read()
        assert piece is not None, said
        said += piece[1]
    return said
