"""Looks at the data tree, and at Pulumi's own folder, for what may be left over, and removes it.

Only names of our own making are looked at. Run folders are written by tenants: they are opened
without following links, and removed by their names within their parent.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from errno import ENOENT, ENOTEMPTY
from pathlib import Path
from urllib.parse import unquote, urlsplit

import spec
from settings.paths import DataPaths
from stacks.engine.checkpoint import Checkpoint, StateFiles
from stacks.engine.command import PROJECT
from stacks.engine.processes import SESSION_SUFFIX
from stacks.fence import Fence
from stacks.gc.model import Entry, InTree, Item, Kind, Stack
from stacks.programs.inputs import CONTAINER_TYPE, NETWORK_TYPE, VOLUME_TYPE

_PROJECT_SETTINGS = re.compile(r"Pulumi\.(?P<stem>.+)\.yaml")
_TREE_DRAFT = re.compile(r"\.tree\.(place\.)?[0-9a-f]{8}")
_VERDICT_DRAFT = re.compile(r"\.isolation\.(json|nft)\.[0-9]+")
_CLI_WORKSPACE = re.compile(rf"{PROJECT}-[0-9a-f]{{40}}-workspace\.json")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where leftovers may lie.

    Attributes:
        data: The data tree.
        pulumi_home: Pulumi's own folder, which other data trees may use too.
        network: Name of our network: the folders of its probes begin with it.
    """

    data: DataPaths
    pulumi_home: Path
    network: str

    def root(self, kind: Kind) -> Path:
        """Give the folder that a kind's paths are within."""
        return {Kind.RUN_FOLDER: self.data.run, Kind.WORK: self.data.work}.get(kind, Path("/"))


def look(places: Places) -> InTree:
    """Read all of it."""
    stacks = _stacks(places.data)
    entries = (
        *_run_folders(places),
        *_work(places.data, stacks),
        *_sockets(places.data),
        *_temporary(places),
    )
    return InTree(stacks=stacks, entries=entries)


def remove(places: Places, item: Item, *, fence: Fence) -> str:
    """Remove one; gone already is fine.

    Returns:
        Why it is kept, where it is in part another user's; "" when it is gone.

    Raises:
        NotLeadingError: We may not.
        OSError: It cannot be removed.
    """
    fence.check("gc")
    if item.kind is Kind.STATE:
        _remove_stack(places.data, item.id)
        return ""
    path = places.root(item.kind) / item.id
    with contextlib.suppress(FileNotFoundError):
        if item.kind is Kind.RUN_FOLDER:
            return _remove_folder(path)
        if item.kind is not Kind.SOCKET or not _is_alive(path):
            path.unlink()
    return ""


def _remove_folder(path: Path) -> str:
    """Remove a folder that a tenant wrote into, as far as we may; say what is left of it."""
    refused: list[str] = []

    def note(_: object, where: str, found: tuple[object, BaseException, object]) -> None:
        error = found[1]
        if isinstance(error, PermissionError):
            refused.append(where)
        elif not isinstance(error, OSError) or error.errno not in {ENOTEMPTY, ENOENT}:
            raise error

    shutil.rmtree(path, onerror=note)
    if not path.exists():
        return ""
    owners = sorted({str(owner) for owner in map(_owner, refused) if owner is not None})
    whose = f"user {', '.join(owners)}" if owners else "another user"
    return (
        f"what its workspace left in it belongs to {whose}, and this one ({os.geteuid()}) may not "
        f"remove it: sudo rm -r {shlex.quote(str(path))}"
    )


def _owner(path: str) -> int | None:
    """Tell whose the folder is in which something cannot be removed."""
    for each in (Path(path), Path(path).parent):
        with contextlib.suppress(OSError):
            found = each.stat(follow_symlinks=False).st_uid
            if found != os.geteuid():
                return found
    return None


def _remove_stack(data: DataPaths, stack: str) -> None:
    files = StateFiles(data.state, stack)
    (data.work / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)
    for path in files.aside:
        path.unlink(missing_ok=True)
    files.remove()  # the state itself last: cut off, the next one finds the stack


def _stacks(data: DataPaths) -> dict[str, Stack]:
    folder = StateFiles(data.state, "").checkpoint.parent
    names = {path.stem for path in folder.glob("*.json")}
    return {name: _stack(StateFiles(data.state, name)) for name in sorted(names)}


def stacks(places: Places, name: str) -> dict[str, Stack]:
    """Read one stack anew, where there is one of that name."""
    found = StateFiles(places.data.state, name)
    return {name: _stack(found)} if name and found.checkpoint.exists() else {}


def _stack(files: StateFiles) -> Stack:
    size = sum(_size(path) for path in (files.checkpoint, files.backup))
    try:
        found = Checkpoint.parse(files.checkpoint.read_bytes())
    except (OSError, ValueError):
        return Stack(readable=False, size=size)
    return Stack(
        containers=found.identities(CONTAINER_TYPE),
        networks=found.identities(NETWORK_TYPE),
        volumes=found.identities(VOLUME_TYPE),
        size=size,
    )


def _run_folders(places: Places) -> Iterator[Entry]:
    probe = re.compile(rf"\.{re.escape(places.network)}-probe-[a-z]+-[0-9a-f]{{16}}")
    for entry in _listed(places.data.run):
        if not entry.is_dir(follow_symlinks=False):
            continue
        if probe.fullmatch(entry.name):
            yield Entry(kind=Kind.RUN_FOLDER, path=entry.name, age=_age(entry))
        elif _is_id(entry.name):
            yield Entry(kind=Kind.RUN_FOLDER, path=entry.name, stem=entry.name, age=_age(entry))


def _work(data: DataPaths, stacks: Iterable[str]) -> Iterator[Entry]:
    for entry in _listed(data.work):
        settings = _PROJECT_SETTINGS.fullmatch(entry.name)
        stem = settings["stem"] if settings else entry.name.removesuffix(SESSION_SUFFIX)
        named = settings or entry.name.endswith(SESSION_SUFFIX)
        if named and _is_id(stem) and stem not in stacks and entry.is_file(follow_symlinks=False):
            yield Entry(kind=Kind.WORK, path=entry.name, stem=stem, size=_size(Path(entry.path)))


def _sockets(data: DataPaths) -> Iterator[Entry]:
    listed = [entry for entry in _listed(data.nudge) if entry.name.endswith(".sock")]
    paths = [Path(entry.path) for entry in listed]
    for path in [*paths, data.runner_sock]:
        if path.is_socket() and not _is_alive(path):
            yield Entry(kind=Kind.SOCKET, path=str(path), dead=True)


def _temporary(places: Places) -> Iterator[Entry]:
    drafts = (_TREE_DRAFT, _VERDICT_DRAFT)
    for entry in _listed(places.data.root):
        if any(draft.fullmatch(entry.name) for draft in drafts):
            yield _file(entry)
    for entry in _listed(StateFiles(places.data.state, "").checkpoint.parent):
        if entry.name.endswith(".json.new"):
            yield _file(entry)
    for entry in _listed(places.pulumi_home / "workspaces"):
        if _CLI_WORKSPACE.fullmatch(entry.name) and _is_forsaken(Path(entry.path)):
            yield _file(entry, dead=True)


def _is_forsaken(path: Path) -> bool:
    """Whether the CLI noted down a selected stack of data trees that are all gone."""
    try:
        backends = [urlsplit(url) for url in json.loads(path.read_bytes())["stacks"]]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    local = bool(backends) and all(found.scheme == "file" for found in backends)
    return local and not any(Path(unquote(found.path)).exists() for found in backends)


def _file(entry: "os.DirEntry[str]", *, dead: bool = False) -> Entry:
    return Entry(
        kind=Kind.TEMPORARY,
        path=entry.path,
        age=_age(entry),
        size=_size(Path(entry.path)),
        dead=dead,
    )


def _is_alive(path: Path) -> bool:
    """Whether a process has the socket; what cannot be told is alive."""
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            # One for datagrams says of which type it is when it lives, and refuses when it is dead.
            probe.connect(f"/proc/self/fd/{folder}/{path.name}")
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True
    finally:
        os.close(folder)
    return True


def _listed(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_id(name: str) -> bool:
    try:
        spec.check_id(name)
    except spec.InvalidIdError:
        return False
    return True


def _age(entry: "os.DirEntry[str]") -> float:
    with contextlib.suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime
    return 0.0


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat(follow_symlinks=False).st_size
    return 0
