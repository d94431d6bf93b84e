"""What the files of owners and rules are found to say, for the commands that show it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cli.output import shown, styled, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.model import RunnerSettings
    from spec import Problem, RuleFiles


def show_problem(problem: "Problem") -> None:
    """Print what is wrong with a file, where it can be clicked at."""
    click.echo(_line(problem))


def tell_broken(settings: "RunnerSettings") -> bool:
    """Say what is wrong with the folder's files of owners and rules; whether anything is."""
    from spec import SourceUnreadableError, read_rule_files

    try:
        found = read_rule_files(settings.workspaces)
    except SourceUnreadableError:
        return False  # whoever needs the folder says so
    for problem in found.problems:
        click.echo(_line(problem), err=True)
    if found.broken:
        talk("the rules can't be read: nothing new or changed is applied, all else goes on")
    return found.broken


def expired(rules: "RuleFiles") -> "Iterator[str]":
    """Say which exemptions count no more."""
    from datetime import UTC, datetime

    today = datetime.now(UTC).date()
    for each in rules.policies.exemptions if rules.policies else ():
        if today > each.until:
            names = ", ".join(each.workspaces)
            yield f"the exemption of {names} from {each.rule} ended on {each.until}: {each.reason}"


def joined(one: "RuleFiles", two: "RuleFiles") -> "RuleFiles":
    """Put together what was read from several paths; of several files, the last counts."""
    return replace(
        two,
        owners=two.owners or one.owners,
        policies=two.policies or one.policies,
        problems=(*one.problems, *two.problems),
    )


def _line(problem: "Problem") -> str:
    place = styled(f"{problem.file}:{problem.line}:{problem.column}:", bold=True)
    key = f"{problem.key}: " if problem.key else ""
    return f"{place} {shown(key + problem.message)}\n    {styled('hint:', fg='cyan')} {shown(problem.hint)}"
