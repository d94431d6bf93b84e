"""The files of a folder: read, and written by a rename within it. No link is followed on the way.

A folder has no history: nothing can be rolled back, and who changed a file is not known. An editor on
the machine that saves at the same moment is seen up to the rename, and not after.
"""

import asyncio
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import spec
from spec.files import File, FolderRead, blob, read_files
from spec.folder import files_of, read_rule_files
from spec.text import MAX_BYTES
from stacks.edits import decide
from stacks.edits.branch import OFF, Generators, Mode
from stacks.edits.branch_files import Origins, made_by
from stacks.edits.decide import Present
from stacks.edits.model import MOST_TEMPLATES, TEMPLATES, FileView, Outcome, Template
from stacks.edits.reads import Reads
from stacks.edits.views import is_template, templates_of, unreadable, view
from stacks.errors import (
    EditsOffError,
    NotEditableError,
    NoVersionError,
    SourceError,
    UnknownWorkspaceError,
)
from stacks.fence import Fence
from stacks.source import SUFFIX
from state_index.edits import Edit

NO_PULLS = "a folder has no pull requests: CODEHUB_REPO_EDITS is `pull`, and no repository is named"
_PLAIN_MODE = 0o644


class Folder:
    """The files of a folder; a `model.Place`."""

    def __init__(
        self,
        folder: Path,
        *,
        mode: Mode,
        fence: Fence,
        generators: Generators = FolderRead.generator,
        origins: Origins = dict,
    ) -> None:
        """Prepare; nothing is touched.

        Args:
            folder: The folder.
            mode: What becomes of edits.
            fence: Says whether this runner may act.
            generators: Knows generated workspaces.
            origins: Knows those of them that the runner read last.
        """
        self._folder = folder
        self._mode = mode
        self._fence = fence
        self._generators = generators
        self._origins = origins
        self._reads = Reads()

    async def refresh(self) -> None:
        """Do nothing: a folder is read as it is."""

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        """Read a file; see `Place`."""
        if at:
            raise NoVersionError(
                "a folder has no history", step="read", remedy="Follow a repository."
            )
        return await self._reads.run(partial(self._file, workspace_id))

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        """Say why files can't be edited; see `Place`."""
        return await self._reads.run(partial(self._reasons, ids))

    async def templates(self) -> list[Template]:
        """Give what files may begin with, by name."""
        return await self._reads.run(self._templates)

    async def make(self, edit: Edit) -> Outcome:
        """Make an edit; see `Place`."""
        if wrong := self._off:
            raise EditsOffError(wrong, step="edit")
        await asyncio.to_thread(self._make, edit)
        return Outcome()

    @property
    def _off(self) -> str:
        return {"off": OFF, "pull": NO_PULLS}.get(self._mode, "")

    def _make(self, edit: Edit) -> None:
        name, content = edit.workspace_id + SUFFIX, decide.wanted(edit)
        with _opened(self._folder) as folder:
            # Read once: what is just being written must not look like our doing.
            files = self._files()
            before = self._read(files)
            present = self._present(folder, edit, before)
            if decide.is_made(edit, present):
                return
            decide.check_base(edit, present)
            after = self._with(name, content, files, before)
            decide.check(edit, before, after, today=datetime.now(UTC).date())
            self._fence.check("write")
            # Once more, right before: reading all the others took its time.
            decide.check_base(edit, self._present(folder, edit, before))
            if content is None:
                os.unlink(name, dir_fd=folder)
            else:
                _replace(folder, name, f".{edit.id}.tmp", content)
            os.fsync(folder)

    def _present(self, folder: int, edit: Edit, read: FolderRead) -> Present:
        raw = _raw(folder, edit.workspace_id)
        if raw is not None:
            return Present(revision=blob(raw))
        return Present(generator=self._generators(read, edit.workspace_id))

    def _files(self) -> list[File]:
        with _readable():
            return files_of(self._folder)

    def _read(self, files: list[File]) -> FolderRead:
        with _readable():
            rules = read_rule_files(self._folder)
        return replace(read_files(files, label=self._folder.name), rules=rules)

    def _with(
        self, name: str, content: bytes | None, files: list[File], before: FolderRead
    ) -> FolderRead:
        changed = [found for found in files if found.name != name]
        if content is not None:
            changed.append(File(name=name, raw=content))
        return replace(read_files(changed, label=self._folder.name), rules=before.rules)

    def _file(self, workspace_id: str) -> FileView:
        name = workspace_id + SUFFIX
        with _opened(self._folder) as folder:
            try:
                raw = _raw(folder, workspace_id)
            except NotEditableError as error:
                return FileView(
                    id=workspace_id, path=name, editable=False, reason=self._off or error.message
                )
        if raw is None:
            return self._generated(workspace_id)
        seen = view(workspace_id, raw, label=self._folder.name, path=name)
        reason = self._off or seen.reason
        return replace(seen, editable=not reason, reason=reason)

    def _reasons(self, ids: Sequence[str]) -> dict[str, str]:
        told: dict[str, str] = {}
        with _opened(self._folder) as folder:
            for id_ in ids:
                try:
                    raw = _raw(folder, id_)
                except NotEditableError as error:
                    told[id_] = error.message
                    continue
                if raw is not None:
                    told[id_] = unreadable(raw)
                elif made := made_by(self._origins(), id_):
                    told[id_] = made
        return {id_: self._off or reason for id_, reason in told.items()}

    def _generated(self, workspace_id: str) -> FileView:
        origin = self._origins().get(workspace_id)
        told = made_by(self._origins(), workspace_id)
        if origin is None or not told:
            raise UnknownWorkspaceError(f"{workspace_id} has no file", step="read")
        return FileView(id=workspace_id, path=origin.file, editable=False, reason=told)

    def _templates(self) -> list[Template]:
        found: dict[str, bytes] = {}
        with suppress(SourceError), _opened(self._folder / TEMPLATES, os.O_NOFOLLOW) as folder:
            names = sorted(name for name in os.listdir(folder) if is_template(name))  # noqa: PTH208
            for name in names[:MOST_TEMPLATES]:
                with suppress(NotEditableError):
                    raw = _raw(folder, name.removesuffix(SUFFIX))
                    found |= {} if raw is None else {name: raw}
        return templates_of(found)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except spec.SourceUnreadableError as error:
        raise SourceError(f"{error.folder}: {error.message}", step="edit") from None


@contextmanager
def _opened(path: Path, flags: int = 0) -> Iterator[int]:
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | flags)
    except OSError as error:
        told = f"{path.name} can't be opened: {(error.strerror or '').lower()}"
        raise SourceError(told, step="edit") from None
    try:
        yield folder
    except OSError as error:
        told = f"{path.name} can't be written: {(error.strerror or '').lower()}"
        raise SourceError(told, step="edit", remedy="Let the runner write there.") from None
    finally:
        os.close(folder)


def _raw(folder: int, workspace_id: str) -> bytes | None:
    """Read a plain file of a fair size; None where there is none.

    Raises:
        NotEditableError: It is something else.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(workspace_id + SUFFIX, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError:
        raise NotEditableError(f"the file of {workspace_id} is no plain file") from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotEditableError(f"the file of {workspace_id} is no plain file")
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise NotEditableError(f"the file of {workspace_id} is too large")
    return raw


def _replace(folder: int, name: str, draft: str, content: bytes) -> None:
    """Write a file beside, and rename it into its place; mode and owner stay as they were."""
    mode, former = _PLAIN_MODE, None
    with suppress(FileNotFoundError):
        former = os.stat(name, dir_fd=folder, follow_symlinks=False)
        mode = stat.S_IMODE(former.st_mode)
    with suppress(FileNotFoundError):  # of a runner that was killed
        os.unlink(draft, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, mode, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            if former is not None:
                with suppress(PermissionError):
                    os.fchown(descriptor, former.st_uid, former.st_gid)
            os.fsync(descriptor)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
