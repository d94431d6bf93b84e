"""The settings of the git repository that `codehub run --repo` follows; part of `RunnerSettings`.

Only fields and what is wrong with one by itself: files are read, and the repository asked, by the
runner.
"""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, field_validator
from pydantic_core import PydanticCustomError

from settings.types import UNQUOTING, Duration, Place, setting

_SCHEMES = ("https", "http", "ssh", "file")
_SCP = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^\s:-][^\s]*")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|[0-9a-f:.]+", re.IGNORECASE)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@=-]*")
_NO_REF = re.compile(r"\.\.|//|@\{|\.lock(/|$)|[./]$|/\.")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class RepositorySettings(BaseModel):
    """Which repository is followed, and how."""

    repo: str | None = setting(
        None,
        description="Git repository of the workspace files; without it a folder of this machine is read. It holds no password or token: these are in files.",
        why="A folder needs no server; a repository has review, history and authors.",
        example="https://git.example.org/team/workspaces.git",
        unit="URL",
        shown="none: the folder of `workspaces` is read",
        secret=True,
    )
    repo_branch: str = setting(
        "main",
        description="The branch that is followed.",
        why="What most repositories call the branch that is reviewed.",
        example="production",
        max_length=200,
    )
    repo_path: str = setting(
        "workspaces.d",
        description="Folder of the workspace files within the repository; `.` for its top.",
        why="The same name as the folder beside the code.",
        example="environments/production",
        max_length=1000,
    )
    repo_poll: Duration = setting(
        60.0,
        description="How often the repository is asked for new commits, a tenth more or less by chance; webhooks have it looked at at once.",
        why="Covers a webhook that was lost, and costs the forge one small call.",
        example="5m",
        unit="duration",
        ge=1,
        le=86400,
    )
    repo_timeout: Duration = setting(
        120.0,
        description="How long one fetch may take before it is ended.",
        why="A first copy of a large repository takes a minute; this bounds a server that hangs.",
        example="10m",
        unit="duration",
        gt=0,
        le=86400,
    )
    repo_token_file: Place | None = setting(
        None,
        description="File with the token or password for an https repository; nobody else may read it. It is read before each fetch.",
        why="A file is in no argument list, no URL and no log, and can be renewed.",
        example="/run/secrets/codehub-token",
        unit="path",
        shown="none: nobody logs in",
    )
    repo_user: str = setting(
        "x-access-token",
        description="User name that the token is sent with.",
        why="GitHub wants this one for tokens of apps; GitHub, GitLab and Gitea take any for others.",
        example="oauth2",
        pattern=r"^[A-Za-z0-9_.@+-]{1,128}$",
    )
    repo_auth: Literal["basic", "bearer"] = setting(
        "basic",
        description="How the token is sent: as a password, or as a bearer token.",
        why="What GitHub, GitLab and Gitea want from git.",
        example="bearer",
    )
    repo_key_file: Place | None = setting(
        None,
        description="File with the private key for an ssh repository, without a passphrase; nobody else may read it.",
        why="Only this key is offered: no agent and no configuration of the user takes part.",
        example="/run/secrets/codehub-key",
        unit="path",
        shown="none",
    )
    repo_known_hosts: Place | None = setting(
        None,
        description="File with the host keys of an ssh repository, as `ssh-keyscan` prints them. It is required: a host that is not in it is not talked to.",
        why="Whoever could pose as the server would say which workspaces exist.",
        example="/etc/codehub/known_hosts",
        unit="path",
        shown="none",
    )
    repo_prune: bool = setting(
        default=True,
        description="Whether a commit that removes a file removes its workspace, within the cap; its home is kept.",
        why="A commit was made and reviewed by somebody, unlike a folder that a slip emptied.",
        example="false",
    )
    repo_applier: Literal["daemon", "ci"] = setting(
        "daemon",
        description="Who says which commit counts: `daemon`, the branch as the runner fetches it; `ci`, a job that asks for one of the branch's by `codehub up --revision`.",
        why="A merge is applied with nothing else to keep running; `ci` is for who wants a pipeline's steps and approvals in between.",
        example="ci",
    )

    @property
    def applies_asked(self) -> bool:
        """Whether a commit counts only once someone asked for it."""
        return self.repo_applier == "ci"

    repo_edits: Literal["off", "commit", "pull"] = setting(
        "commit",
        description="What becomes of a file that is edited in the portal or rolled back: a commit on the branch, a pull request, or nothing. `off` and `commit` hold for a folder too, in which the file is written.",
        why="Whoever may edit a file there sees it take effect; where every change is reviewed, `pull`.",
        example="pull",
    )
    repo_author_domain: str = setting(
        "users.codehub.invalid",
        description="What follows the @ in the address of a commit's author; before it comes the user's name.",
        why="A domain that can't exist: no mailbox, and no account at a forge, is taken for the author's.",
        example="users.example.org",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*$",
        max_length=200,
    )
    reviews: Literal["off", "files", "live"] = setting(
        "live",
        description="What the runner writes into each open pull request of its branch, where a forge is set: nothing, what the files say, or also what is there now.",
        why="Who reviews sees what happens to what runs, and not only what a file asks for.",
        example="files",
        unit="`off`, `files` or `live`",
    )
    review_bound: Literal["off", "reviewed", "all"] = setting(
        "all",
        description="What a commit may do to what stands: anything; no more than the reviews of its pull requests said; or that, and nothing harmful where it came by no pull request. More waits for `codehub approve`. Without a forge, or with `reviews = off`, nothing is bound.",
        why="A merge may do more than its reviewers saw, as when the branch moved on meanwhile.",
        example="reviewed",
        unit="`off`, `reviewed` or `all`",
    )

    @field_validator("repo")
    @classmethod
    def _repository(cls, value: str | None) -> str | None:
        if value is not None and (wrong := wrong_address(value)):
            raise PydanticCustomError(UNQUOTING, wrong)
        return value

    @field_validator("repo_branch")
    @classmethod
    def _branch_name(cls, value: str) -> str:
        if not _BRANCH.fullmatch(value) or _NO_REF.search(value):
            raise ValueError("not a branch's name")
        return value

    @field_validator("repo_path")
    @classmethod
    def _folder(cls, value: str) -> str:
        parts = [part for part in value.split("/") if part not in {"", "."}]
        if ".." in parts or not value.isprintable() or value.startswith("/"):
            raise ValueError("a folder within the repository is wanted")
        return "/".join(parts)


def wrong_address(url: str) -> str:
    """Say what is wrong with a repository's URL, "" for nothing; the URL is not quoted."""
    if not url.isprintable() or any(char.isspace() for char in url) or url.startswith("-"):
        return "an address without spaces is wanted"
    if "://" not in url:
        return "" if _SCP.fullmatch(url) else _WANTED
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return _WANTED
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        return "no user or password in the URL: put the token into a file (repo_token_file)"
    return "" if _is_whole(parts) else _WANTED


def _is_whole(parts: SplitResult) -> bool:
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:
        return False
    host, user = parts.hostname or "", parts.username
    if parts.scheme == "file":
        return not host and bool(parts.path)
    return bool(_HOST.fullmatch(host)) and (user is None or bool(_USER.fullmatch(user)))


def is_here(url: str) -> bool:
    """Whether a URL's host is this machine."""
    return (urlsplit(url).hostname or "") in _LOCAL


def sends_in_clear(url: str) -> bool:
    """Whether what is sent to it can be read on the way."""
    return urlsplit(url).scheme == "http" and not is_here(url)


_WANTED = "https://..., ssh://..., user@host:path or file:///... is wanted"
