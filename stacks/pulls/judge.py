"""Whether a range of commits does more harm than was reviewed, and to which workspaces. Pure.

    exceeded(now, brought, mode) -> what is worse, workspace by workspace

Harm is attributed commit by commit: each does its own change to the commit before it, and was brought by
pull requests of which something was posted, by the portal, by somebody who approved, or by nobody. What
the whole range does to a workspace goes on only if each commit that harms it may. So no harmless or
reviewed commit speaks for what another one did before or after it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from stacks.review import changeset
from stacks.review.changeset import ChangeSet, Entry, Worse
from stacks.review.model import Action, Severity
from state_index.reviews import Approval, Held

NUMBERS = 5
"""Pull requests that are named in a message."""
SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A pull request by which a commit came.

    Attributes:
        number: As people write it.
        head: The commit of it that was merged.
        change_set: What was said of that very commit; None: nothing was.
    """

    number: int
    head: str
    change_set: ChangeSet | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one commit of the branch did, or several that came by one pull request.

    Attributes:
        commit: Its last commit; "" of all that is older than what is looked at one by one.
        changes: What it did to the files before it.
        pulls: The pull requests by which it came.
        vouched: Workspaces whose files the runner changed by it, for somebody who may edit them.
        approved: By the trailer of this very merge: who allows which workspaces; "" stands for all.
    """

    commit: str
    changes: ChangeSet
    pulls: tuple[Shown, ...] = ()
    vouched: frozenset[str] = frozenset()
    approved: tuple[tuple[str, frozenset[str]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Brought:
    """How a range of commits came into the branch: its steps, the oldest first."""

    steps: tuple[Step, ...] = ()

    @property
    def reviewed(self) -> bool:
        """Whether any of it came by a pull request."""
        return any(step.pulls for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Exceeded:
    """A workspace to which more harm would be done than was reviewed.

    Attributes:
        worse: The workspace, and how it is harmed.
        step: The first step that does it and may not; None where no single one does.
    """

    worse: Worse
    step: Step | None

    @property
    def id(self) -> str:
        """The workspace."""
        return self.worse.id


May = Callable[[str], bool]
"""Whether somebody, `forge:login`, may approve."""


Names = Callable[[Held], frozenset[str]]
"""The names that one which is held has, as `names_of`."""


def ranges(
    commit: str, attempted: str, held: Iterable[Held], names: Names
) -> dict[str, frozenset[str] | None]:
    """Say from which commits on it is to be judged: what is held, from where it was held first.

    Args:
        commit: The commit.
        attempted: The one that counted before.
        held: What is held back.
        names: All names of one, so that it goes on under none of them.

    Returns:
        By such a commit, names of workspaces; None for all that are not named with another one.
    """
    found: dict[str, frozenset[str] | None] = {}
    for each in held:
        found[each.base] = (found.get(each.base) or frozenset()) | names(each)
    if attempted and attempted != commit:
        found[attempted] = None  # what is held from there on is among all others
    return found


def chosen(now: ChangeSet, ids: frozenset[str] | None, others: Iterable[str]) -> ChangeSet:
    """Give the part of a change set that is judged from its base on.

    Args:
        now: What would happen.
        ids: Which workspaces; None for all but `others`.
        others: Those that are judged from other bases on, whatever their names are by now.
    """
    apart = frozenset(others)
    kept = {
        id_: entry
        for id_, entry in now.workspaces.items()
        if _names(id_, entry).isdisjoint(apart if ids is None else ids) is (ids is None)
    }
    return ChangeSet(hash=now.hash, workspaces=kept)


def harmful(now: ChangeSet) -> frozenset[str]:
    """Name the workspaces to which something would be done that a review must have said."""
    return frozenset(each.id for each in changeset.worse(NOTHING, now))


def over_homes(now: ChangeSet, homes: Collection[str]) -> ChangeSet:
    """Give a change set in which what is made over a home that is kept counts as harm to that home.

    Args:
        now: What would happen.
        homes: Ids of removed workspaces, of which a file now says something else than it did.
    """

    def raised(id_: str, entry: Entry) -> Entry:
        makes = entry.action == Action.CREATE.value and not names_of(id_, now).isdisjoint(homes)
        return replace(entry, severity=max(entry.severity, Severity.STOPS)) if makes else entry

    return replace(now, workspaces={id_: raised(id_, each) for id_, each in now.workspaces.items()})


def names_of(id_: str, now: ChangeSet) -> frozenset[str]:
    """Name a workspace, and under which other names a change set has its home."""
    entry = now.workspaces.get(id_)
    return _names(id_, entry) if entry else frozenset({id_})


def united(pulls: Iterable[Shown]) -> ChangeSet:
    """Give what several reviews said together: of each workspace the worst that comes of it.

    What comes of it is found before they are united: else one that sounds as bad would hide a worse one.
    """
    return worst(
        {id_: replace(_firm(entry), held=entry.held) for id_, entry in said.workspaces.items()}
        for said in (each.change_set for each in pulls)
        if said
    )


def worst(sets: Iterable[Mapping[str, Entry]]) -> ChangeSet:
    """Give of each workspace the worst that several say; of two alike the later."""
    found: dict[str, Entry] = {}
    for each in sets:
        for id_, entry in each.items():
            if id_ not in found or _rank(entry) >= _rank(found[id_]):
                found[id_] = entry
    return ChangeSet(hash="", workspaces=found)


def _rank(entry: Entry) -> tuple[bool, Severity]:
    return not entry.held, entry.severity


def exceeded(
    now: ChangeSet, brought: Brought, *, mode: str, may: May = lambda _: False
) -> tuple[Exceeded, ...]:
    """Give the workspaces to which more harm would be done than was reviewed, worst first.

    Args:
        now: What the whole range would do.
        brought: How its commits came.
        mode: `review_bound`.
        may: Whether somebody, `forge:login`, may approve it.
    """
    if mode == "off" or (mode == "reviewed" and not brought.reviewed):
        return ()
    # A range never does more than its steps did together, unless one could not be read.
    beyond = {each.id: each for each in changeset.worse(_together(brought.steps), now)}
    found = (
        _exceeded(each, now.workspaces[each.id], brought, beyond.get(each.id), may)
        for each in changeset.worse(NOTHING, now)
    )
    return tuple(each for each in found if each)


def _exceeded(
    all_: Worse,
    entry: Entry,
    brought: Brought,
    beyond: Worse | None,
    may: May,
) -> Exceeded | None:
    names = _related(all_.id, entry, brought.steps)
    for step in brought.steps:
        for worse in _unreviewed(step):
            if worse.id in names and not _is_allowed(step, worse.id, may):
                # The whole says what happens; the step, how far that was reviewed.
                told = worse.message if worse.id == all_.id else all_.message
                return Exceeded(
                    worse=replace(all_, reviewed=worse.reviewed, message=told), step=step
                )
    return Exceeded(worse=beyond, step=None) if beyond else None


def _related(id_: str, entry: Entry, steps: Collection[Step]) -> frozenset[str]:
    """Name a workspace, and under which other names its home was meanwhile."""
    found, before = _names(id_, entry), frozenset[str]()
    while found != before:
        before = found
        for step in steps:
            for name, each in step.changes.workspaces.items():
                if not found.isdisjoint(_names(name, each)):
                    found |= _names(name, each)
    return found


def _names(id_: str, entry: Entry) -> frozenset[str]:
    return frozenset({id_, entry.formerly, entry.home} - {""})


def _unreviewed(step: Step) -> tuple[Worse, ...]:
    """Give what a step does beyond what was said of it, worst first."""
    done = {id_: _firm(each) for id_, each in step.changes.workspaces.items()}
    return changeset.worse(united(step.pulls), ChangeSet(hash="", workspaces=done))


def _firm(entry: Entry) -> Entry:
    """Give what an entry of one step comes to when further ones follow.

    A removal that waits for right files happens with them; and what is made again in the same range gets
    the home of the one that went.
    """
    makes = entry.action == Action.CREATE.value
    severity = max(entry.severity, Severity.STOPS) if makes else entry.severity
    return replace(entry, held=False, severity=severity)


def _together(steps: Iterable[Step]) -> ChangeSet:
    done = [{id_: _firm(entry) for id_, entry in step.changes.workspaces.items()} for step in steps]
    return worst(done)


def _is_allowed(step: Step, id_: str, may: May) -> bool:
    if id_ in step.vouched:
        return True
    return any((id_ in ids or "" in ids) and may(who) for who, ids in step.approved)


def message(found: Exceeded) -> str:
    """Say what is held back, and by what it is measured."""
    return f"it is kept as it is: {found.worse.message}; {_measure(found.step)}"


def _measure(step: Step | None) -> str:
    if step is None or not step.pulls:
        which = f"{step.commit[:SHORT]} " if step is not None and step.commit else "it "
        return f"{which}came by no pull request, so it was not reviewed"
    numbers = [f"#{each.number}" for each in step.pulls[:NUMBERS]]
    more = len(step.pulls) - len(numbers)
    told = f"it came by {', '.join(numbers)}{f' and {more} more' if more else ''}"
    unseen = [each for each in step.pulls if each.change_set is None]
    if unseen:
        first = unseen[0]
        told += (
            f", and of {first.head[:SHORT]} of #{first.number} nothing was said before the merge"
        )
    return told


def beside(worse: Worse) -> str:
    """Say what is held back for what is held already, under another name of the same home."""
    return f"it is kept as it is: {worse.message}; it goes with what is held back already"


UNDECIDED = (
    "it is kept as it is until the forge says by which pull request this came: it is not known "
    "whether it was reviewed"
)


def remedy(held: Held) -> str:
    """Say what helps: the command, or patience."""
    command = f"`codehub approve {held.commit[:SHORT]} {held.workspace_id} --why TEXT`"
    by = f"{command} by an approver of `_owners.yaml`"
    if held.passing:
        return (
            "It is asked again by itself; the runner's log says whether the forge answers. Is it "
            f"meant and cannot wait: {by}."
        )
    return f"Is it meant: {by}; else another commit."


def allowing(
    held: Held, approvals: Iterable[Approval], *, is_of: Callable[[str], bool]
) -> tuple[Approval, ...]:
    """Give the approvals of what is held; whether these people may is asked elsewhere.

    Args:
        held: What is held.
        approvals: All there are.
        is_of: Whether a commit is among those for which it is held: an approval is used up with them.
    """
    mine = (held.workspace_id, held.hash)
    return tuple(
        each for each in approvals if (each.workspace_id, each.hash) == mine and is_of(each.commit)
    )


NOTHING = ChangeSet(hash="")
