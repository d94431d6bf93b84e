"""Tells what of all that was found is a leftover, and which of these may be removed. Pure.

An object of the engine counts by labels, never by its name alone: ours are those of our prefix and
of our data tree. What runs, what a container has to do with, and what Pulumi's state knows stays.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from settings.tree import TreeIds
from stacks.gc.known import Standing, Workspaces
from stacks.gc.model import Entry, Fate, Found, InTree, Item, Kind, OnEngine, Table
from stacks.isolation.containers import LABEL as LABEL_PROBE
from stacks.isolation.containers import LIFE
from stacks.isolation.rules import table as table_name
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE
from stacks.shared import SHARED_STACK

IMAGE_LABEL = "codehub.image-key"
"""What our builders put on the images that they make."""

SCRATCH = 600.0
"""Seconds after which a network that was made for one check of isolation is in use no more."""

HALF_WRITTEN = 3600.0
"""Seconds after which nobody is still writing a file that is renamed into its place."""

RUNS = "it runs: stop it first"
COPIED = "somebody copied or renamed it: look at it, it is not removed here (`docker rm {}`)"
CHANGED = "it is no leftover any more"
UNCLAIMED = "neither a file nor the index knows its workspace"
PROOF = "it proves that there was a home, which is gone: without it the id would get an empty one"
_NO_STATE = "Pulumi's state cannot be read, and may know it"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that was found, and whose it may be.

    Attributes:
        prefix: Our name prefix.
        network: Name of our network.
        ids: Our data tree's.
        workspaces: What is known of workspaces.
        engine: What the engine holds.
        tree: What the data tree holds.
        tables: The tables of rules.
    """

    prefix: str
    network: str
    ids: TreeIds
    workspaces: Workspaces
    engine: OnEngine
    tree: InTree
    tables: tuple[Table, ...] = ()

    def is_ours(self, found: Found) -> bool:
        """Whether an object bears our prefix and our data tree's id."""
        tree = found.labels.get(LABEL_TREE, "")
        # Without an id it is from before there were any: Pulumi's state alone tells whose it is.
        return bool(tree) and found.labels.get(LABEL_PREFIX) == self.prefix and self.ids.name(tree)

    def standing(self, found: Found) -> Standing:
        """What is known of its workspace."""
        return self.workspaces.standing(found.labels.get(LABEL_WORKSPACE, ""))

    def unclear(self, workspace: str) -> str:
        """Why it is not sure that nothing knows a workspace; "" where it is, or where none is meant."""
        known = self.workspaces
        unclear = bool(workspace) and known.standing(workspace) is Standing.UNCLEAR
        return known.why_unclear if unclear else ""


def leftovers(scene: Scene) -> tuple[Item, ...]:
    """Give all leftovers, in the order in which they are best removed."""
    return (
        *_containers(scene),
        *_probes(scene),
        *_networks(scene),
        *_tables(scene),
        *_images(scene),
        *_volumes(scene),
        *_states(scene),
        *_entries(scene),
    )


def again(scene: Scene, found: Found) -> str:
    """Say why a container that was a leftover is none any more, or is kept; "" when it may go.

    Args:
        scene: What is known by now.
        found: The container, as it is now.
    """
    alone = replace(scene, engine=replace(scene.engine, containers=(found,)))
    items = (*_containers(alone), *_probes(alone))
    return items[0].remedy if items else CHANGED


def _containers(scene: Scene) -> Iterable[Item]:
    recorded = {id_ for stack in scene.tree.stacks.values() for id_ in stack.containers}
    unreadable = {id_ for id_, stack in scene.tree.stacks.items() if not stack.readable}
    for found in scene.engine.containers:
        workspace = found.labels.get(LABEL_WORKSPACE, "")
        if not scene.is_ours(found) or not workspace or workspace in scene.workspaces.busy:
            continue
        standing = scene.standing(found)
        stray = found.name != f"{scene.prefix}{workspace}"
        if standing is Standing.LIVES and not stray:
            continue
        why = f"not the container of {workspace}, by its name" if stray else UNCLAIMED
        if found.id in recorded or workspace in unreadable:
            if standing is Standing.LIVES:
                continue
            kept = f"Pulumi's state knows it: `codehub destroy {workspace}`"
        elif stray:
            # What we make has its name from the start; labels go along with `docker commit`.
            kept = COPIED.format(found.name)
        else:
            kept = scene.unclear(workspace) or (RUNS if found.running else "")
        yield _item(Kind.CONTAINER, found, why, kept)


def _probes(scene: Scene) -> Iterable[Item]:
    named = re.compile(rf"{re.escape(scene.network)}-probe-[a-z]+-[0-9a-f]{{16}}")
    for found in scene.engine.containers:
        if found.labels.get(LABEL_PROBE) != scene.network or not named.fullmatch(found.name):
            continue
        if _age(scene, found) > LIFE:
            why = "a probe of isolation whose runner was killed"
            yield _item(Kind.CONTAINER, found, why, RUNS if found.running else "")


def _networks(scene: Scene) -> Iterable[Item]:
    recorded = {id_ for stack in scene.tree.stacks.values() for id_ in stack.networks}
    unreadable = any(not stack.readable for stack in scene.tree.stacks.values())
    scratch = re.compile(rf"{re.escape(scene.network)}-[0-9a-f]{{8}}")
    for found in scene.engine.networks:
        used = f"in use by {', '.join(found.users)}" if found.users else ""
        if scene.is_ours(found) and found.name != scene.network and found.id not in recorded:
            why = f"our network is {scene.network}"
            yield _item(Kind.NETWORK, found, why, used or (_NO_STATE if unreadable else ""))
        probed = found.labels.get(LABEL_PROBE) == scene.network and scratch.fullmatch(found.name)
        if probed and _age(scene, found) > SCRATCH:
            yield _item(Kind.NETWORK, found, "made for one check of isolation", used)


def _tables(scene: Scene) -> Iterable[Item]:
    networks = {table_name(found.name) for found in scene.engine.networks}
    for table in scene.tables:
        if table.is_here or table.interface in scene.engine.bridges or table.name in networks:
            continue
        yield Item(
            kind=Kind.TABLE,
            id=f"{table.handle}",
            name=table.name,
            why=f"its bridge {table.interface} is gone",
        )


def _images(scene: Scene) -> Iterable[Item]:
    latest = {name for found in scene.engine.images for name in found.names}
    for found in scene.engine.images:
        if IMAGE_LABEL not in found.labels:
            continue
        used = f"in use by {', '.join(found.users)}" if found.users else ""
        if not found.names:
            yield _item(Kind.IMAGE, found, "a newer build took its name", used)
        elif _is_superseded(found, latest):
            kept = used or scene.workspaces.wanting(found.name)
            yield _item(Kind.IMAGE, found, "a newer build is `latest`", kept)


def _is_superseded(found: Found, names: Iterable[str]) -> bool:
    """Whether an image has but the name of its key, and another one of that name is `latest`."""
    repository, _, tag = found.name.rpartition(":")
    own = found.names == (found.name,) and tag == found.labels[IMAGE_LABEL]
    return own and f"{repository}:latest" in names


def _volumes(scene: Scene) -> Iterable[Item]:
    """Homes that nothing knows are told, never removed: they may be all that is left of somebody's work."""
    for found in scene.engine.volumes:
        workspace, number = (found.labels.get(key, "") for key in (LABEL_WORKSPACE, LABEL_HOME))
        if not scene.is_ours(found) or workspace in scene.workspaces.busy:
            continue
        if found.name != f"{scene.prefix}{workspace}-home-{number}":
            kept = "no home by its name and labels: look at it, it is not removed here"
            yield _item(Kind.VOLUME, found, "it bears our labels under another name", kept)
        elif scene.standing(found) in {Standing.UNKNOWN, Standing.UNCLEAR}:
            told = f"its file brings it back, `codehub purge {workspace}` removes it"
            yield _item(Kind.HOME, found, UNCLAIMED, scene.unclear(workspace) or told)


def _states(scene: Scene) -> Iterable[Item]:
    there = {found.id for found in (*scene.engine.containers, *scene.engine.networks)}
    homes = {found.id for found in scene.engine.volumes}
    for id_, stack in sorted(scene.tree.stacks.items()):
        standing = scene.workspaces.standing(id_)
        unnamed = standing in {Standing.UNKNOWN, Standing.UNCLEAR} and id_ != SHARED_STACK
        if not unnamed or not stack.readable or (stack.containers | stack.networks) & there:
            continue
        if stack.volumes & homes:
            continue  # told with the home
        kept = PROOF if stack.volumes else scene.unclear(id_)
        yield _file(Kind.STATE, f"stack {id_}", UNCLAIMED, kept, id_=id_, of=id_, size=stack.size)


def _entries(scene: Scene) -> Iterable[Item]:
    for entry in scene.tree.entries:
        if why := _why(scene, entry):
            kept = scene.unclear(entry.stem)
            size, path = entry.size, entry.path
            name = path.rpartition("/")[2]
            yield _file(entry.kind, name, why, kept, id_=path, of=entry.stem, size=size)


def _why(scene: Scene, entry: Entry) -> str:
    """Say why a file is a leftover; "" when it is none."""
    if entry.kind is Kind.RUN_FOLDER and not entry.stem:
        return "of a probe of isolation that was killed" if entry.age > LIFE else ""
    if entry.kind is Kind.RUN_FOLDER:
        return _why_run_folder(scene, entry)
    if entry.kind is Kind.WORK:
        gone = _is_gone(scene, entry.stem) and entry.stem not in scene.tree.stacks
        return "there is no stack of that name" if gone else ""
    if entry.kind is Kind.TEMPORARY:
        half = entry.age > HALF_WRITTEN
        if entry.dead and half:
            return "of a data tree that is gone"
        return "somebody ended while writing it" if half and not entry.stem else ""
    return "nobody listens on it" if entry.kind is Kind.SOCKET and entry.dead else ""


def _why_run_folder(scene: Scene, entry: Entry) -> str:
    if not _is_gone(scene, entry.stem):
        return ""
    for found in scene.engine.containers:
        of_it = scene.is_ours(found) and found.labels.get(LABEL_WORKSPACE) == entry.stem
        if of_it or any(path.endswith(f"/{entry.path}") for path in found.binds):
            return ""
    return "its workspace has no container, no file and is not in the index as one that lives"


def _is_gone(scene: Scene, workspace: str) -> bool:
    return scene.workspaces.standing(workspace) is not Standing.LIVES


def _age(scene: Scene, found: Found) -> float:
    return scene.engine.now - found.created if found.created else 0.0


def _file(
    kind: Kind, name: str, why: str, kept: str, *, id_: str, of: str, size: int | None
) -> Item:
    fate = Fate.KEPT if kept else Fate.FOUND
    return Item(
        kind=kind, id=id_, name=name, workspace=of, why=why, size=size, fate=fate, remedy=kept
    )


def _item(kind: Kind, found: Found, why: str, kept: str) -> Item:
    return Item(
        kind=kind,
        id=found.id,
        name=found.name or found.id.removeprefix("sha256:")[:12],
        workspace=found.labels.get(LABEL_WORKSPACE, ""),
        why=why,
        size=found.size,
        fate=Fate.KEPT if kept else Fate.FOUND,
        remedy=kept,
    )
