"""Whether a webhook is the forge's own, and what it says. Pure: bytes in, a `Delivery` or an error out.

Nothing of a delivery is read before its signature is found right. It is a nudge to look, and never what
is acted on: branch and commit say where to look, and git says what is there.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from forges import fields
from forges.errors import (
    DeliveryError,
    DeliveryTooLargeError,
    ReplayError,
    SignatureError,
    UnexpectedAnswerError,
)
from forges.forge import Kind

MAX_BODY = 25 << 20
"""Bytes: GitHub sends no more than 25 MB."""
MAX_AGE = 300.0
"""Seconds by which a signed time may differ from ours."""
SIGNING_PREFIX = "whsec_"
"""What GitLab's signing tokens begin with; its older secret tokens are any text."""
SHORTEST_SECRET = 8

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_BRANCH = "refs/heads/"
_ID_HEADERS = {
    Kind.GITHUB: ("x-github-delivery",),
    Kind.GITEA: ("x-gitea-delivery", "x-forgejo-delivery"),
    Kind.GITLAB: ("idempotency-key", "x-gitlab-event-uuid"),
}
_EVENT_HEADERS = {
    Kind.GITHUB: ("x-github-event",),
    Kind.GITEA: ("x-gitea-event", "x-forgejo-event"),
    Kind.GITLAB: ("x-gitlab-event",),
}
_SIGNATURE_HEADERS = {
    Kind.GITHUB: ("x-hub-signature-256",),
    Kind.GITEA: ("x-gitea-signature", "x-forgejo-signature", "x-hub-signature-256"),
}


class Event(StrEnum):
    """What a delivery is about."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivery that is the forge's own.

    Attributes:
        id: The forge's name of it. On GitHub and Gitea the signature does not cover it: see `fingerprint`.
        fingerprint: SHA-256 of the body, which the signature does cover.
        event: What it is about.
        repository: Whole name of the repository; empty for other events.
        branch: The branch that was pushed, or that the pull request is to be merged into; None for a
            push of something else, such as a tag.
        sha: The newest commit of the push or of the pull request; None where the branch was removed.
        pull: Number of the pull request.
        action: What happened to the pull request, in the forge's own word.
    """

    id: str
    fingerprint: str
    event: Event
    repository: str = ""
    branch: str | None = None
    sha: str | None = None
    pull: int | None = None
    action: str = ""

    @property
    def marks(self) -> tuple[str, str]:
        """What it is known by, so that it is taken once: its id, and what its body was."""
        return f"id:{self.id}", f"sha256:{self.fingerprint}"


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secret: SecretStr,
    *,
    kind: Kind,
    now: Callable[[], float] = time.time,
) -> Delivery:
    """Find out that a delivery is the forge's own, then read it.

    Args:
        headers: of the request; their names in any case.
        body: the very bytes that came.
        secret: what forge and we share.
        kind: the forge that deliveries are expected from; another one's signature counts for nothing.
        now: the clock: seconds since the epoch.

    Raises:
        SignatureError: the signature is missing or wrong, or there is no secret that could tell.
        ReplayError: GitLab's signed time is not now.
        DeliveryTooLargeError: it is longer than any forge sends.
        DeliveryError: signed, and yet not what this forge sends.
    """
    if len(body) > MAX_BODY:
        raise DeliveryTooLargeError(f"a delivery of more than {MAX_BODY >> 20} MiB")
    key = secret.get_secret_value().strip()
    if len(key) < SHORTEST_SECRET:
        raise SignatureError(f"the webhook's secret has fewer than {SHORTEST_SECRET} characters")
    given = _lowered(headers)
    if kind is Kind.GITLAB:
        _check_gitlab(given, body, key, now)
    else:
        _check_hmac(given, body, key, _SIGNATURE_HEADERS[kind])
    return _read(kind, given, body)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in headers.items():
        if given.setdefault(name.lower(), value) != value:
            raise SignatureError(f"two headers {name[:80]}, and each says something else")
    return given


def _first(given: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)


def _check_hmac(given: Mapping[str, str], body: bytes, key: str, names: tuple[str, ...]) -> None:
    signature = _first(given, names)
    if not signature:
        raise SignatureError("the delivery has no signature", hint="give its webhook a secret")
    right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    if not _same(signature.removeprefix("sha256=").encode(), right.encode()):
        raise SignatureError("the delivery's signature is not one of our secret's")


def _check_gitlab(
    given: Mapping[str, str], body: bytes, key: str, now: Callable[[], float]
) -> None:
    if not key.startswith(SIGNING_PREFIX):
        # The older way: the secret itself comes along, and signs nothing.
        if not _same(given.get("x-gitlab-token", "").encode(), key.encode()):
            raise SignatureError("the delivery's token is not our secret")
        return
    name, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signed = b".".join((name.encode(), stamp.encode(), body))
    right = hmac.new(_signing_key(key), signed, hashlib.sha256).digest()
    told = given.get("webhook-signature", "").split()
    wanted = b"v1," + base64.b64encode(right)
    # All are compared, so that the time taken tells nothing.
    if not sum(_same(one.encode(), wanted) for one in told[:8]):
        raise SignatureError("the delivery's signature is not one of our signing token's")
    if not stamp.isascii() or not stamp.isdecimal() or abs(now() - int(stamp[:20])) > MAX_AGE:
        raise ReplayError("the delivery was signed at another time", hint="are the clocks right?")


def _signing_key(key: str) -> bytes:
    try:
        return base64.b64decode(key.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        raise SignatureError("the webhook's secret is not a signing token of GitLab's") from None


def _read(kind: Kind, given: Mapping[str, str], body: bytes) -> Delivery:
    # With a signing token this is the signed one.
    names = ("webhook-id", *_ID_HEADERS[kind]) if kind is Kind.GITLAB else _ID_HEADERS[kind]
    name = _first(given, names)
    if not _ID.fullmatch(name):
        raise DeliveryError("the delivery has no id")
    event = _first(given, _EVENT_HEADERS[kind])
    whole: dict[str, Any] = {"id": name, "fingerprint": hashlib.sha256(body).hexdigest()}
    try:
        if kind is Kind.GITLAB:
            return _gitlab(event, _json(body), whole)
        return _like_github(event, _json(body), whole)
    except UnexpectedAnswerError as error:
        raise DeliveryError(error.message.replace("the forge's answer", "the delivery")) from None


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise DeliveryError(
            "the delivery is not JSON", hint="the webhook's content type must be application/json"
        ) from None
    return fields.mapping(data)


def _like_github(event: str, data: dict[str, Any], whole: dict[str, Any]) -> Delivery:
    if event == "push":
        name = fields.text(data, "repository", "full_name")
        return Delivery(event=Event.PUSH, repository=name, **_pushed(data), **whole)
    if event == "pull_request":
        return Delivery(
            event=Event.PULL_REQUEST,
            repository=fields.text(data, "repository", "full_name"),
            branch=fields.text(data, "pull_request", "base", "ref"),
            sha=fields.sha(data, "pull_request", "head", "sha"),
            pull=fields.number(data, "pull_request", "number"),
            action=fields.text(data, "action"),
            **whole,
        )
    return Delivery(event=Event.OTHER, **whole)


def _gitlab(event: str, data: dict[str, Any], whole: dict[str, Any]) -> Delivery:
    if event == "Push Hook":
        name = fields.text(data, "project", "path_with_namespace")
        return Delivery(event=Event.PUSH, repository=name, **_pushed(data), **whole)
    if event == "Merge Request Hook":
        return Delivery(
            event=Event.PULL_REQUEST,
            repository=fields.text(data, "project", "path_with_namespace"),
            branch=fields.text(data, "object_attributes", "target_branch"),
            sha=fields.sha(data, "object_attributes", "last_commit", "id"),
            pull=fields.number(data, "object_attributes", "iid"),
            action=_action(data),
            **whole,
        )
    return Delivery(event=Event.OTHER, **whole)


def _action(data: dict[str, Any]) -> str:
    # Of a trial delivery, made by a button, there is none.
    found = fields.at(data, "object_attributes", "action")
    return found if isinstance(found, str) and len(found) <= fields.MAX_TEXT else ""


def _pushed(data: dict[str, Any]) -> dict[str, Any]:
    ref, after = fields.text(data, "ref"), fields.sha(data, "after")
    branch = ref.removeprefix(_BRANCH) if ref.startswith(_BRANCH) else None
    return {"branch": branch or None, "sha": after if after.strip("0") else None}
