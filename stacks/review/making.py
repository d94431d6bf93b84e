"""Makes the review of two commits, by the rules of the first; the files of both are data. Synchronous."""

from datetime import date

from stacks.git.command import Git
from stacks.review import commits, compare
from stacks.review.commits import Read, Sides
from stacks.review.model import Review, Rules


def make(
    git: Git, *, base: str, head: str, path: str, author: str, today: date, reader: Read
) -> tuple[Review, Sides]:
    """Read both commits and compare them.

    Args:
        git: Has both commits.
        base: Name of the one that would be merged onto.
        head: Name of the branch's last.
        path: The folder of workspace files.
        author: Who wants the change, `forge:login` or an owner's name; "" does not ask.
        today: The day by which exemptions end (UTC).
        reader: Reads files.

    Returns:
        The review, and the sides that it compares.

    Raises:
        GitRefError: There is no such commit, or nothing that both have in common.
        GitError: The repository can't be read.
    """
    sides = commits.read(git, base=base, head=head, path=path, reader=reader)
    review = compare.review(
        sides.base,
        sides.head,
        rules=_rules(sides, author=author, today=today),
        moved=sides.moved,
        commits=sides.commits,
        notes=sides.notes,
    )
    return review, sides


def _rules(sides: Sides, *, author: str, today: date) -> Rules:
    files = sides.rules
    if not files.any:
        return compare.no_rules
    # Brings the policies, which a command on a repository without rules need not wait for.
    from stacks.review import ruled  # noqa: PLC0415

    return ruled.rules_of(
        files,
        today=today,
        author=ruled.person(files, author),
        changed_rules=sides.changed_rules,
    )
