"""Two who changed one file at the same time: what each did, and what can be put together. Pure.

Nothing is decided here: whoever came second is shown both and chooses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from spec.edit import edited, values_of
from spec.errors import InvalidSpecError
from spec.splices import same

_CONTEXT: Final = 3
_MOST_LINES: Final = 400
"""Lines of a diff that a page shows; whole files are ten lines."""

_NONE: Final[object] = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A file that changed while somebody edited it.

    Attributes:
        theirs: what the file says now; None when it is gone.
        revision: its revision.
        yours: what it was to say.
        they_changed: the keys that the other change touched, dotted.
        you_changed: the keys that this one touches.
        together: the file with both changes; None when they touch one key, or it can't be told.
    """

    theirs: str | None
    revision: str
    yours: str
    they_changed: tuple[str, ...] = ()
    you_changed: tuple[str, ...] = ()
    together: str | None = None

    @property
    def both_changed(self) -> tuple[str, ...]:
        """The keys that both touch."""
        return tuple(key for key in self.you_changed if key in self.they_changed)

    @property
    def hint(self) -> str:
        """What happened, in a few words for a person."""
        if self.theirs is None:
            return "The file was removed while you edited it."
        if self.both_changed:
            told = ", ".join(self.both_changed)
            return f"Somebody else changed {told} too while you edited the file."
        theirs = ", ".join(self.they_changed) or "comments or how it is written"
        yours = ", ".join(self.you_changed) or "comments or how it is written"
        return f"While you changed {yours}, somebody else changed {theirs}."


def conflict_of(
    *, base: str | None, theirs: str | None, revision: str, yours: str, file: str
) -> Conflict:
    """Compare two changes of one file.

    Args:
        base: what both began with; None when that is not known any more.
        theirs: what the file says now; None when it is gone.
        revision: its revision.
        yours: what it is to say.
        file: its name, for the id and messages.
    """
    if base is None or theirs is None:
        return Conflict(theirs=theirs, revision=revision, yours=yours)
    began, now, wanted = (
        _flat(values_of(text.encode(), file=file)[0]) for text in (base, theirs, yours)
    )
    they, you = _changed(began, now), _changed(began, wanted)
    found = Conflict(
        theirs=theirs, revision=revision, yours=yours, they_changed=they, you_changed=you
    )
    if found.both_changed or not you:
        return found
    return Conflict(
        theirs=theirs,
        revision=revision,
        yours=yours,
        they_changed=they,
        you_changed=you,
        together=_together(theirs, {key: wanted.get(key) for key in you}, file),
    )


def diff(before: str, after: str, *, names: tuple[str, str]) -> list[str]:
    """Return a unified diff, its longest cut."""
    found = unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=_CONTEXT)
    lines = list(found)
    if len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"... and {len(lines) - _MOST_LINES} more lines"]
    return lines


def _together(theirs: str, changes: Mapping[str, Any], file: str) -> str | None:
    # Of `env` that was empty and `env.A` that is there now, the latter says it all.
    told = {
        key: value
        for key, value in changes.items()
        if not any(other.startswith(f"{key}.") for other in changes)
    }
    try:
        return edited(theirs.encode(), told, file=file).decode()
    except InvalidSpecError:
        return None


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    keys = [*before, *(key for key in after if key not in before)]
    return tuple(key for key in keys if not same(before.get(key, _NONE), after.get(key, _NONE)))
