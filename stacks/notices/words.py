"""How a message reads, for mail and chat alike: a title, and lines for each notice. Pure."""

from collections import Counter
from urllib.parse import quote

from stacks.notices.model import Kind, Message, Notice
from telemetry.words import printable

SAID = {
    Kind.FAILURE: "failed",
    Kind.RECOVERED: "recovered",
    Kind.DRIFT: "differs from its file",
    Kind.DRIFT_ENDED: "is as its file says again",
    Kind.APPROVAL: "waits for approval",
    Kind.TEST: "is a test",
}
MANY = {Kind.DRIFT: "differ from their files", Kind.DRIFT_ENDED: "are as their files say again"}
MANY |= {Kind.APPROVAL: "wait for approval", Kind.TEST: "are tests"}
NOBODY = "CodeHub"
"""Whom a notice is about that concerns no single workspace."""


def title(message: Message) -> str:
    """Give one line on all of it."""
    if len(message.notices) == 1 and not message.more:
        return f"CodeHub: {headline(message.notices[0])}"
    counted = Counter(notice.kind for notice in message.notices)
    told = [_counted(kind, counted[kind]) for kind in Kind if counted[kind]]
    more = [f"{message.more} more"] if message.more else []
    return plain(f"CodeHub: {', '.join([*told, *more])}")


def _counted(kind: Kind, number: int) -> str:
    return f"{number} {SAID[kind] if number == 1 else MANY.get(kind, SAID[kind])}"


def headline(notice: Notice) -> str:
    """Give one line on one notice."""
    reason = f" ({notice.reason})" if notice.reason and notice.kind is not Kind.TEST else ""
    return plain(f"{notice.workspace or NOBODY} {SAID[notice.kind]}{reason}")


def details(notice: Notice) -> list[str]:
    """Give the lines below that."""
    about = {"owner": notice.owner, "phase": notice.phase}
    facts = [f"{name} {value}" for name, value in about.items() if value]
    facts.append(f"since {notice.since.strftime('%Y-%m-%d %H:%M:%S %Z')}")
    lines = [notice.message, notice.remedy, ", ".join(facts)]
    return [plain(line) for line in lines if line]


def more(message: Message) -> str:
    """Say how many are not listed, "" for none."""
    return f"and {message.more} more: `codehub status`" if message.more else ""


def link(base_url: str | None, notice: Notice) -> str:
    """Give the address of its page in the portal, "" where none is known."""
    if not base_url:
        return ""
    page = f"workspaces/{quote(notice.workspace, safe='')}" if notice.workspace else ""
    return f"{base_url}/{page}"


def plain(text: str) -> str:
    """Make one line of a text: nobody's text begins a header or a line of its own."""
    return " ".join(printable(text, mark=" ").split())
