"""`codehub validate`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import BAD_INPUT, InputError
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, talk
from cli.rule_files import expired, joined, show_problem

if TYPE_CHECKING:
    from spec import FolderRead


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@output_option("table", "json")
@pass_frame
@click.pass_context
def validate(ctx: click.Context, frame: Frame, *, paths: tuple[Path, ...], output: str) -> None:
    """Check workspace files, and those of owners and rules.

    DIR is a folder of workspace files, or one file; without it, the folder of the settings
    (workspaces.d), or the branch of the repository that they name. `_defaults.yaml`, generators,
    templates, `_owners.yaml` and `_policies.yaml` beside them are checked too, and exemptions that
    ended are told. Every error of every file is shown with file, line, column and a hint. The exit
    code is 2 when there is one.

    \b
    Examples:
      codehub validate
      codehub validate workspaces.d/alice-demo.yaml
      codehub validate workspaces.d/_generators/class-a.yaml
      codehub validate -o json | jq '.problems[].file'
    """
    read = _read(paths) if paths else _default(frame)
    read.problems.extend(read.rules.problems)
    if output == "json":
        print_json(
            {
                "valid": not read.problems,
                "workspaces": sorted(read.specs),
                "problems": [problem.as_dict() for problem in read.problems],
            }
        )
    else:
        for problem in read.problems:
            show_problem(problem)
    for told in expired(read.rules):
        talk(told)
    talk(_summary(read))
    ctx.exit(BAD_INPUT if read.problems else 0)


def _default(frame: Frame) -> "FolderRead":
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    if settings.repo is None:
        return _read((settings.workspaces,))
    import asyncio

    from stacks.git.once import read_branch

    frame.configure_logs(settings)
    return asyncio.run(read_branch(settings))


def _read(paths: tuple[Path, ...]) -> "FolderRead":
    from spec import FolderRead, read_folder

    whole = FolderRead()
    for path in paths:
        read = read_folder(path, label=_near(path)) if not path.is_file() else _read_file(path)
        whole.specs.update(read.specs)
        whole.problems.extend(read.problems)
        whole.invalid.update(read.invalid)
        whole = replace(whole, rules=joined(whole.rules, read.rules))
    return whole


def _near(path: Path) -> str:
    """The path as short as it can be clicked at: from the current folder, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read_file(path: Path) -> "FolderRead":
    """Read one file, with what the files beside it say together."""
    from spec import FolderRead
    from spec.defaults import NAME
    from spec.files import File, read_files
    from spec.rule_folder import is_rule_file, rules_in
    from spec.shared import FOLDERS

    folder = path.parent.parent if path.parent.name in FOLDERS else path.parent
    label = "" if folder == Path() else str(folder)
    try:
        raw = path.read_bytes()
        if is_rule_file(path.name):
            return FolderRead(rules=rules_in([File(name=path.name, raw=raw)], label=label))
        files = [File(name=str(path.relative_to(folder)), raw=raw)]
        if path.name != NAME and (folder / NAME).exists():
            files.append(File(name=NAME, raw=(folder / NAME).read_bytes()))
    except OSError as error:
        raise InputError(f"{error.filename} can't be read: {error.strerror}") from None
    return read_files(files, label=label)


def _summary(read: "FolderRead") -> str:
    if not read.problems:
        return f"{_count(len(read.specs), 'workspace')}, no problems"
    files = len({problem.file for problem in read.problems})
    return (
        f"{_count(len(read.problems), 'problem')} in {_count(files, 'file')}, "
        f"{_count(len(read.specs), 'valid workspace')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
