"""`codehub review`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.frame import Frame, pass_frame
from cli.output import output_option, talk

if TYPE_CHECKING:
    from forges.forge import PullRequest
    from settings.forge import ForgeSettings
    from stacks.review.model import Review

FOLDER = "workspaces.d"
SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable by which GitHub's jobs, and Gitea's, name the file of what is shown with the job."""


def _read_url(ctx: click.Context, param: click.Parameter, given: str) -> str:
    if given and not re.fullmatch(r"https?://[^\s@]+", given):
        raise click.BadParameter("an address of http or https is wanted", ctx, param)
    return given


@click.command()
@click.option(
    "--pull", "number", type=click.IntRange(1), required=True, metavar="N", help="Pull request."
)
@click.option(
    "--path",
    default=FOLDER,
    show_default=True,
    metavar="DIR",
    help="Folder of workspace files in its commits.",
)
@click.option(
    "--repository",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Repository that has its commits (default: here).",
)
@click.option(
    "--target-url",
    default="",
    metavar="URL",
    callback=_read_url,
    help="Page that says more, for the status: the job's.",
)
@click.option("--no-status", is_flag=True, help="Set no status: the job is one itself.")
@click.option("--dry-run", is_flag=True, help="Write nothing to the forge; only print.")
@output_option("markdown", "text", "json")
@pass_frame
@click.pass_context
def review(
    ctx: click.Context,
    frame: Frame,
    *,
    number: int,
    path: str,
    repository: Path,
    target_url: str,
    no_status: bool,
    dry_run: bool,
    output: str,
) -> None:
    """Tell a pull request on the forge what merging it would do.

    The commits are compared as by `codehub preview --base --head`, with the author whom the forge
    names. The result becomes our comment there, and the status `codehub/preview` of its head. Nothing of
    the branch is run, and nothing is fetched: the repository must have both commits.

    The exit codes are those of `codehub preview`: 2 when a file is wrong, else 3 when a mandatory rule
    forbids something, 1 when the forge did not answer; advice alone is 0. Where the token may only
    read, as in jobs for a fork's pull request, that is said and is no failure.

    \b
    Examples:
      codehub review --pull 7
      codehub review --pull 7 --dry-run -o text
    """
    from cli import forge, posting, reviews
    from settings.forge import ForgeSettings
    from stacks.review import markdown

    settings = frame.load(ForgeSettings)
    frame.configure_logs(settings)

    def made(pull: "PullRequest") -> "Review":
        return _made(frame, settings, pull, repository, path)

    post = posting.Post(
        forge.opened(settings), target_url=target_url, dry=dry_run, statuses=not no_status
    )
    found = post.told(number, made, failing=lambda one: reviews.exit_code(one) != 0)
    reviews.show(found, output)
    if post.refused:
        talk(f"nothing was written to the pull request, which is a fork's: {post.refused}")
        if file := frame.env.get(SUMMARY):
            posting.summarize(Path(file), markdown.markdown(found))
    ctx.exit(reviews.exit_code(found))


def _made(
    frame: Frame, settings: "ForgeSettings", pull: "PullRequest", repository: Path, path: str
) -> "Review":
    from cli import reviews
    from settings.paths import cache_root
    from stacks.git.command import Git
    from stacks.review.pulls import commits_of

    kind = "merge-requests" if settings.forge == "gitlab" else "pull"
    base, head = commits_of(
        Git(folder=repository),
        number=pull.number,
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        head_sha=pull.head_sha,
        head_at=f"refs/{kind}/{pull.number}/head",
    )
    return reviews.made(
        repository,
        cache=cache_root(frame.env) / "review",
        base=base,
        head=head,
        path=path,
        author=f"{settings.forge}:{pull.author}",
    )
