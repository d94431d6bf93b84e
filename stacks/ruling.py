"""What the files of owners and rules mean for a plan. Pure; the rules themselves are in `policies`.

    consider(snapshot, rows, containers, today).of(change) -> change

What is refused and does not stand yet is BLOCKED; what stands goes on as it is, OutOfSync, with the
rule's words. Where the files can't be read nothing that is new or changed is applied and nothing is
pruned, and all that stands goes on: it is started, stopped and healed as before.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from policies.catalogue import pack_rules
from policies.images import is_allowed
from policies.model import Policies, Workspace
from policies.plan import Judgement, judge
from policies.rules import CONTAINER, IMAGE_ALLOWED, Resource, configured, evaluate
from policies.windows import Calendar
from policies.words import Finding, Level
from spec import RuleFiles, WorkspaceSpec
from stacks.errors import (
    PolicyViolationError,
    ReviewExceededError,
    RulesUnreadableError,
    StacksError,
    Violation,
)
from stacks.plan import as_it_is
from stacks.planned import GONE, Action, Change, Wish
from stacks.pulls.hold import Hold
from stacks.rulebook import Rulebook, standing, workspace
from stacks.source import Snapshot
from stacks.windows import timely, told_at_preview
from state_index.models import Published
from state_index.phases import Phase, Sync


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is said of all workspaces of one reading.

    Attributes:
        files: The files.
        policies: What `_policies.yaml` says.
        judgement: What the plan rules say.
        standing: What stands, by id, as it was last admitted.
        today: The day by which exemptions end.
        holds: What stays as it is, as a commit does more to it than was reviewed.
        calendar: What the sync windows say; none where someone asked not to wait for them.
        shown: Whether what waits for a window is only to be shown.
    """

    files: RuleFiles = field(default_factory=RuleFiles)
    policies: Policies | None = None
    judgement: Judgement = field(default_factory=Judgement)
    standing: Mapping[str, Workspace] = field(default_factory=dict)
    today: date = date.min
    holds: Mapping[str, Hold] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    shown: bool = False

    def of(self, change: Change) -> Change:
        """Give the change that the rules, what was reviewed, and the windows leave of one."""
        return self._in_time(self._reviewed(self._ruled(change)))

    def _reviewed(self, change: Change) -> Change:
        """Leave as it is what is to become what nobody reviewed; what someone typed is no file's."""
        hold = self.holds.get(change.id)
        is_of_files = change.prunes or change.spec is not None or _is_kept(change)
        is_gone = change.known.phase in GONE and change.spec is None
        if hold is None or is_gone or not is_of_files:
            return change
        error = ReviewExceededError(hold.message, remedy=hold.remedy, step="review")
        return self._refused(replace(change, prunes=False), error)

    def _ruled(self, change: Change) -> Change:
        if not self.files.any:
            return change
        if self.files.broken:
            return self._unread(change)
        if change.spec is None:
            return change
        found = self.judgement.findings.get(change.id, ())
        told = tuple(violation(each) for each in found)
        change = replace(change, findings=told, rules=self._pack_rules(change.id))
        refused = tuple(each for each in told if each.mandatory)
        return self._refused(change, PolicyViolationError(refused)) if refused else change

    def _in_time(self, change: Change) -> Change:
        wait = told_at_preview if self.shown else timely
        return wait(change, self.calendar, self.standing)

    def wish(self, wish: Wish, rows: Mapping[str, Published], snapshot: Snapshot) -> Wish:
        """Give the wish that lets be tried again what a rule refused and allows now."""
        if self.policies is None:
            return wish
        freed = (id_ for id_, row in rows.items() if self._is_freed(row, snapshot.specs.get(id_)))
        return replace(wish, freed=frozenset(freed))

    def _pack_rules(self, workspace_id: str) -> Mapping[str, Mapping[str, object]]:
        return pack_rules(workspace_id, policies=self.policies, today=self.today)

    def _is_freed(self, row: Published, spec: WorkspaceSpec | None) -> bool:
        failed = row.phase in {Phase.ERROR, Phase.RUNNING}
        refused = failed and row.reason == PolicyViolationError.reason
        if not refused or IMAGE_ALLOWED not in row.message or spec is None or self.files.broken:
            return False
        rules = self._pack_rules(row.id).get(IMAGE_ALLOWED)
        if rules is None or rules["level"] != Level.MANDATORY:
            return True
        return bool(self.policies and is_allowed(spec.image, self.policies.images or ()))

    def _unread(self, change: Change) -> Change:
        """Leave as it is what is new, changed or pruned: by which rules it may be is not known."""
        if change.prunes:
            told = f"its file is gone, but it is kept: {self._problem()}"
            kept = replace(change, action=Action.NOTHING, prunes=False, reason=told)
            return as_it_is(change.known, kept)
        if change.spec is None or workspace(change.spec) == self.standing.get(change.id):
            return change
        change = replace(change, problems=self.files.problems)
        return self._refused(change, RulesUnreadableError(self._problem(), step="rules"))

    def _problem(self) -> str:
        first, count = self.files.problems[0], len(self.files.problems)
        more = f" (and {count - 1} more)" if count > 1 else ""
        return f"the rules can't be read: {first}{more}"

    def _refused(self, change: Change, error: StacksError) -> Change:
        known = change.known
        left = Change(
            known=known,
            action=Action.NOTHING,
            sync=Sync.OUT_OF_SYNC,
            reason=error.told if isinstance(error, ReviewExceededError) else error.message,
            problems=change.problems,
            findings=change.findings,
            wanted_again=change.wanted_again,
        )
        if known.container is not None or not known.new:
            return as_it_is(known, replace(left, refusal=error, refused=change.spec))
        claimed = change.spec.owner if change.spec else ""
        return replace(
            left, action=Action.BLOCKED, error=error, refused=change.spec, claimed=claimed
        )


NO_RULES = Ruling()


def consider(
    book: Rulebook,
    snapshot: Snapshot,
    rows: Mapping[str, Published],
    containers: Collection[str],
    *,
    today: date,
    prunes: bool = False,
    calendar: Calendar | None = None,
    shown: bool = False,
) -> Ruling:
    """Say what the rules have against what the files ask for.

    Args:
        book: What the rules are and what is asked for.
        snapshot: The reading that it is of.
        rows: What is published, by id.
        containers: Ids of workspaces that have a container.
        today: The day by which exemptions end (UTC).
        prunes: Whether workspaces go whose file is gone: what they have is free for others then.
        calendar: What the sync windows say.
        shown: Whether what waits for a window is only to be shown.
    """
    if not book.files.any:
        return Ruling(holds=snapshot.holds) if snapshot.holds else NO_RULES
    stands = standing(snapshot, rows, containers, prunes=prunes)
    judgement = Judgement()
    if not book.files.broken:
        judgement = judge(
            book.desired, stands, owners=book.owners, policies=book.policies, today=today
        )
    return Ruling(
        files=book.files,
        policies=book.policies,
        judgement=judgement,
        standing=stands,
        today=today,
        holds=snapshot.holds,
        calendar=calendar or Calendar(),
        shown=shown,
    )


def _is_kept(change: Change) -> bool:
    """Whether a workspace stays though its file is gone, as a start asks for no removal."""
    onward = change.action in {Action.NOTHING, Action.START, Action.STOP}
    return onward and change.sync is Sync.OUT_OF_SYNC and not (change.problems or change.known.heir)


def image_refusal(change: Change) -> StacksError | None:
    """Say what the policy pack would say of an image, where Pulumi is run without our pack."""
    if change.inputs is None:
        return None
    container = Resource(
        type=CONTAINER, name="container", properties={"image": change.inputs.image}
    )
    rules = [rule for rule in configured(change.rules) if rule.id == IMAGE_ALLOWED]
    found = [violation(each) for each in evaluate(container, rules=rules) if each.mandatory]
    return PolicyViolationError(tuple(found)) if found else None


def violation(finding: Finding) -> Violation:
    """Give a finding as what a policy said."""
    return Violation(
        rule=finding.rule.id, resource="", message=finding.message, mandatory=finding.mandatory
    )
