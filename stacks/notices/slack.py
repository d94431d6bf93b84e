"""Slack's format of incoming webhooks: a text for notifications, blocks for the channel."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.notices import words
from stacks.notices.http import Trust, checked, post
from stacks.notices.model import Message, Notice
from stacks.notices.secret_files import read

LONGEST_TITLE = 150
LONGEST_TEXT = 3000
"""Slack's bounds on a header's and a section's text."""

_CODE = re.compile(r"[a-z]+(_[a-z]+)+")
"""What Slack answers when it refuses: `invalid_payload`, `no_service`."""


@dataclass(frozen=True, kw_only=True)
class Slack:
    """A channel.

    Attributes:
        url_file: Holds the URL of its incoming webhook.
        base_url: The portal's address, for links.
        trust: Whom is sent to.
    """

    url_file: Path
    base_url: str | None
    trust: Trust

    @property
    def name(self) -> str:
        """Its name."""
        return "slack"

    def check(self) -> str:
        """Say what is set; raises NoticeUnusableError when it can't be used."""
        self._url()
        self.trust.context()
        return "writes into a channel"

    def send(self, message: Message) -> None:
        """Send; see `Sink`."""
        content = json.dumps(payload(message, self.base_url)).encode()
        post(self._url(), content, {}, trust=self.trust, told=_code)

    def _url(self) -> str:
        return checked(read(self.url_file), self.trust, file=self.url_file)


def payload(message: Message, base_url: str | None) -> dict[str, Any]:
    """Give the JSON body."""
    title = words.title(message)
    sections = [_section(notice, base_url) for notice in message.notices]
    if rest := words.more(message):
        sections.append(_text(escape(rest)))
    head = {"type": "plain_text", "text": title[:LONGEST_TITLE], "emoji": False}
    blocks: list[dict[str, Any]] = [{"type": "header", "text": head}, *sections]
    return {"text": escape(title), "blocks": blocks}


def _section(notice: Notice, base_url: str | None) -> dict[str, Any]:
    head, url = escape(words.headline(notice)), words.link(base_url, notice)
    first = f"*<{escape(url)}|{head}>*" if url else f"*{head}*"
    return _text("\n".join([first, *map(escape, words.details(notice))]))


def _text(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:LONGEST_TEXT]}}


def escape(text: str) -> str:
    """Escape what Slack reads as links, mentions and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(answer: str) -> str:
    code = answer.strip()
    return code if len(code) <= 40 and _CODE.fullmatch(code) else ""  # noqa: PLR2004
