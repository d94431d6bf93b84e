"""`_templates/<name>.yaml`: what new workspaces are made from. Pure; never a workspace.

A template is a workspace file without what each workspace has of its own: its owner, and the id under
which its home was made. It is checked with the defaults that the file made from it will have.
"""

import re
from functools import lru_cache

from spec.defaults import NONE, STAND_IN, Defaults, check_shared, filled
from spec.named import File, shown_name
from spec.problems import Problem, shown
from spec.reader import SUFFIX
from spec.report import Report, read_tree
from spec.text import START, Flaw

NAME_PATTERN = r"[a-z0-9](?:[a-z0-9]|-(?!-)){0,38}"
_NAME = re.compile(NAME_PATTERN)
KEPT = 256
"""Checks that are kept: a folder has up to 64 templates, and is read again at each commit and edit."""
_EXAMPLE = "write image: codehub/code-server, or remove the file"


@lru_cache(maxsize=KEPT)
def check_template(file: File, *, label: str, defaults: Defaults = NONE) -> tuple[Problem, ...]:
    """Give all that is wrong with one.

    Args:
        file: its name below the folder of workspaces, and its content.
        label: what problems call that folder.
        defaults: what counts where it says nothing.
    """
    shown_as = shown_name(file.name, label)
    if file.raw is None:
        return (Problem(shown_as, 1, 1, "", *file.refusal),)
    report = Report(shown_as)
    name = file.name.rpartition("/")[2].removesuffix(SUFFIX)
    if not _NAME.fullmatch(name):
        hint = "up to 40 of a-z, 0-9 and single -, beginning with a letter or digit"
        report.add("", Flaw(START, f"{shown(name)} is no name of a template", hint))
    root = read_tree(file.raw, report, example=_EXAMPLE)
    if root is not None:
        given = dict(STAND_IN)
        if not defaults.broken:
            del given["image"]  # it, or the defaults, must say it
        if defaults.root is not None:
            root = filled(root, defaults.root)
        check_shared(root, report, told="is not for a template to say", given=given)
    return tuple(report.sorted())
