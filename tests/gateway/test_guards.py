"""The decision on workspace requests: a row that lets in beside each that does not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.guards import (
    Decision,
    Forward,
    Redirect,
    Refuse,
    ShowWorkspace,
    authorize,
    is_navigation,
)
from gateway.head import RequestHead
from gateway.proxy.seams import View, Visitor
from gateway.routing import Route
from gateway.site import Site
from state_index.phases import Phase

SITE = Site.of(["https://hub.example"])
HIDING = Site.of(["https://hub.example"], hide_existence=True)
ALICE = Visitor("alice", admin=False, session="a")
BOB = Visitor("bob", admin=False, session="b")
ROOT = Visitor("root", admin=True, session="r")
HOST = (b"host", b"hub.example")
ORIGIN = (b"origin", b"https://hub.example")
EVIL = (b"origin", b"https://evil.example")
NAVIGATE = (b"sec-fetch-mode", b"navigate")
KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")

Pair = tuple[bytes, bytes]


def routes(phase: Phase = Phase.RUNNING, **changes: Any) -> dict[str, Route]:
    values: dict[str, Any] = {"generation": 3, "upstream": "unix:demo/ide.sock", **changes}
    return {"demo": Route(id="demo", owner="alice", phase=phase, **values)}


def head(
    target: bytes = b"/w/demo/x?y=1",
    *headers: Pair,
    method: str = "GET",
    version: str = "1.1",
    upgrade: bool = False,
) -> RequestHead:
    return RequestHead(method, target, [HOST, *headers], version, upgrade)


def handshake(*headers: Pair, target: bytes = b"/w/demo/ws") -> RequestHead:
    return head(target, KEY, *headers, upgrade=True)


def decide(
    asked: RequestHead,
    visitor: Visitor | None = ALICE,
    table: dict[str, Route] | None = None,
    site: Site = SITE,
) -> Decision:
    return authorize(asked, visitor=visitor, routes=routes() if table is None else table, site=site)


def status(decision: Decision) -> int:
    """Return the status that a decision leads to; 0 for being let in."""
    if isinstance(decision, Forward):
        return 0
    return decision.error.status if isinstance(decision, Refuse) else decision.status


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (head(), b"/x?y=1"),
        (head(b"/w/demo/"), b"/"),
        (head(b"/w/demo/?"), b"/?"),
        (head(b"/w/demo//a/../%2e%2e/%2f%5c%00"), b"//a/../%2e%2e/%2f%5c%00"),
        (head(b"/w/demo/", ORIGIN, method="POST"), b"/"),
        (head(b"/w/demo/", ORIGIN, (b"sec-fetch-site", b"same-origin"), method="DELETE"), b"/"),
        (head(b"/w/demo/", (b"sec-fetch-site", b"same-origin"), method="PUT"), b"/"),
        (head(b"/w/demo/", EVIL), b"/"),  # reading: the browser keeps the answer from its page
        (head(b"/w/demo/", (b"content-length", b"5"), ORIGIN, method="POST"), b"/"),
        (head(b"/w/demo/", (b"transfer-encoding", b"chunked"), ORIGIN, method="POST"), b"/"),
        (head(b"/w/demo/", version="1.0"), b"/"),
        (head(b"/w/demo/", method="OPTIONS"), b"/"),
        (handshake(ORIGIN), b"/ws"),
        (handshake(ORIGIN, target=b"/w/demo"), b"/"),
        (handshake(ORIGIN, target=b"/w/demo?a"), b"/?a"),
    ],
)
def test_the_owner_is_let_in(asked: RequestHead, target: bytes) -> None:
    assert decide(asked) == Forward(routes()["demo"], target, ALICE)


@pytest.mark.parametrize(
    ("asked", "visitor", "expected"),
    [
        # heads that could be read in two ways, for anybody
        (RequestHead("GET", b"/w/demo/", []), ALICE, 400),
        (RequestHead("GET", b"/w/demo/", [HOST, HOST]), ALICE, 400),
        (RequestHead("GET", b"/w/demo/", [(b"host", b"evil.example")]), ALICE, 421),
        (RequestHead("GET", b"/w/demo/", [(b"host", b"hub.example:8443")]), ALICE, 421),
        (RequestHead("GET", b"/w/demo/", [(b"host", b"hub.example.evil")]), ALICE, 421),
        (RequestHead("GET", b"/w/demo/", [(b"host", b"")]), ALICE, 421),
        (head(b"http://hub.example/w/demo/"), ALICE, 400),
        (head(b"/w/demo/", (b"transfer-encoding", b"chunked"), version="1.0"), ALICE, 400),
        (
            head(b"/w/demo/", (b"content-length", b"1"), (b"transfer-encoding", b"chunked")),
            ALICE,
            400,
        ),
        (head(b"/w/demo/", (b"content-length", b"1"), (b"content-length", b"1")), ALICE, 400),
        (head(b"/w/demo/", (b"x_forwarded_for", b"1")), ALICE, 400),
        (head(b"/w/demo/", method="TRACE"), ALICE, 400),
        (handshake(ORIGIN, (b"content-length", b"0")), ALICE, 400),
        # ids and prefixes
        (head(b"/w/DEMO/"), ALICE, 400),
        (head(b"/w//x"), ALICE, 400),
        (head(b"/w/../login"), ALICE, 400),
        (head(b"/w/%64emo/"), ALICE, 400),
        (head(b"/w/demo%2fx/"), ALICE, 400),
        (head(b"/w/demo%5cx/"), ALICE, 400),
        (head(b"/w/demo\\x/"), ALICE, 400),
        (head(b"/w/demo%00/"), ALICE, 400),
        (head(b"/w/" + b"a" * 64 + b"/"), ALICE, 400),
        (head(b"/elsewhere"), ALICE, 404),
        (head(b"/w/demo"), None, 308),
        # who
        (head(), None, 401),
        (handshake(ORIGIN), None, 401),
        (head(b"/w/other/"), None, 401),
        (head(b"/w/other/"), ALICE, 404),
        (head(), BOB, 403),
        (head(), ROOT, 403),
        (handshake(ORIGIN), BOB, 403),
        # from where
        (handshake(), ALICE, 403),
        (handshake(EVIL), ALICE, 403),
        (handshake(ORIGIN, ORIGIN), ALICE, 403),
        (handshake((b"origin", b"null")), ALICE, 403),
        (handshake((b"origin", b"http://hub.example")), ALICE, 403),
        (handshake((b"origin", b"https://hub.example:444")), ALICE, 403),
        (handshake((b"origin", b"https://hub.example.evil")), ALICE, 403),
        (head(b"/w/demo/", EVIL, method="POST"), ALICE, 403),
        (head(b"/w/demo/", method="POST"), ALICE, 403),
        (head(b"/w/demo/", (b"sec-fetch-site", b"same-site"), method="POST"), ALICE, 403),
        (head(b"/w/demo/", EVIL, (b"sec-fetch-site", b"same-origin"), method="PATCH"), ALICE, 403),
    ],
)
def test_others_are_not(asked: RequestHead, visitor: Visitor | None, expected: int) -> None:
    assert status(decide(asked, visitor)) == expected


@pytest.mark.parametrize(
    ("phase", "status_for_people", "view"),
    [
        (Phase.PENDING, 503, View.STARTING),
        (Phase.PROVISIONING, 503, View.STARTING),
        (Phase.STARTING, 503, View.STARTING),
        (Phase.UPDATING, 503, View.STARTING),
        (Phase.RESTORING, 503, View.STARTING),
        (Phase.STOPPING, 200, View.STOPPED),
        (Phase.WARM, 200, View.STOPPED),
        (Phase.ARCHIVING, 200, View.STOPPED),
        (Phase.COLD, 200, View.STOPPED),
        (Phase.DELETING, 200, View.STOPPED),
        (Phase.TOMBSTONED, 200, View.STOPPED),
        (Phase.ERROR, 503, View.FAILED),
        (Phase.UNKNOWN, 503, View.FAILED),
    ],
)
def test_phases(phase: Phase, status_for_people: int, view: View) -> None:
    table = routes(phase, reason="BECAUSE")
    shown = decide(head(b"/w/demo/", NAVIGATE), table=table)
    assert shown == ShowWorkspace(view, status_for_people, table["demo"], ALICE)
    for asked in (head(), handshake(ORIGIN)):
        refused = decide(asked, table=table)
        assert isinstance(refused, Refuse)
        assert (refused.error.status, refused.error.code) == (424, "NOT_RUNNING")
        assert refused.error.details == {
            "workspace": "demo",
            "phase": str(phase),
            "reason": "BECAUSE",
        }


def test_every_phase_is_in_the_table() -> None:
    for phase in Phase:
        answered = status(decide(head(b"/w/demo/", NAVIGATE), table=routes(phase)))
        assert answered == {Phase.RUNNING: 0, Phase.DELETED: 404}.get(phase, answered)
        assert (answered == 0) == (phase is Phase.RUNNING)


def test_running_without_an_address() -> None:
    assert status(decide(head(), table=routes(upstream=""))) == 503


def test_outdated_routes_refuse_everybody_who_is_known() -> None:
    for visitor, expected in ((ALICE, 503), (BOB, 503), (None, 401)):
        decision = authorize(head(), visitor=visitor, routes=None, site=SITE)
        assert status(decision) == expected


def test_existence_can_be_hidden() -> None:
    other = decide(head(b"/w/other/"), BOB, site=HIDING)
    someone_elses = decide(head(), BOB, site=HIDING)
    assert isinstance(other, Refuse)
    assert isinstance(someone_elses, Refuse)
    assert other.error.envelope("") == someone_elses.error.envelope("")
    assert status(decide(head(), ALICE, site=HIDING)) == 0


def test_people_are_sent_to_the_login_page_and_back() -> None:
    there = decide(head(b"/w/demo/a b?c=d&e=%2F".replace(b" ", b"%20"), NAVIGATE), None)
    assert there == Redirect(303, b"/login?next=/w/demo/a%2520b%3Fc%3Dd%26e%3D%252F")


def test_a_missing_slash_is_added() -> None:
    assert decide(head(b"/w/demo?folder=/x&y")) == Redirect(308, b"/w/demo/?folder=/x&y")
    assert decide(head(b"/w/demo")) == Redirect(308, b"/w/demo/")


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        (head(b"/w/other/", NAVIGATE), True),
        (head(b"/w/other/"), False),
        (head(b"/w/DEMO/", NAVIGATE), True),
        (head(b"/elsewhere", NAVIGATE), True),
        (head(b"/elsewhere"), False),
    ],
)
def test_errors_are_pages_for_people_only(asked: RequestHead, *, page: bool) -> None:
    decision = decide(asked)
    assert isinstance(decision, Refuse)
    assert decision.page is page


HTML = (b"accept", b"text/html,application/xhtml+xml")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (head(b"/", NAVIGATE), True),
        (head(b"/", NAVIGATE, (b"sec-fetch-dest", b"document")), True),
        (head(b"/", NAVIGATE, method="HEAD"), True),
        (head(b"/", HTML), True),
        (head(b"/", NAVIGATE, (b"sec-fetch-dest", b"iframe")), False),
        (head(b"/", NAVIGATE, (b"sec-purpose", b"prefetch;prerender")), False),
        (head(b"/", NAVIGATE, (b"purpose", b"prefetch")), False),
        (head(b"/", (b"sec-fetch-mode", b"cors"), HTML), False),
        (head(b"/", NAVIGATE, (b"sec-fetch-mode", b"cors")), False),
        (head(b"/", NAVIGATE, method="POST"), False),
        (head(b"/", HTML, method="HEAD"), False),
        (head(b"/", HTML, (b"x-requested-with", b"XMLHttpRequest")), False),
        (head(b"/", (b"accept", b"*/*")), False),
        (head(b"/"), False),
        (handshake(NAVIGATE), False),
    ],
)
def test_navigations(asked: RequestHead, *, expected: bool) -> None:
    assert is_navigation(asked) is expected


names = st.sampled_from(
    [
        b"host",
        b"origin",
        b"cookie",
        b"content-length",
        b"transfer-encoding",
        b"x",
        b"x_y",
        b"accept",
    ]
)
values = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"hub.example", b"https://hub.example", b"chunked", b"3", b"text/html"]),
)


heads = st.builds(
    RequestHead,
    method=st.sampled_from(["GET", "POST", "HEAD", "DELETE", "TRACE", "CONNECT"]),
    target=st.one_of(st.binary(max_size=20), st.binary(max_size=9).map(lambda x: b"/w/demo/" + x)),
    headers=st.lists(st.tuples(names, values), max_size=6),
    version=st.sampled_from(["1.1", "1.0", "2.0"]),
    upgrade=st.booleans(),
)


@given(
    asked=heads,
    visitor=st.sampled_from([None, ALICE, BOB, ROOT]),
    phase=st.sampled_from(Phase),
)
def test_nobody_but_the_owner_gets_to_a_running_workspace(
    asked: RequestHead, visitor: Visitor | None, phase: Phase
) -> None:
    decision = decide(asked, visitor, routes(phase, since=datetime.now(UTC)))
    if isinstance(decision, Forward):
        assert visitor == ALICE
        assert phase is Phase.RUNNING
        assert asked.target.startswith(b"/w/demo/")
        assert decision.target == asked.target[len(b"/w/demo") :]
        assert asked.values(b"host") == [b"hub.example"]
        assert b"x_y" not in {name for name, _ in asked.headers}
        assert asked.method not in {"TRACE", "CONNECT"}
        if asked.upgrade or asked.method in {"POST", "DELETE"}:
            assert asked.values(b"origin") == [b"https://hub.example"]
