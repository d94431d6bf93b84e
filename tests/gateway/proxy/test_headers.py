"""The header filters: tables for each rule, and what must hold whatever comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.headers import (
    acceptable,
    confined_cookie,
    to_browser,
    to_workspace,
    without_our_cookies,
)

ROOT = b"/w/demo/"
Pairs = list[tuple[bytes, bytes]]


def up(*headers: tuple[bytes, bytes]) -> Pairs:
    return to_workspace(
        [(b"host", b"hub.example"), *headers],
        host=b"hub.example",
        scheme="https",
        client="192.0.2.1",
        request_id="r1",
    )


def down(*headers: tuple[bytes, bytes], status: int = 200) -> Pairs:
    return to_browser(headers, workspace="demo", status=status, origin="https://hub.example")


OURS: Pairs = [
    (b"x-forwarded-host", b"hub.example"),
    (b"x-forwarded-proto", b"https"),
    (b"x-request-id", b"r1"),
    (b"x-forwarded-for", b"192.0.2.1"),
]
SAFE: Pairs = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin")]


@pytest.mark.parametrize(
    "header",
    [
        (b"accept", b"*/*"),
        (b"user-agent", b"x"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"5"),
        (b"origin", b"https://hub.example"),
        (b"sec-websocket-key", b"x"),
        (b"cookie", b"a=1"),
        (b"x-forward", b"1"),
    ],
)
def test_headers_that_reach_the_workspace(header: tuple[bytes, bytes]) -> None:
    assert sorted(up(header)) == sorted([(b"host", b"hub.example"), header, *OURS])


@pytest.mark.parametrize(
    "name",
    [
        b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"authorization", b"forwarded",
        b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port",
        b"x-forwarded-prefix", b"x-forwarded-user", b"x-forwarded", b"x-real-ip",
        b"x-original-url", b"true-client-ip", b"expect", b"via", b"x-request-id", b"host",
        b"client-ip", b"x-original-forwarded-for", b"x-scheme", b"x-remote-addr",
    ],
)  # fmt: skip
def test_headers_that_do_not(name: bytes) -> None:
    assert up((name, b"canary")) == [(b"host", b"hub.example"), *OURS]


def test_connection_names_more_but_not_ours() -> None:
    got = up(
        (b"x-hop", b"1"),
        (b"cookie", b"a=1"),
        (b"connection", b"X-Hop , cookie"),
        (b"connection", b"host, x-forwarded-host, x-forwarded-for"),
    )
    assert got == [(b"host", b"hub.example"), *OURS]


def test_without_a_client_there_is_no_claim() -> None:
    got = to_workspace([], host=b"h", scheme="http", client="", request_id="r")
    assert b"x-forwarded-for" not in dict(got)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"codehub=x", b""),
        (b"a=1; codehub=x; b=2", b"a=1; b=2"),
        (b"__Host-codehub=x;a=1", b"a=1"),
        (b"CodeHub=x; __HOST-CODEHUB=y", b""),
        (b" codehub =x; a", b"a"),
        (b"\tcodehub\t= x", b""),
        (b'a="1; codehub=x; b"', b'a="1; b"'),
        (b"codehub", b""),
        (b"codehub2=x; xcodehub=y", b"codehub2=x; xcodehub=y"),
        (b";; a=1;", b"a=1"),
        (b"a=codehub=x", b"a=codehub=x"),
        (b"", b""),
    ],
)
def test_our_cookies_are_taken_out(value: bytes, left: bytes) -> None:
    assert without_our_cookies(value) == left


def test_several_cookie_headers_become_one() -> None:
    got = dict(up((b"cookie", b"a=1"), (b"cookie", b"codehub=x"), (b"cookie", b"b=2")))
    assert got[b"cookie"] == b"a=1; b=2"


@pytest.mark.parametrize(
    ("value", "confined"),
    [
        (b"a=1", b"a=1; Path=/w/demo/"),
        (b"a=1; Path=/", b"a=1; Path=/w/demo/"),
        (b"a=1; path=/x; HttpOnly; Secure", b"a=1; HttpOnly; Secure; Path=/w/demo/x"),
        (b"a=1; Path=/w/demo/y", b"a=1; Path=/w/demo/y"),
        (b"a=1; Path=/w/demo", b"a=1; Path=/w/demo"),
        (b"a=1; Path=/w/demolition", b"a=1; Path=/w/demo/w/demolition"),
        (b"a=1; Path=/w/other/", b"a=1; Path=/w/demo/w/other/"),
        (b"a=1; Path=relative", b"a=1; Path=/w/demo/"),
        (b"a=1; Path=/x; Path=/y", b"a=1; Path=/w/demo/y"),
        (b"a=; Max-Age=0", b"a=; Max-Age=0; Path=/w/demo/"),
        (b"codehub=1", None),
        (b" CODEHUB =1", None),
        (b"__Host-codehub=1; Path=/; Secure", None),
        (b"a=1; Domain=hub.example", None),
        (b"a=1; DOMAIN = x", None),
        (b"a=1; Domain", None),
        (b"=codehub=1", None),
        (b"codehub", None),
        (b"", None),
    ],
)
def test_cookies_of_workspaces(value: bytes, confined: bytes | None) -> None:
    assert confined_cookie(value, ROOT) == confined
    kept = [] if confined is None else [(b"set-cookie", confined)]
    assert down((b"Set-Cookie", value)) == [*kept, *SAFE]


@pytest.mark.parametrize(
    "name",
    [
        b"Connection", b"Keep-Alive", b"Proxy-Authenticate", b"Trailer", b"Transfer-Encoding",
        b"Upgrade", b"Alt-Svc", b"Clear-Site-Data", b"Date", b"Expect-CT", b"NEL", b"Report-To",
        b"Public-Key-Pins", b"Server", b"Strict-Transport-Security", b"X-Sendfile",
        b"X-Accel-Redirect", b"X-Accel-Expires", b"X-Lighttpd-Send-File", b"X-Reproxy-URL",
        b"X-Request-Id",
    ],
)  # fmt: skip
def test_headers_that_do_not_reach_the_browser(name: bytes) -> None:
    assert down((name, b"x")) == SAFE


@pytest.mark.parametrize(
    "header",
    [
        (b"content-type", b"text/html"),
        (b"content-length", b"4"),
        (b"content-security-policy", b"script-src 'sha256-x'"),
        (b"etag", b'"x"'),
        (b"vary", b"Accept"),
        (b"access-control-allow-origin", b"*"),
        (b"cross-origin-embedder-policy", b"require-corp"),
    ],
)
def test_headers_that_do(header: tuple[bytes, bytes]) -> None:
    assert down(header) == [header, *SAFE]


def test_our_additions_do_not_overrule() -> None:
    own: Pairs = [(b"x-content-type-options", b"x"), (b"referrer-policy", b"no-referrer")]
    assert down(*own) == own


def test_connection_of_the_workspace_names_more() -> None:
    assert down((b"Connection", b"close, X-Hop"), (b"X-Hop", b"1")) == SAFE


@pytest.mark.parametrize(
    ("headers", "status", "kept"),
    [
        ([(b"content-length", b"5"), (b"transfer-encoding", b"chunked")], 200, False),
        ([(b"content-length", b"5")], 304, False),
        ([(b"content-length", b"0")], 204, False),
        ([(b"content-length", b"5")], 200, True),
    ],
)
def test_lengths_that_would_contradict(headers: Pairs, status: int, *, kept: bool) -> None:
    assert (b"content-length" in dict(down(*headers, status=status))) is kept


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"location", b"/x?y", b"/w/demo/x?y"),
        (b"location", b"/", b"/w/demo/"),
        (b"location", b"/w/demo/x", b"/w/demo/x"),
        (b"location", b"/w/other/x", b"/w/demo/w/other/x"),
        (b"location", b"./x", b"./x"),
        (b"location", b"x", b"x"),
        (b"location", b"?a", b"?a"),
        (b"location", b"https://hub.example/x", b"/w/demo/x"),
        (b"location", b"HTTPS://HUB.example/x", b"/w/demo/x"),
        (b"location", b"https://hub.example.evil/x", b"https://hub.example.evil/x"),
        (b"location", b"https://elsewhere.example/x", b"https://elsewhere.example/x"),
        (b"location", b"//elsewhere.example/x", b"//elsewhere.example/x"),
        (b"location", b"/\\elsewhere.example/x", b"/\\elsewhere.example/x"),
        (b"service-worker-allowed", b"/", b"/w/demo/"),
        (b"service-worker-allowed", b"/sub/", b"/w/demo/sub/"),
        (b"service-worker-allowed", b"/w/demo/", b"/w/demo/"),
        (b"service-worker-allowed", b"/w/demo/../other/", None),
        (b"service-worker-allowed", b"/%2e%2e/", None),
        (b"service-worker-allowed", b"/\\..\\", None),
        (b"service-worker-allowed", b"/\t../\t../", None),
        (b"service-worker-allowed", b"/a b/", None),
        (b"service-worker-allowed", b"/w/demo", b"/w/demo/w/demo"),
        (b"service-worker-allowed", b"../", None),
        (b"service-worker-allowed", b"https://x/", None),
    ],
)
def test_paths_that_the_workspace_names(name: bytes, value: bytes, expected: bytes | None) -> None:
    kept = [] if expected is None else [(name, expected)]
    assert down((name, value)) == [*kept, *SAFE]


@pytest.mark.parametrize(
    ("headers", "sound"),
    [
        ([], True),
        ([(b"X-A", b"\xff\t ~")], True),
        ([(b"x", b"")], True),
        ([(b"Content-Length", b"1"), (b"content-length", b"1")], True),
        ([(b"Content-Length", b"1"), (b"content-length", b"2")], False),
        ([(b"Content-Length", b"-1")], False),
        ([(b"", b"x")], False),
        ([(b"a b", b"x")], False),
        ([(b"a", b"x\r\ny: z")], False),
        ([(b"a", b"\x00")], False),
        ([(b"a", b"\x7f")], False),
    ],
)
def test_which_answers_can_be_passed_on(headers: Pairs, *, sound: bool) -> None:
    assert acceptable(headers) is sound


cookie_bytes = st.text('codehubCODEHUB_-Host=; \t"a1', max_size=60).map(str.encode)
header_names = st.sampled_from(
    [
        b"cookie",
        b"connection",
        b"authorization",
        b"x-forwarded-for",
        b"forwarded",
        b"accept",
        b"x-a",
    ]
)


@given(st.lists(cookie_bytes, max_size=4), cookie_bytes)
def test_no_spelling_of_our_cookies_gets_through(cookies: list[bytes], connection: bytes) -> None:
    canary = b"codehub=CANARY"
    values = [cookie + b";" + canary + b";" + cookie for cookie in cookies] or [canary]
    got = up(*[(b"cookie", value) for value in values], (b"connection", connection))
    assert all(b"CANARY" not in value for _, value in got)
    assert [name for name, _ in got].count(b"cookie") <= 1


@given(st.lists(st.tuples(header_names, cookie_bytes), max_size=8))
def test_our_claims_always_arrive_alone(headers: Pairs) -> None:
    got = up(*headers)
    for name, value in [(b"host", b"hub.example"), *OURS]:
        assert [v for n, v in got if n == name] == [value]


@given(st.binary(max_size=80))
def test_cookies_of_workspaces_stay_below_them(value: bytes) -> None:
    confined = confined_cookie(value, ROOT)
    if confined is not None:
        parts = [part.strip().lower() for part in confined.split(b";")]
        paths = [part for part in parts[1:] if part.startswith(b"path")]
        assert len(paths) == 1
        assert paths[0].startswith(b"path=/w/demo")
        assert not any(part.startswith(b"domain") for part in parts[1:])
        assert parts[0].partition(b"=")[0].strip() not in {b"codehub", b"__host-codehub", b""}
