"""An engine room on the real engine and the real Pulumi, with a prefix and folders of its own."""

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from stacks.engine import (
    Engine,
    EngineConfig,
    Kind,
    Operation,
    Outcome,
)
from stacks.engine.checkpoint import StateFiles
from stacks.engine.engine import OnEvent
from stacks.power_docker import DockerPower
from stacks.programs.inputs import LABEL_PREFIX, HomeInputs, WorkspaceInputs

CACHE = Path(os.environ.get("CODEHUB_CACHE") or Path.home() / ".cache" / "codehub")
MEMORY = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a test needs of the engine room."""

    engine: Engine
    power: DockerPower
    docker: aiodocker.Docker
    config: EngineConfig
    prefix: str
    image: str
    run: Path

    @property
    def network(self) -> str:
        return f"{self.prefix}net"

    def inputs(self, id_: str = "", **changes: Any) -> WorkspaceInputs:
        """Give a workspace; its id is also its stack."""
        name = id_ or f"w{uuid.uuid4().hex[:10]}"
        folder = self.run / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # the container is uid 1000
        inputs = WorkspaceInputs(
            id=name,
            owner="alice",
            name_prefix=self.prefix,
            image=self.image,
            cpu=0.5,
            memory=MEMORY,
            pids=64,
            env={"TZ": "Asia/Seoul"},
            spec_hash="one",
            home=HomeInputs(number=1, owner="alice"),
            run_folder=str(folder),
            network=self.network,
        )
        return replace(inputs, **changes)

    async def seen(self, inputs: WorkspaceInputs) -> WorkspaceInputs:
        """Give the inputs with what is now known of the home, as the runner does."""
        exists = any(home.name == inputs.volume for home in await self.power.homes(inputs.id))
        return replace(inputs, home=replace(inputs.home, exists=exists))

    async def run_kind(
        self, kind: Kind, inputs: WorkspaceInputs, on_event: OnEvent | None = None, **more: Any
    ) -> Outcome:
        data = (await self.seen(inputs)).to_json()
        operation = Operation(kind=kind, stack=inputs.id, inputs=data, **more)
        return await self.engine.run(operation, on_event=on_event)

    async def up(
        self, inputs: WorkspaceInputs, on_event: OnEvent | None = None, **more: Any
    ) -> Outcome:
        return await self.run_kind(Kind.UP, inputs, on_event, **more)

    async def inspect(self, inputs: WorkspaceInputs) -> dict[str, Any]:
        found = await self.docker.containers.container(inputs.container).show()
        return dict(found)

    async def volume(self, inputs: WorkspaceInputs) -> dict[str, Any]:
        return dict(await aiodocker.volumes.DockerVolume(self.docker, inputs.volume).show())  # type: ignore[no-untyped-call]

    def files(self, inputs: WorkspaceInputs) -> StateFiles:
        return StateFiles(self.config.state, inputs.id)


@pytest.fixture
async def room(
    docker: aiodocker.Docker, prefix: str, light_image: str, tmp_path: Path
) -> AsyncIterator[Room]:
    """An engine room; what it made is removed at the end."""
    config = EngineConfig(
        pulumi=CACHE / "bin" / "pulumi",
        pulumi_home=CACHE / "pulumi-home",
        state=tmp_path / "state",
        work=tmp_path / "work",
        timeout=60,
        grace=5,
    )
    run = tmp_path / "run"
    await docker.networks.create({"Name": f"{prefix}net", "Labels": {LABEL_PREFIX: prefix}})
    power = DockerPower(name_prefix=prefix, run=run)
    engine = Engine(config, leftovers=power)
    async with power, engine:
        yield Room(
            engine=engine,
            power=power,
            docker=docker,
            config=config,
            prefix=prefix,
            image=light_image,
            run=run,
        )
