"""Holds a review against the rules of base: owners, quotas, images, what a container must have. Pure.

    compare.review(base, head, rules=rules_of(files, today=...))

The files of owners and rules are base's, whatever head says of them. Where they can't be read nobody
knows what is allowed, and every change is refused, as the runner refuses it.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from policies.catalogue import pack_rules
from policies.edits import may_edit, may_edit_rules
from policies.model import Policies, Workspace
from policies.plan import judge
from policies.rules import Resource, configured, evaluate
from policies.words import Finding
from spec import RuleFiles, WorkspaceSpec
from stacks.programs import resources
from stacks.review import properties
from stacks.review.model import Fleet, Level, RuleResult, Rules
from stacks.rulebook import owners_of, policies_of, workspace

UNREADABLE = "rules-readable"
REMEDY = "Mend the file on base first."
EDITORS_UNKNOWN = (
    "who may change these files can't be told, for base's own of owners or rules is wrong"
)


def rules_of(
    files: RuleFiles, *, today: date, author: str = "", changed_rules: Collection[str] = ()
) -> Rules:
    """Give the rules that files make.

    Args:
        files: Those of base.
        today: The day by which exemptions end (UTC).
        author: Who wants the change, as `person` gives it; "" where nobody said: then who may edit
            what is not looked at.
        changed_rules: Files of owners, of rules and templates that the branch changes.
    """

    def results(base: Fleet, head: Fleet) -> list[RuleResult]:
        edits = _edits(files, base, head, author, changed_rules) if author else ()
        results = [*stated(base, head), *(_result(found.resource, found) for found in edits)]
        # Without a list of owners everybody may edit: here there may be one.
        if (
            author
            and files.broken
            and files.owners is None
            and (changed_rules or _edited(base, head))
        ):
            results.append(_advice(EDITORS_UNKNOWN))
        return results

    def stated(base: Fleet, head: Fleet) -> list[RuleResult]:
        if files.broken:
            # What changes no workspace may be what mends them.
            same = base.specs == head.specs
            return [] if same else [_unreadable(str(problem)) for problem in files.problems]
        return [_result(id_, found) for id_, found in _findings(files, base, head, today)]

    return results


def _unreadable(problem: str) -> RuleResult:
    return RuleResult(rule=UNREADABLE, level=Level.MANDATORY, message=problem, remedy=REMEDY)


def _advice(message: str) -> RuleResult:
    return RuleResult(rule=UNREADABLE, level=Level.ADVISORY, message=message, remedy=REMEDY)


def _edited(base: Fleet, head: Fleet) -> bool:
    return any(seen(base, id_) != seen(head, id_) for id_ in base.ids | head.ids)


def _findings(
    files: RuleFiles, base: Fleet, head: Fleet, today: date
) -> Iterator[tuple[str, Finding]]:
    """Give what is found, by workspace; of what does not change, only what refuses something."""
    policies = policies_of(files.policies)
    standing = {id_: workspace(base.specs[id_]) for id_ in sorted(base.specs) if id_ in head.ids}
    desired = {id_: workspace(spec) for id_, spec in head.specs.items()}
    judged = judge(
        desired, standing, owners=owners_of(files.owners), policies=policies, today=today
    )
    changed = _changed(desired, standing)
    for id_ in sorted(desired):
        for found in judged.findings.get(id_, ()):
            if id_ in changed or found.mandatory:
                yield id_, found
        if id_ in changed:
            yield from ((id_, found) for found in _packed(head.specs[id_], policies, today))


def person(files: RuleFiles, author: str) -> str:
    """Give the owner that an author is: `forge:login`, or an owner's own name.

    Who has no such login is nobody's namesake: what was given stands for a stranger.
    """
    forge, colon, login = author.rpartition(":")
    owners = owners_of(files.owners)
    if not colon or owners is None:
        return author
    return owners.by_login(forge, login) or author


def _edits(
    files: RuleFiles, base: Fleet, head: Fleet, author: str, changed_rules: Collection[str]
) -> Iterator[Finding]:
    """Give what the author may not edit."""
    owners = owners_of(files.owners)
    verdicts = [may_edit_rules(owners, author, file=name) for name in changed_rules]
    for id_ in sorted(base.ids | head.ids):
        before, after = (seen(fleet, id_) for fleet in (base, head))
        if before != after:
            verdicts.append(may_edit(owners, author, before, after))
    yield from (verdict.finding for verdict in verdicts if verdict.finding is not None)


def seen(fleet: Fleet, id_: str) -> Workspace | None:
    """Give a workspace as its file says; of a wrong one, whose it says it is."""
    if id_ in fleet.specs:
        return workspace(fleet.specs[id_])
    return Workspace(id=id_, owner=fleet.owners.get(id_, "")) if id_ in fleet.invalid else None


def _changed(desired: Mapping[str, Workspace], standing: Mapping[str, Workspace]) -> frozenset[str]:
    return frozenset(id_ for id_, found in desired.items() if standing.get(id_) != found)


def _packed(spec: WorkspaceSpec, policies: Policies | None, today: date) -> Iterator[Finding]:
    """Give what the policy pack would say of the container; of the home the program alone decides."""
    rules = configured(pack_rules(spec.id, policies=policies, today=today))
    for found in properties.rendered(spec, owner=spec.owner):
        if found.name == resources.CONTAINER:
            plain = Resource(type=found.type, name=found.name, properties=found.properties)
            yield from evaluate(plain, rules=rules)


def _result(id_: str, found: Finding) -> RuleResult:
    return RuleResult(
        rule=found.rule.id,
        level=Level.MANDATORY if found.mandatory else Level.ADVISORY,
        message=f"{found.detail}. {found.rule.reason}",
        remedy=found.rule.remedy,
        workspace=id_,
        docs=found.rule.docs,
    )
