"""What the three forges have in common: who we are, the one comment, bounds, and names in paths."""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from forges import fields
from forges.errors import (
    CredentialsRefusedError,
    ForgeAddressError,
    ForgeNotFoundError,
    InputRefusedError,
    UnexpectedAnswerError,
)
from forges.forge import PullRequest, State
from forges.http import Answer, Api
from forges.markup import cut, one_line
from forges.sections import Name, Section, joined, written
from forges.sticky import Comment, ours, plan

MAX_PAGES = 100
"""Pages of comments that are looked through."""
MAX_PULLS = 20
"""Pull requests of one commit that are read."""
OPEN_PAGES = 2
"""Pages of open pull requests that are read."""
OPEN_PAGE = 50
"""Pull requests of one such page: more a Gitea does not give."""
MAX_TITLE = 255
_SEGMENT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")


class BaseForge(ABC):
    """The parts of `forges.forge.Forge` that do not differ.

    Attributes:
        comment_limit: Characters of a comment.
        description_limit: Characters of a status's description.
    """

    comment_limit: int
    description_limit: int

    def __init__(self, api: Api, repository: str, *, login: str = "") -> None:
        """Take the API of one repository.

        Args:
            api: where to ask.
            repository: its whole name, `owner/name`.
            login: our login there; empty to ask for it. A token of GitHub Actions can't ask.

        Raises:
            ForgeAddressError: this is no repository's name.
        """
        self._api = api
        self._names = self._split(repository)
        self._login = login

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'/'.join(self._names)!r}, {self._api!r})"

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    async def pulls_of_commit(self, sha: str) -> list[PullRequest]:
        """The pull requests by which a commit came into the repository; none where it was pushed."""
        numbers = await self._pulls_of(_checked_sha(sha))
        return [await self.pull(number) for number in numbers[:MAX_PULLS]]

    async def open_pulls(self, base: str) -> list[PullRequest]:
        """The open pull requests into a branch, the last touched first; no more than a hundred."""
        found: dict[int, PullRequest] = {}  # what moves to the next page meanwhile is told twice
        for page in range(1, OPEN_PAGES + 1):
            answer = await self._open_page(base, page)
            for one in self._readable(fields.items(answer.data)):
                if one.base_ref == base and not one.merged:
                    found.setdefault(one.number, one)
            if not has_next(answer):
                break
        return list(found.values())

    def _readable(self, listed: list[dict[str, Any]]) -> list[PullRequest]:
        """Read a list; one that is not as it should be is left out, as it must not hide the others.

        Raises:
            UnexpectedAnswerError: none of them is: this is no such list.
        """
        found: list[PullRequest] = []
        wrong: UnexpectedAnswerError | None = None
        for one in listed:
            try:
                found.append(self._listed(one))
            except UnexpectedAnswerError as error:
                wrong = error
        if wrong is not None and not found:
            raise wrong
        return found

    async def comment(self, pull: int, body: str, *, marker: str, section: Name, head: str) -> None:
        """Have a section of our one comment with this marker on a pull request say this."""
        _checked_number(pull)
        new = Section(section, _checked_sha(head), body)
        us = await self._us()
        found = ours([one async for one in self._comments(pull)], us=us, marker=marker)
        parts = joined((one.body for one in found), new)
        text = written(parts, marker=marker, limit=self.comment_limit)
        wanted = plan(found, text)
        if wanted.edit is None:
            await self._add_comment(pull, text)
        elif not wanted.same:
            await self._edit_comment(pull, wanted.edit, text)
        for one in wanted.remove:
            await self._remove_comment(pull, one)

    async def status(
        self, sha: str, state: State, *, context: str, description: str, target_url: str = ""
    ) -> None:
        """Set the status of a commit."""
        line = one_line(description, self.description_limit)
        await self._set_status(_checked_sha(sha), state, context, line, target_url)

    async def pull_of_branch(self, *, base: str, head: str) -> PullRequest | None:
        """The open pull request of a branch of this repository; None where there is none."""
        for number in (await self._pulls_from(base, head))[:MAX_PULLS]:
            found = await self.pull(number)
            # Forges leave out, or do not know, some of what was asked for.
            if (found.base_ref, found.head_ref) == (base, head) and not found.from_fork:
                return found
        return None

    async def open_pull(self, *, base: str, head: str, title: str, body: str) -> PullRequest:
        """Open a pull request of a branch of this repository."""
        text = cut(body, self.comment_limit)
        number = await self._open(base, head, one_line(title, MAX_TITLE), text)
        return await self.pull(number)

    @abstractmethod
    async def pull(self, number: int) -> PullRequest:
        """Read a pull request."""

    @abstractmethod
    async def _open_page(self, base: str, page: int) -> Answer: ...

    @abstractmethod
    def _listed(self, data: dict[str, Any]) -> PullRequest:
        """Read a pull request of a list of open ones, which may tell less of it."""

    @abstractmethod
    async def _pulls_of(self, sha: str) -> list[int]: ...

    @abstractmethod
    async def _pulls_from(self, base: str, head: str) -> list[int]: ...

    @abstractmethod
    async def _set_status(
        self, sha: str, state: State, context: str, description: str, target_url: str
    ) -> None: ...

    @abstractmethod
    async def _open(self, base: str, head: str, title: str, body: str) -> int: ...

    @abstractmethod
    def _comments(self, pull: int) -> AsyncIterator[Comment]: ...

    @abstractmethod
    async def _add_comment(self, pull: int, body: str) -> None: ...

    @abstractmethod
    async def _edit_comment(self, pull: int, comment: int, body: str) -> None: ...

    @abstractmethod
    async def _remove_comment(self, pull: int, comment: int) -> None: ...

    @staticmethod
    def _split(repository: str) -> tuple[str, ...]:
        """The parts of a repository's name: two, on GitHub and Gitea."""
        names = segments(repository)
        if len(names) != len(("owner", "name")):
            raise ForgeAddressError(f"not a repository: {repository[:80]!r}", hint=_NAMED_SO)
        return names

    def _path(self, *rest: object) -> str:
        """A path below the repository, its parts quoted."""
        parts = ("repos", *self._names, *rest)
        return "".join(f"/{quote(str(part), safe='')}" for part in parts)

    async def _us(self) -> str:
        if not self._login:
            try:
                answer = await self._api.call("GET", "/user")
            except (CredentialsRefusedError, ForgeNotFoundError) as error:
                error.hint = f"{error.hint}; or this token may not say whose it is: set the login"
                raise
            self._login = self._login_of(fields.mapping(answer.data))
        return self._login

    def _login_of(self, user: dict[str, Any]) -> str:
        return fields.text(user, "login")

    async def _pages(
        self, path: str, *, size_key: str, size: int
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages of a list, as long as the forge says that there is a further one.

        Raises:
            UnexpectedAnswerError: it never ends.
        """
        for page in range(1, MAX_PAGES + 1):
            answer = await self._api.call("GET", path, query={size_key: size, "page": page})
            yield fields.items(answer.data)
            if not has_next(answer):
                return
        raise UnexpectedAnswerError(f"a list of the forge's has more than {MAX_PAGES} pages")


_NAMED_SO = "it is named as in its address: owner/name"


def segments(repository: str) -> tuple[str, ...]:
    """The parts of a repository's name, each one harmless in a path.

    Raises:
        ForgeAddressError: one is not.
    """
    names = tuple(repository.split("/"))
    if not all(_SEGMENT.fullmatch(one) and one.strip(".") for one in names):
        raise ForgeAddressError(f"not a repository: {repository[:80]!r}", hint=_NAMED_SO)
    return names


def has_next(answer: Answer) -> bool:
    """Whether an answer says that there is a further page."""
    return 'rel="next"' in answer.headers.get("link", "")


def _checked_sha(sha: str) -> str:
    if not fields.SHA.fullmatch(sha):
        raise InputRefusedError(f"not the whole name of a commit: {sha[:80]!r}")
    return sha


def _checked_number(number: int) -> int:
    if number < 1:
        raise InputRefusedError(f"not the number of a pull request: {number}")
    return number
