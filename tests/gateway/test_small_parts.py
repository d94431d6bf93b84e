"""Cookies, client addresses, security headers, buttons, words: small pure parts."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from gateway.cookies import NAMES, clear_cookie, cookie_name, read_cookie, set_cookie
from gateway.headers import security_headers
from gateway.pages import words
from gateway.peer import client_address
from gateway.powers import can_start, can_stop
from state_index.models import Pinned, Published
from state_index.phases import Phase, Sync

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


def test_cookies_on_https_are_bound_to_the_host() -> None:
    made = set_cookie("token", https=True)
    assert made == "__Host-codehub=token; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert clear_cookie(https=True).endswith("Secure; Max-Age=0")
    assert "__Host-codehub=;" in clear_cookie(https=True)


def test_cookies_on_plain_http_have_a_name_that_browsers_take_there() -> None:
    assert set_cookie("token", https=False) == "codehub=token; Path=/; HttpOnly; SameSite=Lax"
    assert {cookie_name(https=True), cookie_name(https=False)} == NAMES


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([b"codehub=abc"], "abc"),
        ([b"a=b; codehub=abc; c=d"], "abc"),
        ([b"a=b", b" codehub = abc "], "abc"),
        ([b"codehub="], ""),
        ([b"codehub"], ""),
        ([b"codehub=a=b"], "a=b"),
        ([b"codehub=abc; codehub=abc"], None),
        ([b"codehub=abc", b"codehub=other"], None),
        ([b"__Host-codehub=abc"], None),
        ([b"xcodehub=abc"], None),
        ([b"codehub=\xff"], "\xff"),
    ],
)
def test_reading_the_cookie(values: list[bytes], found: str | None) -> None:
    assert read_cookie(values, https=False) == found


def test_the_plain_cookie_does_not_count_on_https() -> None:
    assert read_cookie([b"codehub=abc"], https=True) is None
    assert read_cookie([b"__Host-codehub=abc"], https=True) == "abc"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["fe80::1%any text"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


def test_security_headers_allow_nothing_inline_and_nothing_from_elsewhere() -> None:
    headers = security_headers(https=True)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "max-age" in headers["strict-transport-security"]
    assert "strict-transport-security" not in security_headers(https=False)


def row(phase: Phase, pinned: Pinned = "auto") -> Published:
    return Published(id="a-b", owner="alice", phase=phase, sync=Sync.SYNCED, pinned=pinned)


STARTABLE = {Phase.WARM, Phase.COLD, Phase.ERROR, Phase.STOPPING, Phase.ARCHIVING}
STOPPABLE = {
    Phase.RUNNING, Phase.STARTING, Phase.PROVISIONING, Phase.UPDATING, Phase.RESTORING,
}  # fmt: skip


@pytest.mark.parametrize("phase", Phase)
def test_buttons_by_phase(phase: Phase) -> None:
    assert can_start(row(phase)) is (phase in STARTABLE)
    assert can_stop(row(phase)) is (phase in STOPPABLE)


@pytest.mark.parametrize("phase", Phase)
def test_a_pinned_workspace_has_no_button_against_its_file(phase: Phase) -> None:
    assert not can_start(row(phase, "warm"))
    assert not can_stop(row(phase, "running"))
    assert can_start(row(phase, "running")) is (phase in STARTABLE)
    assert can_stop(row(phase, "warm")) is (phase in STOPPABLE)


@pytest.mark.parametrize(
    ("seconds", "ago", "elapsed"),
    [
        (0, "just now", "0 s"),
        (9.9, "just now", "9 s"),
        (10, "10 s ago", "10 s"),
        (60, "1 min ago", "1 min 0 s"),
        (3599, "59 min ago", "59 min 59 s"),
        (3600, "1 h ago", "60 min 0 s"),
        (86399, "23 h ago", "1439 min 59 s"),
        (200_000, "2 d ago", "3333 min 20 s"),
    ],
)
def test_times_in_words(seconds: float, ago: str, elapsed: str) -> None:
    assert words.ago_words(seconds) == ago
    assert words.elapsed_words(seconds) == elapsed


def test_times_to_come_count_as_now() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    assert words.elapsed(soon) == "0 s"
    assert ">just now</time>" in words.ago(soon)
    assert f"{soon:%H:%M:%S} UTC" in words.clock(soon)


def test_backticks_become_code_after_escaping() -> None:
    assert words.ticked("use `<b>` & `x`, not `") == (
        "use <code>&lt;b&gt;</code> &amp; <code>x</code>, not `"
    )
