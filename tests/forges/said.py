"""What our comment looks like on a forge."""

from forges.sections import Name, Section, written


def said(text: str, *, section: Name = "files", head: str, marker: str = "preview") -> str:
    """A comment of one section."""
    return written([Section(section, head, text)], marker=marker, limit=65_536)
