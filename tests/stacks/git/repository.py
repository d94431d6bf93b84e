"""Real git repositories of the tests, made with git itself."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stacks.git.command import Git

WORKSPACE = b"owner: alice\nimage: codehub/light\n"
_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "Alice", "EMAIL": "alice@example.org"}.items()
}


class Repository:
    """A repository with a work tree, whose branch is `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = Git(folder=folder)
        folder.mkdir()
        self.call("init", "-q", "-b", "main")

    def call(self, *args: str, stdin: bytes = b"") -> str:
        """Call git as a user would, apart from the machine's configuration."""
        done = subprocess.run(
            ["git", "-C", str(self.folder), *args],
            input=stdin,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_CONFIG_NOSYSTEM": "1",
                **_WHO,
            },
        )
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, bytes | None], *, message: str = "change") -> str:
        """Write files (None: remove), commit all there is, give the commit."""
        for name, content in files.items():
            path = Path(os.fsdecode(os.fsencode(self.folder) + b"/" + os.fsencode(name)))
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.call("add", "-A")
        self.call("commit", "-q", "--allow-empty", "-m", message)
        return self.call("rev-parse", "HEAD")

    def put(self, mode: str, sha: str, name: str) -> str:
        """Commit an entry that no work tree could hold as it is, such as a submodule."""
        self.call("update-index", "--add", "--cacheinfo", f"{mode},{sha},{name}")
        self.call("commit", "-q", "-m", f"put {name}")
        return self.call("rev-parse", "HEAD")
