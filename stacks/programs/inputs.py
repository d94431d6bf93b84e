"""What a program needs to render a workspace or the shared stack: plain, frozen, JSON-able.

Everything is decided before (names, limits, whether a home may exist); nothing here reads the
engine, the index or the clock. The same values always render the same resources.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

LABEL_WORKSPACE = "codehub.workspace"
LABEL_OWNER = "codehub.owner"
LABEL_SPEC_HASH = "codehub.spec-hash"
LABEL_HOME = "codehub.home"
LABEL_PREFIX = "codehub.prefix"
LABEL_PIDS = "codehub.pids"
LABEL_FORMERLY = "codehub.formerly"
"""On a container that mounts another id's home: the id that the volume's name and labels have."""
LABEL_TREE = "codehub.tree"
"""Id of the data tree that made an object."""

HOME_PATH = "/home/coder"
"""Where a container sees its home."""

RUN_PATH = "/run/codehub"
"""Where a container sees its run folder."""

USER = "1000:1000"
"""Whom a container runs as."""

NETWORK_OPTIONS = {"com.docker.network.bridge.enable_icc": "false"}
"""Of the network: containers on it do not reach each other by IPv4."""

CONTAINER_TYPE = "docker:index/container:Container"
VOLUME_TYPE = "docker:index/volume:Volume"
NETWORK_TYPE = "docker:index/network:Network"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An object that a program makes, by what recovery needs to find it.

    Attributes:
        kind: ``container``, ``volume`` or ``network``.
        type: Pulumi's type token.
        name: Name on the engine.
    """

    kind: str
    type: str
    name: str


@dataclass(frozen=True, kw_only=True)
class HomeInputs:
    """The home volume of a workspace.

    Attributes:
        number: The n of ``<prefix><id>-home-<n>``, from 1.
        owner: Owner at the volume's creation; its label never changes afterwards.
        exists: Whether `homes` saw the volume on the engine. When it does, the engine room
            adopts it if Pulumi's state does not hold it; when not, a new one is made.
        workspace: The former id under which it was made; "" for the workspace's own.
    """

    number: int
    owner: str
    exists: bool = False
    workspace: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkspaceInputs:
    """One workspace, ready to be rendered.

    Attributes:
        id: The workspace's id.
        owner: Its owner now.
        name_prefix: First part of every name on the engine, for example ``codehub-ws-``.
        image: One reference, resolved by the caller; never pulled.
        cpu: Cores.
        memory: Bytes.
        pids: Most processes and threads.
        env: Variables from the file; ours are added when rendering.
        labels: Further labels of the container.
        tree: Id of the data tree, kept as a label; "" puts none.
        spec_hash: Hash of spec, program and plugin identity, kept as a label.
        home: The home volume.
        run_folder: Absolute host path of the workspace's run folder.
        network: Name of the shared network.
    """

    id: str
    owner: str
    name_prefix: str
    image: str
    cpu: float
    memory: int
    pids: int
    spec_hash: str
    home: HomeInputs
    run_folder: str
    network: str
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    tree: str = ""

    @property
    def container(self) -> str:
        """Name of the container."""
        return f"{self.name_prefix}{self.id}"

    @property
    def volume(self) -> str:
        """Name of the home volume."""
        return f"{self.name_prefix}{self.home.workspace or self.id}-home-{self.home.number}"

    @property
    def identity(self) -> dict[str, str]:
        """Labels that all of the workspace's objects carry, but for a former id's home."""
        return {LABEL_WORKSPACE: self.id, LABEL_PREFIX: self.name_prefix}

    @property
    def home_identity(self) -> dict[str, str]:
        """Labels that its home carries: names and labels of volumes cannot change."""
        return self.identity | {LABEL_WORKSPACE: self.home.workspace or self.id}

    @property
    def expected(self) -> tuple[Expected, ...]:
        """The objects that are rendered."""
        return (
            Expected(kind="volume", type=VOLUME_TYPE, name=self.volume),
            Expected(kind="container", type=CONTAINER_TYPE, name=self.container),
        )

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        # As `asdict` would, which copies each value by itself: a pass over a thousand files is mostly that.
        return {**_shallow(self), "env": dict(self.env), "home": _shallow(self.home)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**{**data, "home": HomeInputs(**data["home"])})


@dataclass(frozen=True, kw_only=True)
class SharedInputs:
    """What all workspaces of a target share.

    Attributes:
        network: Name of the bridge network.
        name_prefix: As in `WorkspaceInputs`; kept as a label.
        tree: As in `WorkspaceInputs`.
    """

    network: str
    name_prefix: str
    tree: str = ""

    @property
    def identity(self) -> dict[str, str]:
        """Labels that the shared objects carry."""
        return {LABEL_PREFIX: self.name_prefix}

    @property
    def expected(self) -> tuple[Expected, ...]:
        """The objects that are rendered."""
        return (Expected(kind="network", type=NETWORK_TYPE, name=self.network),)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**data)


def _shallow(inputs: WorkspaceInputs | HomeInputs) -> dict[str, Any]:
    return {item.name: getattr(inputs, item.name) for item in fields(inputs)}
