"""Makes the sinks that the settings name, and the notifier with all of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Protocol

from settings.model import RunnerSettings
from stacks.fence import Fence
from stacks.notices.http import Trust
from stacks.notices.memory import Memory
from stacks.notices.model import Kind, Message, Notice
from stacks.notices.notifier import Extra, Notifier, Rows
from stacks.notices.outbox import Outbox, Pace, Sink, WallClock
from stacks.notices.slack import Slack
from stacks.notices.smtp import Mail
from stacks.notices.webhook import Webhook


class Checked(Sink, Protocol):
    """A sink that can say whether it could be used."""

    def check(self) -> str:
        """Say what is set, without sending anything.

        Raises:
            NoticeUnusableError: It can't be used as it is set.
        """


def sinks(settings: RunnerSettings) -> list[Checked]:
    """Make those that the settings name; whether they can be used is for `check`."""
    trust = Trust(ca_file=settings.notify_ca_file, plain=settings.notify_plain)
    base, found = settings.base_url, list[Checked]()
    if settings.notify_webhook_file is not None:
        key = settings.notify_webhook_key_file
        url = settings.notify_webhook_file
        found.append(Webhook(url_file=url, key_file=key, base_url=base, trust=trust))
    if settings.notify_slack_file is not None:
        found.append(Slack(url_file=settings.notify_slack_file, base_url=base, trust=trust))
    if settings.notify_smtp_url is not None:
        found.append(_mail(settings, settings.notify_smtp_url, trust))
    return found


def idle(settings: RunnerSettings) -> list[str]:
    """Name what is set and has no effect, because the address that it belongs to is not."""
    found = []
    if settings.notify_webhook_file is None and settings.notify_webhook_key_file is not None:
        found.append("CODEHUB_NOTIFY_WEBHOOK_KEY_FILE")
    if settings.notify_smtp_url is None:
        mail = ("notify_smtp_user", "notify_smtp_password_file", "notify_from", "notify_to")
        found += [f"CODEHUB_{name.upper()}" for name in mail if getattr(settings, name)]
    return found


def _mail(settings: RunnerSettings, url: str, trust: Trust) -> Mail:
    return Mail(
        url=url,
        user=settings.notify_smtp_user,
        password_file=settings.notify_smtp_password_file,
        sender=settings.notify_from,
        to=settings.notify_to,
        base_url=settings.base_url,
        trust=trust,
    )


def notifier(
    settings: RunnerSettings, board: Rows, fence: Fence, *, extra: Extra | None = None
) -> Notifier:
    """Make what tells all of them, as long as the fence is open."""
    pace = Pace(
        after=timedelta(seconds=settings.notify_after),
        check=lambda: fence.check("notice"),
        clock=WallClock(),
    )
    folder = settings.paths.notices
    made: Sequence[Outbox] = [
        Outbox(sink, Memory(folder / f"{sink.name}.json"), pace) for sink in sinks(settings)
    ]
    return Notifier(board, made, extra=extra)


def trial() -> Message:
    """Give the message that `codehub notify test` sends."""
    now = datetime.now(UTC)
    told = Notice(
        kind=Kind.TEST,
        workspace="",
        reason="TEST",
        message="someone ran `codehub notify test`; nothing is the matter",
        since=now,
    )
    return Message(id=token_hex(16), made_at=now, notices=(told,))
