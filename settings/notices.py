"""The settings of notices: who is told when something fails, drifts or waits; part of `RunnerSettings`.

Only fields and what is wrong with one by itself. Addresses that hold a token, keys and passwords are
in files, which the runner reads when it sends.
"""

import re
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, field_validator

from settings.types import Duration, OptionalPlace, setting

SMTP_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
"""The schemes of a mail server's URL, each with the port that it means."""

MOST_ADDRESSES = 20

_ADDRESS = re.compile(r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-f:]+", re.IGNORECASE)
_SMTP = "smtps://host, smtp+starttls://host or smtp://host is wanted, perhaps with a port"


def _addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
"""Mail addresses; in the environment with commas between."""


class NoticeSettings(BaseModel):
    """Where notices go, and after what time."""

    notify_after: Duration = setting(
        120.0,
        description="How long a failure that the runner tries again by itself, or drift that it heals, must last until it is told. What lasts without a person is told at once.",
        why="An engine that restarts is back within a minute, and nobody needs to look.",
        example="10m",
        unit="duration",
        ge=0,
        le=604800,
    )
    notify_webhook_file: OptionalPlace = setting(
        None,
        description="File with the URL that notices are posted to as JSON; others may not read it. It is read before each notice.",
        why="Such a URL often holds a token: a file is in no argument list, no environment and no log.",
        example="/run/secrets/codehub-webhook",
        unit="path",
        shown="none: nothing is posted",
    )
    notify_webhook_key_file: OptionalPlace = setting(
        None,
        description="File with the key that posted notices are signed with (HMAC-SHA256), 16 characters or more; others may not read it.",
        why="The receiver knows by it that a notice is CodeHub's and when it was sent.",
        example="/run/secrets/codehub-webhook-key",
        unit="path",
        shown="none: they are not signed",
    )
    notify_slack_file: OptionalPlace = setting(
        None,
        description="File with the URL of an incoming webhook of Slack, or of what takes the same format (Mattermost, Rocket.Chat); others may not read it.",
        why="Whoever knows that URL may write into the channel.",
        example="/run/secrets/codehub-slack",
        unit="path",
        shown="none: nothing is written there",
    )
    notify_smtp_url: str | None = setting(
        None,
        description="The mail server: `smtps://` for TLS from the start, `smtp+starttls://` for TLS by STARTTLS (required, never left out), `smtp://` for none, which only loopback gets.",
        why="Mail needs a server that takes it.",
        example="smtp+starttls://mail.example.org:587",
        unit="URL",
        shown="none: no mail is sent",
    )
    notify_smtp_user: str | None = setting(
        None,
        description="User name at the mail server.",
        why="A relay of one's own may want none.",
        example="codehub",
        unit="user name",
        shown="none: nobody logs in",
        pattern=r"^[!-~]{1,128}$",
    )
    notify_smtp_password_file: OptionalPlace = setting(
        None,
        description="File with the password at the mail server; others may not read it.",
        why="A file is in no argument list, no environment and no log.",
        example="/run/secrets/codehub-smtp",
        unit="path",
        shown="none",
    )
    notify_from: str | None = setting(
        None,
        description="The address that mails come from; needed for mail.",
        why="Servers refuse senders that they do not know.",
        example="codehub@example.org",
        unit="address",
        shown="none",
    )
    notify_to: Addresses = setting(
        (),
        description="The addresses that mails go to, with commas between, at most 20; needed for mail.",
        why="A list of people is best kept at the mail server, as one address.",
        example="platform@example.org,oncall@example.org",
        unit="addresses",
        max_length=MOST_ADDRESSES,
    )
    notify_ca_file: OptionalPlace = setting(
        None,
        description="File with further certificate authorities (PEM) that receivers of notices may show, besides the public ones.",
        why="Servers within a company often have a certificate of its own authority.",
        example="/etc/codehub/ca.pem",
        unit="path",
        shown="none: the public ones",
    )
    notify_plain: bool = setting(
        default=False,
        description="Whether notices may go unencrypted (http, smtp) to other hosts than this one.",
        why="They name workspaces and owners, and their URL and password go the same way.",
        example="true",
    )

    @property
    def notifies(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self.notify_webhook_file or self.notify_slack_file or self.notify_smtp_url)

    @field_validator("notify_smtp_url")
    @classmethod
    def _server(cls, value: str | None) -> str | None:
        if value is not None:
            smtp_address(value)
        return value

    @field_validator("notify_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None:
            _check(value)
        return value

    @field_validator("notify_to")
    @classmethod
    def _receivers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            _check(address)
        return value


def smtp_address(url: str) -> tuple[str, str, int]:
    """Take a mail server's URL apart: scheme, host and port.

    Raises:
        ValueError: It is none; the message is for a person, and does not quote it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_SMTP) from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user or password in the URL: name them by notify_smtp_user and a file")
    named = parts.scheme in SMTP_PORTS and _HOST.fullmatch(host) and port != 0
    if not named or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(_SMTP)
    return parts.scheme, host, port or SMTP_PORTS[parts.scheme]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone: nobody is asked."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check(address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("mail addresses are wanted, without names: codehub@example.org")
