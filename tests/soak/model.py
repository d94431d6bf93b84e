"""What should be there: the files that the soak wrote and the power that it asked for. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from stacks.steps import Result
from state_index.phases import Phase

OWNER = "alice"
SETTLED = {True: Phase.RUNNING, False: Phase.WARM}
MEMORY = (64, 80, 96)
"""Limits in MiB that edits take turns with; each is changed in place."""
CPUS = (1, 2)
PIDS = 128

# What every container is, whatever its file says. Written out: it is not taken from the product.
NETWORK = "net"
USER = "1000:1000"
DROPPED = ("ALL",)
SECURITY = ("no-new-privileges:true",)


@dataclass
class Slot:
    """One workspace through its life, renames included.

    Attributes:
        first: The id under which its home was made.
        renamed: Whether its file has the other name now.
        stands: Whether its file is there.
        on: Whether it should run.
        note: What its env says; another value makes its container anew.
        memory: Its limit, in MiB.
        cpu: Its limit of cores.
        marker: Hash of what was written into its home; "" before there is one.
    """

    first: str
    renamed: bool = False
    stands: bool = False
    on: bool = True
    note: int = 0
    memory: int = MEMORY[1]
    cpu: int = CPUS[0]
    marker: str = ""

    @property
    def id(self) -> str:
        """Its id now."""
        return f"{self.first}-r" if self.renamed else self.first

    @property
    def phase(self) -> Phase | None:
        """Where it should come to rest; None when it should have no row."""
        if self.stands:
            return SETTLED[self.on]
        return Phase.TOMBSTONED if self.marker else None

    @property
    def env(self) -> dict[str, str]:
        """What its file says of the environment."""
        return {"NOTE": str(self.note), "LIGHT_START_DELAY": "300ms"}

    @property
    def home(self) -> str:
        """The end of its home volume's name: the first one's for ever."""
        return f"{self.first}-home-1"

    def text(self) -> str:
        """Its file."""
        env = ", ".join(f'{name}: "{value}"' for name, value in self.env.items())
        lines = [
            f"owner: {OWNER}",
            "image: codehub/light",
            f"resources: {{cpu: {self.cpu}, memory: {self.memory}Mi, pids: {PIDS}}}",
            f"env: {{{env}}}",
        ]
        if self.renamed:
            lines.append(f"formerly: {self.first}")
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an engine says about one container.

    Attributes:
        id: The engine's id.
        started: When it was started last.
        running: Whether it runs.
        env: Its variables, the image's among them.
        memory: Its limit, in bytes.
        cpu: Its limit of cores.
        pids: Its limit of processes.
        networks: Names of its networks, without the prefix.
        home: The volume at its home's path, without the prefix; "" where there is none.
        user: As whom it runs.
        dropped: Capabilities that it has not.
        security: Its security options.
    """

    id: str
    started: str
    running: bool
    env: Mapping[str, str]
    memory: int
    cpu: float
    pids: int
    networks: frozenset[str]
    home: str
    user: str
    dropped: tuple[str, ...]
    security: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is there at one moment, names without the prefix.

    Attributes:
        rows: Phase, sync, reason and message of each published row.
        endless: Tombstones whose grace does not run.
        containers: By name.
        volumes: Names of volumes.
        networks: Names of networks.
        markers: Hash of each home's marker file, by volume; "" where there is none.
        unended: What users asked for and was not told to have ended, in words.
    """

    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endless: frozenset[str] = frozenset()
    containers: Mapping[str, Seen] = field(default_factory=dict)
    volumes: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    markers: Mapping[str, str] = field(default_factory=dict)
    unended: tuple[str, ...] = ()


def differences(slots: list[Slot], scene: Scene) -> list[str]:
    """Say what is not as it should be: files, rows, containers and homes; nothing when all is."""
    found = _rows(slots, scene) + _containers(slots, scene) + _homes(slots, scene)
    found += [f"{id_}: nobody counts its grace" for id_ in sorted(scene.endless)]
    found += [f"{text}: nobody ended it" for text in scene.unended]
    if scene.networks != {NETWORK}:
        found.append(f"networks: {sorted(scene.networks)}")
    return found


def _rows(slots: list[Slot], scene: Scene) -> list[str]:
    wanted = {slot.id: slot.phase for slot in slots if slot.phase is not None}
    # Of a renamed one that is removed, the home stands under its old id: it has a tombstone there too.
    # An empty folder tells nothing: until a file is there again, it need not have been looked for.
    told = any(slot.stands for slot in slots)
    kept = {slot.first for slot in slots if slot.renamed and slot.phase is Phase.TOMBSTONED}
    wanted |= {id_: Phase.TOMBSTONED for id_ in kept if told or id_ in scene.rows}
    found = [
        f"{id_}: a row that nobody wants: {scene.rows[id_]}" for id_ in scene.rows.keys() - wanted
    ]
    for id_, phase in wanted.items():
        row = scene.rows.get(id_)
        if row is None:
            found.append(f"{id_}: no row, {phase} is wanted")
        elif row[0] != phase or (phase is not Phase.TOMBSTONED and row[1] != "Synced"):
            found.append(f"{id_}: {' '.join(row)}, {phase} is wanted")
    return found


def _containers(slots: list[Slot], scene: Scene) -> list[str]:
    wanted = {slot.id: slot for slot in slots if slot.stands}
    found = [f"container {name} is left over" for name in scene.containers.keys() - wanted]
    for id_, slot in wanted.items():
        seen = scene.containers.get(id_)
        if seen is None:
            found.append(f"{id_}: no container")
        else:
            found += [f"{id_}: {text}" for text in _shape(slot, seen)]
    return found


def _shape(slot: Slot, seen: Seen) -> list[str]:
    env = {name: seen.env.get(name) for name in slot.env}
    pairs = (
        ("runs", slot.on, seen.running),
        ("env", slot.env, env),
        ("memory", slot.memory << 20, seen.memory),
        ("cpu", slot.cpu, seen.cpu),
        ("pids", PIDS, seen.pids),
        ("networks", {NETWORK}, seen.networks),
        ("home", slot.home, seen.home),
        ("user", USER, seen.user),
        ("dropped capabilities", DROPPED, seen.dropped),
        ("security options", SECURITY, seen.security),
    )
    return [
        f"{name}: {wanted} is wanted, {found} is there"
        for name, wanted, found in pairs
        if wanted != found
    ]


def _homes(slots: list[Slot], scene: Scene) -> list[str]:
    wanted = {slot.home: slot for slot in slots if slot.phase is not None}
    found = [f"volume {name} is left over" for name in scene.volumes - wanted.keys()]
    for name, slot in wanted.items():
        if name not in scene.volumes:
            found.append(f"volume {name} is GONE")
        elif slot.marker and scene.markers.get(name) != slot.marker:
            found.append(f"volume {name}: its marker file is not what was written")
    return found


def worked(standing: Collection[str], results: Iterable[Result]) -> list[str]:
    """Say what an `up` that should have nothing to do did, and of what it said nothing."""
    told = {result.id: result for result in results}
    found = [f"{id_}: nothing is said of it" for id_ in sorted(set(standing) - told.keys())]
    return found + [
        f"{it.id}: {it.action} {it.reason} {it.message}"
        for it in told.values()
        if it.changed or it.reason
    ]


def moved(
    before: Mapping[str, Seen], after: Mapping[str, Seen], *, spared: set[str], restarted: bool
) -> list[str]:
    """Say which containers a fault touched that it had no business with.

    Args:
        before: Right before.
        after: After the heal.
        spared: Workspaces that were worked on, so theirs may differ.
        restarted: Whether the engine died: it restarts what ran, as the same containers.
    """
    found = []
    for name in before.keys() - spared:
        old, new = before[name], after.get(name)
        if new is None or old.id != new.id:
            found.append(f"{name}: another container, though nothing was done to it")
        elif old.started != new.started and not restarted:
            found.append(f"{name}: restarted, though nothing was done to it")
    return found
