"""Webhook and Slack against a real HTTP server on loopback: what it gets, and what its answers mean."""

import hashlib
import hmac
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.errors import NoticeFailedError, NoticeRefusedError, NoticeUnusableError, StacksError
from stacks.notices.http import LARGEST_ANSWER, Trust
from stacks.notices.slack import Slack
from stacks.notices.webhook import Webhook
from tests.stacks.notices.receivers import Posted, certificate, http_server
from tests.stacks.notices.scenes import message, notice

CANARY = "canary-url-9a7e"
KEY = "canary-key-0123456789"


@pytest.fixture
def posted() -> Iterator[Posted]:
    with http_server() as served:
        yield served


Keep = Callable[[str, str], Path]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Writes a secret into a file that only we read."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.touch(0o600)
        path.write_text(f"{text}\n")
        return path

    return write


def webhook(keep: Keep, url: str, *, signed: bool = True, **trust: Any) -> Webhook:
    return Webhook(
        url_file=keep("url", url),
        key_file=keep("key", KEY) if signed else None,
        base_url="https://hub.example.org",
        trust=Trust(**trust),
        now=lambda: 1700000000.9,
    )


def slack(keep: Keep, url: str) -> Slack:
    return Slack(url_file=keep("slack", url), base_url=None, trust=Trust())


def is_ours(key: bytes, headers: dict[str, str], body: bytes, *, now: float) -> bool:
    """The receiver of docs/how-to/notifications.md, run as it stands there but for the clock."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "notifications.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    room: dict[str, Any] = {}
    exec(code.replace("time.time()", repr(now)), room)
    return bool(room["is_ours"](key, headers, body))


def test_a_webhook_gets_json_signed_as_documented(posted: Posted, keep: Keep) -> None:
    sent = message(notice(), notice("bob"))
    webhook(keep, f"{posted.url}/hook?token={CANARY}").send(sent)
    (got,) = posted.requests
    assert got.path == f"/hook?token={CANARY}"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["X-CodeHub-Delivery"] == sent.id == got.body["id"]
    assert [one["workspace"] for one in got.body["notices"]] == ["alice-api", "bob"]
    signed = hmac.new(KEY.encode(), b"1700000000." + got.content, hashlib.sha256).hexdigest()
    assert got.headers["X-CodeHub-Signature"] == f"v1={signed}"
    assert is_ours(KEY.encode(), got.headers, got.content, now=1700000100)
    assert not is_ours(KEY.encode(), got.headers, got.content, now=1700009999)
    assert not is_ours(KEY.encode(), got.headers, got.content + b" ", now=1700000100)
    assert not is_ours(b"another-key-4711", got.headers, got.content, now=1700000100)


def test_without_a_key_nothing_is_signed(posted: Posted, keep: Keep) -> None:
    sink = webhook(keep, posted.url, signed=False)
    sink.send(message())
    assert "X-CodeHub-Signature" not in posted.requests[0].headers
    assert sink.check() == "posts JSON, not signed"
    assert webhook(keep, posted.url).check() == "posts JSON, signed"


def test_slack_gets_its_format(posted: Posted, keep: Keep) -> None:
    sink = slack(keep, f"{posted.url}/services/T/B/{CANARY}")
    sink.send(message())
    (got,) = posted.requests
    assert got.path == f"/services/T/B/{CANARY}"
    assert set(got.body) == {"text", "blocks"}
    assert [block["type"] for block in got.body["blocks"]] == ["header", "section"]
    assert sink.check() == "writes into a channel"


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (500, {}, NoticeFailedError, "500"),
        (404, {}, NoticeFailedError, "404"),
        (302, {"Location": "/elsewhere"}, NoticeFailedError, "302: redirects are not followed"),
        (307, {"Location": "/elsewhere"}, NoticeFailedError, "307: redirects are not followed"),
        (400, {}, NoticeRefusedError, "400"),
        (413, {}, NoticeRefusedError, "413"),
    ],
)
def test_what_is_not_taken_says_why(
    posted: Posted,
    keep: Keep,
    *,
    status: int,
    headers: dict[str, str],
    kind: type[StacksError],
    said: str,
) -> None:
    posted.status, posted.headers = status, headers
    with pytest.raises(kind) as caught:
        webhook(keep, posted.url).send(message())
    assert caught.value.message == f"the receiver answered {said}"
    assert len(posted.requests) == 1


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("Sun, 1 Mar", None), ("9999999", None)])
def test_it_says_when_to_come_again(
    posted: Posted, keep: Keep, value: str, expected: float | None
) -> None:
    posted.status, posted.headers = 429, {"Retry-After": value}
    with pytest.raises(NoticeFailedError) as caught:
        webhook(keep, posted.url).send(message())
    assert caught.value.delay == expected


def test_slack_s_codes_are_quoted_and_nothing_else(posted: Posted, keep: Keep) -> None:
    posted.status, posted.text = 404, b"no_service\n"
    with pytest.raises(NoticeFailedError, match=r"404 \(no_service\)"):
        slack(keep, posted.url).send(message())
    posted.text = f"no {CANARY}".encode()
    with pytest.raises(NoticeFailedError) as caught:
        slack(keep, posted.url).send(message())
    assert caught.value.message == "the receiver answered 404"


def test_an_answer_without_end_is_left(posted: Posted, keep: Keep) -> None:
    written = 0

    def flood(handler: Any) -> None:
        nonlocal written
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
                written += 65536
        except OSError:
            return

    posted.writes = flood
    webhook(keep, posted.url).send(message())
    assert len(posted.requests) == 1
    assert LARGEST_ANSWER <= written < 64 << 20


def test_a_broken_answer_is_none(posted: Posted, keep: Keep) -> None:
    posted.writes = lambda handler: handler.wfile.write(b"HTTP/1.1 nonsense\r\n\r\n")
    with pytest.raises(NoticeFailedError, match="can't be reached"):
        webhook(keep, posted.url).send(message())


def test_one_that_is_not_there_is_said_so_without_its_address(keep: Keep) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/{CANARY}"
        with pytest.raises(NoticeFailedError) as caught:
            webhook(keep, url).send(message())
    assert caught.value.message == "the receiver can't be reached: Connection refused"


def test_tls_is_checked_by_the_authorities_that_are_named(tmp_path: Path, keep: Keep) -> None:
    made = certificate(tmp_path)
    with http_server(certificate=made) as posted:
        with pytest.raises(NoticeFailedError, match="certificate is not trusted"):
            webhook(keep, posted.url).send(message())
        webhook(keep, posted.url, ca_file=made).send(message())
        assert len(posted.requests) == 1


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_said_so(
    keep: Keep, tmp_path: Path, text: str | None
) -> None:
    file = keep("ca", text) if text else tmp_path / "none"
    with pytest.raises(NoticeUnusableError, match="can't be used"):
        webhook(keep, "https://127.0.0.1", ca_file=file).check()


def test_only_loopback_is_reached_without_tls(keep: Keep) -> None:
    for host in ("127.0.0.1", "127.8.8.8", "[::1]", "localhost"):
        assert webhook(keep, f"http://{host}:9/x").check()
    for host in ("hooks.example.org", "10.0.0.1", "localhost.example.org", "[2001:db8::1]"):
        with pytest.raises(NoticeUnusableError, match="by TLS only"):
            webhook(keep, f"http://{host}/x").send(message())
        assert webhook(keep, f"http://{host}/x", plain=True).check()
        assert webhook(keep, f"https://{host}/x").check()


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "hooks.example.org", "https://", "http://h:0/", "http://[::1", "http://a b/"],
)
def test_what_is_no_url_is_refused_unquoted(keep: Keep, url: str) -> None:
    with pytest.raises(NoticeUnusableError) as caught:
        webhook(keep, f"{url}?{CANARY}").send(message())
    assert CANARY not in caught.value.message


def test_a_short_key_is_refused(keep: Keep) -> None:
    sink = webhook(keep, "https://h")
    keep("key", "short")
    with pytest.raises(NoticeUnusableError, match="shorter than 16") as caught:
        sink.check()
    assert "short " not in caught.value.message


def _world(path: Path) -> None:
    path.chmod(0o604)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, "No such file"),
        (_world, "others may read or write"),
        (_folder, "is not a file"),
        (lambda path: path.write_text(""), "one line"),
        (lambda path: path.write_text(f"https://h/{CANARY}\nhttps://h"), "one line"),
        (lambda path: path.write_bytes(b"https://h/\xff"), "one line"),
        (lambda path: path.write_text("x" * 5000), "one line"),
    ],
)
def test_a_file_that_is_no_secret_s_is_refused(
    keep: Keep, spoil: Callable[[Path], object], said: str
) -> None:
    sink = webhook(keep, "https://h")
    spoil(sink.url_file)
    with pytest.raises(NoticeUnusableError, match=said) as caught:
        sink.check()
    assert CANARY not in str(caught.value)


def test_a_link_to_a_secret_is_followed_and_a_new_secret_used(
    posted: Posted, keep: Keep, tmp_path: Path
) -> None:
    sink = webhook(keep, f"{posted.url}/old")
    (tmp_path / "url").unlink()
    (tmp_path / "url").symlink_to(keep("mounted", f"{posted.url}/first"))
    sink.send(message())
    keep("mounted", f"{posted.url}/second")
    sink.send(message())
    assert [got.path for got in posted.requests] == ["/first", "/second"]
    assert CANARY not in repr(sink)
    assert json.loads(posted.requests[0].content)["version"] == 1
