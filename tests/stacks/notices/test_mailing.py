"""Mail against a real server on loopback: TLS in both ways, logins, and what its answers mean."""

import socket
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest

from stacks.errors import NoticeFailedError, NoticeRefusedError, NoticeUnusableError
from stacks.notices.http import Trust
from stacks.notices.smtp import Mail
from tests.stacks.notices.receivers import PASSWORD, Mailbox, certificate, mail_server, rude_server
from tests.stacks.notices.scenes import message, notice


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


def mail(url: str, **more: Any) -> Mail:
    told: dict[str, Any] = {
        "user": None,
        "password_file": None,
        "sender": "codehub@example.org",
        "to": ("a@example.org", "b@example.org"),
        "base_url": None,
        "trust": Trust(),
    }
    return Mail(url=url, **{**told, **more})


def secret(folder: Path, text: str) -> Path:
    path = folder / "password"
    path.touch(0o600)
    path.write_text(text)
    return path


def told(box: Mailbox) -> list[str]:
    return [str(make_header(decode_header(one["Subject"]))) for one in box.mails]


@pytest.mark.parametrize(("scheme", "tls"), [("smtp+starttls", "starttls"), ("smtps", "tls")])
def test_by_tls_and_logged_in(tmp_path: Path, pem: Path, scheme: str, tls: str) -> None:
    login = {"user": "codehub", "password_file": secret(tmp_path, PASSWORD)}
    with mail_server(certificate=pem, tls=tls, login=True) as box:
        url = f"{scheme}://127.0.0.1:{box.port}"
        sink = mail(url, trust=Trust(ca_file=pem), **login)
        assert sink.check() == f"mails 2 by 127.0.0.1:{box.port}, logged in"
        sink.send(message(notice(message="it says “no”…")))
        assert box.logins == ["codehub"]
        assert told(box) == ["CodeHub: alice-api failed (IMAGE_MISSING)"]
        assert box.mails[0]["X-RcptTo"] == "a@example.org, b@example.org"
        assert "it says “no”…" in box.mails[0].get_payload(decode=True).decode()
        with pytest.raises(NoticeFailedError, match=r"can't be reached|certificate"):
            mail(url, **login).send(message())
        assert len(box.mails) == 1


def test_a_wrong_password_is_told_by_its_code_only(tmp_path: Path, pem: Path) -> None:
    with mail_server(certificate=pem, tls="starttls", login=True) as box:
        sink = mail(
            f"smtp+starttls://127.0.0.1:{box.port}",
            user="codehub",
            password_file=secret(tmp_path, "canary-wrong-77"),
            trust=Trust(ca_file=pem),
        )
        with pytest.raises(NoticeFailedError) as caught:
            sink.send(message())
    assert caught.value.message == "the mail server refused the login (535)"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_starttls_is_never_left_out(tmp_path: Path) -> None:
    with mail_server() as box:
        login = {"user": "codehub", "password_file": secret(tmp_path, PASSWORD)}
        with pytest.raises(NoticeFailedError, match="no TLS"):
            mail(f"smtp+starttls://127.0.0.1:{box.port}", **login).send(message())
        assert (box.mails, box.logins) == ([], [])


def test_plain_on_loopback_and_answers(tmp_path: Path) -> None:
    with mail_server() as box:
        sink = mail(f"smtp://127.0.0.1:{box.port}")
        assert sink.check() == f"mails 2 by 127.0.0.1:{box.port}"
        sink.send(message())
        box.refuses = {"a@example.org": "550 no such user"}
        sink.send(message())
        assert box.mails[1]["X-RcptTo"] == "b@example.org"
        box.refuses |= {"b@example.org": "450 later"}
        with pytest.raises(NoticeFailedError, match=r"all addresses \(450\)"):
            sink.send(message())
        box.refuses = {"DATA": "552 too big"}
        with pytest.raises(NoticeRefusedError, match=r"\(552\)"):
            sink.send(message())
        box.refuses = {"DATA": "451 later"}
        with pytest.raises(NoticeFailedError, match="451"):
            sink.send(message())
        assert len(box.mails) == 2


def test_one_that_is_not_there_or_is_none() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NoticeFailedError, match="can't be reached: Connection refused"):
            mail(f"smtp://127.0.0.1:{held.getsockname()[1]}").send(message())
    for greeting, said in {b"": "broke off", b"554 canary-words\r\n": "answered 554"}.items():
        with rude_server(greeting) as port, pytest.raises(NoticeFailedError, match=said) as caught:
            mail(f"smtp://127.0.0.1:{port}").send(message())
        assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sender": None}, "NOTIFY_FROM"),
        ({"to": ()}, "NOTIFY_TO"),
        ({"user": "codehub"}, "go together"),
        ({"password_file": Path("none")}, "go together"),
        ({"user": "codehub", "password_file": Path("none")}, "No such file"),
        ({"url": "smtp://mail.example.org"}, "by TLS only"),
        ({"trust": Trust(ca_file=Path("none"))}, "can't be used"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_sent(
    more: dict[str, Any], said: str
) -> None:
    sink = mail(**{"url": "smtps://mail.example.org", **more})
    with pytest.raises(NoticeUnusableError, match=said):
        sink.check()
    with pytest.raises(NoticeUnusableError, match=said):
        sink.send(message())
