"""Which heads are refused before anybody asks who sent them, and which hosts are ours."""

import pytest

from gateway.errors import BadRequestError
from gateway.head import RequestHead, malformed, workspace_target
from gateway.site import Site

SITE = Site.of(["http://hub.example"])
HOST = (b"host", b"hub.example")


@pytest.mark.parametrize(
    "head",
    [
        RequestHead("GET", b"/", [HOST]),
        RequestHead("GET", b'/a"<>{}|^`\\~!?b=%zz', [HOST], "1.0"),
        RequestHead("PROPFIND", b"/", [HOST]),
        RequestHead("POST", b"/", [HOST, (b"content-length", b"007")]),
        RequestHead("POST", b"/", [HOST, (b"transfer-encoding", b" Chunked")]),
        RequestHead("GET", b"/", [HOST, (b"X-Upper", b"\xff\t\x80")]),
        RequestHead("GET", b"/", [(b"host", b"HUB.example:80")]),
        RequestHead("GET", b"/", [HOST, (b"sec-websocket-key", b"k")], "1.1", upgrade=True),
    ],
)
def test_sound_heads(head: RequestHead) -> None:
    assert malformed(head, SITE) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (RequestHead("CONNECT", b"/", [HOST]), "CONNECT"),
        (RequestHead("TRACE", b"/", [HOST]), "TRACE"),
        (RequestHead("GET", b"/", [HOST], "2.0"), "HTTP/1.1"),
        (RequestHead("GET", b"/", [HOST], "0.9"), "HTTP/1.1"),
        (RequestHead("GET", b"*", [HOST]), "target"),
        (RequestHead("GET", b"", [HOST]), "target"),
        (RequestHead("GET", b"x", [HOST]), "target"),
        (RequestHead("GET", b"/a b", [HOST]), "target"),
        (RequestHead("GET", b"/a#b", [HOST]), "target"),
        (RequestHead("GET", b"/a\x00", [HOST]), "target"),
        (RequestHead("GET", b"/\xc3\xa9", [HOST]), "target"),
        (RequestHead("GET", b"http://hub.example/", [HOST]), "target"),
        (RequestHead("GET", b"/", [HOST, (b"a_b", b"")]), "names"),
        (RequestHead("GET", b"/", [HOST, (b"a.b", b"")]), "names"),
        (RequestHead("GET", b"/", [HOST, (b"a b", b"")]), "names"),
        (RequestHead("GET", b"/", [HOST, (b"", b"")]), "names"),
        (RequestHead("GET", b"/", [HOST, (b"a,b", b"")]), None),
        (RequestHead("GET", b"/", [HOST, (b"a", b"x\ny")]), "control"),
        (RequestHead("GET", b"/", [HOST, (b"a", b"x\x00")]), "control"),
        (RequestHead("GET", b"/", [HOST, (b"content-length", b"+4")]), "Content-Length"),
        (RequestHead("GET", b"/", [HOST, (b"content-length", b"4, 4")]), "Content-Length"),
        (RequestHead("GET", b"/", [HOST, (b"content-length", b"")]), "Content-Length"),
        (RequestHead("GET", b"/", [HOST, (b"transfer-encoding", b"gzip, chunked")]), "chunked"),
        (RequestHead("GET", b"/", [HOST, (b"transfer-encoding", b"identity")]), "chunked"),
        (RequestHead("GET", b"/", [HOST, (b"transfer-encoding", b"chunked")], "1.0"), "1.0"),
        (RequestHead("GET", b"/", [HOST, HOST]), "Host"),
        (RequestHead("GET", b"/", []), "Host"),
        (RequestHead("GET", b"/", [HOST], upgrade=True), "Key"),
        (RequestHead("POST", b"/", [HOST], upgrade=True), "GET"),
        (RequestHead("GET", b"/", [HOST], "1.0", upgrade=True), "GET"),
    ],
)
def test_heads_that_are_refused(head: RequestHead, words: str | None) -> None:
    problem = malformed(head, SITE)
    if words is None:  # a comma can't get here: the server's parser refuses it
        assert problem is None
        return
    assert isinstance(problem, BadRequestError)
    assert words in problem.message


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", None),
        (b"/w", None),
        (b"/w?x", None),
        (b"/wiki/w/", None),
        (b"/a/w/demo/", None),
        (b"/w/a", ("a", b"")),
        (b"/w/a/", ("a", b"/")),
        (b"/w/a-1/b?c/d", ("a-1", b"/b?c/d")),
        (b"/w/a?b/c", ("a", b"?b/c")),
        (b"/w/a/b%2fc%5c%00\\", ("a", b"/b%2fc%5c%00\\")),
        (b"/login?next=%2Fw%2Fa%2F%5c%00\\", None),
        (b"/a%20b%252f", None),
    ],
)
def test_targets(target: bytes, expected: tuple[str, bytes] | None) -> None:
    assert workspace_target(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        b"/w/",
        b"/w/?x",
        b"/w//",
        b"/w/A/",
        b"/w/a_b/",
        b"/w/a.b/",
        b"/w/.../",
        b"//w/a/",
        b"/./w/a/",
        b"/../w/a/",
        b"/%2e/w/a/",
        b"/%77/a/",
        b"/w%2Fa/",
        b"/w\\a/",
        b"/W/a/",
        b"/%77",
        b"/workspaces/one%2fcard",
        b"/workspaces/one%2Fcard",
        b"/workspaces%5Cone",
        b"/workspaces\\one",
        b"/workspaces/one%00",
        b"/api/v1/workspaces/one%2Fstop?x",
    ],
)
def test_targets_in_disguise(target: bytes) -> None:
    with pytest.raises(BadRequestError):
        workspace_target(target)


@pytest.mark.parametrize(
    ("base_url", "host", "port", "asked", "origin"),
    [
        ("https://hub.example", "0.0.0.0", 8000, b"hub.example", "https://hub.example"),
        ("https://hub.example/", "0.0.0.0", 8000, b"HUB.EXAMPLE:443", "https://hub.example"),
        ("https://hub.example:8443", "x", 1, b"hub.example:8443", "https://hub.example:8443"),
        ("https://hub.example:8443", "x", 1, b"hub.example", None),
        ("https://hub.example", "127.0.0.1", 8000, b"127.0.0.1:8000", None),
        (None, "127.0.0.1", 8000, b"127.0.0.1:8000", "http://127.0.0.1:8000"),
        (None, "127.0.0.1", 8000, b"localhost:8000", "http://localhost:8000"),
        (None, "127.0.0.1", 8000, b"localhost", None),
        (None, "::1", 8000, b"[::1]:8000", "http://[::1]:8000"),
        (None, "0.0.0.0", 80, b"localhost", "http://localhost"),
        (None, "10.1.2.3", 8000, b"10.1.2.3:8000", "http://10.1.2.3:8000"),
        (None, "10.1.2.3", 8000, b"localhost:8000", None),
        (None, "fd00::1", 8000, b"[fd00::1]:8000", "http://[fd00::1]:8000"),
    ],
)
def test_which_hosts_are_ours(
    base_url: str | None, host: str, port: int, asked: bytes, origin: str | None
) -> None:
    assert Site.listening(base_url=base_url, host=host, port=port).origin(asked) == origin


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"00")], False),
        ([(b"content-length", b"10")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_which_requests_have_a_body(headers: list[tuple[bytes, bytes]], *, body: bool) -> None:
    assert RequestHead("POST", b"/", headers).has_body is body
