"""The settings of the forge that holds the repository: which one, whose token, which secret of its webhooks.

Secrets are in files, so that they are in no environment and in no process list; `read_secret` reads one.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, SecretStr

from settings.common import Settings
from settings.errors import SecretFileError, SettingsError, WrongSetting
from settings.secret_files import read_line
from settings.types import Place, setting

MAX_SECRET = 16 << 10
"""Bytes of a file with a secret."""


class ForgeFields(BaseModel):
    """Fields for the processes that talk to a forge."""

    forge: Literal["github", "gitea", "gitlab"] | None = setting(
        None,
        description="The forge that gets comments and statuses, and whose webhooks count; Forgejo is a gitea.",
        why="Everything but pull requests works with git alone.",
        example="github",
        unit="`github`, `gitea` or `gitlab`",
        shown="none",
    )
    forge_url: str = setting(
        "",
        description="Where the forge's pages are.",
        why="GitHub and GitLab have a public one each; a Gitea has to be named.",
        example="https://git.example.org",
        unit="URL",
        shown="`https://github.com` or `https://gitlab.com`",
        pattern=r"^(https?://[^\s@?#]+)?$",
    )
    forge_repository: str = setting(
        "",
        description="The repository's whole name, as in its address: owner and name; on GitLab with all groups.",
        why="One repository holds the workspaces of one CodeHub.",
        example="acme/workspaces",
        shown="none",
        pattern=r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+)?$",
    )
    forge_token_file: Place | None = setting(
        None,
        description="File that holds the token, and nothing else.",
        why="A file has an owner and a mode; a variable is inherited.",
        example="/etc/codehub/forge-token",
        unit="path",
        shown="none",
    )
    forge_login: str = setting(
        "",
        description="Whose comments are ours, where the token can't ask: GitHub Actions' own is `github-actions[bot]`.",
        why="Tokens of people and of service accounts can ask.",
        example="github-actions[bot]",
        unit="login",
        shown="who the forge says that the token belongs to",
        pattern=r"^[A-Za-z0-9_.-]*(\[bot\])?$",
    )
    forge_webhook_secret_file: Place | None = setting(
        None,
        description="File that holds the secret which the forge signs its webhooks with; on GitLab a signing token (`whsec_...`) or an older secret token.",
        why="Without it no webhook is believed, and changes are found by looking.",
        example="/etc/codehub/webhook-secret",
        unit="path",
        shown="none",
    )


class ForgeSettings(ForgeFields, Settings):
    """What every process that talks to the forge needs besides."""

    title: ClassVar[str] = "Forge"


def read_secret(path: Path, *, setting_name: str) -> SecretStr:
    """What a file with a secret holds, without what editors put around it.

    Args:
        path: the file.
        setting_name: the setting that names it, for the error.

    Raises:
        SettingsError: there is none, others may read it, or it is not one line of a secret's length.
    """
    try:
        return SecretStr(read_line(path, most=MAX_SECRET))
    except SecretFileError as error:
        remedy = f": {error.remedy}" if error.remedy else ""
        raise _wrong(setting_name, f"{error.message}{remedy}") from None


def _wrong(name: str, problem: str) -> SettingsError:
    return SettingsError([WrongSetting(name=name, problem=problem, example="")])
