"""What is there now: read from the engine's own API, the index and the disk, beside the product's code."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from state_index.phases import Phase
from tests.soak.engine import OwnEngine
from tests.soak.hub import SoakHub
from tests.soak.model import Scene, Seen

MARKER = "marker"
HOME_PATH = "/home/coder"


class Reality:
    """Reads scenes, and does by hand what somebody does to containers behind our back."""

    def __init__(self, hub: SoakHub, engine: OwnEngine) -> None:
        self._hub = hub
        self._volumes = engine.root / "volumes"
        transport = httpx.HTTPTransport(uds=str(engine.socket))
        self.client = httpx.Client(transport=transport, base_url="http://engine/v1.41", timeout=60)

    def scene(self) -> Scene:
        """Read everything.

        Raises:
            httpx.HTTPError: The engine does not answer, or what it listed is gone.
        """
        volumes, rows = self._volumes_there(), self._hub.index.workspaces()
        return Scene(
            rows={row.id: (row.phase, row.sync, row.reason, row.message) for row in rows},
            endless=frozenset(
                row.id for row in rows if row.phase is Phase.TOMBSTONED and row.grace_end is None
            ),
            containers=self.containers(),
            volumes=volumes,
            networks=self._networks(),
            markers={name: self.marker(name) for name in volumes},
            unended=self._unended(),
        )

    def _unended(self) -> tuple[str, ...]:
        """Read what users asked for and is not over: left so, it would be done once more some day."""
        path = self._hub.root / "data" / "index.db"
        asked = "SELECT kind, workspace_id, status FROM intents WHERE status IN ('open', 'taken')"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return tuple(" ".join(row) for row in connection.execute(asked))

    def containers(self) -> dict[str, Seen]:
        """Read the containers that bear our prefix, whatever else they say."""
        listed = self._get("/containers/json?all=1")
        names = [(item["Id"], item["Names"][0].removeprefix("/")) for item in listed]
        return {
            name.removeprefix(self._hub.prefix): self._seen(self._get(f"/containers/{id_}/json"))
            for id_, name in names
        }

    def _seen(self, data: dict[str, Any]) -> Seen:
        host, config = data["HostConfig"], data["Config"]
        env = dict(pair.split("=", 1) for pair in config["Env"] if "=" in pair)
        mounts = (each for each in data["Mounts"] if each["Destination"] == HOME_PATH)
        return Seen(
            id=data["Id"],
            started=data["State"]["StartedAt"],
            running=data["State"]["Running"],
            env=env,
            memory=host["Memory"],
            cpu=host["NanoCpus"] / 1e9 or host["CpuQuota"] / 1e5,
            pids=host["PidsLimit"] or 0,
            networks=frozenset(map(self._short, data["NetworkSettings"]["Networks"])),
            home=next((each.get("Name", "") for each in mounts), "").removeprefix(self._hub.prefix),
            user=config["User"],
            dropped=tuple(host["CapDrop"] or ()),
            security=tuple(host["SecurityOpt"] or ()),
        )

    def marker(self, volume: str) -> str:
        """Hash what was written into a home, "" where nothing was."""
        try:
            return hashlib.sha256(self._marker(volume).read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def leave_marker(self, volume: str, text: str) -> str:
        """Write into a home; gives the hash."""
        self._marker(volume).write_text(text, encoding="utf-8")
        return self.marker(volume)

    def by_hand(self, method: str, path: str, **body: Any) -> None:
        """Do something behind our back; that it is gone already is no matter."""
        answer = self.client.request(method, path, json=body or None)
        assert answer.status_code in {200, 201, 204, 304, 404, 409}, answer.text

    def name(self, workspace: str) -> str:
        """Give a container's name."""
        return self._hub.container(workspace)

    def _marker(self, volume: str) -> Path:
        return self._volumes / f"{self._hub.prefix}{volume}" / "_data" / MARKER

    def _volumes_there(self) -> frozenset[str]:
        names = (item["Name"] for item in self._get("/volumes")["Volumes"] or [])
        return frozenset(name.removeprefix(self._hub.prefix) for name in names)

    def _networks(self) -> frozenset[str]:
        names = {item["Name"] for item in self._get("/networks")} - {"bridge", "host", "none"}
        return frozenset(map(self._short, names))

    def _short(self, network: str) -> str:
        return network.removeprefix(f"{self._hub.name}-")

    def _get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()
