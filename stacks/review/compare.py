"""Compares what the files say on base and on head: one `WorkspaceReview` for each that changes. Pure.

`base` is what would be merged onto, `head` what merging would make of it (`stacks.review.commits`
puts it together). Rules, their owners and their quotas are base's: see `model.Rules`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from spec import Resources, WorkspaceSpec
from stacks.review import changeset, properties, words
from stacks.review.model import (
    Action,
    Asked,
    Fleet,
    Review,
    RuleResult,
    Rules,
    Severity,
    Total,
    WorkspaceReview,
)
from stacks.review.predecessors import predecessors

DELETIONS = 3
"""As many workspaces may always be deleted in an hour."""
DELETIONS_PART = 10
"""One in so many of the fleet, where that is more (`stacks.pruning`)."""

ORDER = tuple(Action)


def no_rules(base: Fleet, head: Fleet) -> Sequence[RuleResult]:  # noqa: ARG001
    """Give no results: there are no rules."""
    return ()


def review(
    base: Fleet,
    head: Fleet,
    *,
    rules: Rules = no_rules,
    moved: Collection[str] = (),
    commits: tuple[str, str] = ("", ""),
    notes: Sequence[str] = (),
) -> Review:
    """Tell what would happen.

    Args:
        base: What the files say now.
        head: What they would say.
        rules: Gives what rules say of both.
        moved: Workspaces whose file base has changed too since the branch began.
        commits: Ids of base and head, to be told.
        notes: What else is to be told of the whole.
    """
    former = predecessors(base, head)
    gone = set(former.values())
    let_go = _let_go(base, head)
    ids = sorted(((base.ids | head.ids) - gone) | let_go.keys())
    found = [
        _one(id_, base, head, former.get(id_, ""))
        for id_ in ids
        if id_ not in let_go and _differs(id_, base, head)
    ]
    found += [_deleted(id_, base, head, held_by=heir) for id_, heir in let_go.items()]
    told = [replace(each, moved=each.id in moved or each.formerly in moved) for each in found]
    told.sort(key=_rank)
    made = Review(
        base=commits[0],
        head=commits[1],
        workspaces=tuple(told),
        unchanged=len(ids) - len(told),
        totals=totals(base, head),
        rules=_once(rules(base, head)),
        problems=tuple(problem for problem in head.problems if problem not in base.problems),
        notes=(*_notes(base, head, told), *notes),
    )
    return replace(made, hash=changeset.of(made).hash)


def _let_go(base: Fleet, head: Fleet) -> dict[str, str]:
    """Give what only a wrong file of base kept from being removed, and which file that was.

    Its own file went by an earlier change, whose review could only say that nothing happens yet.
    """
    claimed = set(head.formerly.values()) | base.ids | head.ids
    return {
        former: heir
        for heir, former in sorted(base.formerly.items())
        if heir in base.invalid and former not in claimed
    }


def _once(results: Iterable[RuleResult]) -> tuple[RuleResult, ...]:
    """Leave out what was said before: a file's rules and a container's may find the same."""
    found: dict[tuple[str, ...], RuleResult] = {}
    for each in results:
        found.setdefault((each.level, each.rule, each.workspace, each.message), each)
    return tuple(found.values())


def _rank(each: WorkspaceReview) -> tuple[int, int, str]:
    """Destructive first, the worst before others; then what is wrong."""
    return -each.severity if each.destructive else 0, ORDER.index(each.action), each.id


def _differs(id_: str, base: Fleet, head: Fleet) -> bool:
    if id_ in base.specs and id_ in head.specs:
        return base.specs[id_] != head.specs[id_]
    return base.invalid.get(id_) != head.invalid.get(id_) or (id_ in base.ids) != (id_ in head.ids)


def _one(id_: str, base: Fleet, head: Fleet, former: str) -> WorkspaceReview:
    before, after = base.specs.get(former or id_), head.specs.get(id_)
    if id_ in head.invalid:
        return _invalid(id_, base, head)
    if after is None:
        return _deleted(id_, base, head)
    if former:
        return _renamed(after, before, former, conflict=id_ in base.ids)
    if id_ in base.invalid:
        # Its owner and home may be others than those that the last right file named.
        told = words.UNKNOWN_HOME if after.formerly else words.UNKNOWN
        data = told.format(owner=after.owner, home=after.formerly)
        return _of(after, Action.REPLACE, Severity.HANDS_OVER, data=data)
    if before is None:
        severity = Severity.HANDS_OVER if after.formerly else Severity.MAKES
        return _of(after, Action.CREATE, severity, data=_created(after, head))
    return _changed(before, after)


def _created(after: WorkspaceSpec, head: Fleet) -> str:
    if after.formerly is None:
        return words.CREATED
    told = words.STANDS if after.formerly in head.ids else words.ADOPTED
    return told.format(former=after.formerly)


def _of(after: WorkspaceSpec, action: Action, severity: Severity, *, data: str) -> WorkspaceReview:
    return WorkspaceReview(
        id=after.id,
        action=action,
        severity=severity,
        data=data,
        owner=after.owner,
        home=after.formerly or after.id,
        changes=properties.keys_of(after),
    )


def _changed(before: WorkspaceSpec, after: WorkspaceSpec) -> WorkspaceReview:
    changes = properties.resource_changes(before, after)
    action, severity, data = words.changed(before, after, properties.effect_of(changes))
    return replace(
        _of(after, action, severity, data=data),
        former_owner=before.owner if before.owner != after.owner else "",
        changes=properties.key_changes(before, after),
        resources=changes,
    )


def _renamed(
    after: WorkspaceSpec, before: WorkspaceSpec | None, former: str, *, conflict: bool
) -> WorkspaceReview:
    told = words.RENAMED.format(former=former)
    made = replace(
        _of(after, Action.RENAME, Severity.HANDS_OVER, data=told),
        formerly=former,
        reason=f"it was {former}" + (f"; {words.CONFLICT}" if conflict else ""),
    )
    if before is None:
        return made
    handed = before.owner != after.owner
    lost = f"{words.HANDED.format(before=before.owner, after=after.owner)}; " if handed else ""
    return replace(
        made,
        data=lost + told,
        former_owner=before.owner if handed else "",
        changes=properties.key_changes(before, after),
        resources=properties.resource_changes(before, after),
    )


def _deleted(id_: str, base: Fleet, head: Fleet, *, held_by: str = "") -> WorkspaceReview:
    spec = base.specs.get(id_)
    made = WorkspaceReview(
        id=id_,
        action=Action.DELETE,
        severity=Severity.REMOVES,
        reason=words.LET_GO.format(heir=held_by) if held_by else "its file goes",
        data=words.DELETED,
        owner=spec.owner if spec else base.owners.get(id_, ""),
    )
    heir = next((each for each in sorted(head.formerly) if head.formerly[each] == id_), "")
    if heir:
        told = words.CLAIMED.format(heir=heir)
        return replace(made, action=Action.UNCHANGED, severity=Severity.NONE, data=told)
    if head.doubt:
        return replace(made, held=True, data=words.DOUBTED)
    return made if head.specs else replace(made, held=True, data=words.HELD)


def _invalid(id_: str, base: Fleet, head: Fleet) -> WorkspaceReview:
    known = base.specs.get(id_)
    problems = head.invalid[id_]
    number = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return WorkspaceReview(
        id=id_,
        action=Action.INVALID,
        severity=Severity.NONE,
        reason=f"its file has {number}",
        data=words.INVALID if id_ in base.ids else words.NEVER_MADE,
        owner=known.owner if known else head.owners.get(id_, ""),
        problems=problems,
    )


def totals(base: Fleet, head: Fleet) -> tuple[Total, ...]:
    """Give what owners ask for, where that changes; what stays as it is asks for what it did."""
    stays = {id_: base.specs[id_] for id_ in base.specs if id_ in head.invalid or not head.specs}
    before, after = _asked(base.specs.values()), _asked({**stays, **head.specs}.values())
    return tuple(
        Total(owner=owner, before=before.get(owner, Asked()), after=after.get(owner, Asked()))
        for owner in sorted(before.keys() | after.keys())
        if before.get(owner, Asked()) != after.get(owner, Asked())
    )


def _asked(specs: Iterable[WorkspaceSpec]) -> dict[str, Asked]:
    found: dict[str, list[Resources]] = {}
    for spec in specs:
        found.setdefault(spec.owner, []).append(spec.resources)
    return {
        owner: Asked(
            workspaces=len(asked),
            cpu=round(sum(each.cpu for each in asked), 3),
            memory=sum(each.memory for each in asked),
        )
        for owner, asked in found.items()
    }


def _notes(base: Fleet, head: Fleet, told: Sequence[WorkspaceReview]) -> Iterable[str]:
    if base.absent and head.ids:
        yield f"base has no folder of workspace files yet ({base.absent})"
    if head.absent and base.ids:
        yield f"head has no folder of workspace files ({head.absent}): nothing is deleted for that"
    if head.specs and not base.specs:
        yield words.HELD_BEFORE
    elif base.doubt and not head.doubt:
        yield words.DOUBTED_BEFORE
    if head.doubt:
        yield f"nothing is deleted while it is not known which workspaces there are: {head.doubt}"
    deleted = sum(each.action is Action.DELETE and not each.held for each in told)
    most = max(DELETIONS, len(base.ids) // DELETIONS_PART)
    if deleted > most:
        yield f"{deleted} workspaces go; no more than {most} are deleted in an hour unless allowed"
    wrong = sum(base.invalid[id_] == head.invalid.get(id_) for id_ in base.invalid)
    if wrong:
        files = "file is" if wrong == 1 else "files are"
        yield f"{wrong} {files} wrong on base already, and stay so"
