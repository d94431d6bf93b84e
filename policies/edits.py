"""Who may change which file, and approve what. Pure; asked for pull requests and by the portal.

    may_edit(owners, "alice", before, after) -> Verdict

Without `_owners.yaml` there is no such rule: the forge alone says who may write.
"""

from dataclasses import dataclass

from policies.model import Owners, Workspace
from policies.words import Finding, Rule

EDIT_ALLOWED = Rule(
    id="edit-allowed",
    reason="A workspace's file decides what runs with its owner's files.",
    remedy="Let the owner, a maintainer of the owner's team, an approver or an admin make the "
    "change.",
)
RULES_BY_ADMINS = Rule(
    id="rules-by-admins",
    reason="Who may change owners and rules may give anybody anything.",
    remedy="Let an admin of `_owners.yaml` make the change.",
)
APPROVER_NEEDED = Rule(
    id="approver-needed",
    reason="A destructive change takes away what someone works in.",
    remedy="Have it approved by an approver or an admin of `_owners.yaml`.",
)
REVIEW_RULES: tuple[Rule, ...] = (EDIT_ALLOWED, RULES_BY_ADMINS, APPROVER_NEEDED)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether somebody may do something; `finding` says why not."""

    finding: Finding | None = None

    @property
    def allowed(self) -> bool:
        """Whether it is."""
        return self.finding is None

    @property
    def message(self) -> str:
        """Why not, in the words of the rule; "" when it is allowed."""
        return self.finding.message if self.finding else ""


ALLOWED = Verdict()


def may_edit(
    owners: Owners | None, actor: str, before: Workspace | None, after: Workspace | None
) -> Verdict:
    """Say whether somebody may add, change or remove a workspace's file.

    Args:
        owners: What `_owners.yaml` says where the change is to be made: not what the change says.
        actor: Who makes the change, by the name of an owner; see `Owners.by_login`.
        before: The workspace as it is; None for a new file.
        after: As it would be; None for a file that is removed.
    """
    if owners is None:
        return ALLOWED
    for workspace in (before, after):
        # A change of owner takes from one and gives to another: both sides must be the actor's.
        if workspace is not None and not _may_act_for(owners, actor, workspace.owner):
            told = f"{actor or 'nobody'} may not change a workspace of {workspace.owner}"
            return Verdict(finding=Finding(rule=EDIT_ALLOWED, resource=workspace.id, detail=told))
    return ALLOWED


def may_edit_rules(owners: Owners | None, actor: str, *, file: str) -> Verdict:
    """Say whether somebody may change the files of owners and rules; args as `may_edit`.

    Where no admin is named, the forge alone says who may write.
    """
    if owners is None or not owners.admins or actor in owners.admins:
        return ALLOWED
    told = f"{actor or 'nobody'} may not change {file}"
    return Verdict(finding=Finding(rule=RULES_BY_ADMINS, resource=file, detail=told))


def may_approve(owners: Owners | None, actor: str, *, workspace: str) -> Verdict:
    """Say whether somebody may approve destructive changes; args as `may_edit`.

    Without `_owners.yaml` nobody is named, so nobody may: what is destructive stays as reviewed.
    """
    if owners is not None and actor in owners.approvers | owners.admins:
        return ALLOWED
    told = f"{actor or 'nobody'} may not approve what happens to {workspace}"
    return Verdict(finding=Finding(rule=APPROVER_NEEDED, resource=workspace, detail=told))


def _may_act_for(owners: Owners, actor: str, owner: str) -> bool:
    if not actor:
        return False
    if actor in owners.admins | owners.approvers:
        return True
    if actor == owner:
        return actor in owners.people
    return any(actor in owners.teams[team].maintainers for team in owners.teams_of(owner))
