"""When windows of the week are open: by a clock of minutes, and over changes of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.windows import ALWAYS, DAY, Calendar, Window, moment, standing, told

BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
MINUTE = timedelta(minutes=1)
MON, SAT, SUN = 0, 5, 6
NIGHTS = Window(allows=True, begin=22 * 60, end=6 * 60, zone=BERLIN)
LESSONS = Window(
    allows=False, days=frozenset({MON}), begin=8 * 60, end=12 * 60, zone=BERLIN, reason="lessons"
)


def at(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def is_open(text: str, *windows: Window) -> bool:
    return standing(windows, at(text)).open


def shown(when: datetime, zone: str) -> datetime:
    return when.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_without_windows_all_may_be_applied() -> None:
    assert standing((), at("2026-11-23T12:00")) is ALWAYS
    assert Calendar().of("alice-api").open


def test_one_that_allows_closes_all_other_times() -> None:
    closed = standing([NIGHTS], at("2026-11-23T12:00"))
    assert (closed.open, closed.until) == (False, at("2026-11-23T22:00").astimezone(UTC))
    assert closed.words == "sync windows keep changes back until Mon 2026-11-23 22:00 Europe/Berlin"
    opened = standing([NIGHTS], at("2026-11-24T05:59"))
    assert (opened.open, opened.until) == (True, at("2026-11-24T06:00").astimezone(UTC))
    assert opened.words == "sync windows let changes in until Tue 2026-11-24 06:00 Europe/Berlin"


def test_of_several_that_allow_one_is_enough() -> None:
    weekend = Window(allows=True, days=frozenset({SAT, SUN}), zone=BERLIN)
    assert is_open("2026-11-21T12:00", NIGHTS, weekend)
    assert is_open("2026-11-23T23:00", NIGHTS, weekend)
    assert not is_open("2026-11-23T12:00", NIGHTS, weekend)


def test_one_that_denies_alone_leaves_all_other_times_open() -> None:
    closed = standing([LESSONS], at("2026-11-23T09:00"))
    assert not closed.open
    assert closed.words.endswith("until Mon 2026-11-23 12:00 Europe/Berlin (lessons)")
    assert is_open("2026-11-23T12:00", LESSONS)
    assert is_open("2026-11-24T09:00", LESSONS)


def test_one_that_denies_comes_before_those_that_allow() -> None:
    always = Window(allows=True, zone=BERLIN)
    found = standing([always, LESSONS], at("2026-11-23T09:00"))
    assert not found.open
    assert found.until == at("2026-11-23T12:00").astimezone(UTC)


def test_what_is_told_as_the_end_is_when_all_windows_together_open() -> None:
    later = Window(allows=False, begin=11 * 60, end=14 * 60, zone=BERLIN, reason="lunch")
    found = standing([LESSONS, later], at("2026-11-23T11:30"))
    assert found.until == at("2026-11-23T14:00").astimezone(UTC)
    assert found.reasons == ("lessons", "lunch")


def test_a_window_that_never_opens_says_so() -> None:
    found = standing([Window(allows=False, zone=BERLIN)], at("2026-11-23T11:30"))
    assert (found.open, found.until) == (False, None)
    assert found.words == "sync windows keep changes back for the next 16 days"


def test_a_window_over_midnight_is_of_the_day_on_which_it_begins() -> None:
    monday = Window(allows=True, days=frozenset({MON}), begin=23 * 60, end=60, zone=BERLIN)
    assert not is_open("2026-11-23T00:30", monday)
    assert is_open("2026-11-24T00:30", monday)
    assert not is_open("2026-11-24T01:00", monday)


def test_a_window_whose_end_is_its_begin_takes_a_day() -> None:
    whole = Window(allows=True, days=frozenset({MON}), begin=60, end=60, zone=BERLIN)
    assert [is_open(f"2026-11-{day}T01:00", whole) for day in (22, 23, 24)] == [False, True, False]
    assert is_open("2026-11-24T00:59", whole)


def test_a_window_is_for_the_workspaces_that_it_names() -> None:
    some = Window(allows=False, workspaces=("class-*", "bob"), zone=BERLIN)
    calendar = Calendar((some,), at("2026-11-23T11:30"))
    assert [calendar.of(id_).open for id_ in ("class-01", "bob", "bob-2", "my-class")] == [
        False,
        False,
        True,
        True,
    ]


def test_windows_of_several_zones_are_told_by_the_one_that_turns() -> None:
    tokyo = Window(allows=True, begin=9 * 60, end=10 * 60, zone="Asia/Tokyo")
    found = standing([NIGHTS, tokyo], at("2026-11-23T12:00"))
    assert found.words.endswith("Mon 2026-11-23 22:00 Europe/Berlin")
    found = standing([NIGHTS, tokyo], at("2026-11-23T23:00"))
    assert found.until == at("2026-11-24T06:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("begin", "end", "opens", "closes"),
    [
        # Clocks go from 02:00 to 03:00 in the last night of March.
        ("01:30", "03:30", "2026-03-29T00:30Z", "2026-03-29T01:30Z"),
        ("02:30", "04:00", "2026-03-29T01:00Z", "2026-03-29T02:00Z"),
        ("01:00", "02:30", "2026-03-29T00:00Z", "2026-03-29T01:00Z"),
        # From 03:00 back to 02:00 in the last of October.
        ("02:30", "02:45", "2026-10-25T00:30Z", "2026-10-25T01:45Z"),
        ("00:00", "02:00", "2026-10-24T22:00Z", "2026-10-25T00:00Z"),
        ("02:00", "03:00", "2026-10-25T00:00Z", "2026-10-25T02:00Z"),
    ],
)
def test_over_a_change_of_clocks(begin: str, end: str, opens: str, closes: str) -> None:
    window = Window(allows=True, begin=minutes(begin), end=minutes(end), zone=BERLIN)
    first, last = datetime.fromisoformat(opens), datetime.fromisoformat(closes)
    assert not standing([window], first - MINUTE).open
    found = standing([window], first)
    assert (found.open, found.until) == (True, last)
    assert not standing([window], last).open


def test_one_that_is_skipped_whole_is_not_open_that_day() -> None:
    skipped = Window(allows=True, begin=minutes("02:15"), end=minutes("02:45"), zone=BERLIN)
    found = standing([skipped], at("2026-03-29T01:00"))
    assert found.until == at("2026-03-30T02:15").astimezone(UTC)


def test_a_day_that_a_place_skipped() -> None:
    # Samoa had no 30 December 2011.
    noon = datetime(2011, 12, 30, 12)  # noqa: DTZ001 - of a clock
    assert moment(noon, "Pacific/Apia", last=False) == datetime(2011, 12, 30, 10, tzinfo=UTC)


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


days = st.frozensets(st.integers(0, 6), min_size=1)
times = st.integers(0, DAY - 1)
places = st.sampled_from(ZONES)
windows = st.builds(
    Window, allows=st.booleans(), days=days, begin=times, end=st.integers(1, DAY), zone=places
)
instants = st.integers(0, 5 * 366 * DAY).map(
    lambda it: datetime(2024, 1, 1, tzinfo=UTC) + it * MINUTE
)
changes = st.sampled_from(
    ["2026-03-29T01:00Z", "2026-10-25T01:00Z", "2026-11-01T06:00Z", "2026-04-04T15:00Z"]
).map(datetime.fromisoformat)
near = st.one_of(
    instants, st.tuples(changes, st.integers(-300, 300)).map(lambda it: it[0] + it[1] * MINUTE)
)


@given(near, places)
def test_a_time_of_the_clocks_is_found_as_by_looking_each_minute(when: datetime, zone: str) -> None:
    local = shown(when, zone)
    around = [when + step * MINUTE for step in range(-130, 131)]
    first = next(each for each in around if shown(each, zone) >= local)
    last = [each for each in around if shown(each, zone) < local][-1] + MINUTE
    assert moment(local, zone, last=False) == first
    assert moment(local, zone, last=True) == last


@given(st.lists(windows, min_size=1, max_size=4), near)
def test_what_is_told_holds_until_it_is_said_to_turn(found: list[Window], now: datetime) -> None:
    told_now = standing(found, now)
    if told_now.until is None:
        return
    assert told_now.until > now
    assert standing(found, told_now.until).open is not told_now.open
    for part in (1, 2, 3):
        between = now + (told_now.until - now) * part / 4
        assert standing(found, between).open is told_now.open
    assert standing(found, told_now.until - timedelta(seconds=1)).open is told_now.open


@given(windows, instants)
def test_where_no_clock_changes_it_is_as_the_clock_says(window: Window, now: datetime) -> None:
    place = ZoneInfo(window.zone)
    offsets = {(now + timedelta(days=day)).astimezone(place).utcoffset() for day in range(-3, 4)}
    if len(offsets) > 1:
        return
    local = now.astimezone(place)
    clock, today, before = (
        local.hour * 60 + local.minute,
        local.weekday(),
        (local.weekday() - 1) % 7,
    )
    over = window.end <= window.begin
    within = today in window.days and window.begin <= clock and (over or clock < window.end)
    within |= over and before in window.days and clock < window.end
    assert standing([window], now).open is (within is window.allows)


def test_a_moment_in_words() -> None:
    words = told(datetime(2026, 11, 23, 21, tzinfo=UTC), BERLIN)
    assert words == "Mon 2026-11-23 22:00 Europe/Berlin"
