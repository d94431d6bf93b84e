"""How messages read in each form, and that nobody's text is more than text in it."""

import json
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stacks.notices import words
from stacks.notices.http import Trust
from stacks.notices.model import Kind, Message, Notice
from stacks.notices.slack import LONGEST_TEXT, LONGEST_TITLE, escape, payload
from stacks.notices.smtp import Mail
from stacks.notices.webhook import body, sign
from tests.stacks.notices.scenes import message, notice

HUB = "https://hub.example.org"


def mail(sent: Message, base_url: str | None = None) -> bytes:
    made = Mail(
        url="smtp://127.0.0.1",
        user=None,
        password_file=None,
        sender="codehub@example.org",
        to=("a@example.org", "b@example.org"),
        base_url=base_url,
        trust=Trust(),
    )
    return made.mail(sent).as_bytes()


def test_titles_say_who_or_how_many() -> None:
    assert words.title(message()) == "CodeHub: alice-api failed (IMAGE_MISSING)"
    many = [
        notice("a"),
        notice("b"),
        notice("c", kind=Kind.RECOVERED),
        notice("d", kind=Kind.DRIFT),
    ]
    assert words.title(message(*many)) == "CodeHub: 2 failed, 1 recovered, 1 differs from its file"
    two = [notice("c", kind=Kind.DRIFT), notice("d", kind=Kind.DRIFT)]
    assert words.title(message(*two, more=7)) == "CodeHub: 2 differ from their files, 7 more"
    trial = notice("", kind=Kind.TEST, reason="TEST")
    assert words.title(message(trial)) == "CodeHub: CodeHub is a test"
    assert set(words.SAID) == set(Kind)


def test_the_webhook_s_body_is_the_documented_one() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "notifications.md"
    (shown,) = [part.split("```")[0] for part in page.read_text().split("```json\n")[1:]]
    documented = json.loads(shown)
    assert body(message(more=3), HUB) == documented


def test_the_signature_is_that_of_timestamp_dot_body() -> None:
    # By openssl: printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    expected = "v1=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e"
    assert sign(b"0123456789abcdef", "1700000000", b"{}") == expected


def test_without_a_base_url_there_are_no_links() -> None:
    assert body(message(), None)["notices"][0]["url"] == ""
    assert "http" not in json.dumps(payload(message(), None))
    assert b"http" not in mail(message())


def test_with_one_each_form_links_to_the_workspace() -> None:
    link = f"{HUB}/workspaces/alice-api"
    assert body(message(), HUB)["notices"][0]["url"] == link
    assert f"*<{link}|alice-api failed (IMAGE_MISSING)>*" in json.dumps(payload(message(), HUB))
    assert link.encode() in mail(message(), HUB)
    assert words.link(HUB, notice("")) == f"{HUB}/"


def test_slack_gets_text_and_blocks_with_everything_escaped() -> None:
    hostile = notice(message="<!channel> & <https://evil.example|click>", owner="<@U1>")
    sent = payload(message(hostile, more=4), None)
    head, section, rest = sent["blocks"]
    assert head == {
        "type": "header",
        "text": {
            "type": "plain_text",
            "text": "CodeHub: 1 failed, 4 more",
            "emoji": False,
        },
    }
    assert section["text"]["text"].splitlines() == [
        "*alice-api failed (IMAGE_MISSING)*",
        "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;",
        "Build it.",
        "owner &lt;@U1&gt;, phase ERROR, since 2026-03-01 12:00:00 UTC",
    ]
    assert rest["text"]["text"] == "and 4 more: `codehub status`"
    assert sent["text"] == "CodeHub: 1 failed, 4 more"


def test_a_mail_has_headers_and_one_block_for_each_notice() -> None:
    parsed = message_from_bytes(mail(message(notice(), notice("bob"), more=1)), policy=default)
    assert parsed["Subject"] == "CodeHub: 2 failed, 1 more"
    assert (parsed["From"], parsed["To"]) == ("codehub@example.org", "a@example.org, b@example.org")
    assert parsed["Message-ID"] == f"<{'0' * 32}@codehub.invalid>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    first, second, rest = parsed.get_content().replace("\r\n", "\n").split("\n\n")
    assert first.splitlines() == [
        "alice-api failed (IMAGE_MISSING)",
        "there is no image none:1",
        "Build it.",
        "owner alice, phase ERROR, since 2026-03-01 12:00:00 UTC",
    ]
    assert second == first.replace("alice-api", "bob")
    assert rest == "and 1 more: `codehub status`\n"


ANY = st.text(max_size=300)
NOTICES = st.builds(notice, ANY, owner=ANY, phase=ANY, reason=ANY, message=ANY, remedy=ANY)


@given(st.lists(NOTICES, min_size=1, max_size=3))
def test_no_text_begins_a_header_a_line_or_a_link_of_its_own(told: list[Notice]) -> None:
    sent = message(*told)
    raw = mail(sent, HUB)
    parsed = message_from_bytes(raw, policy=default)
    assert {name.lower() for name in parsed.keys()} == {  # noqa: SIM118 - a message's own
        *("subject", "from", "to", "date", "message-id", "auto-submitted"),
        *("content-type", "content-transfer-encoding", "mime-version"),
    }
    assert raw.isascii()
    for one in told:
        for line in [words.headline(one), *words.details(one)]:
            assert "\n" not in line
            assert line.isprintable()
    for block in payload(sent, None)["blocks"]:
        text = block["text"]["text"]
        assert len(text) <= (LONGEST_TITLE if block["type"] == "header" else LONGEST_TEXT)
        assert block["type"] == "header" or not {"<", ">"} & set(text)


@given(ANY)
def test_what_is_escaped_reads_as_it_was(text: str) -> None:
    back = escape(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert back == text
