"""The frame: help, version, global options, errors, exit codes, and how little is imported."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import cli as package
from cli.main import SECTIONS, main
from cli.reference import PAGE, page
from tests.cli import processes
from tests.cli.conftest import Cli

TABLE = {name: lazy for section in SECTIONS.values() for name, lazy in section.items()}
ROOMS = {
    "forges",
    "gateway",
    "policies",
    "settings",
    "spec",
    "stacks",
    "state_index",
    "telemetry",
    "tools",
}
HEAVY = ROOMS | {"pydantic", "rich", "sqlalchemy", "aiohttp", "litestar", "pulumi", "asyncio"}


def commands() -> dict[str, click.Command]:
    """Every command by its path, without the top."""
    found: dict[str, click.Command] = {}

    def walk(group: click.Group, path: str) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found[f"{path}{name}"] = command
            if isinstance(command, click.Group):
                walk(command, f"{path}{name} ")

    walk(main, "")
    return found


@pytest.mark.parametrize("name", TABLE)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(200) == TABLE[name].help


def test_every_command_has_words_and_every_top_one_an_example() -> None:
    for path, command in commands().items():
        assert command.help, path
        if " " not in path and path != "doctor":
            assert f"codehub {path}" in command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{path} {option.name}"


def test_the_help_lists_all_commands(cli: Cli) -> None:
    result = cli("--help")
    assert result.exit_code == 0
    for name, lazy in TABLE.items():
        assert f"  {name}" in result.stdout
        assert lazy.help.split(";")[0].rstrip(".") in " ".join(result.stdout.split())


def test_without_arguments_the_help_is_shown(cli: Cli) -> None:
    result = cli()
    assert result.exit_code == 2
    assert "Usage: codehub" in result.output


def test_every_help_works(cli: Cli) -> None:
    for path in commands():
        assert f"Usage: codehub {path}" in cli(*path.split(), "-h").stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(cli: Cli, flag: str) -> None:
    result = cli(flag)
    assert result.stdout.startswith("codehub 0.")


def test_the_page_is_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_writing_the_page_again_changes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.reference"],
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"{PAGE}\n"
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_misspelt_command_gets_the_nearest_one(cli: Cli) -> None:
    result = cli("valdate")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Did you mean 'validate'?" in result.stderr
    assert "hint: codehub --help" in result.stderr


def test_a_misspelt_option_names_the_command_s_help(cli: Cli) -> None:
    result = cli("validate", "--nope")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: no such option: --nope\n  hint: codehub validate --help\n"
    ) or result.stderr.startswith("error: no such option")


def test_wrong_settings_are_bad_input(cli: Cli) -> None:
    result = cli("status", env={"CODEHUB_PARALLEL": "many"})
    assert result.exit_code == 2
    assert result.stderr.startswith("error: 1 setting is wrong:\n  CODEHUB_PARALLEL: ")


def test_config_names_the_settings_file(cli: Cli, place: Path) -> None:
    (place / "other.toml").write_text('workspaces = "elsewhere"\n')
    result = cli("--config", "other.toml", "validate")
    assert result.exit_code == 2
    assert f"error: {place}/elsewhere: the folder does not exist" in result.stderr
    assert cli("--config", "missing.toml", "validate").exit_code == 2


@pytest.mark.parametrize(
    ("args", "env", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {}, False),
    ],
)
def test_colours_without_a_terminal(
    cli: Cli, args: tuple[str, ...], env: dict[str, str], coloured: bool
) -> None:
    result = cli(*args, "validate", "missing", env=env)
    assert ("\x1b[" in result.stderr) is coloured


@pytest.mark.parametrize(
    ("args", "env", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"TERM": "dumb"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {}, False),
    ],
)
def test_colours_at_a_terminal(
    place: Path, args: tuple[str, ...], env: dict[str, str], coloured: bool
) -> None:
    with processes.terminal(*args, "validate", "missing", env=env) as screen:
        assert screen.end() == 2
    assert ("\x1b[31m" in screen.shown) is coloured


def test_an_unexpected_error_is_one_line_and_verbose_has_the_traceback(place: Path) -> None:
    index = {"CODEHUB_INDEX_URL": "sqlite:////dev/null/x"}
    quiet = processes.run("status", env=index)
    assert "Traceback" not in quiet.stderr
    loud = processes.run("--verbose", "validate", "missing")
    assert "Traceback" in loud.stderr
    assert loud.stderr.rstrip().endswith("hint: make it, or name another")


def test_a_reader_that_went_away_ends_the_command_quietly(place: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [*processes.COMMAND, "schema"],
        env=processes.environment(),
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("args", [("--help",), ("-V",), ("status", "--help"), ("user", "--help")])
def test_help_imports_no_room_and_nothing_heavy(place: Path, args: tuple[str, ...]) -> None:
    program = (
        "import sys\nfrom cli.main import main\n"
        f"try: main({list(args)!r}, prog_name='codehub')\nexcept SystemExit: pass\n"
        f"sys.stderr.write(' '.join(set({sorted(HEAVY)!r}) & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=processes.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""


def test_modules_import_click_and_the_standard_library_only_at_their_top() -> None:
    allowed = sys.stdlib_module_names | {"click", "cli"}
    for path in Path(package.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= allowed, path
