"""Which sinks the settings make, and what of them nobody sees."""

import asyncio
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cli.commands.notify import NAMES
from settings.errors import SettingsError
from settings.load import load
from settings.model import RunnerSettings
from settings.notices import smtp_address
from stacks.fence import Fence
from stacks.notices.model import Kind
from stacks.notices.notifier import Notifier
from stacks.notices.sinks import notifier, sinks, trial
from telemetry.logs import configure
from tests.stacks.notices.hands import HandRows
from tests.stacks.notices.receivers import PASSWORD, certificate, http_server, mail_server
from tests.stacks.notices.scenes import failed
from tests.waiting import until

CANARIES = ("canary-hook-51", "canary-slack-52", "canary-key-53-0123456789", PASSWORD)


def settings_of(root: Path, **more: str) -> RunnerSettings:
    (root / "data").mkdir(mode=0o700, exist_ok=True)
    return load(
        RunnerSettings, {f"CODEHUB_{key.upper()}": value for key, value in more.items()}, root
    )


def secret(root: Path, name: str, text: str) -> str:
    path = root / name
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def test_without_settings_there_are_none(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert (settings.notifies, sinks(settings)) == (False, [])


def test_all_of_them_have_the_command_s_names(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, notify_webhook_file="a", notify_slack_file="b", notify_smtp_url="smtps://h"
    )
    assert settings.notifies
    assert tuple(sink.name for sink in sinks(settings)) == NAMES


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://mail.example.org", ("smtps", "mail.example.org", 465)),
        ("smtp+starttls://mail.example.org/", ("smtp+starttls", "mail.example.org", 587)),
        ("smtp://[::1]:2525", ("smtp", "::1", 2525)),
    ],
)
def test_a_mail_server_s_url(url: str, expected: tuple[str, str, int]) -> None:
    assert smtp_address(url) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notify_smtp_url", "mail.example.org"),
        ("notify_smtp_url", "https://mail.example.org"),
        ("notify_smtp_url", "smtp://mail.example.org:0"),
        ("notify_smtp_url", "smtp://mail.example.org:x"),
        ("notify_smtp_url", "smtp://mail.example.org/path"),
        ("notify_smtp_url", f"smtps://codehub:{PASSWORD}@mail.example.org"),
        ("notify_from", "CodeHub <codehub@example.org>"),
        ("notify_from", "a@example.org\nBcc: b@example.org"),
        ("notify_to", "nobody"),
        ("notify_to", ",".join(f"a{n}@example.org" for n in range(21))),
        ("notify_smtp_user", "a\nb"),
    ],
)
def test_what_is_no_address_is_refused_with_its_setting(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, **{name: value})
    assert f"CODEHUB_{name.upper()}" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_trial_says_that_it_is_one() -> None:
    (told,) = trial().notices
    assert (told.kind, trial().id == trial().id) == (Kind.TEST, False)


async def _told(made: Notifier, done: Any) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run())
        try:
            await until(done)
        finally:
            task.cancel()


async def test_all_three_are_told_and_no_secret_is_in_logs_files_or_reprs(
    tmp_path: Path, logging_restored: None
) -> None:
    log = StringIO()
    configure("debug", "json", log)
    pem = certificate(tmp_path)
    hook, slack, key, _ = CANARIES
    with http_server() as posted, mail_server(certificate=pem, tls="starttls", login=True) as box:
        settings = settings_of(
            tmp_path,
            data=str(tmp_path / "data"),
            notify_webhook_file=secret(tmp_path, "hook", f"{posted.url}/{hook}"),
            notify_webhook_key_file=secret(tmp_path, "key", key),
            notify_slack_file=secret(tmp_path, "slack", f"{posted.url}/{slack}"),
            notify_smtp_url=f"smtp+starttls://127.0.0.1:{box.port}",
            notify_smtp_user="codehub",
            notify_smtp_password_file=secret(tmp_path, "password", PASSWORD),
            notify_from="codehub@example.org",
            notify_to="a@example.org",
            notify_ca_file=str(pem),
            base_url="https://hub.example.org",
        )
        made = notifier(settings, HandRows([failed()]), Fence.always())
        folder = tmp_path / "data" / "notices"

        def done() -> bool:
            kept = [file.read_text() for file in folder.glob("*.json")]
            return len(kept) == 3 and all('"message": null' in one for one in kept) and ends()

        def ends() -> bool:
            return len(posted.requests) == 2 and len(box.mails) == 1

        await _told(made, done)
        shown = repr(settings) + repr(sinks(settings))
    assert {got.path for got in posted.requests} == {f"/{hook}", f"/{slack}"}
    assert sorted(file.name for file in folder.iterdir()) == [
        "mail.json",
        "slack.json",
        "webhook.json",
    ]
    kept = "".join(file.read_text() for file in folder.iterdir())
    for canary in CANARIES:
        assert canary not in log.getvalue() + kept + shown
    assert log.getvalue().count('"told"') == 3


async def test_nor_when_they_fail(tmp_path: Path, logging_restored: None) -> None:
    log = StringIO()
    configure("debug", "json", log)
    hook, slack, *_ = CANARIES
    with http_server() as posted, mail_server(login=True) as box:
        posted.status, posted.text = 403, f"{hook} {slack}".encode()
        settings = settings_of(
            tmp_path,
            data=str(tmp_path / "data"),
            notify_webhook_file=secret(tmp_path, "hook", f"{posted.url}/{hook}"),
            notify_slack_file=secret(tmp_path, "slack", f"{posted.url}/{slack}"),
            notify_smtp_url=f"smtp://127.0.0.1:{box.port}",
            notify_smtp_user="codehub",
            notify_smtp_password_file=secret(tmp_path, "password", CANARIES[2]),
            notify_from="codehub@example.org",
            notify_to="a@example.org",
        )
        made = notifier(settings, HandRows([failed()]), Fence.always())
        await _told(made, lambda: log.getvalue().count("not told") == 3)
    for canary in CANARIES:
        assert canary not in log.getvalue()
    assert "refused the login (535)" in log.getvalue()
    assert "answered 403" in log.getvalue()


async def test_without_the_lead_nobody_is_told(tmp_path: Path, logging_restored: None) -> None:
    log = StringIO()
    configure("info", "json", log)
    with http_server() as posted:
        settings = settings_of(
            tmp_path,
            data=str(tmp_path / "data"),
            notify_webhook_file=secret(tmp_path, "hook", posted.url),
        )
        made = notifier(settings, HandRows([failed()]), Fence())
        await _told(made, lambda: "does not lead" in log.getvalue())
        assert posted.requests == []
