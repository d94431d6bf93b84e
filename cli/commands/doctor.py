"""`codehub doctor`."""

from typing import TYPE_CHECKING

import click

from cli.failures import FAILED, InputError
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table, shown, styled, talk

if TYPE_CHECKING:
    from settings.model import GatewaySettings, RunnerSettings
    from spec import RuleFiles
    from tools.doctor import Check

FORGE_SECONDS = 10.0


@click.command()
@output_option("table", "json")
@pass_frame
@click.pass_context
def doctor(ctx: click.Context, frame: Frame, *, output: str) -> None:
    """Say what this machine has and lacks.

    It looks and changes nothing. Whatever is missing comes with the way to get it; the exit code
    is then 1. What keeps workspaces apart is tried, with two containers for two seconds, unless
    the last trial still holds.

    \b
    Examples:
      codehub doctor
      codehub doctor -o json | jq '.checks[] | select(.ok | not)'
    """
    from dataclasses import asdict

    from settings.model import GatewaySettings, RunnerSettings
    from tools.doctor import checks

    settings = frame.load(RunnerSettings)
    found = [
        *checks(settings, gateway=frame.load(GatewaySettings)),
        *_isolation(settings),
        _graces(settings),
        *_notices(settings),
        *_forge(settings),
        *_rules(settings),
        *_owners(settings, frame.load(GatewaySettings)),
        _runner(settings),
    ]
    if output == "json":
        print_json({"ok": all(one.ok for one in found), "checks": [asdict(one) for one in found]})
    else:
        _show(found)
    ctx.exit(0 if all(one.ok for one in found) else FAILED)


def _runner(settings: "RunnerSettings") -> "Check":
    """Who holds the data tree; nobody is fine too."""
    from stacks.lock import RunnerLock, read_holder
    from tools.doctor import Check

    path = settings.paths.runner_lock
    held = path.exists() and RunnerLock(path).is_held()
    return Check("runner", True, str(read_holder(path)) if held else "does not run: codehub run")


def _graces(settings: "RunnerSettings") -> "Check":
    """Whether homes can expire, and what is left of a removal that did not end."""
    from stacks.errors import LedgerError
    from stacks.graces import look
    from tools.doctor import Check

    found = look(settings.paths.graces)
    if not found.readable:
        return Check("graces", False, found.detail, LedgerError.default_remedy)
    if not found.torn:
        return Check("graces", True, found.detail)
    told = f"{found.detail}; partly removed: {', '.join(found.torn)}"
    return Check("graces", True, told, "`codehub purge ID` removes the rest of a home")


def _notices(settings: "RunnerSettings") -> "list[Check]":
    """Whether what is told elsewhere can be; nothing is sent."""
    from stacks.errors import StacksError
    from stacks.notices.sinks import idle, sinks
    from tools.doctor import Check

    found: list[Check] = []
    if unused := idle(settings):
        told = f"without effect: {', '.join(unused)}"
        remedy = (
            "set CODEHUB_NOTIFY_WEBHOOK_FILE, CODEHUB_NOTIFY_SMTP_URL for mail, or take them out"
        )
        found.append(Check("notices", False, told, remedy))
    for sink in sinks(settings):
        name = f"notices {sink.name}"
        try:
            found.append(Check(name, True, sink.check()))
        except StacksError as error:
            found.append(Check(name, False, error.message, error.remedy))
    return found


def _forge(settings: "RunnerSettings") -> "list[Check]":
    """Whether the forge answers, and knows the repository and the token; nothing is written."""
    import asyncio

    from forges.errors import ForgeError
    from settings.errors import SettingsError
    from tools.doctor import Check

    if settings.forge is None:
        return []
    try:
        told = asyncio.run(_asked_forge(settings))
    except InputError as error:
        return [Check("forge", False, str(error), error.hint)]
    except SettingsError as error:
        return [Check("forge", False, str(error), "see docs/how-to/connect-a-forge.md")]
    except ForgeError as error:
        return [Check("forge", False, error.message, error.hint)]
    except TimeoutError:
        told = f"no answer within {FORGE_SECONDS:g} s"
        return [Check("forge", False, told, "look whether this machine reaches it")]
    return [Check("forge", True, told)]


async def _asked_forge(settings: "RunnerSettings") -> str:
    import asyncio

    from cli.forge import opened

    forge = opened(settings)
    try:
        async with asyncio.timeout(FORGE_SECONDS):
            pulls = await forge.open_pulls(settings.repo_branch)
    finally:
        await forge.close()
    noun = "pull request" if len(pulls) == 1 else "pull requests"
    return f"{settings.forge} has {settings.forge_repository}: {len(pulls)} open {noun}"


def _rules(settings: "RunnerSettings") -> "list[Check]":
    """Whether the rules are known, where there are any, and what they no longer exempt."""
    from cli.rule_files import expired
    from tools.doctor import Check

    files = _rule_files(settings)
    if files is None or not files.any:
        return []
    if files.broken:
        told = "; ".join(map(str, files.problems))
        return [
            Check("rules", False, told, "mend it: nothing new or changed is applied until then")
        ]
    over = "; ".join(expired(files))
    remedy = "remove it from `_policies.yaml`" if over else ""
    return [Check("rules", True, over or "owners and rules are read", remedy)]


def _owners(settings: "RunnerSettings", gateway: "GatewaySettings") -> "list[Check]":
    """Whether everybody who may own workspaces can log in."""
    from gateway.errors import StoreUnavailableError
    from gateway.store import logins
    from tools.doctor import Check

    files = _rule_files(settings)
    if files is None or files.owners is None:
        return []
    people = files.owners.people
    try:
        names = people.keys() - logins(gateway)
    except StoreUnavailableError as error:
        return [Check("owners", False, str(error), "see `codehub user list`")]
    if not names:
        return [Check("owners", True, f"all {len(people)} have a login")]
    told = f"no login: {', '.join(sorted(names))}"
    return [Check("owners", True, told, "`codehub user add NAME` makes one")]


def _rule_files(settings: "RunnerSettings") -> "RuleFiles | None":
    from spec import SourceUnreadableError, read_rule_files

    try:
        return read_rule_files(settings.workspaces)
    except SourceUnreadableError:
        return None


def _isolation(settings: "RunnerSettings") -> "list[Check]":
    """What is not enforced on this engine, each gap by its name."""
    import asyncio

    from settings.types import Gap
    from stacks.errors import StacksError
    from stacks.isolation.check import known
    from stacks.isolation.remedies import REMEDIES
    from tools.doctor import Check

    name, allowed = "isolation", frozenset(settings.allow_unenforced)
    if allowed == frozenset(Gap):
        told = "neither enforced nor tried, as CODEHUB_ALLOW_UNENFORCED says"
        return [Check(name, True, told, "take `all` out of CODEHUB_ALLOW_UNENFORCED")]
    try:
        verdict = asyncio.run(known(settings))
    except StacksError as error:
        return [Check(name, False, error.message, error.remedy)]
    if verdict is None:
        return [Check(name, True, "no network of workspaces yet: codehub isolation check")]
    wrong = [
        Check(
            f"{name} {one.gap}", one.gap in allowed, f"{one.state}: {one.detail}", REMEDIES[one.gap]
        )
        for one in verdict.unenforced()
    ]
    told = ", ".join(f"{one.gap} {one.state}" for one in verdict.findings if one.enforced)
    return [*wrong, Check(name, True, told)] if told else wrong


def _state(one: "Check") -> str:
    if not one.ok:
        return "missing"
    return "warning" if one.remedy else "ok"


def _show(found: "list[Check]") -> None:
    print_table(
        ("CHECK", "STATE", "FOUND"),
        [(one.name, _state(one), one.detail) for one in found],
        {"ok": "green", "warning": "yellow", "missing": "bold red"},
    )
    wrong = [one for one in found if not one.ok or one.remedy]
    for one in wrong:
        click.echo(f"{styled(one.name, bold=True)}: {shown(one.remedy)}", err=True)
    if not wrong:
        talk("all is well")
