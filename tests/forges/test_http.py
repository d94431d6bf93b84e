"""The seam to a forge: bounds, patience, and where the token goes. Real servers on this machine."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from pydantic import SecretStr

from forges.errors import (
    CredentialsRefusedError,
    ForgeAddressError,
    ForgeError,
    ForgeNotFoundError,
    ForgeUnreachableError,
    InputRefusedError,
    RateLimitedError,
    UnexpectedAnswerError,
)
from forges.http import Access, Answer, Api, check_address
from forges.patience import Patience
from tests.forges.server import Reply, Server, in_order, serving

TOKEN = "tok-0123456789-canary"
NOW = 1_790_000_000.0
OK = Reply(data={"ok": True})


class Waits:
    """The pauses that were asked for; none is taken."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(in_order(OK)) as running:
        yield running


async def call(
    url: str,
    waits: Waits,
    method: str = "GET",
    *,
    repeatable: bool | None = None,
    timeout: float = 30,  # noqa: ASYNC109 - it is the seam's own
    max_answer: int = 1000,
) -> Answer:
    access = Access(url=url, token=SecretStr(TOKEN), header="Authorization", scheme="Bearer ")
    api = Api(
        access,
        patience=Patience(now=lambda: NOW),
        sleep=waits,
        timeout=timeout,
        max_answer=max_answer,
    )
    assert TOKEN not in repr(api) + repr(access)
    try:
        return await api.call(method, "/thing", body={"a": 1}, repeatable=repeatable)
    finally:
        await api.close()


async def test_a_request_carries_the_token_in_its_header(server: Server, waits: Waits) -> None:
    answer = await call(server.url, waits, "POST")
    assert answer.data == {"ok": True}
    (seen,) = server.seen
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (seen.path, seen.data) == ("/thing", {"a": 1})


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
async def test_a_proxy_gets_no_token_that_tls_does_not_hide(
    server: Server, waits: Waits, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with serving(in_order(Reply(500))) as proxy:
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert (await call(server.url, waits)).data == {"ok": True}
        # The second address is this machine's too, and no forge listens there.
        with pytest.raises(ForgeUnreachableError):
            await call(server.url.replace("http://", "https://"), waits)
        assert proxy.seen == []


async def test_with_tls_the_environments_proxy_is_asked_and_sees_no_token(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as running:
        port = running.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(ForgeUnreachableError):
            await call("https://forge.invalid", waits)
    assert seen[0].startswith(b"CONNECT forge.invalid:443 ")
    assert TOKEN.encode() not in b"".join(seen)


async def test_an_empty_answer_is_none(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(204, raw=b""))
    assert (await call(server.url, waits, "DELETE")).data is None


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (Reply(401, {"message": "Bad credentials"}), CredentialsRefusedError, "Bad credentials"),
        (Reply(403, {"message": "no right"}), CredentialsRefusedError, "no right"),
        (Reply(404), ForgeNotFoundError, "404"),
        (Reply(410), ForgeNotFoundError, "410"),
        (Reply(422, {"message": "a", "errors": [{"field": "head"}]}), InputRefusedError, "head"),
        (Reply(409, {"error": f"about {TOKEN}"}), InputRefusedError, "about [token]"),
        (Reply(400, raw=b"<html>"), InputRefusedError, "(400)"),
        (Reply(400, {"message": "a\x1b[31m\u202eb"}), InputRefusedError, "a?[31m?b"),
        (Reply(400, {"message": "x" * 900}), InputRefusedError, "xxx"),
        (Reply(raw=b"<html>"), UnexpectedAnswerError, "not JSON"),
        (Reply(raw=b"[" * 999), UnexpectedAnswerError, "not JSON"),
        (Reply(raw=b'"' + b"x" * 1000 + b'"'), UnexpectedAnswerError, "longer than"),
    ],
)
async def test_failures_and_what_is_told_of_them(
    server: Server, waits: Waits, reply: Reply, kind: type[ForgeError], told: str
) -> None:
    server.answers = in_order(reply)
    with pytest.raises(kind) as failed:
        await call(server.url, waits)
    assert told in str(failed.value)
    assert TOKEN not in str(failed.value)
    assert len(failed.value.message) < 300
    assert (len(server.seen), waits.seconds) == (1, [])


async def test_what_may_be_repeated_is_asked_again_ever_later(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(502), Reply(500), Reply(503), OK)
    assert (await call(server.url, waits)).data == {"ok": True}
    assert waits.seconds == [0.5, 1.0, 2.0]


async def test_it_is_not_asked_for_ever(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(502))
    with pytest.raises(ForgeUnreachableError, match="502"):
        await call(server.url, waits)
    assert len(server.seen) == 4


async def test_what_must_not_happen_twice_is_not_asked_again(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(502), OK)
    with pytest.raises(ForgeUnreachableError):
        await call(server.url, waits, "POST")
    assert len(server.seen) == 1
    server.answers = in_order(Reply(502), OK)
    assert (await call(server.url, waits, "POST", repeatable=True)).data == {"ok": True}


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(429, headers={"Retry-After": "7"}), 7.0),
        (Reply(429, headers={"Retry-After": "0"}), 0.5),
        (Reply(429, headers={"Retry-After": formatdate(NOW + 9)}), 9.0),
        (Reply(429, headers={"Retry-After": formatdate(NOW - 9)}), 0.5),
        (Reply(429, headers={"Retry-After": "soon"}), 0.5),
        (Reply(429, headers={"Retry-After": "nan"}), 0.5),
        (Reply(429), 0.5),
        (Reply(503, headers={"Retry-After": "3"}), 3.0),
        (Reply(403, headers={"Retry-After": "4"}), 4.0),
        (
            Reply(403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 11)}),
            11.0,
        ),
        (Reply(429, headers={"RateLimit-Remaining": "0", "RateLimit-Reset": str(NOW + 12)}), 12.0),
    ],
)
async def test_a_forge_that_wants_fewer_requests_is_obeyed(
    server: Server, waits: Waits, reply: Reply, seconds: float
) -> None:
    server.answers = in_order(reply, OK)
    assert (await call(server.url, waits, "POST")).data == {"ok": True}
    assert waits.seconds == [seconds]


async def test_too_long_a_wait_is_the_callers(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitedError, match="again in 3600 s") as limited:
        await call(server.url, waits)
    assert (limited.value.retry_after, waits.seconds) == (3600.0, [])


async def test_limits_that_are_far_are_no_limits(server: Server, waits: Waits) -> None:
    headers = {"X-RateLimit-Remaining": "99", "X-RateLimit-Reset": str(NOW + 11)}
    server.answers = in_order(Reply(403, headers=headers))
    with pytest.raises(CredentialsRefusedError):
        await call(server.url, waits)


async def test_nobody_listens(waits: Waits) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ForgeUnreachableError, match="ConnectError") as failed:
            await call(url, waits, "POST")
    # Nothing was sent, so even this may be asked again.
    assert (failed.value.maybe_done, len(waits.seconds)) == (False, 3)


async def tcp(answer: bytes) -> asyncio.Server:
    """A server that says this to the first bytes of anybody, and no more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        if answer:
            writer.close()
        else:
            await reader.read()
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-other\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b""]
)
async def test_no_whole_answer(waits: Waits, answer: bytes) -> None:
    """Another protocol; a connection that is cut; silence until the time is over."""
    server = await tcp(answer)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ForgeUnreachableError) as failed:
            await call(url, waits, "POST", timeout=0.2)
    assert failed.value.maybe_done
    assert waits.seconds == []


async def test_a_redirect_is_followed_within_the_forge(server: Server, waits: Waits) -> None:
    server.answers = in_order(Reply(307, headers={"Location": "/moved"}), OK)
    assert (await call(server.url, waits, "POST")).data == {"ok": True}
    assert [(one.method, one.path) for one in server.seen] == [
        ("POST", "/thing"),
        ("POST", "/moved"),
    ]


async def test_the_token_goes_to_nobody_else(server: Server, waits: Waits) -> None:
    async with serving(in_order(OK)) as other:
        server.answers = in_order(Reply(301, headers={"Location": f"{other.url}/thing"}))
        with pytest.raises(UnexpectedAnswerError, match="another address"):
            await call(server.url, waits)
        assert other.seen == []


@pytest.mark.parametrize(
    ("location", "method", "told"),
    [
        ("/moved", "POST", "not to the same request"),
        ("/thing", "GET", "again and again"),
        ("https://127.0.0.1/thing", "GET", "another address"),
    ],
)
async def test_other_redirects_are_refused(
    server: Server, waits: Waits, location: str, method: str, told: str
) -> None:
    server.answers = in_order(Reply(302, headers={"Location": location}))
    with pytest.raises(UnexpectedAnswerError, match=told):
        await call(server.url, waits, method)
    assert len(server.seen) <= 4


async def test_the_token_is_in_no_log(
    server: Server, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("httpx", "httpcore"):  # which CodeHub's own logs leave out
        caplog.set_level(logging.DEBUG, logger=name)
    await call(server.url, waits)
    assert caplog.records
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "https://forge.example.org/git/",
        "http://127.0.0.1:3000",
        "http://localhost/",
        "http://[::1]:1",
    ],
)
def test_addresses_that_a_token_may_go_to(url: str) -> None:
    assert check_address(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "forge.example.org",
        "ftp://forge.example.org",
        "http://forge.example.org",
        "http://127.0.0.1.example.org",
        "https://user:canary-password@forge.example.org",
        "https://forge.example.org/?a=canary",
        "https://forge.example.org/#a",
        "https://forge.example.org:0",
        "https://forge.example.org:99999",
        "https://[",
        "https://",
    ],
)
def test_addresses_that_it_may_not_go_to(url: str) -> None:
    with pytest.raises(ForgeAddressError) as refused:
        check_address(url)
    assert "canary" not in str(refused.value)


def test_plain_http_where_somebody_said_so() -> None:
    assert check_address("http://forge.example.org", allow_http=True)
