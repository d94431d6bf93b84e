"""A review as plain JSON values, for programs. Pure; keys are added, never renamed."""

from dataclasses import asdict
from typing import Any

from spec import Problem
from stacks import secrecy
from stacks.review import changeset
from stacks.review.model import Review, WorkspaceReview


def plain(review: Review) -> dict[str, Any]:
    """Give the values; those of secrets are left out."""
    return {
        "base": review.base,
        "head": review.head,
        "workspaces": [_workspace(each) for each in review.workspaces],
        "unchanged": review.unchanged,
        "totals": [asdict(total) for total in review.totals],
        "rules": [
            {
                **asdict(result),
                "message": secrecy.hidden_in(result.message),
                "remedy": secrecy.hidden_in(result.remedy),
            }
            for result in review.rules
        ],
        "problems": [_problem(problem) for problem in review.problems],
        "notes": list(review.notes),
        "change_set": changeset.of(review).to_json(),
    }


def _workspace(each: WorkspaceReview) -> dict[str, Any]:
    made = asdict(each)
    made["severity"] = each.severity.name.lower()
    made["destructive"] = each.destructive
    for change in made["changes"]:
        del change["fingerprint"]
    made["problems"] = [_problem(problem) for problem in each.problems]
    return made


def _problem(problem: Problem) -> dict[str, Any]:
    message, hint = secrecy.told(problem)
    return {**problem.as_dict(), "key": secrecy.key_of(problem), "message": message, "hint": hint}
