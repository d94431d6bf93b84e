"""Where things lie: the data tree and the cache of tools. Only `DataPaths.make` touches the disk."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from settings.errors import DataFolderError


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The data tree under `CODEHUB_DATA`; 0700, since it holds sockets, state and sessions."""

    root: Path

    @property
    def index_db(self) -> Path:
        """The state index."""
        return self.root / "index.db"

    @property
    def store_db(self) -> Path:
        """The gateway's users and sessions."""
        return self.root / "gateway.db"

    @property
    def state(self) -> Path:
        """Pulumi's state (file backend)."""
        return self.root / "state"

    @property
    def work(self) -> Path:
        """Pulumi's project folders."""
        return self.root / "work"

    @property
    def run(self) -> Path:
        """A folder per workspace, mounted into its container; written by tenants (0750)."""
        return self.root / "run"

    @property
    def nudge(self) -> Path:
        """Sockets by which processes wake each other."""
        return self.root / "nudge"

    @property
    def runner_sock(self) -> Path:
        """The runner's socket."""
        return self.root / "runner.sock"

    @property
    def runner_lock(self) -> Path:
        """Held by whoever applies."""
        return self.root / "runner.lock"

    @property
    def tree(self) -> Path:
        """The data tree's id (0600)."""
        return self.root / "tree"

    @property
    def place(self) -> Path:
        """Where the data tree was made, by which a copy is known (0600)."""
        return self.root / "tree.place"

    @property
    def isolation(self) -> Path:
        """What the last probe of isolation found (0600)."""
        return self.root / "isolation.json"

    @property
    def rules(self) -> Path:
        """The isolation table as it was last loaded, for the machine's next start (0600)."""
        return self.root / "isolation.nft"

    @property
    def graces(self) -> Path:
        """The runner's ledger of graces: what it removed, and how long that was watched (0600)."""
        return self.root / "graces.json"

    @property
    def notices(self) -> Path:
        """What was told to whom, a file for each receiver of notices (0700)."""
        return self.root / "notices"

    @property
    def mirror(self) -> Path:
        """The copy of the repository that is followed: bare, one branch."""
        return self.root / "mirror.git"

    @property
    def pulls(self) -> Path:
        """What pull requests of the branch bring besides it: bare, and thrown away when it grows."""
        return self.root / "pulls.git"

    @property
    def branches(self) -> Path:
        """Copies of branches that commands read once, a folder for each (0700)."""
        return self.root / "branches"

    @property
    def edits(self) -> Path:
        """Commits that are being made of edits, a folder for each (0700)."""
        return self.root / "edits"

    @property
    def logs(self) -> Path:
        """Logs of processes that `scripts/dev` starts."""
        return self.root / "logs"

    def make(self) -> None:
        """Make the tree, and check that it is ours alone.

        A folder that others may read is closed to them when it is empty or a data tree already.

        Raises:
            DataFolderError: the folder belongs to someone else, others may write into it, or read
                what else it holds, or it can't be made.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check()
            for folder in (self.state, self.work, self.nudge, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.run.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            message = f"the data folder {self.root} can't be made: {error.strerror}"
            raise DataFolderError(message) from error

    def _check(self) -> None:
        folder, found = self.root, self.root.stat()
        if found.st_uid != os.geteuid():
            owners = f"belongs to user {found.st_uid}, not to {os.geteuid()}"
            raise DataFolderError(f"the data folder {folder} {owners}")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            message = f"others may write into the data folder {folder}: chmod go-w {folder}"
            raise DataFolderError(message)
        if not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return
        if any(folder.iterdir()) and not self._is_made():
            message = (
                f"others may read the data folder {folder}, and it holds other things than "
                f"CodeHub's: name another one, or chmod 700 {folder}"
            )
            raise DataFolderError(message)
        folder.chmod(0o700)

    def _is_made(self) -> bool:
        """Whether there is a data tree already."""
        return self.index_db.exists() or self.store_db.exists() or self.tree.exists()


def cache_root(env: Mapping[str, str]) -> Path:
    """Where tools are kept: CODEHUB_CACHE, else codehub in XDG_CACHE_HOME, else in ~/.cache."""
    own = env.get("CODEHUB_CACHE")
    if own:
        return Path(own).absolute()
    base = env.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(env.get("HOME") or Path.home()) / ".cache") / "codehub"


@dataclass(frozen=True, slots=True)
class ToolPaths:
    """The cache of tools."""

    root: Path

    @property
    def pulumi(self) -> Path:
        """The Pulumi CLI."""
        return self.root / "bin" / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's home, with its plugins."""
        return self.root / "pulumi-home"
