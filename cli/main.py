"""The `codehub` command: its global options and the table of its subcommands."""

from pathlib import Path

import click

from cli.frame import Color, Frame, enter
from cli.lazy import Lazy, LazyGroup

SECTIONS = {
    "Files": {
        "validate": Lazy(
            "cli.commands.validate:validate",
            "Check workspace files, and those of owners and rules.",
        ),
        "preview": Lazy(
            "cli.commands.preview:preview",
            "Show what `up` would do, or what merging a branch would.",
        ),
        "render": Lazy(
            "cli.commands.render:render",
            "Show a workspace as it is with defaults and generator.",
        ),
        "review": Lazy(
            "cli.commands.review:review",
            "Tell a pull request on the forge what merging it would do.",
        ),
        "diff": Lazy(
            "cli.commands.diff:diff",
            "Show what a workspace's file says, what was applied, and what the engine has.",
        ),
        "up": Lazy("cli.commands.up:up", "Bring workspaces to what their files say."),
        "rollback": Lazy(
            "cli.commands.rollback:rollback",
            "Give a workspace's file the content that it had, also one that is gone.",
        ),
        "destroy": Lazy(
            "cli.commands.up:destroy",
            "Remove workspaces whose files are gone; their homes are kept.",
        ),
        "purge": Lazy(
            "cli.commands.purge:purge",
            "Remove the kept home of a removed workspace for good, now.",
        ),
        "adopt": Lazy(
            "cli.commands.adopt:adopt",
            "Give a home that was found again to the owner in its file, or take what is left of it.",
        ),
        "home": Lazy("cli.commands.home:home", "Decide on a workspace's home."),
        "index": Lazy("cli.commands.indexing:index", "Look after the state index."),
        "schema": Lazy(
            "cli.commands.schema:schema_",
            "Print the JSON Schema of workspace files, or of those beside them.",
        ),
    },
    "Workspaces": {
        "list": Lazy("cli.commands.listing:list_", "List workspaces and their addresses."),
        "status": Lazy("cli.commands.status:status", "Show phase and sync of workspaces."),
        "history": Lazy(
            "cli.commands.history:history",
            "Show how a workspace came to its phase: each change, newest last.",
        ),
        "wait": Lazy(
            "cli.commands.wait:wait",
            "Wait until a workspace is in a state, or a commit is applied.",
        ),
        "start": Lazy(
            "cli.commands.power:start", "Start workspaces and wait until their IDEs answer."
        ),
        "stop": Lazy("cli.commands.power:stop", "Stop workspaces; their homes are kept."),
        "retry": Lazy("cli.commands.retry:retry", "Try again now what failed."),
        "open": Lazy(
            "cli.commands.open:open_", "Print a workspace's address; open it in a browser."
        ),
        "logs": Lazy(
            "cli.commands.logs:logs",
            "Print what a workspace's container wrote, standard output and error together.",
        ),
        "exec": Lazy("cli.commands.exec:exec_", "Run a command in a running workspace."),
    },
    "Servers": {
        "run": Lazy("cli.commands.run:run", "Keep workspaces as their files say."),
        "pause": Lazy("cli.commands.pausing:pause", "Leave new commits of the repository alone."),
        "resume": Lazy(
            "cli.commands.pausing:resume", "Let new commits of the repository count again."
        ),
        "approve": Lazy(
            "cli.commands.approve:approve", "Allow what a commit does beyond its review."
        ),
        "gateway": Lazy("cli.commands.gateway:gateway", "Serve login, portal and workspaces."),
        "user": Lazy("cli.commands.user:user", "Manage who may log in."),
        "migrate": Lazy(
            "cli.commands.migrate:migrate",
            "Make or upgrade the tables of state index and store, and end.",
        ),
        "gc": Lazy("cli.commands.gc:gc", "List leftovers, and remove them."),
        "isolation": Lazy(
            "cli.commands.isolation:isolation",
            "See what workspaces can reach, and the rules that close it.",
        ),
        "notify": Lazy("cli.commands.notify:notify", "Try how notices get out."),
        "pulumi": Lazy("cli.commands.pulumi:pulumi", "Use plain Pulumi on workspaces' stacks."),
        "doctor": Lazy("cli.commands.doctor:doctor", "Say what this machine has and lacks."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings file (default: CODEHUB_CONFIG, else codehub.toml).",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto heeds NO_COLOR and TERM=dumb.",
)
@click.option("--verbose", is_flag=True, help="Show log lines, and tracebacks of errors.")
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _param, wanted: _print_version(ctx) if wanted else None,
    help="Print the version.",
)
@click.pass_context
def main(ctx: click.Context, *, config: Path | None, color: Color, verbose: bool) -> None:
    """Cloud development workspaces as code.

    A workspace is a YAML file. `codehub preview` shows what the files would change, `codehub up`
    makes it so, `codehub run` keeps it so.

    \b
    Exit codes: 0 done, 1 failed, 2 bad input or configuration, 130 interrupted.
    Data goes to standard output, talk to standard error.
    """
    ctx.obj = Frame(config=config, color=color, verbose=verbose)
    enter(ctx.obj)
    ctx.color = {"auto": None, "always": True, "never": False}[color]


def _print_version(ctx: click.Context) -> None:
    from cli.version import version

    click.echo(f"codehub {version()}")
    ctx.exit()
