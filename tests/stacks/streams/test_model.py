"""What can be asked: read, written, refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.errors import BadRequestError
from stacks.operator import LOG_TAIL, MAX_LOG_TAIL
from stacks.streams.frames import MAX_CELLS, Size
from stacks.streams.model import MOST_LINES, ExecOptions, LogOptions, parse_since

SIZES = st.builds(
    Size,
    cols=st.integers(min_value=1, max_value=MAX_CELLS),
    rows=st.integers(min_value=1, max_value=9),
)
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@given(
    st.builds(
        LogOptions,
        tail=st.none() | st.integers(min_value=1, max_value=MOST_LINES),
        since=st.none() | st.integers(min_value=0, max_value=4_000_000_000).map(float),
        follow=st.booleans(),
        timestamps=st.booleans(),
    )
)
def test_a_question_for_logs_is_read_as_it_was_written(wanted: LogOptions) -> None:
    assert LogOptions.of(wanted.query()) == wanted


@given(
    st.builds(
        ExecOptions,
        command=st.lists(WORDS, min_size=1, max_size=4).map(tuple),
        stdin=st.booleans(),
        tty=st.booleans(),
        size=st.none() | SIZES,
    )
)
def test_a_question_for_a_command_is_read_as_it_was_written(wanted: ExecOptions) -> None:
    assert ExecOptions.of(wanted.query()) == wanted


def test_the_last_lines_are_the_default_and_with_a_time_all() -> None:
    assert LogOptions.of([]) == LogOptions(tail=LOG_TAIL)
    assert LogOptions.of([("since", "10m")]).tail is None
    assert LogOptions.of([("since", "10m"), ("tail", "5")]).tail == 5


@pytest.mark.parametrize(
    ("wanted", "bounded"),
    [
        (LogOptions(), True),
        (LogOptions(tail=MAX_LOG_TAIL), True),
        (LogOptions(tail=MAX_LOG_TAIL + 1), False),
        (LogOptions(tail=None), False),
        (LogOptions(follow=True), False),
        (LogOptions(since=1.0), False),
        (LogOptions(timestamps=True), False),
    ],
)
def test_what_is_given_in_one_piece(wanted: LogOptions, bounded: bool) -> None:
    assert wanted.bounded is bounded


def test_times() -> None:
    assert parse_since("1h30m", now=10_000.0) == 4600.0
    expected = datetime(2026, 11, 21, 20, 30, tzinfo=UTC).timestamp()
    assert parse_since("2026-11-21T20:30:00Z") == expected
    assert parse_since("2026-11-22T05:30:00+09:00") == expected
    for wrong in ("", "10", "yesterday", "2026-11-21T20:30:00", "-5m"):
        with pytest.raises(BadRequestError, match="since must be"):
            parse_since(wrong)


@pytest.mark.parametrize(
    "query",
    [
        [("tail", "0")],
        [("tail", "-1")],
        [("tail", "²")],
        [("tail", "10000001")],
        [("tail", "9" * 5000)],
        [("tail", "many")],
        [("follow", "perhaps")],
        [("since", "soon")],
        [("follow", "true"), ("follow", "true")],
        [("colour", "red")],
    ],
)
def test_senseless_questions_for_logs(query: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequestError):
        LogOptions.of(query)


@pytest.mark.parametrize(
    "query",
    [
        [],
        [("command", "")],
        [("command", "a\0")],
        [("command", "x" * 40_000)],
        [("command", "sh"), ("tty", "2")],
        [("command", "sh"), ("cols", "80")],
        [("command", "sh"), ("cols", "80"), ("rows", "0")],
        [("command", "sh"), ("cols", "80"), ("rows", "4097")],
        [("command", "sh"), ("cols", "+80"), ("rows", "24")],
        [("command", "sh"), ("user", "root")],
    ],
)
def test_senseless_questions_for_a_command(query: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequestError):
        ExecOptions.of(query)


def test_a_command_of_many_parts_is_refused_before_it_is_sent() -> None:
    with pytest.raises(BadRequestError, match="as it is written in a URL"):
        ExecOptions(command=("x",) * 12_000).check()
    ExecOptions(command=("x",) * 9_000).check()
