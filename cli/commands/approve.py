"""`codehub approve`."""

from typing import TYPE_CHECKING

import click

from cli import index
from cli.actor import login
from cli.failures import CliError, InputError
from cli.frame import Frame, pass_frame
from cli.output import talk

if TYPE_CHECKING:
    from settings.model import RunnerSettings
    from state_index.index import Index
    from state_index.reviews import Held

SHORTEST = 7
"""Characters of a commit; fewer name it by chance."""
LONGEST_WHY = 500


@click.command()
@click.argument("commit")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--why", required=True, metavar="TEXT", help="Why, for the record.")
@pass_frame
def approve(frame: Frame, *, commit: str, names: tuple[str, ...], why: str) -> None:
    """Allow what a commit does beyond its review.

    A commit that does more to a workspace than the reviews of its pull requests said is held back for
    that workspace. This lets it go on, for the workspaces that are named, or for all that the commit is
    held for. You are who the system says you are, and must be an approver or an admin of `_owners.yaml`
    as it was before the commit. That works too while the forge does not answer. What is approved is what happens to each workspace: should another commit
    do something else to it, that waits again.

    \b
    Examples:
      codehub approve 3f2a9c1 --why "bob left, his workspaces go"
      codehub approve 3f2a9c1 alice-api --why "agreed in the team meeting"
    """
    from settings.model import RunnerSettings

    settings = frame.load(RunnerSettings)
    frame.configure_logs(settings)
    if not why.strip() or len(why) > LONGEST_WHY:
        raise InputError(f"--why takes a reason of at most {LONGEST_WHY} characters")
    if not index.published_here(settings):
        raise CliError(index.none_yet(settings))
    _approve(settings, commit.lower(), names, why.strip())


def _approve(settings: "RunnerSettings", commit: str, names: tuple[str, ...], why: str) -> None:
    from state_index.index import Index
    from state_index.nudge import send
    from state_index.repository import LISTENER
    from state_index.reviews import Approval

    with Index.open(settings.index_url) as opened:
        wanted = _meant(opened, commit, names)
        who = f"cli:{login()}"
        _check(settings, who, wanted)
        for held in wanted:
            opened.reviews.approve(
                Approval(
                    commit=held.commit,
                    workspace_id=held.workspace_id,
                    hash=held.hash,
                    who=who,
                    why=why,
                )
            )
            unheard = ", though the forge did not say yet whether it was reviewed"
            talk(f"{held.workspace_id}: approved by {who}{unheard if held.passing else ''}")
        # A runner on another machine hears of it by this, and of the nudge only here.
        opened.repository.ask()
    send(settings.paths.nudge, LISTENER)


def _meant(opened: "Index", commit: str, names: tuple[str, ...]) -> "list[Held]":
    """Give what is held back by a commit, and meant.

    Raises:
        InputError: this can be no commit.
        CliError: nothing of it is held.
    """
    if len(commit) < SHORTEST or not all(char in "0123456789abcdef" for char in commit):
        raise InputError(f"a commit of {SHORTEST} digits or more is wanted, such as 3f2a9c1")
    held = {each.workspace_id: each for each in opened.reviews.holds()}
    mine = {id_: each for id_, each in held.items() if each.commit.startswith(commit)}
    if not mine:
        others = ", ".join(sorted({each.commit[:12] for each in held.values()}))
        hint = f"held back is what these do: {others}" if others else "nothing is held back"
        raise CliError(f"nothing that {commit[:12]} does is held back", hint=hint)
    for name in names:
        if name not in mine:
            hint = f"held back: {', '.join(mine)}"
            raise CliError(f"{name} is not held back for {commit[:12]}", hint=hint)
    return [each for id_, each in mine.items() if not names or id_ in names]


def _check(settings: "RunnerSettings", who: str, wanted: "list[Held]") -> None:
    """Refuse whom the files of owners do not let approve; the runner asks them again.

    Raises:
        CliError: this one may not.
    """
    from stacks.git.command import Git
    from stacks.pulls.approving import refusal
    from stacks.pulls.fleets import Fleets

    fleets = Fleets(Git(folder=settings.paths.mirror, bare=True), settings.repo_path)
    for held in wanted:
        if told := refusal(fleets, who, held):
            hint = (
                "an approver is named in `_owners.yaml`, or it comes by a pull request that says it"
            )
            raise CliError(told, hint=hint)
