"""The files of owners and rules among the names of one folder or git tree. Pure.

    rules_in(files, label="workspaces.d") -> RuleFiles

As `spec.files` for workspace files: whoever lists a folder or a tree gives one `File` a name.
"""

from collections.abc import Iterable
from dataclasses import replace

from spec.files import File
from spec.problems import Problem, printable
from spec.rule_files import MAX_BYTES, RULE_FILES, RuleFiles, read_rules

__all__ = ["MAX_BYTES", "is_rule_file", "rules_in"]

_SUFFIXES = ("yaml", "yml")


def is_rule_file(name: str) -> bool:
    """Whether a file holds owners or rules, or was meant to: a slip in the name must be told."""
    return _right(name) in RULE_FILES


def rules_in(files: Iterable[File], *, label: str) -> RuleFiles:
    """Read what of a folder's files holds owners and rules; all others are left out.

    Args:
        files: names, contents of at most `MAX_BYTES` and one more, and why some were not taken.
        label: what problems call the folder.
    """
    problems: list[Problem] = []
    found: dict[str, bytes] = {}
    for file in sorted(files, key=lambda one: one.name):
        if not is_rule_file(file.name):
            continue
        right = _right(file.name)
        if file.name != right:
            refusal = (f"the name must be {right}", f"rename it to {right}")
        elif file.raw is None:
            refusal = file.refusal
        else:
            found[right] = file.raw
            continue
        shown_as = printable(f"{label}/{file.name}" if label else file.name)
        problems.append(Problem(shown_as, 1, 1, "", *refusal))
    owners, policies = (found.get(name) for name in RULE_FILES)
    read = read_rules(owners, policies, folder=printable(label))
    return replace(read, problems=(*problems, *read.problems))


def _right(name: str) -> str:
    """The name that was meant; "" for one that is no YAML by its name."""
    stem, _, suffix = name.lower().rpartition(".")
    return f"{stem}.yaml" if suffix in _SUFFIXES else ""
