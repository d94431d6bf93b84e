"""The values of a plan: what is known of a workspace, what is wished, and what is to be done. Pure.

`stacks.plan` makes a `Change` from a `Known`; `stacks.work` does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from spec import Problem, WorkspaceSpec
from stacks.drift import Difference
from stacks.errors import StacksError, Violation
from stacks.homes import Proof
from stacks.ledger_entries import Entry
from stacks.power import Container, HomeVolume
from stacks.programs.inputs import WorkspaceInputs
from state_index.models import Published
from state_index.phases import Phase, Sync

GONE = frozenset({Phase.TOMBSTONED, Phase.DELETED})


class Action(StrEnum):
    """What is to be done about one workspace."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    START = "start"
    STOP = "stop"
    KEEP = "keep"
    """Its home alone is left, and its grace begins."""
    PURGE = "purge"
    """Its home goes too: its grace is over, or someone typed its name."""
    RETIRE = "retire"
    """It is another one now, by whose file it was renamed: all goes but its home, which that has."""
    FORGET = "forget"
    """Only the published row goes: there was never anything else."""
    NOTHING = "nothing"
    INVALID = "invalid"
    BLOCKED = "blocked"
    """Something must not be done; `Change.error` says what and what helps."""

    @property
    def needs_pulumi(self) -> bool:
        """Whether a Pulumi operation is part of it."""
        return self in {Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked beyond the files.

    Attributes:
        prune: Whether a workspace whose file is gone is deleted.
        remove: Whether it is deleted even when the folder says nothing: asked for by id.
        force: Whether a lasting error is tried again.
        purge: Whether its home is removed: someone typed its name.
        watched: Milliseconds that runners watched so far; None: no home expires here.
        max_delete: Most workspaces that may be pruned within the hour; None for the rule.
        retire: The workspace that takes its home over, for which it goes; "" for none.
        adopt: The owner to whom its home goes, as someone typed after being told; "" for none.
        new_home: Whether someone typed that a home is made where the former one is gone.
        forget_missing: Whether someone typed that a home which is on no engine is forgotten.
        heal: Whether drift is healed at once, also where the file wants it reported: someone typed
            `up`.
        spares: Whether no container is made anew for drift: as many were within the hour as may.
        last: Per workspace, whether it should run, by its last wish (`last_wish`).
        before: Per workspace whose engine was lost, the phase it was in (`phase_before`).
        freed: Workspaces of which a rule refused what it allows now.
        asked: Per workspace, whether it shall run: what someone asks for right now.
        now: Whether no sync window is waited for: someone typed `up --now`.
        shown: Whether nothing is done: what waits for a window is planned, and says so.
    """

    prune: bool = False
    remove: bool = False
    force: bool = False
    purge: bool = False
    watched: int | None = None
    max_delete: int | None = None
    retire: str = ""
    adopt: str = ""
    new_home: bool = False
    forget_missing: bool = False
    heal: bool = False
    spares: bool = False
    last: Mapping[str, bool | None] = field(default_factory=dict)
    before: Mapping[str, Phase | None] = field(default_factory=dict)
    freed: frozenset[str] = frozenset()
    asked: Mapping[str, bool] = field(default_factory=dict)
    now: bool = False
    shown: bool = False


@dataclass(frozen=True, kw_only=True)
class Former:
    """What there is of the id that a workspace's file names as its former one.

    Attributes:
        id: That id.
        row: What is published of it.
        homes: The homes made under it, by rising number.
        containers: Containers of other workspaces that have one of these, its own included.
        standing: Which of these workspaces have a file.
        successors: What is published of workspaces that were it, and have no home of their own: among
            them may be the one that asks.
    """

    id: str
    row: Published | None = None
    homes: tuple[HomeVolume, ...] = ()
    containers: tuple[Container, ...] = ()
    standing: frozenset[str] = frozenset()
    successors: tuple[Published, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Known:
    """Everything known of one workspace."""

    id: str
    spec: WorkspaceSpec | None = None
    row: Published | None = None
    container: Container | None = None
    homes: tuple[HomeVolume, ...] = ()
    """Its own, and where its file names a former id, that one's; the one that counts last."""
    recorded: tuple[str, ...] = ()
    """Home volumes that Pulumi's state has, where that was read."""
    made: str = ""
    """The engine's id of the container that Pulumi's state has, where that was read."""
    former: Former | None = None
    """What its file says it was."""
    former_left: bool = False
    """Whether anything is left of the id that it was renamed from, which its home is named after."""
    former_gone: bool = False
    """Whether the history of that id tells that its home was removed: not to see it proves nothing."""
    heir: str = ""
    """Which workspace has its home by now, "" when it was not renamed."""
    successors: tuple[Published, ...] = ()
    """What is published of workspaces that were it before, and have no home of their own."""
    proofs: tuple[Proof, ...] = ()
    entry: Entry | None = None
    """What the ledger of graces says of it."""
    torn: frozenset[str] = frozenset()
    """Volumes of anybody's that the engine was told to remove, and may have in part."""
    wanted: bool | None = None
    """Whether it should run, by the last wish; None when nobody ever said."""
    asked: bool | None = None
    """Whether someone asks right now that it runs, or does not."""
    fileless: bool = False
    """Whether it is known that no file is there, right or wrong."""
    before: Phase | None = None
    """The phase in which its engine was lost, while its phase is UNKNOWN."""

    @property
    def phase(self) -> Phase:
        """Its published phase."""
        return self.row.phase if self.row else Phase.PENDING

    @property
    def running(self) -> bool:
        """Whether its container's processes are there."""
        return self.container is not None and self.container.running

    @property
    def new(self) -> bool:
        """Whether it was never brought up (since it was last removed)."""
        row = self.row
        if row is None or not row.applied_hash:
            return True
        return row.phase in GONE or row.grace_end is not None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be done about one workspace, and why.

    Attributes:
        known: What it was decided from.
        action: What to do.
        sync: What the index shall say about the file.
        reason: Why, for a person.
        spec: The workspace's file; None when it is gone or invalid.
        problems: What is wrong with the file.
        claimed: Whom an invalid file names as the owner, or "".
        inputs: What to render (create, update, replace).
        spec_hash: Hash that the container must carry to be started.
        desired_hash: Hash to be published once it is applied.
        refresh: Whether Pulumi must look at the engine first, because something is not as it left
            it.
        remakes: Whether its container is removed first: Pulumi would not see what is wrong with it.
        supposed: Whether that is for its having been refused twice.
        by_word: Whether someone typed that it is healed now: no cap counts it.
        drift: How what is there differs from what was made; None where that was not compared.
        on: Whether it shall run afterwards.
        by_name: Whether someone typed its name: its home goes before its grace is over.
        prunes: Whether it is removed, or its home, for its file being gone only; the cap is for
            these.
        held: Whether a cap holds it back: that on prunes, or that on containers made anew.
        ends: Whether the grace that begins has an end: not where nobody wanted it removed.
        takes: Home volume whose removal had begun, and which someone typed to take as it is.
        forget_missing: Whether someone typed to forget a home that is on no engine.
        wanted_again: Whether it stands again, or still: a file in any form, a container, or whom it
            was renamed to. No grace of it goes on.
        retires: Workspaces that must be gone first: what it was before it was renamed.
        error: Why it is blocked.
        findings: What owners' and rules' files have against the file, mandatory or advisory.
        refusal: Why the file is not applied to what stands, which goes on as it is.
        refused: The file that is not applied for the rules.
        rules: What `_policies.yaml` says of it, for the policy pack.
    """

    known: Known
    action: Action
    sync: Sync = Sync.SYNCED
    reason: str = ""
    spec: WorkspaceSpec | None = None
    problems: tuple[Problem, ...] = ()
    claimed: str = ""
    inputs: WorkspaceInputs | None = None
    spec_hash: str = ""
    desired_hash: str = ""
    refresh: bool = False
    remakes: bool = False
    supposed: bool = False
    by_word: bool = False
    drift: tuple[Difference, ...] | None = None
    on: bool = False
    by_name: bool = False
    prunes: bool = False
    held: bool = False
    ends: bool = True
    takes: str = ""
    forget_missing: bool = False
    wanted_again: bool = False
    retires: frozenset[str] = frozenset()
    error: StacksError | None = None
    findings: tuple[Violation, ...] = ()
    refusal: StacksError | None = None
    refused: WorkspaceSpec | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The workspace's id."""
        return self.known.id
