"""What is on the container engine, and on/off: the Protocol that each target implements.

Pulumi owns the shape of things; `Power` lists, starts, stops and reads them and is the runner's only
other hand on the engine. Nothing here makes or changes a container, a volume or a network, but that
one which was taken off its network is put back, and that limits which need nothing of its memory are set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stacks.engine.model import Leftover
from stacks.observed import Observed

RUNNING_STATES = frozenset({"running", "restarting", "paused"})
"""States of a container whose processes are there, as the engine names them."""

GOING = "removing"
"""State of a container that is being removed at this very moment."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A workspace's container, as the engine lists it.

    Attributes:
        id: The engine's id.
        name: Its name.
        workspace: Id of the workspace that its label names.
        state: The engine's word: created, running, exited, ...
        image: The image as it was asked for.
        labels: All labels.
        home: Name of the volume that is mounted as its home, "" without one.
        observed: What else is seen of it, where that was read.
    """

    id: str
    name: str
    workspace: str
    state: str
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    home: str = ""
    observed: Observed | None = None

    @property
    def running(self) -> bool:
        """Whether its processes are there."""
        return self.state in RUNNING_STATES


@dataclass(frozen=True, kw_only=True)
class HomeVolume:
    """A home volume, by its labels alone: a volume of that name without them is not a home."""

    workspace: str
    number: int
    name: str
    owner: str
    tree: str = ""
    """Id of the data tree that made it, "" from before there were ids."""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All of ours on one engine, at one moment; of this data tree, where several use it.

    Attributes:
        containers: By workspace id; only the container of the right name counts.
        strays: Containers with our labels under another name.
        homes: By workspace id, by rising number.
        others: Containers of our name prefix that another data tree made: never touched.
    """

    containers: Mapping[str, Container] = field(default_factory=dict)
    strays: tuple[Container, ...] = ()
    homes: Mapping[str, tuple[HomeVolume, ...]] = field(default_factory=dict)
    others: tuple[Container, ...] = ()


class Power(Protocol):
    """On/off and reading, for one target. Errors are `StacksError`s."""

    @property
    def tree_file(self) -> str:
        """The data tree's file of ids, for messages."""

    async def inventory(self) -> Inventory:
        """List all containers and homes of our prefix, in one call each."""

    async def container(self, workspace_id: str) -> Container | None:
        """Read one workspace's container; None when there is none of ours.

        Raises:
            NameTakenError: Its name is taken by a container that is not ours.
            OtherTreeError: It is another data tree's; so do all calls that would touch it.
        """

    async def homes(self, workspace_id: str) -> tuple[HomeVolume, ...]:
        """List the home volumes of one workspace."""

    async def check_image(self, image: str) -> None:
        """Make sure that the engine has the image, and that it keeps no files of the home elsewhere.

        Raises:
            ImageMissingError: It has not.
            ImageUnfitError: It declares a volume inside the home.
        """

    async def check_memory(self, workspace_id: str, limit: int) -> None:
        """Make sure that a container can go on under a memory limit, in bytes.

        Raises:
            MemoryInUseError: It runs, and uses more than that.
        """

    async def start(self, workspace_id: str, *, spec_hash: str, within: float) -> None:
        """Start the container and return when its IDE answers; running already is fine.

        Args:
            workspace_id: The workspace.
            spec_hash: Hash that the container's label must carry.
            within: Seconds until the IDE must have answered.

        Raises:
            StaleContainerError: It is gone or made from another spec.
            HomeMissingError: The volume that it mounts is not a labelled home.
            StartFailedError: The IDE ended or did not answer in time.
            IsolationUnenforcedError: Nothing may be started here.
        """

    async def stop(self, workspace_id: str, *, grace: float) -> None:
        """Stop the container, by force after `grace` seconds; gone or stopped is fine."""

    async def logs(self, workspace_id: str, *, tail: int) -> str:
        """Give the last lines that the container printed, capped.

        Raises:
            UnknownWorkspaceError: There is no container.
        """

    async def find(self, labels: Mapping[str, str]) -> tuple[Leftover, ...]:
        """Give containers, volumes and networks that carry all of these labels."""

    async def named(self, kind: str, name: str) -> Leftover | None:
        """Give the object of that name, whoever made it, or None."""

    async def holders(self, volume: str) -> tuple[Container, ...]:
        """Give the containers that mount a volume or bind its folder, running or not, whoever's."""

    async def identity(self) -> str:
        """Name the engine itself: another one, or the same with another store, has another name.

        An engine whose disk is not mounted is one with another store. "" where it can't be told.
        """

    async def remove_container(self, container_id: str) -> None:
        """Remove a container by force; gone already is fine. Volumes stay."""

    async def connect(self, container_id: str, network: str) -> None:
        """Put a container back on the network that it was made on.

        Raises:
            IsolationUnenforcedError: Nothing may be on a network here.
        """

    async def limit(self, container_id: str, *, pids: int, restart: str) -> None:
        """Set the most processes and the restart policy of a container, which goes on."""

    async def remove_home(self, volume: Leftover) -> None:
        """Remove a home volume for good. For `stacks.homes` alone.

        Raises:
            HomeKeptError: Another volume has its name by now, or a container mounts it.
            HomeUnseenError: It is not there by now: who it was that removed it, nobody can tell.
        """
