"""The seam to a forge's HTTP API: the token's way out, bounds, patience, and all translation of errors.

The token goes to one origin only, over TLS unless that is this machine or somebody said otherwise, and
into nothing else: no error, log line or repr holds it. A redirect is followed within that origin. Answers
and waiting are bounded. What must not happen twice is asked again only where it surely was not done.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
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
from forges.patience import Patience, Verdict

MAX_ANSWER = 32 << 20
"""Bytes: a page of a hundred comments, each as long as it may be."""
MAX_REDIRECTS = 3
MAX_QUOTE = 200
"""Characters of a forge's words in an error."""
TIMEOUT = 60.0
"""Seconds for one answer as a whole."""
SILENCE = httpx.Timeout(20.0, connect=10.0)
"""Seconds without a byte."""
REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})

Sleep = Callable[[float], Awaitable[None]]


def check_address(url: str, *, allow_http: bool = False) -> str:
    """An address that a token may be sent to, without a slash at its end.

    Raises:
        ForgeAddressError: no host, a password in it, or neither TLS nor this machine.
    """
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port != 0
    except ValueError:
        raise ForgeAddressError("the forge's address is not a URL") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or not port_is_fine:
        raise ForgeAddressError(
            "the forge's address is not a URL of http or https",
            hint="an example: https://github.com",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ForgeAddressError("the forge's address holds more than host, port and path")
    if parts.scheme == "http" and not (allow_http or _is_loopback(parts.hostname)):
        raise ForgeAddressError(
            "the forge's address is plain http: whoever is in between would read the token",
            hint="use https, or allow http where the network is your own",
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Answer:
    """What the forge answered: status 2xx, headers, and the body as JSON (None where it is empty)."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, kw_only=True)
class Access:
    """The address of an API and the key to it.

    Attributes:
        url: where its paths begin, without a slash at the end; checked by `check_address`.
        token: the secret.
        header: the name of the header that carries it.
        scheme: what stands before it there, with its space.
        headers: further headers of each request.
    """

    url: str
    token: SecretStr
    header: str
    scheme: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """Sends requests to one forge and reads its answers."""

    def __init__(
        self,
        access: Access,
        *,
        patience: Patience | None = None,
        sleep: Sleep = asyncio.sleep,
        timeout: float = TIMEOUT,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._access = access
        self._patience = patience or Patience()
        self._sleep = sleep
        self._max_answer = max_answer
        self._origin = _origin(httpx.URL(access.url))
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            timeout=SILENCE, follow_redirects=False, mounts=_ways(access.url)
        )

    def __repr__(self) -> str:
        return f"Api({self._access.url!r})"

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Ask, and ask again where that may help and can't do harm.

        Args:
            method: GET, POST, ...
            path: below the API's address, beginning with a slash, its parts quoted.
            query: parameters.
            body: sent as JSON.
            repeatable: whether doing it twice is doing it once; by default of all but POST.

        Raises:
            ForgeError: it was not done, or nobody knows.
        """
        safe = method in REPEATABLE if repeatable is None else repeatable
        url = httpx.URL(self._access.url + path, params=dict(query or {}))
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(method, url, body)
            except ForgeError as error:
                verdict = self._patience.verdict(error, attempt=attempt, repeatable=safe)
                if verdict is Verdict.GIVE_UP:
                    raise
                await self._sleep(self._patience.delay(error, attempt=attempt))

    async def _once(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        for _ in range(MAX_REDIRECTS + 1):
            response, raw = await self._send(method, url, content)
            if not response.has_redirect_location:
                return self._read(response, raw)
            url = self._redirect(method, url, response)
        raise UnexpectedAnswerError("the forge redirects again and again")

    async def _send(
        self, method: str, url: httpx.URL, content: bytes | None
    ) -> tuple[httpx.Response, bytes]:
        headers = {
            "User-Agent": "codehub",
            # Packed, a small answer could be a huge one.
            "Accept-Encoding": "identity",
            **self._access.headers,
            self._access.header: self._access.scheme + self._access.token.get_secret_value(),
        }
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self._timeout):
                async with self._client.stream(
                    method, url, headers=headers, content=content
                ) as answer:
                    return answer, await self._body(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _unreachable(error, sent=False) from None
        except (httpx.TransportError, TimeoutError) as error:
            raise _unreachable(error, sent=True) from None

    async def _body(self, answer: httpx.Response) -> bytes:
        read = bytearray()
        async for part in answer.aiter_raw():
            read += part
            if len(read) > self._max_answer:
                raise UnexpectedAnswerError(
                    f"the forge's answer is longer than {self._max_answer} bytes"
                )
        return bytes(read)

    def _redirect(self, method: str, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        # A location that is no URL was refused by the client before this.
        target = url.join(response.headers["location"])
        if _origin(target) != self._origin:
            raise UnexpectedAnswerError(
                f"the forge redirects to another address, {target.host[:MAX_QUOTE]!r}: the token stays here",
                hint="if the forge moved, set its new address",
            )
        if method != "GET" and response.status_code not in {307, 308}:
            raise UnexpectedAnswerError(
                "the forge redirects, and not to the same request elsewhere"
            )
        return target

    def _read(self, response: httpx.Response, raw: bytes) -> Answer:
        if not response.is_success:
            raise self._failure(response, raw)
        if not raw.strip():
            return Answer(response.status_code, response.headers, None)
        try:
            return Answer(response.status_code, response.headers, json.loads(raw))
        except (ValueError, RecursionError):
            raise UnexpectedAnswerError("the forge's answer is not JSON") from None

    def _failure(self, response: httpx.Response, raw: bytes) -> ForgeError:
        status, said = response.status_code, self._said(raw)
        wait = self._patience.asked(status, response.headers)
        if wait is not None or status == httpx.codes.TOO_MANY_REQUESTS:
            return RateLimitedError(
                f"the forge wants fewer requests ({status}){said}",
                retry_after=wait,
                hint="" if wait is None else f"again in {wait:.0f} s",
            )
        if status in {401, 403}:
            return CredentialsRefusedError(f"the forge refused the token ({status}){said}")
        if status in {404, 410}:
            return ForgeNotFoundError(f"the forge knows no such thing ({status}){said}")
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return ForgeUnreachableError(f"the forge is failing ({status}){said}", maybe_done=True)
        return InputRefusedError(f"the forge refused the request ({status}){said}")

    def _said(self, raw: bytes) -> str:
        """The forge's own words, if any: short, in one line, and without the token."""
        try:
            data = json.loads(raw[: 64 << 10])
        except (ValueError, RecursionError):
            return ""
        if not isinstance(data, dict):
            return ""
        told = [str(data[key]) for key in ("message", "error", "errors") if data.get(key)]
        line = " ".join(": ".join(told).split())
        token = self._access.token.get_secret_value()
        line = "".join(one if one.isprintable() else "?" for one in line.replace(token, "[token]"))
        return f": {line[:MAX_QUOTE]}" if line else ""


def _ways(url: str) -> dict[str, httpx.AsyncBaseTransport | None]:
    """Give what overrides the environment's proxies: they would read a token that TLS doesn't hide."""
    parts = urlsplit(url)
    direct = parts.scheme == "http" or _is_loopback(parts.hostname or "")
    return dict.fromkeys(("http://", "https://", "all://")) if direct else {}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _unreachable(error: Exception, *, sent: bool) -> ForgeUnreachableError:
    # Only the kind: the words of a library may hold addresses with more in them than a host.
    kind = type(error).__name__
    return ForgeUnreachableError(f"the forge does not answer ({kind})", maybe_done=sent)
