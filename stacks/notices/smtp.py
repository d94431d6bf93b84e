"""Mail: plain text over SMTP, with TLS but on loopback. What a server says is told by its code only."""

import contextlib
import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from settings.notices import smtp_address
from stacks.errors import NoticeFailedError, NoticeRefusedError, NoticeUnusableError, StacksError
from stacks.notices import words
from stacks.notices.http import STEP_SECONDS, Trust
from stacks.notices.model import Message, Notice
from stacks.notices.secret_files import read
from telemetry.logs import get_logger

LASTING = 500
"""From here on a server's code says that it will not change its mind."""

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail server, and who gets mail by it.

    Attributes:
        url: The server.
        user: Who logs in, None for nobody.
        password_file: Holds the password.
        sender: The address that mails come from.
        to: Those that they go to.
        base_url: The portal's address, for links.
        trust: Whom is sent to.
    """

    url: str
    user: str | None
    password_file: Path | None
    sender: str | None
    to: tuple[str, ...]
    base_url: str | None
    trust: Trust

    @property
    def name(self) -> str:
        """Its name."""
        return "mail"

    def check(self) -> str:
        """Say what is set; raises NoticeUnusableError when it can't be used."""
        scheme, host, port = smtp_address(self.url)
        if not self.sender or not self.to:
            raise NoticeUnusableError("mail needs CODEHUB_NOTIFY_FROM and CODEHUB_NOTIFY_TO")
        if (self.user is None) != (self.password_file is None):
            both = "CODEHUB_NOTIFY_SMTP_USER and CODEHUB_NOTIFY_SMTP_PASSWORD_FILE"
            raise NoticeUnusableError(f"{both} go together")
        if scheme == "smtp":
            self.trust.check(host)
        self._password()
        self.trust.context()
        return f"mails {len(self.to)} by {host}:{port}" + (", logged in" if self.user else "")

    def send(self, message: Message) -> None:
        """Send; see `Sink`."""
        self.check()
        password, mail = self._password(), self.mail(message)
        try:
            with self._connected() as server:
                if self.user is not None:
                    server.login(self.user, password)
                missed = server.send_message(mail)
        except smtplib.SMTPException as error:
            raise _translated(error) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise NoticeFailedError(f"the mail server can't be reached: {why}") from None
        if missed:
            _log.warning("some get no mail", refused=len(missed), of=len(self.to))

    def mail(self, message: Message) -> EmailMessage:
        """Write the mail. Its policy refuses headers with line ends, and `words` leaves none in."""
        # 7 bits: what old relays pass on whole.
        mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        mail["Subject"] = words.title(message)
        mail["From"] = self.sender or ""
        mail["To"] = ", ".join(self.to)
        mail["Date"] = format_datetime(message.made_at)
        mail["Message-ID"] = f"<{message.id}@codehub.invalid>"
        mail["Auto-Submitted"] = "auto-generated"
        blocks = [_block(notice, self.base_url) for notice in message.notices]
        mail.set_content("\n\n".join([*blocks, *filter(None, [words.more(message)])]) + "\n")
        return mail

    def _password(self) -> str:
        return read(self.password_file) if self.password_file else ""

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        scheme, host, port = smtp_address(self.url)
        context, own = self.trust.context(), _own_name()
        if scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, own, timeout=STEP_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, port, own, timeout=STEP_SECONDS)
        with server:
            if scheme == "smtp+starttls":
                server.starttls(context=context)
            yield server


def _own_name() -> str:
    """Give what servers are greeted with; the library would ask the network for it."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _block(notice: Notice, base_url: str | None) -> str:
    url = words.link(base_url, notice)
    lines = [words.headline(notice), *words.details(notice), *filter(None, [url])]
    return "\n".join(lines)


def _translated(error: smtplib.SMTPException) -> StacksError:
    """Say what went wrong, without the server's own words: they may repeat a password."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NoticeFailedError(f"the mail server refused the login ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return NoticeFailedError(f"the mail server refused all addresses ({codes[0]})")
    if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= LASTING:
        return NoticeRefusedError(f"the mail server refused the mail ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPResponseException):
        return NoticeFailedError(f"the mail server answered {error.smtp_code}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NoticeFailedError("the mail server offers no TLS, or no login")
    return NoticeFailedError(f"the mail server broke off: {type(error).__name__}")
