"""`codehub render`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import ids
from cli.failures import BAD_INPUT, InputError
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json
from cli.rule_files import show_problem

if TYPE_CHECKING:
    from spec.files import File
    from spec.whole import Whole

FOLDER = "workspaces.d"


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option("--origins", is_flag=True, help="Say at each value where it is written.")
@click.option("--resources", is_flag=True, help="Show what the engine would be asked for instead.")
@click.option("--at", metavar="REF", help="Take the files from this commit.")
@click.option(
    "--repository",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Repository that has the commit (default: here).",
)
@click.option(
    "--path",
    metavar="DIR",
    help=f"Folder of workspace files in that commit (default: {FOLDER}).",
)
@output_option("yaml", "json")
@pass_frame
@click.pass_context
def render(
    ctx: click.Context,
    frame: Frame,
    *,
    name: str,
    origins: bool,
    resources: bool,
    at: str | None,
    repository: Path | None,
    path: str | None,
    output: str,
) -> None:
    """Show a workspace as it is with defaults and generator.

    Every key is written out, as a file of its own would say it. The files are those of the
    settings' folder or repository; with --at, of a commit. Nothing that runs is asked. --resources
    shows the inputs of its resources as the program makes them, with the first home's number.

    \b
    Examples:
      codehub render class-a-bob
      codehub render class-a-bob --origins
      codehub render class-a-bob --at origin/main -o json | jq .spec.image
    """
    from spec import InvalidSpecError
    from spec.whole import whole

    if at is None and (repository is not None or path is not None):
        raise InputError("this needs a commit", hint="give --at REF")
    files, label = _of_commit(at, repository, path) if at else _of_settings(frame)
    try:
        found = whole(files, name, label=label)
    except InvalidSpecError as error:
        for problem in error.problems:
            show_problem(problem)
        ctx.exit(BAD_INPUT)
    if resources:
        _show(_resources(found), output)
    elif output == "json":
        print_json(_plain(found, origins=origins))
    else:
        from spec.whole import text

        click.echo(f"# {found.spec.id}, from {found.origin.file}:{found.origin.line}")
        click.echo(text(found, origins=origins), nl=False)


def _of_settings(frame: Frame) -> "tuple[list[File], str]":
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    if settings.repo is None:
        from spec import files_of

        return files_of(settings.workspaces), settings.workspaces.name
    import asyncio

    from stacks.git.once import files_of_branch

    frame.configure_logs(settings)
    return asyncio.run(files_of_branch(settings)), settings.repo_path


def _of_commit(at: str, repository: Path | None, path: str | None) -> "tuple[list[File], str]":
    from stacks.git import tree
    from stacks.git.command import Git

    git, folder = Git(folder=repository or Path()), FOLDER if path is None else path
    return tree.all_files(git, tree.resolve(git, at), folder), folder


def _plain(found: "Whole", *, origins: bool) -> dict[str, Any]:
    from spec.whole import plain

    told: dict[str, Any] = {
        "id": found.spec.id,
        "origin": asdict(found.origin),
        "spec": plain(found.spec),
    }
    if origins:
        told["origins"] = {key: asdict(place) for key, place in sorted(found.places.items())}
    return told


def _resources(found: "Whole") -> list[dict[str, Any]]:
    from stacks.review.properties import rendered

    made = rendered(found.spec, owner=found.spec.owner)
    return [asdict(each) for each in made]


def _show(data: list[dict[str, Any]], output: str) -> None:
    if output == "json":
        print_json(data)
        return
    from io import StringIO

    from ruamel.yaml import YAML

    stream = StringIO()
    YAML().dump(data, stream)
    click.echo(stream.getvalue(), nl=False)
