"""A network as workspaces have it, with its rules, on the real engine."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from settings.types import Gap
from stacks.address import engine_address
from stacks.isolation import nft
from stacks.isolation.bridge import Bridge, find
from stacks.isolation.containers import Cell
from stacks.isolation.probe import observe
from stacks.isolation.rules import Site, render
from stacks.isolation.verdict import State, Verdict, judge
from stacks.programs.inputs import NETWORK_OPTIONS

IPV6 = {"EnableIPv6": True, "IPAM": {"Config": [{"Subnet": "fd00:c0de:4::/64"}]}}


async def make_network(docker: aiodocker.Docker, name: str, **changes: Any) -> Bridge:
    await docker.networks.create(
        {"Name": name, "Driver": "bridge", "Options": NETWORK_OPTIONS, **changes}
    )
    found = find(await docker.networks.list(), name)
    assert found is not None
    return found


async def load(text: str) -> None:
    _, problem = await nft._nft("-f", "-", given=text)
    assert problem == ""


@pytest.fixture
def run() -> Iterator[Path]:
    """A short path: socket paths end at 108 bytes, and the probe makes its socket by its own."""
    folder = Path(tempfile.mkdtemp(prefix="codehub-test-"))
    (folder / "run").mkdir(mode=0o750)
    yield folder / "run"
    shutil.rmtree(folder)


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A network with its rules loaded."""

    docker: aiodocker.Docker
    bridge: Bridge
    run: Path

    @property
    def site(self) -> Site:
        return Site(network=self.bridge.name, interface=self.bridge.interface)

    async def load_without(self, *parts: str) -> None:
        """Load the rules but for the lines that hold one of these."""
        lines = render(self.site).splitlines(keepends=True)
        kept = [line for line in lines if not any(part in line for part in parts)]
        assert len(lines) - len(kept) >= len(parts)
        await load("".join(kept))

    async def judge(self, *binds: str) -> Verdict:
        cell = Cell(network=self.bridge.name, run=self.run, binds=binds)
        engine = engine_address(None)
        return judge(await observe(self.docker, bridge=self.bridge, cell=cell, engine=engine))

    async def gaps(self, *binds: str) -> dict[Gap, State]:
        """Give what is not enforced."""
        return {each.gap: each.state for each in (await self.judge(*binds)).unenforced()}


@asynccontextmanager
async def closed(
    docker: aiodocker.Docker, name: str, run: Path, **changes: Any
) -> AsyncIterator[Yard]:
    made = Yard(docker=docker, bridge=await make_network(docker, name, **changes), run=run)
    await load(render(made.site))
    try:
        yield made
    finally:
        await nft.remove(made.bridge.name)


@pytest.fixture
async def yard(docker: aiodocker.Docker, prefix: str, run: Path) -> AsyncIterator[Yard]:
    """A network with its rules, as the runner makes it: IPv4 only."""
    async with closed(docker, f"{prefix}net", run) as made:
        yield made


@pytest.fixture
async def yard6(docker: aiodocker.Docker, prefix: str, run: Path) -> AsyncIterator[Yard]:
    """The same with IPv6; a trial takes two seconds more."""
    async with closed(docker, f"{prefix}net", run, **IPV6) as made:
        yield made


async def sh(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    assert process.returncode == 0, (command, told)
