"""From what people write down to a forge: addresses, names of repositories, tokens."""

import pytest
from pydantic import SecretStr

from forges import errors
from forges.connect import connect
from forges.errors import CredentialsRefusedError, ForgeAddressError, ForgeError
from forges.forge import Kind

TOKEN = SecretStr("tok-0123456789-canary")


@pytest.mark.parametrize(
    ("kind", "url", "told"),
    [
        (Kind.GITHUB, "", "GitHub('acme/fleet', Api('https://api.github.com'))"),
        (Kind.GITHUB, "https://github.com/", "GitHub('acme/fleet', Api('https://api.github.com'))"),
        (Kind.GITHUB, "https://g.example", "GitHub('acme/fleet', Api('https://g.example/api/v3'))"),
        (Kind.GITLAB, "", "GitLab('acme/fleet', Api('https://gitlab.com/api/v4'))"),
        (
            Kind.GITEA,
            "https://t.example/git",
            "Gitea('acme/fleet', Api('https://t.example/git/api/v1'))",
        ),
    ],
)
async def test_addresses_are_those_of_the_pages(kind: Kind, url: str, told: str) -> None:
    forge = connect(kind, url=url, repository="acme/fleet", token=TOKEN)
    assert repr(forge) == told
    await forge.close()


def test_gitea_has_no_public_address() -> None:
    with pytest.raises(ForgeAddressError):
        connect(Kind.GITEA, repository="acme/fleet", token=TOKEN)


def test_plain_http_is_said_on_purpose() -> None:
    with pytest.raises(ForgeAddressError, match="plain http"):
        connect(Kind.GITEA, url="http://t.example", repository="acme/fleet", token=TOKEN)
    connect(Kind.GITEA, url="http://t.example", repository="a/b", token=TOKEN, allow_http=True)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "name",
    [
        "",
        "fleet",
        "acme/",
        "/fleet",
        "acme/..",
        "acme/.",
        "a b/c",
        "acme/fl%65et",
        "a/b?c",
        "-/--/\n",
    ],
)
def test_what_is_no_repository(kind: Kind, name: str) -> None:
    with pytest.raises(ForgeAddressError, match=r"owner/name|group/name"):
        connect(kind, url="https://forge.example", repository=name, token=TOKEN)


def test_only_gitlab_has_groups_in_groups() -> None:
    connect(Kind.GITLAB, repository="acme/sub/fleet", token=TOKEN)
    with pytest.raises(ForgeAddressError):
        connect(Kind.GITHUB, repository="acme/sub/fleet", token=TOKEN)


@pytest.mark.parametrize("token", ["", " \n", "two words", "a\r\nX-Other: b", "tök"])
def test_what_can_be_no_token(token: str) -> None:
    with pytest.raises(CredentialsRefusedError) as refused:
        connect(Kind.GITHUB, repository="acme/fleet", token=SecretStr(token))
    assert not token.strip() or token not in str(refused.value)


def test_every_error_has_a_code_of_its_own_and_stands_in_the_tree() -> None:
    found = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, ForgeError)
    ]
    assert len({one.code for one in found}) == len(found)
    assert all(f" {one.__name__} " in (errors.__doc__ or "") for one in found)


def test_an_error_tells_what_helps() -> None:
    assert str(ForgeError("it broke")) == "it broke"
    assert str(ForgeError("it broke", hint="mend it")) == "it broke; mend it"
