"""`codehub up` and `codehub destroy`."""

import click

from cli import ids, repository, results, revisions
from cli.actor import actor
from cli.frame import Frame, pass_frame
from cli.operate import on_each, operate, telling
from cli.output import output_option


@click.command()
@click.argument("names", nargs=-1, metavar="[ID]...", callback=ids.check)
@click.option("--prune", is_flag=True, help="Remove workspaces whose file is gone; homes are kept.")
@click.option(
    "--max-delete",
    type=click.IntRange(0),
    metavar="N",
    help="Most workspaces that --prune may remove, with those of the last hour "
    "[default: a tenth of all, at least 3].",
)
@click.option(
    "--revision",
    metavar="SHA",
    callback=revisions.read_option,
    help="Apply this commit of the repository; where `repo_applier` is `ci`.",
)
@click.option("--allow-older", is_flag=True, help="The commit may come before the one that counts.")
@click.option(
    "--now", is_flag=True, help="Do not wait for a sync window; the history says who did not."
)
@output_option("table", "json")
@pass_frame
@click.pass_context
def up(
    ctx: click.Context,
    frame: Frame,
    *,
    names: tuple[str, ...],
    prune: bool,
    max_delete: int | None,
    revision: str | None,
    allow_older: bool,
    now: bool,
    output: str,
) -> None:
    """Bring workspaces to what their files say.

    All of them, or those named. Where `codehub run` runs, it does the work and the steps are shown
    here. Doing it again changes nothing. The exit code is 2 when nothing but a file is wrong.

    With --revision, a commit of the followed branch counts from now on, and is applied: where the
    setting `repo_applier` is `ci`, nothing else makes one count. It must be on the branch, and not come
    before the one that counts; what did not come to be as its file says is listed, and the exit code
    says so.

    \b
    Examples:
      codehub up
      codehub up alice-demo alice-api
      codehub up --prune -o json
      codehub up --prune --max-delete 40
      codehub up --revision "$(git rev-parse HEAD)"
      codehub up alice-api --now
    """
    if revision is None and allow_older:
        raise click.UsageError("--allow-older goes with --revision", ctx)
    if revision is not None and names:
        raise click.UsageError("a commit is applied to all workspaces: leave the ids out", ctx)
    tell, who = telling(), actor()
    done = operate(
        frame,
        lambda operator: operator.up(
            names or None,
            on_step=tell,
            prune=True if prune else None,
            max_delete=max_delete,
            revision=revisions.wanted(revision, allow_older=allow_older),
            now=now,
            actor=who,
        ),
    )
    repository.tell_of(frame)
    ctx.exit(results.show(done, output))


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="ID...", callback=ids.check)
@output_option("table", "json")
@pass_frame
@click.pass_context
def destroy(ctx: click.Context, frame: Frame, *, names: tuple[str, ...], output: str) -> None:
    """Remove workspaces whose files are gone; their homes are kept.

    It is refused while the file is there: remove that first. Bring the file back within the grace
    (the setting `delete_grace`), and the workspace comes back with its home.

    \b
    Example:
      codehub destroy alice-api
    """
    who = actor()
    done = on_each(
        frame, names, lambda operator, name, tell: operator.destroy(name, actor=who, on_step=tell)
    )
    ctx.exit(results.show(done, output))
