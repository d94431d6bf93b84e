"""GitHub, by its REST API: comments of a pull request are those of the issue of the same number."""

from collections.abc import AsyncIterator
from typing import Any

from forges import fields
from forges.base import OPEN_PAGE, BaseForge
from forges.forge import PullRequest, State
from forges.http import Answer
from forges.sticky import Comment

PAGE = 100


def comment_of(data: dict[str, Any]) -> Comment:
    """A comment as GitHub and Gitea tell it; its author may be gone."""
    author = fields.at(data, "user", "login")
    body = fields.at(data, "body")
    return Comment(
        fields.number(data, "id"),
        author if isinstance(author, str) else "",
        body if isinstance(body, str) else "",
    )


def pull_of(data: dict[str, Any]) -> PullRequest:
    """A pull request as GitHub and Gitea tell it.

    Raises:
        UnexpectedAnswerError: it lacks what every pull request has.
    """
    merged = fields.flag(data, "merged")
    head, base = fields.at(data, "head", "repo", "id"), fields.at(data, "base", "repo", "id")
    return PullRequest(
        number=fields.number(data, "number"),
        title=fields.text(data, "title"),
        author=fields.optional(data, "user", "login"),
        base_ref=fields.text(data, "base", "ref"),
        base_sha=fields.sha(data, "base", "sha"),
        head_ref=fields.text(data, "head", "ref"),
        head_sha=fields.sha(data, "head", "sha"),
        # Of a repository that was removed there is none: it was another one.
        from_fork=base is None or head != base,
        merged=merged,
        # Before, GitHub puts a commit here that was made to see whether it can be merged.
        merge_sha=fields.sha(data, "merge_commit_sha") if merged else None,
        url=fields.text(data, "html_url"),
        merged_by=fields.optional(data, "merged_by", "login") if merged else "",
        text=f"{fields.optional(data, 'title')}\n{fields.optional(data, 'body')}",
    )


class GitHub(BaseForge):
    """One repository on GitHub, or on a GitHub Enterprise Server."""

    comment_limit = 65_536
    description_limit = 140

    async def pull(self, number: int) -> PullRequest:
        """Read a pull request."""
        answer = await self._api.call("GET", self._path("pulls", number))
        return pull_of(fields.mapping(answer.data))

    async def _open_page(self, base: str, page: int) -> Answer:
        query = {"state": "open", "base": base, "sort": "updated", "direction": "desc"}
        told: dict[str, str | int] = {**query, "per_page": OPEN_PAGE, "page": page}
        return await self._api.call("GET", self._path("pulls"), query=told)

    def _listed(self, data: dict[str, Any]) -> PullRequest:
        # A list does not say whether one is merged; an open one is not.
        return pull_of({**data, "merged": False})

    async def _pulls_of(self, sha: str) -> list[int]:
        path = self._path("commits", sha, "pulls")
        answer = await self._api.call("GET", path, query={"per_page": PAGE})
        return [fields.number(one, "number") for one in fields.items(answer.data)]

    async def _pulls_from(self, base: str, head: str) -> list[int]:
        asked = {"state": "open", "base": base, "head": f"{self._names[0]}:{head}"}
        answer = await self._api.call("GET", self._path("pulls"), query={**asked, "per_page": PAGE})
        return [fields.number(one, "number") for one in fields.items(answer.data)]

    async def _set_status(
        self, sha: str, state: State, context: str, description: str, target_url: str
    ) -> None:
        body = {"state": state.value, "context": context, "description": description}
        if target_url:
            body["target_url"] = target_url
        await self._api.call("POST", self._path("statuses", sha), body=body, repeatable=True)

    async def _open(self, base: str, head: str, title: str, body: str) -> int:
        told = {"title": title, "head": head, "base": base, "body": body}
        answer = await self._api.call("POST", self._path("pulls"), body=told)
        return fields.number(answer.data, "number")

    async def _comments(self, pull: int) -> AsyncIterator[Comment]:
        path = self._path("issues", pull, "comments")
        async for page in self._pages(path, size_key="per_page", size=PAGE):
            for one in page:
                yield comment_of(one)

    async def _add_comment(self, pull: int, body: str) -> None:
        path = self._path("issues", pull, "comments")
        await self._api.call("POST", path, body={"body": body})

    async def _edit_comment(self, pull: int, comment: int, body: str) -> None:  # noqa: ARG002 - GitLab needs it
        path = self._path("issues", "comments", comment)
        await self._api.call("PATCH", path, body={"body": body})

    async def _remove_comment(self, pull: int, comment: int) -> None:  # noqa: ARG002 - GitLab needs it
        await self._api.call("DELETE", self._path("issues", "comments", comment))
