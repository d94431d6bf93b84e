"""The rules that one stack can't see: owners that are listed, and quotas over all workspaces. Pure.

    judge(desired, standing, owners=..., policies=..., today=...) -> Judgement

What stands is never stopped by a rule: only what is new, grows or changes is refused, and then it
stays as it stands. Growing and new ones are admitted in one order (`_claims`), which depends on
nothing but the files and what stands, so that a preview, a pull request and the runner say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from policies import quotas
from policies.images import is_allowed
from policies.model import Amount, Exemption, Owners, Policies, Quota, Workspace
from policies.quotas import Holder
from policies.rules import IMAGE_ALLOWED, RULES, not_listed
from policies.words import Finding, Level, Rule

OWNER_LISTED = Rule(
    id="owner-listed",
    reason="A workspace of nobody who is known has nobody to ask, and nobody's quota.",
    remedy="Name an owner of `_owners.yaml`, or add this one there.",
    settable=True,
)
QUOTA_OWNER = Rule(
    id="quota-owner",
    reason="What one takes of the machine is missing for all others.",
    remedy="Ask for less, remove a workspace, or have the owner's quota raised in `_owners.yaml`.",
    settable=True,
)
QUOTA_TEAM = Rule(
    id="quota-team",
    reason="A team's share is for all of its members.",
    remedy="Ask for less, remove one of the team's workspaces, or have its quota raised in "
    "`_owners.yaml`.",
    settable=True,
)
PLAN_RULES: tuple[Rule, ...] = (OWNER_LISTED, QUOTA_OWNER, QUOTA_TEAM)

_QUOTA_RULES = {quotas.OWNER: QUOTA_OWNER, quotas.TEAM: QUOTA_TEAM}
_IMAGES = next(rule for rule in RULES if rule.id == IMAGE_ALLOWED)


@dataclass(frozen=True, kw_only=True)
class Use:
    """What is used of one quota, with all that was admitted.

    Attributes:
        holder: Whose it is.
        used: How much is used.
        quota: How much may be.
    """

    holder: Holder
    used: Amount
    quota: Quota


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the plan rules say.

    Attributes:
        findings: By workspace id; those without any are not in it.
        uses: One for each owner or team that has a quota, in order of kind and name.
    """

    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()

    def refused(self, workspace: str) -> tuple[Finding, ...]:
        """Give what stops a workspace's change."""
        return tuple(each for each in self.findings.get(workspace, ()) if each.mandatory)


def judge(
    desired: Mapping[str, Workspace],
    standing: Mapping[str, Workspace],
    *,
    owners: Owners | None,
    policies: Policies | None,
    today: date,
) -> Judgement:
    """Say what the plan rules have against what the files ask for.

    Args:
        desired: What valid files ask for, by id.
        standing: What there is of workspaces that have a file, as it was last admitted; of those
            whose file can't be read too: they count as they stand.
        owners: What `_owners.yaml` says; None where there is none.
        policies: What `_policies.yaml` says; None where there is none.
        today: The day by which exemptions end (UTC).
    """
    court = _Court(owners, policies or Policies(), today)
    for workspace in (desired[id_] for id_ in sorted(desired)):
        court.check_owner(workspace, standing.get(workspace.id))
        court.tell_image(workspace)
        court.tell_uncounted(workspace)
    court.check_quotas(desired, standing)
    return Judgement(
        findings={id_: tuple(court.findings[id_]) for id_ in sorted(court.findings)},
        uses=court.uses(),
    )


class _Court:
    def __init__(self, owners: Owners | None, policies: Policies, today: date) -> None:
        self._owners = owners
        self._policies = policies
        self._today = today
        self._used: dict[Holder, Amount] = {}
        self._holders: dict[str, tuple[Holder, ...]] = {}
        self._exempt = policies.in_force(today)
        levels = {kind: self._level(rule) for kind, rule in _QUOTA_RULES.items()}
        self._counting = frozenset(kind for kind in levels if levels[kind] is not Level.OFF)
        self.findings: dict[str, list[Finding]] = {}

    def check_owner(self, workspace: Workspace, stands: Workspace | None) -> None:
        """See whether its owner is listed; what is as it stands is told only."""
        if self._owners is None or workspace.owner in self._owners.people:
            return
        told = f"its owner {workspace.owner} is not in `_owners.yaml`"
        self._find(OWNER_LISTED, workspace.id, told, stops=workspace != stands)

    def tell_image(self, workspace: Workspace) -> None:
        """Say which image is let in though it is not on the list; the pack refuses all others."""
        images, exempt = self._policies.images, self._exemption(_IMAGES, workspace.id)
        if images is None or is_allowed(workspace.image, images):
            return
        if exempt is not None or self._level(_IMAGES) is Level.ADVISORY:
            self._find(_IMAGES, workspace.id, not_listed(workspace.image), stops=False)

    def tell_uncounted(self, workspace: Workspace) -> None:
        """Say which quotas it takes nothing of for now."""
        for kind, rule in _QUOTA_RULES.items():
            if self._exemption(rule, workspace.id) is None:
                continue
            for holder in self._holders_of(workspace.owner):
                if holder.kind == kind and self._quota(holder) != Quota():
                    told = f"it is not counted in the quota of {holder}"
                    self._find(rule, workspace.id, told)

    def check_quotas(
        self, desired: Mapping[str, Workspace], standing: Mapping[str, Workspace]
    ) -> None:
        """Admit what is new or grows, as long as there is room."""
        claims = self._claims(desired, standing)
        claiming = {workspace.id for workspace in claims}
        for workspace in standing.values():
            if workspace.id not in desired or workspace.id in claiming:
                self._count(self._taken(workspace))
        for id_, workspace in desired.items():
            # What a refused change leaves standing was counted as it stands; the rest asks for no
            # more than it has, and counts as its file says.
            if id_ not in claiming:
                stays = standing.get(id_) if self._is_refused(id_) else workspace
                self._count(self._taken(stays) if stays else {})
        for workspace in claims:
            self._claim(workspace, standing.get(workspace.id))

    def _claims(
        self, desired: Mapping[str, Workspace], standing: Mapping[str, Workspace]
    ) -> list[Workspace]:
        """What asks for more than it has: what stands already first, for someone works in it.

        Then by id. Not by time: two readers of the same files must give the same answer.
        """
        found = [
            workspace
            for workspace in desired.values()
            if not self._is_refused(workspace.id)
            and _rising(self._more(workspace, standing.get(workspace.id)))
        ]
        return sorted(found, key=lambda workspace: (workspace.id not in standing, workspace.id))

    def _claim(self, workspace: Workspace, stands: Workspace | None) -> None:
        more = self._more(workspace, stands)
        for holder, amount in _rising(more).items():
            used, quota = self._used.get(holder, Amount()), self._quota(holder)
            for told in quotas.beyond(holder, workspace.id, used, amount, quota):
                self._find(_QUOTA_RULES[holder.kind], workspace.id, told)
        if not self._is_refused(workspace.id):
            self._count(more)

    def _more(self, workspace: Workspace, stands: Workspace | None) -> dict[Holder, Amount]:
        """What it would take more than it has, by holder; less is negative."""
        more = dict(self._taken(workspace))
        for holder, amount in (self._taken(stands) if stands else {}).items():
            more[holder] = more.get(holder, Amount()).minus(amount)
        return more

    def _taken(self, workspace: Workspace) -> dict[Holder, Amount]:
        amount = workspace.amount
        holders = self._holders_of(workspace.owner)
        counting = self._counting
        if self._exempt:
            rules = _QUOTA_RULES.items()
            counting -= {kind for kind, rule in rules if self._exemption(rule, workspace.id)}
        return {holder: amount for holder in holders if holder.kind in counting}

    def _holders_of(self, owner: str) -> tuple[Holder, ...]:
        if owner not in self._holders:
            self._holders[owner] = quotas.holders(owner, self._owners)
        return self._holders[owner]

    def _count(self, amounts: Mapping[Holder, Amount]) -> None:
        for holder, amount in amounts.items():
            self._used[holder] = self._used.get(holder, Amount()).plus(amount)

    def uses(self) -> tuple[Use, ...]:
        """What is used of each quota that there is."""
        named = quotas.named(self._owners)
        found = (
            Use(holder=holder, used=self._used.get(holder, Amount()), quota=self._quota(holder))
            for holder in sorted(named | self._used.keys())
        )
        return tuple(each for each in found if each.quota != Quota())

    def _quota(self, holder: Holder) -> Quota:
        return quotas.quota_of(holder, self._owners, self._policies)

    def _is_refused(self, workspace: str) -> bool:
        return any(found.mandatory for found in self.findings.get(workspace, ()))

    def _exemption(self, rule: Rule, workspace: str) -> Exemption | None:
        return self._exempt.get((rule.id, workspace))

    def _level(self, rule: Rule) -> Level:
        return self._policies.levels.get(rule.id, rule.level)

    def _find(self, rule: Rule, workspace: str, detail: str, *, stops: bool = True) -> None:
        level = self._level(rule)
        if level is Level.OFF:
            return
        exemption = self._exemption(rule, workspace)
        if exemption is not None:
            detail += f"; exempt until {exemption.until}: {exemption.reason}"
        elif ended := self._policies.ended(rule.id, workspace, self._today):
            detail += f"; {ended_words(ended)}"
        level = level if stops and exemption is None else Level.ADVISORY
        found = Finding(rule=rule, resource=workspace, detail=detail, level=level)
        self.findings.setdefault(workspace, []).append(found)


def ended_words(exemption: Exemption) -> str:
    """Say that an exemption counts no more."""
    return f"its exemption ended on {exemption.until}: {exemption.reason}"


def _rising(more: Mapping[Holder, Amount]) -> dict[Holder, Amount]:
    return {holder: amount for holder, amount in more.items() if any(each > 0 for each in amount)}
