"""A delivery is believed only with the right signature, and read only in the form that the forge sends."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from forges import webhooks
from forges.errors import (
    DeliveryError,
    DeliveryTooLargeError,
    ReplayError,
    SignatureError,
)
from forges.forge import Kind
from forges.webhooks import Delivery, Event, verify_webhook

SECRET = SecretStr("a-long-webhook-secret")
RAW_KEY = b"0123456789abcdef0123456789abcdef"
SIGNING = SecretStr("whsec_" + base64.b64encode(RAW_KEY).decode())
NOW = 1_790_000_000
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
PUSH = {"ref": "refs/heads/main", "after": SHA, "repository": {"full_name": "acme/fleet"}}
PULL = {
    "action": "synchronize",
    "repository": {"full_name": "acme/fleet"},
    "pull_request": {"number": 7, "base": {"ref": "main"}, "head": {"sha": SHA}},
}
GITLAB_PUSH = {
    "ref": "refs/heads/main",
    "after": SHA,
    "project": {"path_with_namespace": "acme/sub/fleet"},
}
GITLAB_PULL: dict[str, Any] = {
    "project": {"path_with_namespace": "acme/fleet"},
    "object_attributes": {
        "iid": 7,
        "target_branch": "main",
        "last_commit": {"id": SHA},
        "action": "update",
    },
}


def hexed(body: bytes, secret: SecretStr = SECRET) -> str:
    return hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()


def github(event: str, body: bytes) -> dict[str, str]:
    signature = f"sha256={hexed(body)}"
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": "g-1", "X-Hub-Signature-256": signature}


def gitea(event: str, body: bytes) -> dict[str, str]:
    return {
        "X-Gitea-Event": event,
        "X-Gitea-Delivery": "t-1",
        "X-Gitea-Signature": hexed(body),
    }


def gitlab(
    event: str, body: bytes, *, stamp: int | str = NOW, key: bytes = RAW_KEY
) -> dict[str, str]:
    signed = b".".join((b"l-1", str(stamp).encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "X-Gitlab-Event": event,
        "Idempotency-Key": "another",
        "webhook-id": "l-1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,bm90IG91cnM= v1,{signature}",
    }


def raw(data: Any) -> bytes:
    return json.dumps(data).encode()


def verify(
    kind: Kind, headers: dict[str, str], body: bytes, secret: SecretStr = SECRET
) -> Delivery:
    return verify_webhook(headers, body, secret, kind=kind, now=lambda: NOW)


def test_a_push_of_each_forge() -> None:
    body = raw(PUSH)
    wanted: dict[str, Any] = {
        "event": Event.PUSH,
        "repository": "acme/fleet",
        "branch": "main",
        "sha": SHA,
    }
    mark = hashlib.sha256(body).hexdigest()
    assert verify(Kind.GITHUB, github("push", body), body) == Delivery(
        id="g-1", fingerprint=mark, **wanted
    )
    assert verify(Kind.GITEA, gitea("push", body), body) == Delivery(
        id="t-1", fingerprint=mark, **wanted
    )
    body = raw(GITLAB_PUSH)
    found = verify(Kind.GITLAB, gitlab("Push Hook", body), body, SIGNING)
    assert (found.id, found.repository, found.branch, found.sha) == (
        "l-1",
        "acme/sub/fleet",
        "main",
        SHA,
    )


def test_a_pull_request_of_each_forge() -> None:
    body, other = raw(PULL), raw(GITLAB_PULL)
    for found, action in (
        (verify(Kind.GITHUB, github("pull_request", body), body), "synchronize"),
        (verify(Kind.GITEA, gitea("pull_request", body), body), "synchronize"),
        (verify(Kind.GITLAB, gitlab("Merge Request Hook", other), other, SIGNING), "update"),
    ):
        assert (found.event, found.pull, found.branch, found.sha, found.action) == (
            Event.PULL_REQUEST,
            7,
            "main",
            SHA,
            action,
        )


@pytest.mark.parametrize(
    ("change", "branch", "sha"),
    [
        ({"ref": "refs/tags/v1"}, None, SHA),
        ({"ref": "refs/heads/"}, None, SHA),
        ({"ref": "refs/heads/a/b"}, "a/b", SHA),
        ({"after": "0" * 40}, "main", None),
    ],
)
def test_tags_are_no_branches_and_a_removed_branch_has_no_commit(
    change: dict[str, str], branch: str | None, sha: str | None
) -> None:
    body = raw(PUSH | change)
    found = verify(Kind.GITHUB, github("push", body), body)
    assert (found.branch, found.sha) == (branch, sha)


def test_other_events_are_known_to_be_other() -> None:
    body = raw({})
    assert verify(Kind.GITHUB, github("ping", body), body).event is Event.OTHER
    assert verify(Kind.GITLAB, gitlab("Note Hook", body), body, SIGNING).event is Event.OTHER


def test_a_trial_delivery_of_gitlab_has_no_action() -> None:
    told = {
        key: value for key, value in GITLAB_PULL["object_attributes"].items() if key != "action"
    }
    body = raw({**GITLAB_PULL, "object_attributes": told})
    assert verify(Kind.GITLAB, gitlab("Merge Request Hook", body), body, SIGNING).action == ""


def test_giteas_other_headers_do_too() -> None:
    body = raw(PUSH)
    for name, value in (
        ("X-Forgejo-Signature", hexed(body)),
        ("X-Hub-Signature-256", f"sha256={hexed(body)}"),
    ):
        headers = {"x-forgejo-event": "push", "X-FORGEJO-DELIVERY": "f-1", name: value}
        assert verify(Kind.GITEA, headers, body).id == "f-1"


def test_gitlabs_older_secret_token() -> None:
    body = raw(GITLAB_PUSH)
    headers = {
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Event-UUID": "u-1",
        "X-Gitlab-Token": SECRET.get_secret_value(),
    }
    assert verify(Kind.GITLAB, headers, body).id == "u-1"
    with pytest.raises(SignatureError):
        verify(Kind.GITLAB, headers | {"X-Gitlab-Token": "another-secret"}, body)


def test_with_a_signing_token_the_older_way_does_not_do() -> None:
    body = raw(GITLAB_PUSH)
    headers = {
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Event-UUID": "u-1",
        "X-Gitlab-Token": SIGNING.get_secret_value(),
    }
    with pytest.raises(SignatureError):
        verify(Kind.GITLAB, headers, body, SIGNING)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha256=\u00e9"},
        {
            "X-Hub-Signature": "sha1="
            + hmac.new(b"a-long-webhook-secret", raw(PUSH), "sha1").hexdigest()
        },
        {"X-Gitea-Signature": hexed(raw(PUSH))},
        {"X-Hub-Signature-256": f"sha256={hexed(raw(PUSH), SecretStr('another secret'))}"},
    ],
)
def test_forged_signatures(headers: dict[str, str]) -> None:
    told = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "g-1", **headers}
    with pytest.raises(SignatureError):
        verify(Kind.GITHUB, told, raw(PUSH))


def test_two_signatures_of_one_name_are_none() -> None:
    headers = github("push", raw(PUSH)) | {"x-hub-signature-256": "sha256=" + "0" * 64}
    with pytest.raises(SignatureError, match="two headers"):
        verify(Kind.GITHUB, headers, raw(PUSH))


@pytest.mark.parametrize("secret", ["", "   ", "short", "whsec_not base64!"])
def test_a_secret_that_could_tell_nothing(secret: str) -> None:
    body = raw(GITLAB_PUSH)
    headers = {**gitlab("Push Hook", body, key=b""), "X-Gitlab-Token": secret}
    with pytest.raises(SignatureError):
        verify(Kind.GITLAB, headers, body, SecretStr(secret))


@pytest.mark.parametrize("stamp", [NOW - 301, NOW + 301, "", "-1", "1e9", "9" * 60])
def test_a_time_that_is_not_now(stamp: int | str) -> None:
    body = raw(GITLAB_PUSH)
    with pytest.raises(ReplayError):
        verify(Kind.GITLAB, gitlab("Push Hook", body, stamp=stamp), body, SIGNING)


def test_a_delivery_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_BODY", 100)
    with pytest.raises(DeliveryTooLargeError):
        verify(Kind.GITHUB, {}, b"x" * 101)
    with pytest.raises(SignatureError):
        verify(Kind.GITHUB, {}, b"x" * 100)


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("push", b""),
        ("push", b"payload=%7B%7D"),
        ("push", b"[" * 100_000),
        ("push", b"[]"),
        ("push", raw({})),
        ("push", raw(PUSH | {"after": SHA[:12]})),
        ("push", raw(PUSH | {"after": f"{SHA[:-1]}\n"})),
        ("push", raw(PUSH | {"ref": 5})),
        ("push", raw(PUSH | {"ref": "refs/heads/" + "x" * 5000})),
        ("push", raw(PUSH | {"repository": "acme/fleet"})),
        ("pull_request", raw(PUSH)),
        ("pull_request", raw(PULL | {"pull_request": {"number": True}})),
    ],
)
def test_signed_and_yet_not_what_a_forge_sends(event: str, body: bytes) -> None:
    with pytest.raises(DeliveryError):
        verify(Kind.GITHUB, github(event, body), body)


def test_a_delivery_needs_an_id() -> None:
    body = raw(PUSH)
    for name in ("", "a b", "x" * 129):
        with pytest.raises(DeliveryError, match="no id"):
            verify(Kind.GITHUB, github("push", body) | {"X-GitHub-Delivery": name}, body)


@given(
    st.dictionaries(st.text(max_size=30), st.text(max_size=80), max_size=6), st.binary(max_size=80)
)
def test_whatever_comes_nothing_but_our_errors_goes_out(
    headers: dict[str, str], body: bytes
) -> None:
    for kind, secret in ((Kind.GITHUB, SECRET), (Kind.GITEA, SECRET), (Kind.GITLAB, SIGNING)):
        with pytest.raises(SignatureError):
            verify(kind, headers, body, secret)


@given(st.binary(max_size=200), st.sampled_from(["push", "pull_request", "ping"]))
def test_signed_bytes_of_any_kind_are_read_or_refused(body: bytes, event: str) -> None:
    with suppress(DeliveryError):
        assert verify(Kind.GITHUB, github(event, body), body).event is Event.OTHER
