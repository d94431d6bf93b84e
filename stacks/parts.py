"""Makes the runner's parts from the settings: data tree, ids, hand on the engine, facts, limits.

Each function knows which settings its part needs, and nothing of the other parts.
"""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from settings import place, tree
from settings.model import RunnerSettings
from settings.paths import DataPaths
from settings.tree import TreeIds
from stacks import health, programs
from stacks.address import engine_address
from stacks.board import Board
from stacks.engine import EngineConfig
from stacks.errors import LedgerError
from stacks.fence import Fence
from stacks.grace import GraceClock
from stacks.ledger import Ledger
from stacks.power import Power
from stacks.power_docker import DockerPower
from stacks.rendering import Facts
from stacks.source import FolderSource, Source, check_folder
from stacks.streams.docker import DockerStreams
from stacks.tree import Tree, former_ids
from stacks.work import Limits
from state_index.index import Index
from telemetry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stacks.rebuild import Rebuild

ENGINE_GRACE = 4.0
"""Seconds that Pulumi gets to end by itself: the daemon must end within 10."""

LONGEST_LOOK = 60.0
"""Seconds between two looks at the folder that count as watched all the time, if no more is set."""

_log = get_logger(__name__)


def make_data_tree(settings: RunnerSettings) -> None:
    """Make the data tree, though none beside a folder of workspace files that is not there.

    By default both are in the current folder: in a wrong one, nothing may be left behind.

    Raises:
        SourceError: There is no data tree, and the folder cannot be read.
        DataFolderError: The data tree cannot be used.
    """
    if not settings.paths.root.exists() and settings.repo is None:
        check_folder(settings.workspaces)
    settings.paths.make()


def check_data_tree(settings: RunnerSettings) -> None:
    """Make the data tree, and refuse one that is the copy of another that is still there.

    Raises:
        SourceError: As `make_data_tree`.
        DataFolderError: As `make_data_tree`; a `CopiedTreeError` for a copy.
    """
    make_data_tree(settings)
    place.check(settings.paths)


def open_ledger(settings: RunnerSettings, fence: Fence) -> Ledger:
    """Open the ledger of graces; in a data tree that was copied or restored, all begin anew.

    Whoever does not lead only reads, and leaves that to the next one who does.

    Raises:
        CopiedTreeError: The tree that it is a copy of is still there.
        DataFolderError: Where the tree is can't be kept.
    """
    paths = settings.paths
    ledger = Ledger(paths.graces, fence=fence)
    is_copy = place.check(paths)
    if not fence.is_open:
        return ledger
    try:
        if is_copy:
            ledger.begin_anew()
            _log.warning("the data tree is a copy, or from a backup: all graces begin anew")
        place.mark(paths)
    except LedgerError as error:
        _log.error("no home expires", message=error.message, remedy=error.remedy)
    return ledger


def tree_ids(paths: DataPaths, index: Index) -> TreeIds:
    """Read the data tree's ids; where the file is not there, begin with an id or take it back.

    Raises:
        DataFolderError: They cannot be told, or not kept.
        StateIndexError: The index cannot be read.
    """

    def former() -> TreeIds | None:
        found = former_ids(paths, index.workspaces())
        if found is not None:
            _log.warning("the data tree's id was lost and taken back", id=found.own)
        return found

    return tree.ensure(paths.tree, former=former)


def docker_power(
    settings: RunnerSettings,
    ids: TreeIds | None = None,
    *,
    cleared: Callable[[], Awaitable[None]] | None = None,
    fence: Fence | None = None,
) -> DockerPower:
    """Make the hand on the engine that the settings name; it leaves alone what is not of `ids`."""
    paths = settings.paths
    return DockerPower(
        name_prefix=settings.name_prefix,
        run=paths.run,
        docker_host=settings.docker_host,
        tree=Tree(ids=ids, state=paths.state, file=paths.tree) if ids else None,
        cleared=cleared,
        fence=fence,
    )


def docker_streams(settings: RunnerSettings, power: Power, *, serves: bool) -> DockerStreams:
    """Make what logs and exec come by, on the engine of `power`; a daemon serves them to others."""
    host = engine_address(settings.docker_host)
    return DockerStreams(power, host=host, idle=settings.exec_idle, serves=serves)


def source(settings: RunnerSettings, board: Board, power: Power) -> Source:
    """Make what reads the workspace files: of a repository where one is named, else of a folder."""
    if settings.repo is None:
        return FolderSource(
            settings.workspaces, settle=settings.settle, poll_interval=settings.poll_interval
        )
    # What a folder does not need is loaded here, also below: it is a tenth of what `up` loads of ours.
    from stacks.git.mirror import Mirror  # noqa: PLC0415
    from stacks.git.place import Place  # noqa: PLC0415
    from stacks.git.remote import Remote  # noqa: PLC0415
    from stacks.git.source import GitSource  # noqa: PLC0415

    mirror = Mirror(settings.paths.mirror, Remote.of(settings), timeout=settings.repo_timeout)
    followed = GitSource(
        mirror,
        board,
        place=Place(settings.repo, settings.repo_branch, settings.repo_path),
        poll=settings.repo_poll,
        look_every=settings.poll_interval,
        nudges=settings.paths.nudge,
        there=power.inventory,
        by_asking=settings.applies_asked,
    )
    if settings.bound == "off":
        return followed
    from stacks.pulls.open import bound  # noqa: PLC0415

    return bound(settings, followed, mirror, board)


def engine_config(settings: RunnerSettings, *, ahead: bool = False) -> EngineConfig:
    """Give the engine room's part of the settings, and whether a CLI is to be started ahead."""
    return EngineConfig(
        pulumi=settings.pulumi,
        pulumi_home=settings.pulumi_home,
        state=settings.paths.state,
        work=settings.paths.work,
        docker_host=settings.docker_host,
        timeout=settings.operation_timeout,
        grace=ENGINE_GRACE,
        history=settings.pulumi_history,
        logs=settings.pulumi_logs,
        ahead=ahead,
    )


def limits(settings: RunnerSettings) -> Limits:
    """Give the work's part of the settings."""
    return Limits(
        start=settings.start_timeout, parallel=settings.parallel, policies=settings.policies
    )


def grace_clock(settings: RunnerSettings, board: Board, ledger: Ledger) -> GraceClock:
    """Make the clock that dates tombstones; looks that are late by more than this were none."""
    longest = max(LONGEST_LOOK, 2 * settings.poll_interval)
    return GraceClock(
        board, ledger, grace=settings.delete_grace, longest=longest, expires=settings.expire_homes
    )


def rebuild(settings: RunnerSettings, board: Board, power: Power) -> Rebuild:
    """Make what fills an index that was lost."""
    from stacks.rebuild import Rebuild  # noqa: PLC0415
    from stacks.recorded import Recorded  # noqa: PLC0415

    return Rebuild(
        board=board,
        power=power,
        memory=Recorded(settings.paths.state),
        is_healthy=partial(health.is_healthy, settings.paths.run),
    )


def facts(settings: RunnerSettings, ids: TreeIds) -> Facts:
    """Read what is the same for all workspaces: names, and versions for the hashes."""
    identity = settings.pulumi_home / "identity"
    return Facts(
        name_prefix=settings.name_prefix,
        network=settings.network,
        run=str(settings.paths.run.absolute()),
        versions={
            "program": program_hash(),
            "plugin": identity.read_text().strip() if identity.exists() else "",
            "pulumi": version("pulumi"),
            "pulumi-docker": version("pulumi-docker"),
        },
        tree=ids.own,
    )


def program_hash() -> str:
    """Hash our programs' source: a changed program is tried on every workspace."""
    folder = Path(programs.__path__[0])
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
