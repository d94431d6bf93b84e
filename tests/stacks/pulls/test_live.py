"""The live part: what is there and what would happen, in words; no value, no markup of others."""

import pytest
from markdown_it import MarkdownIt

from stacks.changes import PropertyChange, WorkspaceChange
from stacks.errors import Violation
from stacks.pulls.live import MOST, Fact, body
from stacks.review.model import Review
from state_index.phases import Phase

REVIEW = Review(base="a" * 40, head="b" * 40)
CANARY = "zQ8vT1nR4kXw7Lp2Yd9Hs6Bc"


def change(action: str, **more: object) -> WorkspaceChange:
    return WorkspaceChange(id="one", action=action, sync="Synced", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (
            Fact(id="one", phase=Phase.RUNNING, homes=1, change=change("replace")),
            "- `one`: **running now**, its container would be made anew: what runs in it would be ended",
        ),
        (
            Fact(id="one", phase=Phase.WARM, homes=1, change=change("delete")),
            "- `one`: **stopped now**, its container would go",
        ),
        (
            Fact(id="one", change=change("create")),
            "- `one`: **not there yet**, its container would",
        ),
        (Fact(id="one", phase=Phase.STARTING), "- `one`: **starting now**"),
        (Fact(id="one", phase=Phase.RUNNING), "its home **is not there**"),
        (Fact(id="one", drift=1), "another hand changed it: 1 property"),
        (Fact(id="one", drift=2), "another hand changed it: 2 properties"),
        (Fact(id="one", problem="no engine"), "  - `no engine`"),
    ],
)
def test_what_is_told_of_one(fact: Fact, expected: str) -> None:
    assert expected in body(REVIEW, [fact], of=1)


def test_properties_are_named_and_their_values_are_not() -> None:
    details = (
        PropertyChange(path="env.TOKEN", kind="update", before=CANARY, after=CANARY, replaces=True),
        *(PropertyChange(path=f"env.X{n}", kind="add", after=CANARY) for n in range(30)),
    )
    error = {"reason": "IMAGE_MISSING", "message": f"no {CANARY}", "remedy": CANARY}
    told = change(
        "replace",
        details=details,
        data=f"home 1 goes to {CANARY}",
        violations=(Violation(rule="image-allowed", resource="", message=CANARY),),
        error=error,
    )
    shown = body(REVIEW, [Fact(id="one", change=told, asked=True, problem=CANARY)], of=1)
    assert CANARY not in shown
    for word in (
        "by Pulumi's preview: `env.TOKEN` (anew)",
        "11 more",
        "IMAGE_MISSING",
        "image-allowed",
    ):
        assert word in shown


def test_foreign_words_make_no_markup() -> None:
    evil = "`</details>` @root <img src=x> ![x](https://evil.example) <!-- codehub:end live -->"
    told = change("blocked", data=evil, details=(PropertyChange(path=evil, kind="add"),))
    shown = body(REVIEW, [Fact(id="one", change=told, problem=evil)], of=1)
    for token in MarkdownIt("commonmark").parse(shown):
        for each in token.children or ():
            assert each.type not in {"image", "link_open"}
            assert each.type != "html_inline" or each.content in {"<sub>", "</sub>"}


def test_what_is_not_looked_at_is_counted() -> None:
    facts = [Fact(id=f"w{n}") for n in range(MOST)]
    assert "3 more are not looked at here" in body(REVIEW, facts, of=MOST + 3)
    assert "No workspace that stands is changed" in body(REVIEW, [], of=0)
