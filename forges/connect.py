"""From a forge's kind and address, as people write them, to the forge."""

import asyncio
from urllib.parse import urlsplit

from pydantic import SecretStr

from forges.errors import CredentialsRefusedError
from forges.forge import Forge, Kind
from forges.gitea import Gitea
from forges.github import GitHub
from forges.gitlab import GitLab
from forges.http import Access, Api, Sleep, check_address
from forges.patience import Patience

DEFAULT_URLS = {Kind.GITHUB: "https://github.com", Kind.GITLAB: "https://gitlab.com"}


def connect(
    kind: Kind,
    *,
    repository: str,
    token: SecretStr,
    url: str = "",
    login: str = "",
    allow_http: bool = False,
    patience: Patience | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Forge:
    """One repository on a forge; nothing is sent yet. Close it at the end.

    Args:
        kind: which forge.
        repository: its whole name, as in its address: `owner/name`.
        token: the secret.
        url: where its pages are; without it the public one, which Gitea has not.
        login: our login there, where the token can't ask for it.
        allow_http: whether the token may go over plain http to another machine.
        patience: how often and how long to wait.
        sleep: waits.

    Raises:
        ForgeAddressError: address or repository can't be used.
        CredentialsRefusedError: this can't be a token.
    """
    page = check_address(url or DEFAULT_URLS.get(kind, ""), allow_http=allow_http)
    access = _access(kind, page, _checked(token))
    api = Api(access, patience=patience, sleep=sleep)
    made = {Kind.GITHUB: GitHub, Kind.GITEA: Gitea, Kind.GITLAB: GitLab}[kind]
    return made(api, repository, login=login)


def _access(kind: Kind, page: str, token: SecretStr) -> Access:
    if kind is Kind.GITLAB:
        return Access(url=f"{page}/api/v4", token=token, header="PRIVATE-TOKEN")
    if kind is Kind.GITEA:
        url = f"{page}/api/v1"
        return Access(url=url, token=token, header="Authorization", scheme="token ")
    public = urlsplit(page).hostname in {"github.com", "www.github.com", "api.github.com"}
    return Access(
        url="https://api.github.com" if public else f"{page}/api/v3",
        token=token,
        header="Authorization",
        scheme="Bearer ",
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    )


def _checked(token: SecretStr) -> SecretStr:
    """The token without what editors put behind it; else it could end the header that carries it."""
    secret = token.get_secret_value().strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise CredentialsRefusedError(
            "the token is empty, or holds what no token does", hint="look into its file"
        )
    return SecretStr(secret)
