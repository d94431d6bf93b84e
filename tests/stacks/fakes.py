"""An engine and a power at our own seams, kept in memory: for what real ones do too slowly."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stacks import home_volumes
from stacks.engine import EngineEvent, Kind, Leftover, Operation, Outcome
from stacks.errors import ImageMissingError, NameTakenError, StacksError, UnknownWorkspaceError
from stacks.operations import OnEvent
from stacks.power import Container, HomeVolume, Inventory
from stacks.programs.inputs import (
    LABEL_HOME,
    LABEL_OWNER,
    LABEL_PREFIX,
    LABEL_SPEC_HASH,
    LABEL_TREE,
    LABEL_WORKSPACE,
)


@dataclass
class FakePower:
    """Containers and homes that are only noted down.

    Attributes:
        others: Containers of another data tree.
        things: What else is on the engine, by kind and name.
        failures: Raised by the named call, once each.
        calls: What was called, in order.
        engine: Which engine it is.
    """

    containers: dict[str, Container] = field(default_factory=dict)
    volumes: dict[str, tuple[HomeVolume, ...]] = field(default_factory=dict)
    networks: set[str] = field(default_factory=set)
    others: tuple[Container, ...] = ()
    things: tuple[Leftover, ...] = ()
    failures: dict[str, list[BaseException]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    engine: str = "E1 /var/lib/docker"

    @property
    def tree_file(self) -> str:
        return "/data/tree"

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def switch(self, workspace_id: str, state: str) -> None:
        found = self.containers[workspace_id]
        self.containers[workspace_id] = replace(found, state=state)

    async def inventory(self) -> Inventory:
        self._called("inventory")
        return Inventory(
            containers=dict(self.containers), homes=dict(self.volumes), others=self.others
        )

    async def container(self, workspace_id: str) -> Container | None:
        self._called("container")
        return self.containers.get(workspace_id)

    async def homes(self, workspace_id: str) -> tuple[HomeVolume, ...]:
        self._called("homes")
        return self.volumes.get(workspace_id, ())

    async def check_image(self, image: str) -> None:
        self._called("check_image")
        if image == "missing":
            raise ImageMissingError("it is missing", step="image")

    async def check_memory(self, workspace_id: str, limit: int) -> None:
        self._called("check_memory")
        assert self.containers[workspace_id].running
        assert limit > 0

    async def start(self, workspace_id: str, *, spec_hash: str, within: float) -> None:
        self._called("start")
        assert self.containers[workspace_id].labels[LABEL_SPEC_HASH] == spec_hash
        assert within > 0
        self.switch(workspace_id, "running")

    async def stop(self, workspace_id: str, *, grace: float) -> None:
        self._called("stop")
        assert grace > 0
        if workspace_id in self.containers:
            self.switch(workspace_id, "exited")

    async def logs(self, workspace_id: str, *, tail: int) -> str:
        raise UnknownWorkspaceError(f"{workspace_id}, {tail}")

    async def find(self, labels: Mapping[str, str]) -> tuple[Leftover, ...]:
        self._called("find")
        homes = tuple(as_leftover(home) for each in self.volumes.values() for home in each)
        found = (*self.things, *homes)
        return tuple(thing for thing in found if labels.items() <= thing.labels.items())

    async def named(self, kind: str, name: str) -> Leftover | None:
        if kind == "network":
            self._called("network")
            return Leftover(kind=kind, id=name, name=name) if name in self.networks else None
        self._called("named")
        if kind == "volume":
            homes = (home for each in self.volumes.values() for home in each)
            found = next((home for home in homes if home.name == name), None)
            if found:
                return as_leftover(found)
        return next((it for it in self.things if (it.kind, it.name) == (kind, name)), None)

    async def holders(self, volume: str) -> tuple[Container, ...]:
        self._called("holders")
        return tuple(found for found in self.containers.values() if found.home == volume)

    async def identity(self) -> str:
        self._called("identity")
        return self.engine

    async def remove_container(self, container_id: str) -> None:
        self._called("remove_container")
        self.containers = {
            id_: found for id_, found in self.containers.items() if found.id != container_id
        }

    async def connect(self, container_id: str, network: str) -> None:
        self._called("connect")
        assert container_id in {found.id for found in self.containers.values()}
        assert network in self.networks

    async def limit(self, container_id: str, *, pids: int, restart: str) -> None:
        self._called("limit")
        assert container_id in {found.id for found in self.containers.values()}
        assert (pids, restart) == (4096, "unless-stopped")

    async def remove_home(self, volume: Leftover) -> None:
        self._called("remove_home")
        if not any(volume.name == home.name for each in self.volumes.values() for home in each):
            raise home_volumes.went(volume.name)
        kept = {
            id_: tuple(home for home in homes if home.name != volume.name)
            for id_, homes in self.volumes.items()
        }
        self.volumes = {id_: homes for id_, homes in kept.items() if homes}


@dataclass
class FakeEngine:
    """Operations that take as long as they are told, and do to a `FakePower` what they should.

    Attributes:
        going: Cleared to hold operations where they are.
        outcomes: Errors for the coming operations, by stack.
        later: Events that each operation tells once it goes on.
        forgotten: Stacks that were dropped, in order.
        running: Operations now; `most` at once so far.
    """

    power: FakePower
    going: asyncio.Event = field(default_factory=asyncio.Event)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    done: list[tuple[Kind, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    later: list[EngineEvent] = field(default_factory=list)
    most: int = 0

    def __post_init__(self) -> None:
        self.going.set()

    async def run(self, operation: Operation, *, on_event: OnEvent | None = None) -> Outcome:
        assert operation.stack not in self.running, "two operations on one stack at once"
        self.running.append(operation.stack)
        self.most = max(self.most, len(self.running))
        try:
            if on_event:
                on_event(EngineEvent(kind="begin", op="create", resource="container"))
                on_event(EngineEvent(kind="message", message="something"))
            await self.going.wait()
            for event in self.later:
                assert on_event
                on_event(event)
            self.done.append((operation.kind, operation.stack))
            if self.errors.get(operation.stack):
                error = self.errors[operation.stack].pop(0)
                if isinstance(error, StacksError):
                    return Outcome(error=error)
                raise error
            self._do(operation)
            return Outcome()
        finally:
            self.running.remove(operation.stack)

    async def forget(self, stack: str) -> None:
        assert stack not in self.running, "an operation is on it"
        self.forgotten.append(stack)

    def _do(self, operation: Operation) -> None:
        id_, inputs = operation.stack, operation.inputs
        if operation.kind is Kind.DESTROY:
            self.power.containers.pop(id_, None)
        elif "home" not in inputs:
            self.power.networks.add(inputs["network"])
        elif operation.kind is Kind.UP:
            name = f"{inputs['name_prefix']}{id_}"
            made_as = inputs["home"]["workspace"] or id_
            home = HomeVolume(
                workspace=made_as,
                number=1,
                name=f"{inputs['name_prefix']}{made_as}-home-1",
                owner="alice",
            )
            self.power.volumes.setdefault(made_as, (home,))
            before = self.power.containers.get(id_)
            same = before and before.labels[LABEL_SPEC_HASH] == inputs["spec_hash"]
            if not same:
                self.power.containers[id_] = Container(
                    id=f"{id_}-{len(self.done)}",
                    name=name,
                    workspace=id_,
                    state="created",
                    image=inputs["image"],
                    labels={LABEL_SPEC_HASH: inputs["spec_hash"]},
                )


def as_leftover(home: HomeVolume) -> Leftover:
    """A home as the engine lists it with its labels."""
    labels = {
        LABEL_WORKSPACE: home.workspace,
        LABEL_HOME: str(home.number),
        LABEL_PREFIX: home.name.removesuffix(f"{home.workspace}-home-{home.number}"),
        LABEL_OWNER: home.owner,
        LABEL_TREE: home.tree or "t",
    }
    return Leftover(kind="volume", id=home.name, name=home.name, labels=labels)


def taken() -> NameTakenError:
    """The error of a name that somebody else has."""
    return NameTakenError("it is taken", step="container")
