"""What sync windows say now, for the commands that show workspaces."""

from typing import TYPE_CHECKING

from cli.output import talk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from policies.windows import Window
    from settings.model import RunnerSettings

_MOST = 6
"""Workspaces that are named; JSON tells which wait."""


def tell(settings: "RunnerSettings", ids: "Iterable[str]") -> None:
    """Say on standard error whether changes of workspaces may be applied, and until when.

    By the folder's file; of a repository, what waits says itself until when.
    """
    from datetime import UTC, datetime

    from spec import SourceUnreadableError, read_rule_files
    from stacks.rulebook import policies_of

    if settings.repo is not None:
        return
    try:
        found = policies_of(read_rule_files(settings.workspaces).policies)
    except SourceUnreadableError:
        return  # whoever needs the folder says so
    for line in lines(found.windows if found else (), ids, datetime.now(UTC)):
        talk(line)


def lines(windows: "tuple[Window, ...]", ids: "Iterable[str]", now: "datetime") -> list[str]:
    """One line for each thing that windows say, with those of whom it is said."""
    from policies.windows import ALWAYS, Calendar

    calendar, said = Calendar(windows, now), dict[str, list[str]]()
    for id_ in ids:
        standing = calendar.of(id_)
        if standing is not ALWAYS:
            said.setdefault(standing.words, []).append(id_)
    return [f"{words}: {_named(names)}" for words, names in _sorted(said).items()]


def _sorted(said: "Mapping[str, list[str]]") -> dict[str, list[str]]:
    return {words: sorted(said[words]) for words in sorted(said)}


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
