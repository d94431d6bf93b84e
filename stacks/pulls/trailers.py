"""The trailer by which whoever merges approves: `Codehub-Approve: id, id` or `all`. Pure.

A merge's message is proposed by the forge from words of others: title, description, the branch's own
commits. A trailer that stands in any of them may be theirs, and counts for nothing.
"""

import re

NAME = "Codehub-Approve"
ALL = "all"
EVERY = frozenset({""})
"""What `all` means: every workspace that the merge is held for."""
MOST = 50

_LINE = re.compile(rf"^{NAME}:[ \t]*([a-z0-9, \t-]{{1,4096}})$", re.IGNORECASE | re.MULTILINE)


def is_in(text: str) -> bool:
    """Whether words of somebody could become a trailer of a merge."""
    return NAME.lower() in text.lower()


def approved(message: str, *, theirs: str) -> frozenset[str]:
    """Give the workspaces that a merge's message names; `EVERY` for all, nothing where it does not count.

    Args:
        message: Of the merge commit.
        theirs: What the pull request's people wrote: title, description, messages of its commits.
    """
    if is_in(theirs):
        return frozenset()
    paragraph = message.replace("\r\n", "\n").strip().rpartition("\n\n")[2]
    names = [name.strip() for line in _LINE.findall(paragraph) for name in line.split(",")]
    found = frozenset(name for name in names[:MOST] if name)
    return EVERY if ALL in found else found
