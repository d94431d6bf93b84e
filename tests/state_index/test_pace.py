"""When a watcher looks again: signs are believed while they prove true, and no longer."""

import pytest

from state_index.pace import AFTER_SIGN, Pace

OFTEN, SELDOM = 0.05, 1.0


@pytest.fixture
def pace() -> Pace:
    return Pace(often=OFTEN, seldom=SELDOM)


def after_sign(pace: Pace) -> list[float]:
    return [pace.pause() for _ in AFTER_SIGN]


def test_looks_are_frequent_until_a_sign_came_with_a_change(pace: Pace) -> None:
    assert pace.pause() == OFTEN
    pace.sign()
    after_sign(pace)
    assert pace.pause() == OFTEN
    pace.change()
    assert pace.pause() == SELDOM


def test_a_change_without_a_sign_makes_looks_frequent_again(pace: Pace) -> None:
    pace.sign()
    pace.change()
    after_sign(pace)
    assert pace.pause() == SELDOM
    pace.change()
    assert pace.pause() == OFTEN


def test_a_sign_is_followed_by_looks_soon_since_it_comes_before_the_commit(pace: Pace) -> None:
    pace.sign()
    pace.change()
    assert after_sign(pace) == list(AFTER_SIGN)
    pace.sign()
    assert pace.pause() == AFTER_SIGN[0]


def test_looks_after_a_sign_are_never_further_apart_than_usual(pace: Pace) -> None:
    pace.sign()
    assert max(after_sign(pace)) == OFTEN


def test_two_commits_whose_signs_came_together_are_both_expected(pace: Pace) -> None:
    pace.sign()
    pace.change()
    pace.pause()
    pace.change()
    after_sign(pace)
    assert pace.pause() == SELDOM


def test_without_signs_to_come_looks_are_frequent(pace: Pace) -> None:
    pace.sign()
    pace.change()
    after_sign(pace)
    pace.lost()
    assert pace.pause() == OFTEN
