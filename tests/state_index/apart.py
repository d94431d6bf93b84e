"""Programs that see a folder mounted read-only, and one that publishes."""

import os
import subprocess
from pathlib import Path

PUBLISH = """
import os, sys
from state_index.index import Index
with Index.open(sys.argv[1]) as index:
    index.publish(sys.argv[2], cause="test", owner="alice", message=str(os.getpid()))
    if os.environ.get("CRASH"):
        os._exit(0)
"""

_SCRIPT = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'


def command(folder: Path, *args: str) -> list[str]:
    """A command for which a folder is read-only.

    In a mount namespace of its own, so nothing is left mounted; a user namespace when not root.
    """
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "-r"]
    return [*apart, "sh", "-ec", _SCRIPT, "sh", str(folder), *args]


def apart(folder: Path, *args: str, expected: int = 0) -> subprocess.CompletedProcess[str]:
    """Run it to its end.

    Raises:
        AssertionError: its exit code is not the expected one.
    """
    done = subprocess.run(
        command(folder, *args),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == expected, done.stderr
    return done
