"""A runner that is not root, behind the engine proxy of `deploy/`, as an installation has it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

from tests.hub import CODEHUB, Hub, hub, wait_for
from tools.cache import Cache
from tools.dev import END_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy"
CALLS = DEPLOY / "engine-calls.map"
RUNNER_UID = 990
"""A user without a name, a home and any right; Debian gives no such number."""
PROXY_UID = 991
ENGINE = Path("/var/run/docker.sock")
TENANT_GID = 1000

# The test's own interpreter and cache may be in a home that is closed to others: there they are put into an open
# one, in a mount namespace of the process's own.
_OPEN = """
set -eu
kept=$1; shift
closed=
while [ "$1" != -- ]; do
    closed="$closed $1"
    shift
done
shift
number=0 paths=
while [ "$1" != -- ]; do
    number=$((number + 1)) paths="$paths $1"
    mkdir -p "$kept/$number" && mount --bind "$1" "$kept/$number"
    shift
done
shift
for path in $closed; do
    mount -t tmpfs -o mode=755 none "$path"
done
number=0
for path in $paths; do
    number=$((number + 1))
    mkdir -p "$path" && mount --bind "$kept/$number" "$path"
done
exec "$@"
"""


def rules(calls: Path = CALLS) -> list[str]:
    """Read the names of the rules."""
    lines = calls.read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line and not line.startswith("#")]


def _rule(request: dict[str, Any]) -> str:
    """Find the rule of a call that its client left in the midst of: Caddy leaves it out of the log."""
    path = re.sub(r"^/v[0-9.]+(?=/)", "", urlsplit(request["uri"]).path)
    for line in CALLS.read_text(encoding="utf-8").splitlines():
        if line.startswith("~") and re.search(line.split()[0][1:], f"{request['method']}:{path}"):
            return line.split()[1]
    return "none"


class EngineProxy:
    """The proxy of `deploy/`, by its own files, as a user who may open the engine's socket and nothing else."""

    def __init__(self, folder: Path, *, run: Path, network: str, without: str = "") -> None:
        """Prepare.

        Args:
            folder: For its files; made.
            run: The run folders' parent.
            network: The workspaces' network.
            without: A rule that is taken away.
        """
        folder.mkdir()
        os.chown(folder, PROXY_UID, PROXY_UID)
        self._folder = folder
        self.socket = folder / "engine.sock"
        self._log = folder / "access.log"
        self.run = run
        self.network = network
        self._config = folder / "engine-proxy.Caddyfile"
        self._config.write_bytes((DEPLOY / self._config.name).read_bytes())
        kept = [line for line in CALLS.read_text().splitlines() if not line.endswith(f" {without}")]
        (folder / CALLS.name).write_text("\n".join(kept) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        env = os.environ | {
            "CODEHUB_ENGINE_PROXY": str(self.socket),
            "CODEHUB_RUN": str(self.run),
            "CODEHUB_NETWORK": self.network,
            "XDG_DATA_HOME": str(self.socket.parent),
            "XDG_CONFIG_HOME": str(self.socket.parent),
        }
        group = str(ENGINE.stat().st_gid)
        ids = ("--reuid", str(PROXY_UID), "--regid", str(PROXY_UID), "--groups", group)
        command = [
            "setpriv",
            *ids,
            "--no-new-privs",
            "--inh-caps=-all",
            "--bounding-set=-all",
            "--",
        ]
        caddy = [str(Cache.from_env().caddy), "run", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                # Without a network, as its unit has it.
                ["unshare", "--net", *_openly(self._folder / "open"), *command, *caddy],
                env=env,
                stdout=log,
                stderr=log,
            )
        wait_for(self._serves, "the engine proxy")

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        return self.socket.is_socket() and self.socket.stat().st_mode & 0o777 == 0o660

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(END_SECONDS)

    def calls(self) -> list[dict[str, Any]]:
        """Read what was asked, and by which rule it was let through."""
        lines = map(json.loads, self._log.read_text(encoding="utf-8").splitlines())
        asked = [line for line in lines if line.get("logger", "").startswith("http.log.access")]
        return [{"rule": _rule(call["request"]), **call} for call in asked]

    def used(self) -> set[str]:
        return {call["rule"] for call in self.calls()}

    def refused(self) -> list[str]:
        """Give the calls that were not let through."""
        refused = [call for call in self.calls() if call["status"] == 403]
        return [f"{call['request']['method']} {call['request']['uri']}" for call in refused]


@contextmanager
def engine_proxy() -> Iterator[EngineProxy]:
    """Run one by itself."""
    root = Path(mkdtemp(prefix="codehub-test-"))  # pytest's own folders are closed to others
    root.chmod(0o755)
    proxy = EngineProxy(root / "proxy", run=root / "run", network="codehub-test-net")
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.stop()
        shutil.rmtree(root)


@contextmanager
def deployed(*, settings: dict[str, str], without: str = "") -> Iterator[tuple[Hub, EngineProxy]]:
    """Make a CodeHub whose commands run as a user without rights, behind an engine proxy."""
    with hub(settings=settings) as made:
        proxy = EngineProxy(
            made.root / "proxy",
            run=made.root / "data" / "run",
            network=made.env["CODEHUB_NETWORK"],
            without=without,
        )
        made.env |= {
            "CODEHUB_DOCKER_HOST": proxy.host,
            "CODEHUB_CACHE": str(Cache.from_env().root),
            "HOME": str(made.root),
        }
        for name in ("USER", "LOGNAME", "DOCKER_HOST"):
            made.env.pop(name, None)
        made.command = (*_openly(made.root / "open"), *_as_runner(), CODEHUB)
        made.root.chmod(0o755)
        for path in (made.root, made.workspaces):
            os.chown(path, RUNNER_UID, RUNNER_UID)
        try:
            proxy.start()
            yield made, proxy
        finally:
            proxy.stop()


def _as_runner() -> list[str]:
    """Give a command that becomes the runner, as its unit does: one capability, for nft, and no way to more."""
    ids = (
        "--reuid",
        str(RUNNER_UID),
        "--regid",
        str(RUNNER_UID),
        "--groups",
        f"{TENANT_GID},{PROXY_UID}",
    )
    caps = ("--inh-caps=-all,+net_admin", "--ambient-caps=+net_admin")
    return ["setpriv", *ids, "--no-new-privs", *caps, "--bounding-set=-all,+net_admin", "--"]


def _openly(kept: Path) -> list[str]:
    """Give a command that opens what is closed to others to the command after it."""
    needed = [Path(sys.base_prefix), Cache.from_env().root]
    closed = {path for each in needed for path in each.parents if not path.stat().st_mode & 0o001}
    if not closed:
        return []
    tops = sorted(path for path in closed if closed.isdisjoint(path.parents))
    words = [kept, *tops, "--", *needed, "--"]
    return ["unshare", "--mount", "sh", "-c", _OPEN, "sh", *map(str, words)]
