"""`codehub rollback`."""

import json
from typing import TYPE_CHECKING

import click

from cli import ids
from cli.actor import actor
from cli.frame import Frame, pass_frame
from cli.operate import operate
from cli.output import output_option, talk

if TYPE_CHECKING:
    from stacks.edits.model import Outcome

SHORT = 12
"""Characters of a commit that people are shown."""


@click.command()
@click.argument("name", metavar="ID", callback=ids.check)
@click.option(
    "--to",
    required=True,
    metavar="REV",
    help="A commit of the branch, or a revision that `codehub history` shows.",
)
@click.option("--message", default="", metavar="TEXT", help="Why, for the commit.")
@output_option("table", "json")
@pass_frame
def rollback(frame: Frame, *, name: str, to: str, message: str, output: str) -> None:
    """Give a workspace's file the content that it had, also one that is gone.

    The runner commits to the branch, or opens a pull request where `repo_edits` is `pull`, and the
    workspace follows as after any other commit; its home stays. Nothing of the branch's history is
    rewritten. It is refused for a file that did not exist then: removing it is `git rm`, or a deletion
    in the portal.

    \b
    Examples:
      codehub rollback alice-demo --to HEAD~1
      codehub rollback alice-demo --to 4f2a9c1d --message "the new image lacks git"
    """
    who = actor()
    done = operate(
        frame, lambda operator: operator.rollback(name, to=to, message=message, actor=who)
    )
    if output == "json":
        click.echo(json.dumps({"id": name, "commit": done.commit, "url": done.url}))
    else:
        _tell(name, to, done)


def _tell(name: str, to: str, done: "Outcome") -> None:
    if done.url:
        click.echo(f"{name}: {done.url}")
        talk("it counts when it is merged")
    elif done.commit:
        click.echo(f"{name}: {done.commit}")
        talk(f"to wait for it: codehub wait --revision {done.commit[:SHORT]}")
    else:
        click.echo(f"{name}: its file is as at {to} already")
