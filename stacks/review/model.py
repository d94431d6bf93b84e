"""The values of a review. Plain and frozen; everything else in this package makes or shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property

from spec import Origin, Problem, WorkspaceSpec
from stacks.review.golden import Effect


class Action(StrEnum):
    """What would happen to a workspace."""

    DELETE = "delete"
    RENAME = "rename"
    REPLACE = "replace"
    INVALID = "invalid"
    UPDATE = "update"
    CREATE = "create"
    UNCHANGED = "unchanged"


class Severity(IntEnum):
    """How much of what is there now goes; a higher one needs a review of its own."""

    NONE = 0
    """Nothing that is there is touched."""
    MAKES = 1
    """Something is made, or changed in place; what runs goes on."""
    STOPS = 2
    """What runs is ended; what was written stays."""
    REPLACES = 3
    """The container is made anew: what was written outside of the home is lost."""
    HANDS_OVER = 4
    """The home gets another owner, or another name, or a workspace gets one that is there already."""
    REMOVES = 5
    """The workspace goes; its home is removed when its grace is over."""


class Level(StrEnum):
    """What the result of a rule does."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the folder of workspace files says on one side.

    Attributes:
        specs: The workspaces whose files are right, by id.
        invalid: The problems of the others, by id.
        owners: Whom those others name as the owner, by id, where that can be read.
        formerly: Which former ids files name, by id; invalid files too, where that can be read.
        revisions: The content of each file that could be read, as git names it, by id.
        origins: Where each workspace is written, by id.
        problems: What is wrong with files that are no workspace's own.
        doubt: Why a workspace that is not here may be there all the same; "" when it is not.
        absent: Why there is no folder; "" when there is one.
    """

    specs: Mapping[str, WorkspaceSpec] = field(default_factory=dict)
    invalid: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    formerly: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    doubt: str = ""
    absent: str = ""

    @cached_property
    def ids(self) -> frozenset[str]:
        """All workspaces that have a file."""
        return frozenset(self.specs) | frozenset(self.invalid)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key of a file that changes.

    Attributes:
        path: The key (``env.TZ``).
        kind: ``add``, ``update`` or ``delete``.
        before: Value on base, as JSON; "" when it is not there or hidden.
        after: Value on head, likewise.
        effect: What this change alone does to what runs.
        hidden: Whether the values look like a secret and are not told.
        fingerprint: Hash of key and value on head, for the change set's; never told.
    """

    path: str
    kind: str
    before: str = ""
    after: str = ""
    effect: Effect = Effect.NONE
    hidden: bool = False
    fingerprint: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """One property of a resource that changes.

    Attributes:
        resource: Pulumi's name: ``home`` or ``container``.
        property: Pulumi's name of the property.
        effect: What Pulumi would do for it, by the golden table.
    """

    resource: str
    property: str
    effect: Effect


@dataclass(frozen=True, kw_only=True)
class WorkspaceReview:
    """What would happen to one workspace.

    Attributes:
        id: The workspace.
        action: What would happen.
        severity: How destructive that is.
        reason: Why, in words.
        data: What happens to the home, and what is lost, in words.
        owner: Its owner on head (on base, when it goes).
        former_owner: Its owner on base, where that changes.
        formerly: The id that it was renamed from by this change.
        home: The id under which its home was made, by its file on head; "" when that is not known.
        changes: The keys that change.
        resources: The properties that change.
        problems: What is wrong with its file on head.
        held: Whether nothing happens until someone allows it.
        moved: Whether base has changed the file too since the branch began, or the one that it was renamed from.
    """

    id: str
    action: Action
    severity: Severity
    reason: str = ""
    data: str = ""
    owner: str = ""
    former_owner: str = ""
    formerly: str = ""
    home: str = ""
    changes: tuple[Change, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    problems: tuple[Problem, ...] = ()
    held: bool = False
    moved: bool = False

    @property
    def destructive(self) -> bool:
        """Whether something that lives now is removed, replaced, renamed or handed over."""
        return self.severity >= Severity.REPLACES


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the files of one owner ask for together."""

    workspaces: int = 0
    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, kw_only=True)
class Total:
    """What an owner's files ask for on base and on head; told where it changes."""

    owner: str
    before: Asked
    after: Asked


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What a rule says of the change.

    Attributes:
        rule: The rule's id.
        level: Whether it stands in the way.
        message: What breaks it.
        remedy: What to do about it.
        workspace: Whose file; "" where it is about all.
        docs: Where the rule is explained.
    """

    rule: str
    level: Level
    message: str
    remedy: str = ""
    workspace: str = ""
    docs: str = ""


Rules = Callable[[Fleet, Fleet], Sequence[RuleResult]]
"""Rules over base and head. They, owners and quotas are those of base: head can't relax them."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a pull request would do.

    Attributes:
        base: The commit that it would go onto, "" where there is none.
        head: Its last commit, likewise.
        workspaces: Those that change or are wrong, destructive first.
        unchanged: How many others there are.
        totals: Owners who ask for more or less than before.
        rules: What rules say.
        problems: What the change makes wrong in files that are no workspace's own.
        notes: What concerns the whole, in words.
        hash: Of the change set.
    """

    base: str = ""
    head: str = ""
    workspaces: tuple[WorkspaceReview, ...] = ()
    unchanged: int = 0
    totals: tuple[Total, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    hash: str = ""

    @property
    def invalid(self) -> bool:
        """Whether a file is wrong."""
        wrong = any(found.action is Action.INVALID for found in self.workspaces)
        return wrong or bool(self.problems)

    @property
    def refused(self) -> bool:
        """Whether a mandatory rule is broken."""
        return any(found.level is Level.MANDATORY for found in self.rules)
