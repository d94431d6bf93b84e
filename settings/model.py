"""The settings of every process, as typed fields with meaning, unit, reason and example.

Make them with `settings.load.load`: these classes read neither the environment nor a file by
themselves. docs/reference/settings.md is generated from them. The runner's are here, the gateway's in
`settings.gateway`, what all have in `settings.common`.
"""

import os
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import field_validator

from settings.common import Settings
from settings.forge import ForgeSettings
from settings.gateway import GatewaySettings
from settings.notices import NoticeSettings
from settings.paths import ToolPaths, cache_root
from settings.repository import RepositorySettings
from settings.types import Duration, Gaps, NetworkName, Networks, Place, Size, setting

__all__ = ["CLASSES", "ForgeSettings", "GatewaySettings", "RunnerSettings", "Settings"]


class RunnerSettings(RepositorySettings, NoticeSettings, ForgeSettings):
    """What `codehub run`, `up`, `preview` and `destroy` need besides."""

    title: ClassVar[str] = "Runner"

    workspaces: Place = setting(
        Path("workspaces.d"),
        description="Folder of the workspace files.",
        why="The folder of the repository that one works in.",
        example="/srv/workspaces/workspaces.d",
        unit="path",
    )
    name_prefix: str = setting(
        "codehub-ws-",
        description="What names of containers and volumes begin with; one runner per prefix and engine.",
        why="Says whose they are in `docker ps`.",
        example="team-a-ws-",
        pattern=r"^[a-z][a-z0-9-]{0,30}-$",
    )
    network: NetworkName = setting(
        "codehub-net",
        description="Name of the bridge network that workspaces are on.",
        why="Says whose it is in `docker network ls`.",
        example="team-a-net",
        pattern=r"^[a-z][a-z0-9-]{1,40}$",
    )
    docker_host: str | None = setting(
        None,
        description="Address of the Docker engine; without it the local one.",
        why="Workspaces listen on unix sockets in the data folder, so the engine is on this machine.",
        example="unix:///var/run/docker.sock",
        unit="URL",
        shown="what `DOCKER_HOST` names, else the local engine",
        secret=True,
        pattern=r"^(unix://.+|(tcp|http|https|npipe)://\S+)$",
    )
    pulumi: Place = setting(
        default_factory=lambda: ToolPaths(cache_root(os.environ)).pulumi,
        description="The Pulumi command.",
        why="Where `scripts/dev` puts the version that this CodeHub is tested with.",
        example="/usr/local/bin/pulumi",
        unit="path",
        shown="`bin/pulumi` in the cache",
    )
    pulumi_home: Place = setting(
        default_factory=lambda: ToolPaths(cache_root(os.environ)).pulumi_home,
        description="Pulumi's own folder, with its plugins.",
        why="Apart from the user's ~/.pulumi, so that no login or plugin of theirs is used.",
        example="/var/lib/codehub/pulumi-home",
        unit="path",
        shown="`pulumi-home` in the cache",
    )
    parallel: int = setting(
        2,
        description="How many Pulumi operations run at once.",
        why="One costs about one core; small machines have two.",
        example="4",
        unit="operations",
        ge=1,
        le=64,
    )
    operation_timeout: Duration = setting(
        300.0,
        description="How long one Pulumi operation may take before it is ended.",
        why="An `up` takes about two seconds; this bounds one that hangs.",
        example="10m",
        unit="duration",
        gt=0,
    )
    start_timeout: Duration = setting(
        60.0,
        description="How long a started container may take until its IDE answers.",
        why="code-server answers within a second; a busy machine gets a minute.",
        example="2m",
        unit="duration",
        gt=0,
    )
    poll_interval: Duration = setting(
        10.0,
        description="How often folder and engine are looked at, besides the events that they send.",
        why="Network mounts send no events; a look costs one list call.",
        example="30s",
        unit="duration",
        ge=0.05,
    )
    settle: Duration = setting(
        0.3,
        description="How long a file must be unchanged before it counts; renamed files count at once.",
        why="Editors write in steps that are milliseconds apart.",
        example="1s",
        unit="duration",
        ge=0,
    )
    exec_idle: Duration = setting(
        14400.0,
        description="How long a `codehub exec` lives without output and input.",
        why="As with a kubelet: a forgotten terminal ends, a long silent build does not.",
        example="1h",
        unit="duration",
        gt=0,
    )
    lease_timeout: Duration = setting(
        10.0,
        description="How long the heartbeat of the runner that leads may stand still before another one takes over; the same for all runners of an index.",
        why="A successor leads within 15 seconds of a kill, and a busy machine is not mistaken for a dead one.",
        example="6s",
        unit="duration",
        ge=2,
        le=12,
    )
    allow_unenforced: Gaps = setting(
        (),
        description="Gaps of isolation with which workspaces are started all the same, with commas between: workspace-ipv4, workspace-ipv6, host-ipv4, host-ipv6, metadata, workspace-socket, engine-socket. With `all`, nothing is enforced on the network's packets, and nothing is probed.",
        why="What a workspace can reach besides itself should be somebody's decision.",
        example="metadata,host-ipv6",
        unit="names of gaps",
    )
    blocked_networks: Networks = setting(
        (),
        description="Networks that workspaces must not reach, besides what is always closed; with commas between. Not probed.",
        why="Workspaces need the internet; what is private besides differs by site.",
        example="10.0.0.0/8,fd00::/8",
        unit="CIDR networks",
    )
    prune: bool = setting(
        default=False,
        description="Whether a workspace is removed when its file is gone; its home is kept.",
        why="A folder can be emptied by a slip; `--prune` says that it was meant.",
        example="true",
    )
    delete_grace: Duration = setting(
        604800.0,
        description="How long the home of a removed workspace is kept at least; its file's return within that time brings it back. Time in which no `codehub run` runs does not count; homes that are kept already keep their time.",
        why="A week covers a holiday; `codehub purge` is for who can't wait.",
        example="30d",
        unit="duration",
        ge=1,
        le=315360000,
    )
    expire_homes: bool = setting(
        default=True,
        description="Whether `codehub run` removes the home of a removed workspace once its `delete_grace` is over. Off, it is kept until its file comes back or someone types its name to `codehub purge`.",
        why="Else homes pile up for ever; what keeps one from going too early is in docs/explanation/runner.md. Off is for who wants a person behind each removal.",
        example="false",
    )
    history_rows: int = setting(
        200,
        description="How many changes of phase are kept for each workspace, for `codehub history`.",
        why="Weeks of a busy workspace; the newest 20 are kept in any case.",
        example="50",
        unit="changes",
        ge=20,
        le=200,
    )
    history_keep: Duration = setting(
        31536000.0,
        description="How long changes of phase are kept at most, but for each workspace's newest 20.",
        why="A year covers what is looked into late.",
        example="90d",
        unit="duration",
        ge=3600,
        le=315360000,
    )
    operation_rows: int = setting(
        100,
        description="How many ended operations (`/api/v1/operations/{id}`) are kept for each workspace.",
        why="Who asked for one looks at it within minutes.",
        example="20",
        unit="operations",
        ge=1,
        le=100,
    )
    operation_keep: Duration = setting(
        7776000.0,
        description="How long ended operations are kept at most.",
        why="As long as the audit log names them.",
        example="30d",
        unit="duration",
        ge=3600,
        le=315360000,
    )
    pulumi_history: int = setting(
        0,
        description="How many entries of Pulumi's own history, and how many backups of its state, are kept for each stack. The state itself is never pruned.",
        why="Nothing of ours reads them, and each costs two files: the index has its own history.",
        example="10",
        unit="entries",
        ge=0,
        le=1000,
    )
    pulumi_logs: Size = setting(
        16777216,
        description="How many bytes of logs of its operations Pulumi may keep, in `logs` of `pulumi_home`.",
        why="Each call lists that folder and writes 50 KB: some three hundred operations.",
        example="64Mi",
        unit="size",
        ge=1048576,
    )
    pulumi_logs_keep: Duration = setting(
        2592000.0,
        description="How long such a log is kept at most.",
        why="They may name what is in workspace files; a month is enough to look into a failure.",
        example="7d",
        unit="duration",
        ge=3600,
        le=315360000,
    )
    upkeep_interval: Duration = setting(
        3600.0,
        description="How often `codehub run` prunes history, operations and logs to the bounds above, a few hundred rows and files at a time.",
        why="They grow by a few an hour.",
        example="10m",
        unit="duration",
        ge=1,
        le=604800,
    )
    heal_remakes: int = setting(
        3,
        description="Of how many workspaces containers may be made anew in an hour because another hand, or the engine, made them differ from their files; a tenth of the fleet where that is more. The others say so in `codehub status` and wait; `codehub up` heals all of them at once. What is healed without a new container is not counted.",
        why="To make one anew ends its programs, and a changed engine may make all of them differ at once: a few show what is the matter.",
        example="20",
        unit="workspaces",
        ge=1,
        le=10000,
    )
    policies: bool = setting(
        default=True,
        description="Whether the policy pack runs in every preview and up.",
        why="It is what stops a workspace without limits or with privileges.",
        example="false",
    )

    @field_validator("docker_host")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        # Of a password with a slash, whoever takes the address apart later would quote a half.
        if value is not None and not value.startswith("unix:") and urlsplit(value).port == 0:
            raise ValueError("no engine listens on port 0")
        return value

    @property
    def prunes(self) -> bool:
        """Whether a workspace goes when its file is gone: a commit says so, a folder may not."""
        return self.prune or (self.repo is not None and self.repo_prune)

    @property
    def reviewed(self) -> bool:
        """Whether the runner reviews pull requests: they are at the forge of a followed repository."""
        named = self.forge is not None and bool(self.forge_repository) and self.forge_token_file
        return bool(self.repo is not None and named and self.reviews != "off")

    @property
    def bound(self) -> str:
        """What a commit may do to what stands: `review_bound`, as far as there are reviews."""
        return self.review_bound if self.reviewed else "off"


CLASSES: tuple[type[Settings], ...] = (Settings, RunnerSettings, GatewaySettings, ForgeSettings)
"""Every class of settings; a name known to any of them is no error in the others."""
