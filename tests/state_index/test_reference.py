"""The page of phases is the table."""

import re

import pytest

from state_index.phases import TABLE, Event, Kind, Phase, decide
from state_index.reference import PAGE, edges, page


def test_the_committed_page_is_made_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m state_index.reference"


def test_the_table_on_the_page_has_every_cell() -> None:
    lines = [line for line in page().splitlines() if line.count("|") == len(Phase) + 2]
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert head[1:] == list(Phase)
    shown = {
        (phase, Event(row[0])): cell
        for row in rows
        for phase, cell in zip(Phase, row[1:], strict=True)
    }
    assert set(shown) == set(TABLE)
    for (phase, event), cell in shown.items():
        verdict = decide(phase, event)
        if verdict.kind is Kind.MOVE:
            assert cell == verdict.phase
        else:
            assert cell == ("" if verdict.kind is Kind.REFUSE else f"*{verdict.kind}*")


def test_the_picture_shows_moves_of_the_table_and_misses_no_phase() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", page(), re.MULTILINE)
    assert len(arrows) == len(edges())
    for before, after, events in arrows:
        for event in events.split(", "):
            assert decide(Phase(before), Event(event)).phase == after
    assert {phase for before, after, _ in arrows for phase in (before, after)} == {*Phase} - {
        Phase.ERROR,
        Phase.UNKNOWN,
    }


@pytest.mark.parametrize("member", [*Phase, *Event], ids=str)
def test_each_name_has_a_meaning(member: Phase | Event) -> None:
    assert member.meaning
    assert f"| {member} | {member.meaning} |" in page()
