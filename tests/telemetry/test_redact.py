"""What is cut from log lines, and what is left alone."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from telemetry.redact import (
    DEPTH,
    REDACTED,
    escape_event,
    redact,
    redact_address,
    redact_event,
    redact_text,
)


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_passwd",
        "PULUMI_CONFIG_PASSPHRASE",
        "client_secret",
        "csrf_token",
        "Set-Cookie",
        "cookies",
        "Authorization",
        "proxy-authorization",
        "credentials",
        "api_key",
        "apiKey",
    ],
)
def test_telling_keys(key: str) -> None:
    event = {"event": "x", key: "hunter2", "plain": {key: ["hunter2"]}}
    assert redact_event(None, "info", event) == {
        "event": "x",
        key: REDACTED,
        "plain": {key: REDACTED},
    }


@pytest.mark.parametrize(
    "key", ["workspace", "owner", "path", "session_count", "keyboard", "compass"]
)
def test_plain_keys(key: str) -> None:
    assert redact("value", key) == "value"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql+psycopg://u:p%40ss@h:5432/db", f"postgresql+psycopg://u:{REDACTED}@h:5432/db"),
        ("see https://:pw@h and ssh://git@h", f"see https://:{REDACTED}@h and ssh://git@h"),
        ("authorization: bearer abc.def-ghi", f"authorization: bearer {REDACTED}"),
        ("Basic dXNlcjpwYXNz", f"Basic {REDACTED}"),
        ("a basic thing, http://h:80/a and b@c", "a basic thing, http://h:80/a and b@c"),
        # Whether this is a path or a password nobody can tell.
        ("http://h:80/a@b", f"http://h:{REDACTED}@b"),
        ("postgresql://u:a/b@c:d@h:5432/db", f"postgresql://u:{REDACTED}@h:5432/db"),
        ("postgresql://us@er:pw@h/db", f"postgresql://us@er:{REDACTED}@h/db"),
        ("postgresql://u/x:pw@h/db", f"postgresql://u/x:{REDACTED}@h/db"),
        ("ssh://a@b,https://tok@h", f"ssh://a@b,https:{REDACTED}@h"),
        ("at https://ghp_token@h/x, https://h/@u", f"at https://{REDACTED}@h/x, https://h/@u"),
        ("", ""),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert redact_text(text) == expected


def test_other_things_are_their_texts() -> None:
    url = "postgresql://u:hunter2@h/db"
    assert redact(ValueError(url)) == f"postgresql://u:{REDACTED}@h/db"
    assert redact({"errors": [ValueError(url)]}) == {"errors": [f"postgresql://u:{REDACTED}@h/db"]}
    assert (redact(None), redact(True), redact(1.5)) == (None, True, 1.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (None, None),
        (SecretStr("hunter2"), REDACTED),
        (("https://u:pw@h", 2), [f"https://u:{REDACTED}@h", 2]),
        ({1: {"token": "x"}}, {1: {"token": REDACTED}}),
        ({"https://u:hunter2@h": 1}, {f"https://u:{REDACTED}@h": 1}),
        ({b"https://u:hunter2@h": 1}, {f"b'https://u:{REDACTED}@h'": 1}),
        (frozenset({"a"}), ["a"]),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert redact(value) == expected


def test_what_lies_too_deep_is_replaced_whole() -> None:
    value: Any = "hunter2"
    for number in range(DEPTH + 3):
        value = {"inner": value} if number % 2 else [value]
    assert "hunter2" not in str(redact(value))


def test_only_texts_are_escaped_and_tracebacks_keep_their_lines() -> None:
    event = {"event": "a\nb\u2028c\x9b\u202e", "count": 1, "exception": "one\ntwo\x9b"}
    assert escape_event(None, "info", event) == {
        "event": r"a\nb\u2028c\x9b\u202e",
        "count": 1,
        "exception": "one\ntwo?",
    }


@given(
    scheme=st.sampled_from(["postgresql+psycopg", "https", "redis", "HTTP"]),
    user=st.text(st.characters(exclude_characters=": \t\r\n", codec="utf-8"), max_size=10),
    inner=st.text(st.characters(exclude_characters=" \t\r\n", codec="utf-8"), max_size=20),
    around=st.tuples(st.text(max_size=10), st.text(max_size=10)),
)
@example(scheme="https", user="\x1b", inner=":", around=("", ""))
@example(scheme="https", user="\x1b", inner="@", around=("", ""))
@example(scheme="https", user="\x9b", inner="", around=("", ""))
@example(scheme="postgresql+psycopg", user="u\x1b", inner="", around=("", " Bearer abcdefgh"))
def test_no_password_in_a_url_gets_through(
    scheme: str, user: str, inner: str, around: tuple[str, str]
) -> None:
    """Whatever it holds: `/`, `:`, `@`, quotes, further URLs."""
    password = f"hunter2{inner}swordfish"
    before, after = around
    text = f"{before}{scheme}://{user}:{password}@db.example:5432/name{after}"
    for shown in (redact_text(text), redact({"url": [text]})["url"][0]):
        assert "hunter2" not in shown
        assert "swordfish" not in shown
        assert redact_text(shown) == shown


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a", "://", "a://b:", "https://", "@", ":"])
def test_long_words_take_no_more_time_than_they_are_long(piece: str) -> None:
    """Anybody can send such paths; by a pattern these took minutes."""
    text = piece * (1_000_000 // len(piece)) + " a@b ://"
    assert redact_text(text) == text


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["password", "a", "token", "b"]), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(JSON)
def test_redacting_is_stable(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix:///srv/a@b/docker.sock", "unix:///srv/a@b/docker.sock"),
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://eve:hunter2@h:2375", f"tcp://{REDACTED}@h:2375"),
        ("https://hunter2@h", f"https://{REDACTED}@h"),
        ("tcp://eve:hun/t@er 2@h", f"tcp://{REDACTED}@h"),
    ],
)
def test_an_address_is_shown_without_what_is_before_its_host(address: str, shown: str) -> None:
    assert redact_address(address) == shown


def test_a_token_before_an_engine_s_host_is_cut() -> None:
    assert redact_text("at tcp://hunter2@h:2375 it ended") == f"at tcp://{REDACTED}@h:2375 it ended"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("at postgresql:/\x1b[m/u:hunter2@h/db", f"at postgresql:/\x1b[m/u:{REDACTED}@h/db"),
        ("Bearer\x1b[1m hunter2hunter2", f"Bearer\x1b[1m {REDACTED}"),
        ("Bearer\x1b[1Chunter2hunter2", f"Bearer\x1b[1C{REDACTED}"),
        ("Bearer hunter2\x1b[0mhunter2tail", f"Bearer {REDACTED}"),
        ("Bearer hunter2\x9b0mhunter2tail", f"Bearer {REDACTED}"),
        ("Bearer hunter2\u200b\0hunter2tail", f"Bearer {REDACTED}"),
        ("Bearer \x1b]8;;http://x\x07hunter2\x1b]8;;\x07hunter2", f"Bearer {REDACTED}"),
        (r"Bearer hunter2\x1b[0mhunter2tail", f"Bearer {REDACTED}"),
        (r"Bearer hunter2\u001B[0mhunter2tail", f"Bearer {REDACTED}"),
        (r"Bearer hunter2\033[0mhunter2tail", f"Bearer {REDACTED}"),
        (r"Bearer hunter2\x00\u200bhunter2tail", f"Bearer {REDACTED}"),
        ("Bearer hunter2\u202e\ufe0f\u2060hunter2tail", f"Bearer {REDACTED}"),
        ("foo\0basic hun\x1b[1mter2swordfish", f"foo\0basic {REDACTED}"),
        ("\x9bBearer hun\x1b[mter2swordfish", f"\x9bBearer {REDACTED}"),
        ("Bearer\x1chun\x1b[mter2swordfish", f"Bearer\x1c{REDACTED}"),
        ("https://u:hun\x1b[mter2@h/", f"https://u:{REDACTED}@h/"),
        ("https://u:hunter2@h then \x1bP words", f"https://u:{REDACTED}@h then \x1bP words"),
        ("\x1b]0;Bearer hunter2hunter2", f"\x1b]0;Bearer {REDACTED}"),
        ("\x1b]0;Bearer hun\x1b[mter2hunter2", f"\x1b]0;Bearer {REDACTED}"),
        ("\x1b[1mno secret\x1b[m", "\x1b[1mno secret\x1b[m"),
    ],
)
def test_what_steers_a_terminal_parts_no_secret(words: str, told: str) -> None:
    assert redact_text(words) == told
    assert redact({"message": words}) == {"message": told}


@given(
    head=st.sampled_from(["Bearer ", "basic  ", "https://u:", "tcp://", "postgresql://u:"]),
    cut=st.integers(3, 13),
    part=st.from_regex(
        r"(\x1b\[[0-9;]{0,4}m|\x9b1m|\0|\u200b|\x1b\]8;;x\x07){1,3}", fullmatch=True
    ),
    # A sequence that has only begun would take the head's first letter with it.
    around=st.tuples(*[st.text(st.characters(exclude_categories=["C"]), max_size=10)] * 2),
)
def test_what_is_not_seen_parts_no_secret(
    head: str, cut: int, part: str, around: tuple[str, str]
) -> None:
    secret = "hunter2swordfish"
    text = f"{around[0]} {head}{secret[:cut]}{part}{secret[cut:]}@h {around[1]}"
    shown = redact_text(text)
    assert secret[:cut] not in shown
    assert secret[cut:] not in shown
    assert redact_text(shown) == shown
