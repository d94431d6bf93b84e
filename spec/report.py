"""All that is wrong with one file, gathered in its order; and the way from bytes to a mapping."""

from spec.nodes import Broken, Mapping, Node, Scalar, describe
from spec.problems import Problem
from spec.text import MAX_BYTES, MAX_NODES, START, Flaw, decode

MAX_PROBLEMS = 100
"""Of one file; the rest is counted."""


class Report:
    """The problems of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def add(self, key: str, flaw: Flaw) -> None:
        """Put a flaw into the report."""
        (line, column), message, hint = flaw
        self.problems.append(Problem(self._file, line, column, key, message, hint))

    def sorted(self) -> list[Problem]:
        """In the order of the file, the longest list cut."""
        found = sorted(self.problems, key=lambda problem: (problem.line, problem.column))
        if len(found) > MAX_PROBLEMS:
            first = found[MAX_PROBLEMS]
            more = f"{len(found) - MAX_PROBLEMS} more problems"
            rest = Problem(self._file, first.line, first.column, "", more, "mend those above first")
            found[MAX_PROBLEMS:] = [rest]
        return found


def read_tree(
    raw: bytes,
    report: Report,
    *,
    example: str,
    most_bytes: int = MAX_BYTES,
    most_nodes: int = MAX_NODES,
) -> Mapping | None:
    """Read a file that must be a mapping; None when it is none, and the report says why.

    Args:
        raw: its bytes.
        report: takes what is wrong.
        example: what to write in an empty file.
        most_bytes: how long it may be.
        most_nodes: how many values it may have.
    """
    text, flaws = decode(raw, most=most_bytes)
    for flaw in flaws:
        report.add("", flaw)
    if text is None:
        return None
    # Here, because it brings the YAML parser, which most folders of plain files never need (`spec.quick`).
    from spec.tree import parse  # noqa: PLC0415

    root, flaws = parse(text, most=most_nodes)
    for flaw in flaws:
        report.add("", flaw)
    if isinstance(root, Mapping):
        return root
    if not flaws:
        report.add("", _not_a_mapping(root, example))
    return None


def _not_a_mapping(root: Node | None, example: str) -> Flaw:
    if root is None or isinstance(root, Broken) or root.value is None:
        return Flaw(START, "the file is empty", example)
    if isinstance(root, Scalar) and ":" in root.text:
        return Flaw(root.place, "a space is missing after `:`", "write `key: value`")
    return Flaw(root.place, f"must be a mapping, not {describe(root)}", example)
