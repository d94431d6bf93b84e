"""What a status says: what stands in the way first; advice never does."""

from spec import Problem
from stacks.review.model import Action, Level, Review, RuleResult, Severity, WorkspaceReview
from stacks.review.verdict import line


def rule(name: str, level: Level = Level.MANDATORY) -> RuleResult:
    return RuleResult(rule=name, level=level, message="m")


def one(action: Action, severity: Severity = Severity.MAKES) -> WorkspaceReview:
    problems = (Problem("a.yaml", 1, 1, "", "m", "h"),) if action is Action.INVALID else ()
    return WorkspaceReview(id="aa", action=action, severity=severity, problems=problems)


def test_nothing_to_tell() -> None:
    assert line(Review(unchanged=3)) == "3 not touched"


def test_what_is_wrong_comes_first_and_advice_last() -> None:
    review = Review(
        workspaces=(
            one(Action.DELETE, Severity.REMOVES),
            one(Action.INVALID, Severity.NONE),
            one(Action.INVALID, Severity.NONE),
        ),
        rules=(rule("b"), rule("a"), rule("a"), rule("tip", Level.ADVISORY)),
    )
    assert line(review) == (
        "2 files are wrong; refused by a, b; 1 destructive; 1 delete, 2 invalid, 0 not touched; "
        "1 piece of advice"
    )


def test_one_file_many_rules_and_much_advice() -> None:
    rules = [rule(f"r{n}") for n in range(5)] + [rule("tip", Level.ADVISORY)] * 2
    review = Review(workspaces=(one(Action.INVALID, Severity.NONE),), rules=tuple(rules))
    assert line(review) == (
        "1 file is wrong; refused by r0, r1, r2 and 2 more; 1 invalid, 0 not touched; "
        "2 pieces of advice"
    )


def test_what_a_rule_is_called_stays_one_line() -> None:
    assert "\n" not in line(Review(rules=(rule("a\nb"),)))
