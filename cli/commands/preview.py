"""`codehub preview`."""

from pathlib import Path

import click

from cli import changes, ids
from cli.failures import BAD_INPUT, InputError
from cli.frame import Frame, pass_frame
from cli.operate import operate
from cli.output import output_option, print_json, talk
from cli.repository import tell_of
from cli.rule_files import tell_broken

FOLDER = "workspaces.d"


@click.command()
@click.argument("names", nargs=-1, metavar="[ID]...", callback=ids.check)
@click.option("--base", metavar="REF", help="Commit that a branch would be merged onto.")
@click.option("--head", metavar="REF", help="Last commit of that branch.")
@click.option(
    "--path",
    metavar="DIR",
    help=f"Folder of workspace files in these commits (default: {FOLDER}).",
)
@click.option(
    "--repository",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Repository that has both commits (default: here).",
)
@click.option(
    "--author",
    metavar="FORGE:LOGIN",
    help="Who wants the branch merged: whether they may edit these files is judged too.",
)
@output_option("table", "json", "text", "markdown")
@pass_frame
@click.pass_context
def preview(
    ctx: click.Context,
    frame: Frame,
    *,
    names: tuple[str, ...],
    base: str | None,
    head: str | None,
    path: str | None,
    repository: Path | None,
    author: str | None,
    output: str,
) -> None:
    """Show what `up` would do, or what merging a branch would.

    Nothing is changed. Destructive changes come first; each says what happens to the data. The
    exit code is 0 whether or not there are changes, 2 when a file is wrong (also one of owners and
    rules), 1 when `up` would refuse something (its image is not on the engine, it uses more memory
    than it shall have, a policy forbids it), or it could not be previewed.

    With --base and --head, two commits are compared, from the repository alone: no engine, no
    settings, no secret, so it may run for anybody's pull request. What counts is what the branch
    changed since it left base. The exit code is 2 when a file is wrong on head, else 3 when a
    mandatory rule of base forbids something. `-o markdown` is the comment for reviewers.

    \b
    Examples:
      codehub preview
      codehub preview alice-demo
      codehub preview -o json | jq '.changes[] | select(.destructive).id'
      codehub preview --base origin/main --head HEAD -o markdown
    """
    if base or head:
        more = {"path": path, "author": author}
        _review(
            ctx, frame, names, base=base, head=head, repository=repository, output=output, **more
        )
        return
    if [path, repository, author] != [None] * 3 or output in {"text", "markdown"}:
        raise InputError("this needs two commits", hint="give --base REF --head REF")
    from settings.model import RunnerSettings

    found = operate(frame, lambda operator: operator.preview(names or None))
    if output == "json":
        print_json({"changes": [change.to_json() for change in found]})
    else:
        changes.show([change for change in found if not changes.is_unknown(change)])
    for change in filter(changes.is_unknown, found):
        changes.tell_unknown(change)
    broken = tell_broken(frame.load(RunnerSettings))
    talk(changes.summary(found))
    tell_of(frame)
    ctx.exit(changes.exit_code(found) or (BAD_INPUT if broken else 0))


def _review(
    ctx: click.Context,
    frame: Frame,
    names: tuple[str, ...],
    *,
    base: str | None,
    head: str | None,
    path: str | None,
    repository: Path | None,
    author: str | None,
    output: str,
) -> None:
    from cli import reviews
    from settings.paths import cache_root

    if not (base and head):
        raise InputError("one of two commits is missing", hint="give --base REF and --head REF")
    if names:
        raise InputError("a review of commits is of all workspaces", hint="leave the ids out")
    found = reviews.made(
        repository or Path(),
        cache=cache_root(frame.env) / "review",
        base=base,
        head=head,
        path=FOLDER if path is None else path,
        author=author or "",
    )
    reviews.show(found, output)
    ctx.exit(reviews.exit_code(found))
