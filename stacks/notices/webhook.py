"""The webhook: notices as JSON, signed. The form is documented in docs/how-to/notifications.md."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.errors import NoticeUnusableError
from stacks.notices import words
from stacks.notices.http import Trust, checked, post
from stacks.notices.model import Message, Notice
from stacks.notices.secret_files import read

VERSION = 1
"""Of the body's form: keys may be added under one number, nothing else changes."""

SHORTEST_KEY = 16

DELIVERY = "X-CodeHub-Delivery"
TIMESTAMP = "X-CodeHub-Timestamp"
SIGNATURE = "X-CodeHub-Signature"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A URL that takes JSON.

    Attributes:
        url_file: Holds the URL.
        key_file: Holds the key that is signed with; None: nothing is signed.
        base_url: The portal's address, for links.
        trust: Whom is sent to.
        now: Seconds since 1970, for the signature; a seam for tests.
    """

    url_file: Path
    key_file: Path | None
    base_url: str | None
    trust: Trust
    now: Callable[[], float] = time.time

    @property
    def name(self) -> str:
        """Its name."""
        return "webhook"

    def check(self) -> str:
        """Say what is set; raises NoticeUnusableError when it can't be used."""
        self._url()
        self.trust.context()
        return "posts JSON, " + ("signed" if self._key() else "not signed")

    def send(self, message: Message) -> None:
        """Send; see `Sink`."""
        url, key, at = self._url(), self._key(), str(int(self.now()))
        content = json.dumps(body(message, self.base_url), separators=(",", ":")).encode()
        headers = {DELIVERY: message.id, TIMESTAMP: at}
        if key:
            headers[SIGNATURE] = sign(key, at, content)
        post(url, content, headers, trust=self.trust)

    def _url(self) -> str:
        return checked(read(self.url_file), self.trust, file=self.url_file)

    def _key(self) -> bytes:
        if self.key_file is None:
            return b""
        key = read(self.key_file).encode()
        if len(key) < SHORTEST_KEY:
            told = f"the key in {self.key_file} is shorter than {SHORTEST_KEY} characters"
            raise NoticeUnusableError(told, remedy="openssl rand -hex 32 makes one.")
        return key


def sign(key: bytes, timestamp: str, content: bytes) -> str:
    """Sign a timestamp and a body, with a dot between."""
    return f"v1={hmac.new(key, timestamp.encode() + b'.' + content, hashlib.sha256).hexdigest()}"


def body(message: Message, base_url: str | None) -> dict[str, Any]:
    """Give the JSON body."""
    return {
        "version": VERSION,
        "id": message.id,
        "at": message.made_at.isoformat(),
        "title": words.title(message),
        "notices": [_plain(notice, base_url) for notice in message.notices],
        "more": message.more,
    }


def _plain(notice: Notice, base_url: str | None) -> dict[str, Any]:
    return {**notice.to_json(), "url": words.link(base_url, notice)}
