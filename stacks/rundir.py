"""The run folder of a workspace: where its container puts the IDE's socket.

The folder belongs to the tenant's uid, or, where the runner may not give it away, to the runner and
the tenant's group. It is written by the tenant, so what is in it is never
trusted: everything is opened relative to the folder and without following links. The parent belongs
to us and is closed to the world, which keeps every other user of the host out.
"""

import contextlib
import os
import stat
from pathlib import Path

from stacks.errors import RunFolderError

TENANT_UID = 1000
"""The uid that the container runs as."""

TENANT_GID = 1000
"""Its gid: a runner that is not root and not this user must be in this group."""

PARENT_MODE = 0o750
FOLDER_MODE = 0o770
SOCKET_NAME = "ide.sock"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def prepare(run: Path, workspace_id: str) -> Path:
    """Make the run folder, or correct its owner and mode; what is in it stays.

    Args:
        run: Parent of all run folders.
        workspace_id: Name of the folder.

    Raises:
        RunFolderError: It cannot be made, or something else stands in its place.
    """
    try:
        run.mkdir(mode=PARENT_MODE, parents=True, exist_ok=True)
        parent = os.open(run, _DIRECTORY)
        try:
            _make(parent, workspace_id)
        finally:
            os.close(parent)
    except OSError as error:
        raise RunFolderError(
            f"the run folder of {workspace_id} cannot be made: {error.strerror}",
            step="run folder",
        ) from error
    return run / workspace_id


def open_socket(run: Path, workspace_id: str) -> int:
    """Open the IDE's socket as a bare descriptor that can be connected to.

    Connect to ``/proc/self/fd/<n>``: the name in the tenant's folder is not looked at twice, and a
    long data path does not meet the 108 bytes of a socket address.

    Raises:
        OSError: The socket is not there, or is a link or something else.
    """
    folder = os.open(run / workspace_id, _DIRECTORY)
    try:
        # O_PATH neither blocks on a pipe nor opens a device; the type is checked before any use.
        fd = os.open(SOCKET_NAME, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileNotFoundError(SOCKET_NAME)
    return fd


def _make(parent: int, workspace_id: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(workspace_id, FOLDER_MODE, dir_fd=parent)
    folder = os.open(workspace_id, _DIRECTORY, dir_fd=parent)
    try:
        _hand_over(folder)
        # After mkdir, because the umask takes bits away from the mode given there.
        if stat.S_IMODE(os.fstat(folder).st_mode) != FOLDER_MODE:
            os.fchmod(folder, FOLDER_MODE)
    finally:
        os.close(folder)


def _hand_over(folder: int) -> None:
    """Let the tenant write: as owner where we may say so, else by its group, which we must be in."""
    found = os.fstat(folder)
    if found.st_uid == TENANT_UID:
        return
    try:
        os.fchown(folder, TENANT_UID, -1)
    except PermissionError:
        if found.st_gid != TENANT_GID:
            os.fchown(folder, -1, TENANT_GID)
