"""Files and templates as who edits them sees them, from their bytes. Pure."""

from dataclasses import replace

from spec.files import File, blob, read_one
from stacks.edits.model import TEMPLATES_MAX, FileView, Template
from stacks.source import SUFFIX


def is_template(name: str) -> bool:
    """Whether a name of the folder of templates is one."""
    return name.endswith(SUFFIX) and name.isprintable() and not name.startswith((".", "_"))


def templates_of(contents: dict[str, bytes]) -> list[Template]:
    """Give templates, by name; what is no text is none, nor what is too much with those before."""
    found, total = [], 0
    for name, raw in sorted(contents.items()):
        if unreadable(raw) or total + len(raw) > TEMPLATES_MAX:
            continue
        total += len(raw)
        found.append(Template(name=name.removesuffix(SUFFIX), text=raw.decode("utf-8")))
    return found


def view(workspace_id: str, raw: bytes, *, label: str, path: str, commit: str = "") -> FileView:
    """Give a file as its editor sees it.

    Args:
        workspace_id: Whose.
        raw: Its bytes.
        label: What problems call its folder.
        path: Where it is.
        commit: The commit that it is of.
    """
    reading = read_one(File(name=workspace_id + SUFFIX, raw=raw), label=label).reading
    seen = FileView(
        id=workspace_id,
        revision=blob(raw),
        commit=commit,
        path=path,
        owner=reading.spec.owner if reading.spec else reading.owner,
    )
    if reason := unreadable(raw):
        return replace(seen, editable=False, reason=reason)
    return replace(seen, text=raw.decode("utf-8"))


def unreadable(raw: bytes) -> str:
    """Say why bytes are no text to be edited; "" when they are one."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "it is no UTF-8 text"
    return "it holds a NUL, as no text does" if b"\0" in raw else ""
