"""`codehub user ...`. Passwords come from a prompt, standard input or CODEHUB_PASSWORD, never argv."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.failures import InputError
from cli.frame import Frame, pass_frame
from cli.output import output_option, print_json, print_table, talk

if TYPE_CHECKING:
    from gateway.store import Store, User

F = TypeVar("F", bound=Callable[..., Any])

VARIABLE = "CODEHUB_PASSWORD"


@click.group()
def user() -> None:
    """Manage who may log in.

    \b
    Examples:
      codehub user add alice --admin
      codehub user add bob --generate
      codehub user passwd alice --password-stdin < secret
      codehub user list -o json
    """


def _password_options(command: F) -> F:
    stdin = click.option(
        "--password-stdin", is_flag=True, help="Read the password from standard input."
    )
    generate = click.option(
        "--generate", is_flag=True, help="Make a password and print it on standard output."
    )
    return stdin(generate(command))


@user.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="Sees everybody's workspaces.")
@_password_options
@pass_frame
def add(frame: Frame, *, name: str, admin: bool, password_stdin: bool, generate: bool) -> None:
    """Add a user.

    The password comes from a prompt, from CODEHUB_PASSWORD or from standard input.
    """
    with _store(frame) as store:
        password = _password(frame, stdin=password_stdin, generate=generate)
        store.users.add(name, password, admin=admin)
    _done(f"user {name} added", password if generate else "")


@user.command()
@click.argument("name")
@_password_options
@pass_frame
def passwd(frame: Frame, *, name: str, password_stdin: bool, generate: bool) -> None:
    """Set a user's password and end the user's sessions."""
    with _store(frame) as store:
        password = _password(frame, stdin=password_stdin, generate=generate)
        store.users.passwd(name, password)
    _done(f"password of {name} changed", password if generate else "")


@user.command("list")
@output_option("table", "json")
@pass_frame
def list_(frame: Frame, *, output: str) -> None:
    """List users."""
    with _store(frame) as store:
        users = store.users.list()
    if output == "json":
        print_json({"users": [_plain(one) for one in users]})
        return
    rows = [
        (
            one.name,
            "admin" if one.admin else "user",
            "disabled" if one.disabled else "active",
            one.created.strftime("%Y-%m-%d"),
        )
        for one in users
    ]
    print_table(("NAME", "ROLE", "STATE", "CREATED"), rows, {"disabled": "red"})


@user.command()
@click.argument("name")
@pass_frame
def disable(frame: Frame, *, name: str) -> None:
    """Keep a user from logging in and end the user's sessions; workspaces stay."""
    with _store(frame) as store:
        store.users.disable(name)
    _done(f"user {name} disabled")


@user.command()
@click.argument("name")
@pass_frame
def enable(frame: Frame, *, name: str) -> None:
    """Let a disabled user log in again."""
    with _store(frame) as store:
        store.users.enable(name)
    _done(f"user {name} enabled")


def _store(frame: Frame) -> "Store":
    from gateway.store import open_store
    from settings.model import GatewaySettings

    settings = frame.load(GatewaySettings)
    frame.configure_logs(settings)
    settings.paths.make()
    return open_store(settings)


def _password(frame: Frame, *, stdin: bool, generate: bool) -> str:
    if generate:
        from gateway.store import generate_password

        return generate_password()
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if password := frame.env.get(VARIABLE):
        return password
    if not sys.stdin.isatty():
        raise InputError(
            "no password given", hint=f"use --password-stdin, --generate or {VARIABLE}"
        )
    prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return prompted


def _done(message: str, generated: str = "") -> None:
    talk(message)
    if generated:
        click.echo(generated)


def _plain(one: "User") -> dict[str, object]:
    return {
        "name": one.name,
        "admin": one.admin,
        "disabled": one.disabled,
        "created": one.created.isoformat(),
    }
