"""Posts JSON to a receiver of notices: no redirects, a bounded answer, no address in any error.

httpx tells its own errors with what it was asked for; so none of them leaves here.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from settings.notices import is_loopback
from stacks.errors import NoticeFailedError, NoticeRefusedError, NoticeUnusableError

STEP_SECONDS = 10.0
"""What one step of it may take: to connect, to write, to read."""

LARGEST_ANSWER = 65536
SHOWN_ANSWER = 1024

_REFUSED = frozenset({400, 406, 413, 415, 422})
"""Answers that say that the very message is not wanted; all others may pass."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whom is sent to.

    Attributes:
        ca_file: Further authorities that a receiver's certificate may be of.
        plain: Whether other hosts may be reached without TLS.
    """

    ca_file: Path | None = None
    plain: bool = False

    def context(self) -> ssl.SSLContext:
        """Make what checks certificates.

        Raises:
            NoticeUnusableError: The file of authorities can't be used.
        """
        context = httpx.create_ssl_context(trust_env=False)
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ssl.SSLError) as error:
                why = error.strerror or "it is no certificate"
                raise NoticeUnusableError(f"{self.ca_file} can't be used: {why}") from None
        return context

    def check(self, host: str) -> None:
        """Refuse to send without TLS to another host.

        Raises:
            NoticeUnusableError: It is another one, and that was not allowed.
        """
        if not self.plain and not is_loopback(host):
            remedy = "Use TLS; CODEHUB_NOTIFY_PLAIN allows it without."
            raise NoticeUnusableError("notices go to other hosts by TLS only", remedy=remedy)


def checked(url: str, trust: Trust, *, file: Path) -> str:
    """Give a URL that may be posted to.

    Raises:
        NoticeUnusableError: It is none; the message names the file and not what is in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or port == 0 or any(map(str.isspace, url)):
        raise NoticeUnusableError(f"{file} does not hold a URL with http:// or https://")
    if parts.scheme == "http":
        trust.check(host)
    return url


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    trust: Trust,
    told: Callable[[str], str] = lambda _: "",
) -> None:
    """Post, and return when it was taken.

    Args:
        url: Where to; `checked` gave it.
        body: JSON.
        headers: Besides the usual ones.
        trust: Whom is sent to.
        told: What to quote of an answer that refuses; by default nothing, as it may hold anything.

    Raises:
        NoticeFailedError: It was not taken now.
        NoticeRefusedError: It will not be taken.
        NoticeUnusableError: The authorities can't be used.
    """
    # Proxies of the environment are for what is elsewhere.
    elsewhere = not is_loopback(urlsplit(url).hostname or "")
    every = {"Content-Type": "application/json", "User-Agent": "codehub", **headers}
    context = trust.context()
    try:
        with (
            httpx.Client(timeout=STEP_SECONDS, verify=context, trust_env=elsewhere) as client,
            client.stream("POST", url, content=body, headers=every) as answer,
        ):
            _judge(answer, told)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NoticeFailedError(f"the receiver can't be reached: {_why(error)}") from None


def _judge(answer: httpx.Response, told: Callable[[str], str]) -> None:
    status = answer.status_code
    if httpx.codes.is_success(status):
        _read(answer)
        return
    said = told(_read(answer))
    message = f"the receiver answered {status}{f' ({said})' if said else ''}"
    if httpx.codes.is_redirect(status):
        message += ": redirects are not followed"
    if status in _REFUSED:
        raise NoticeRefusedError(message)
    raise NoticeFailedError(message, delay=_asked(answer.headers.get("Retry-After", "")))


def _read(answer: httpx.Response) -> str:
    """Read what is answered, within bounds of size and time; the rest is left."""
    text, size, end = b"", 0, time.monotonic() + STEP_SECONDS
    for part in answer.iter_raw(4096):
        text, size = (text + part)[:SHOWN_ANSWER], size + len(part)
        if size > LARGEST_ANSWER or time.monotonic() > end:
            break
    return text.decode("utf-8", "replace")


def _asked(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdecimal() and len(retry_after) < 6 else None  # noqa: PLR2004


def _why(error: Exception) -> str:
    """Say what is the matter in words of ours: those of libraries may quote what was asked."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return (
        "it does not answer in time"
        if isinstance(error, httpx.TimeoutException)
        else type(error).__name__
    )
