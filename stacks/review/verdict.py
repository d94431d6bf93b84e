"""What a review comes to in one line, for the status of a commit: what stands in the way first. Pure.

Advice never stands in the way: it is told, and the line is that of something that may be merged.
"""

from collections.abc import Iterator

from stacks.review import markdown, safe
from stacks.review.model import Action, Level, Review

RULES_NAMED = 3


def line(review: Review) -> str:
    """Give the line; a forge cuts it at its end, where it matters least."""
    return "; ".join([*_against(review), markdown.summary(review), *_advice(review)])


def _against(review: Review) -> Iterator[str]:
    wrong = sum(found.action is Action.INVALID for found in review.workspaces)
    if wrong:
        yield "1 file is wrong" if wrong == 1 else f"{wrong} files are wrong"
    refusing = sorted({found.rule for found in review.rules if found.level is Level.MANDATORY})
    if refusing:
        named = ", ".join(safe.line(rule) for rule in refusing[:RULES_NAMED])
        more = len(refusing) - RULES_NAMED
        yield f"refused by {named}{f' and {more} more' if more > 0 else ''}"
    destructive = sum(found.destructive for found in review.workspaces)
    if destructive:
        yield f"{destructive} destructive"


def _advice(review: Review) -> Iterator[str]:
    advice = sum(found.level is Level.ADVISORY for found in review.rules)
    if advice:
        yield "1 piece of advice" if advice == 1 else f"{advice} pieces of advice"
