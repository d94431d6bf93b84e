"""Scenes for the decisions of gc, made up: one data tree's objects and their look-alikes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from settings.tree import TreeIds
from spec import WorkspaceSpec
from stacks.gc.decide import Scene, leftovers
from stacks.gc.known import Workspaces
from stacks.gc.model import Found, InTree, Item, OnEngine
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase, Sync

PREFIX = "t-ws-"
NETWORK = "t-net"
OWN = "1" * 16
OTHER = "2" * 16
NOW = 1_000_000.0


def labels(workspace: str = "ghost", *, tree: str = OWN, prefix: str = PREFIX) -> dict[str, str]:
    return {LABEL_WORKSPACE: workspace, LABEL_PREFIX: prefix, LABEL_TREE: tree}


def container(workspace: str = "ghost", **changes: Any) -> Found:
    found = Found(id=f"c-{workspace}", name=f"{PREFIX}{workspace}", labels=labels(workspace))
    return replace(found, **changes)


def home(workspace: str = "ghost", number: str = "1", **changes: Any) -> Found:
    name = f"{PREFIX}{workspace}-home-{number}"
    found = Found(id=name, name=name, labels={**labels(workspace), LABEL_HOME: number})
    return replace(found, **changes)


def row(id_: str, phase: Phase = Phase.WARM) -> Published:
    return Published(
        id=id_, owner="alice", phase=phase, sync=Sync.SYNCED, since=datetime(2026, 1, 1, tzinfo=UTC)
    )


def valid(*ids: str, image: str = "i", **more: Any) -> Snapshot:
    """A folder with these files, all right."""
    specs = {id_: WorkspaceSpec(id=id_, owner="alice", image=image) for id_ in ids}
    return Snapshot(specs=specs, **more)


def known(*rows: Published, snapshot: Snapshot | None = None, **more: Any) -> Workspaces:
    """What is known: by default one workspace that lives, `alice`."""
    told = rows or (row("alice"),)
    return Workspaces(
        snapshot=snapshot or valid("alice"), rows={each.id: each for each in told}, **more
    )


def scene(
    *,
    workspaces: Workspaces | None = None,
    tree: InTree | None = None,
    tables: tuple[Any, ...] = (),
    **on_engine: Any,
) -> Scene:
    return Scene(
        prefix=PREFIX,
        network=NETWORK,
        ids=TreeIds(OWN),
        workspaces=workspaces or known(),
        engine=OnEngine(now=NOW, **on_engine),
        tree=tree or InTree(),
        tables=tables,
    )


def found(**parts: Any) -> tuple[Item, ...]:
    return leftovers(scene(**parts))


def told(**parts: Any) -> list[tuple[str, str, str]]:
    """What is left over: kind, name and fate of each."""
    return [(item.kind, item.name, item.fate) for item in found(**parts)]
