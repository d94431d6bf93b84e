"""GitLab: a pull request is a merge request there, a comment a note, and a status says `failed`.

Written by its documentation, and not tried against a real GitLab: see docs/explanation/forges.md.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from forges import fields
from forges.base import OPEN_PAGE, BaseForge, segments
from forges.errors import ForgeAddressError, InputRefusedError, UnexpectedAnswerError
from forges.forge import PullRequest, State
from forges.http import Answer
from forges.sticky import Comment

PAGE = 20
"""Notes may have a million characters each."""
STATES = {
    State.PENDING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failed",
    State.ERROR: "failed",
}


def pull_of(data: dict[str, Any]) -> PullRequest:
    """A merge request.

    Raises:
        UnexpectedAnswerError: it lacks what every merge request has.
    """
    merged = fields.text(data, "state") == "merged"
    start = fields.at(data, "diff_refs", "start_sha")
    return PullRequest(
        number=fields.number(data, "iid"),
        title=fields.text(data, "title"),
        author=fields.optional(data, "author", "username"),
        base_ref=fields.text(data, "target_branch"),
        base_sha=None if start is None else fields.sha(data, "diff_refs", "start_sha"),
        head_ref=fields.text(data, "source_branch"),
        head_sha=fields.sha(data, "sha"),
        from_fork=fields.at(data, "source_project_id") != fields.number(data, "target_project_id"),
        merged=merged,
        merge_sha=_merge_sha(data) if merged else None,
        url=fields.text(data, "web_url"),
        merged_by=_merged_by(data) if merged else "",
        text=f"{fields.optional(data, 'title')}\n{fields.optional(data, 'description')}",
    )


def _merged_by(data: dict[str, Any]) -> str:
    """Who merged it: newer releases call it `merge_user`."""
    return fields.optional(data, "merge_user", "username") or fields.optional(
        data, "merged_by", "username"
    )


def _merge_sha(data: dict[str, Any]) -> str:
    """The commit of the merge; without one the squashed commit; without that the head was put on top."""
    for key in ("merge_commit_sha", "squash_commit_sha"):
        if fields.at(data, key) is not None:
            return fields.sha(data, key)
    return fields.sha(data, "sha")


class GitLab(BaseForge):
    """One project on a GitLab."""

    comment_limit = 1_000_000
    description_limit = 255

    @staticmethod
    def _split(repository: str) -> tuple[str, ...]:
        names = segments(repository)
        if len(names) < len(("group", "name")):
            raise ForgeAddressError(
                f"not a project: {repository[:80]!r}",
                hint="it is named as in its address: group/name",
            )
        return names

    def _path(self, *rest: object) -> str:
        # Groups may hold groups, and the whole name is one part of the path.
        parts = ("projects", "/".join(self._names), *rest)
        return "".join(f"/{quote(str(part), safe='')}" for part in parts)

    def _login_of(self, user: dict[str, Any]) -> str:
        return fields.text(user, "username")

    async def pull(self, number: int) -> PullRequest:
        """Read a merge request."""
        answer = await self._api.call("GET", self._path("merge_requests", number))
        return pull_of(fields.mapping(answer.data))

    async def _open_page(self, base: str, page: int) -> Answer:
        query = {"state": "opened", "target_branch": base, "order_by": "updated_at", "sort": "desc"}
        told: dict[str, str | int] = {**query, "per_page": OPEN_PAGE, "page": page}
        return await self._api.call("GET", self._path("merge_requests"), query=told)

    def _listed(self, data: dict[str, Any]) -> PullRequest:
        return pull_of(data)

    async def _pulls_of(self, sha: str) -> list[int]:
        path = self._path("repository", "commits", sha, "merge_requests")
        answer = await self._api.call("GET", path, query={"per_page": PAGE})
        return [fields.number(one, "iid") for one in fields.items(answer.data)]

    async def _pulls_from(self, base: str, head: str) -> list[int]:
        asked = {"state": "opened", "target_branch": base, "source_branch": head}
        path = self._path("merge_requests")
        answer = await self._api.call("GET", path, query={**asked, "per_page": PAGE})
        return [fields.number(one, "iid") for one in fields.items(answer.data)]

    async def _set_status(
        self, sha: str, state: State, context: str, description: str, target_url: str
    ) -> None:
        body = {"state": STATES[state], "name": context, "description": description}
        if target_url:
            body["target_url"] = target_url
        try:
            await self._api.call("POST", self._path("statuses", sha), body=body, repeatable=True)
        except InputRefusedError as error:
            # It refuses to make a status what it is.
            if f"from :{STATES[state]}" not in error.message:
                raise

    async def _open(self, base: str, head: str, title: str, body: str) -> int:
        told = {"source_branch": head, "target_branch": base, "title": title, "description": body}
        answer = await self._api.call("POST", self._path("merge_requests"), body=told)
        return fields.number(answer.data, "iid")

    async def _comments(self, pull: int) -> AsyncIterator[Comment]:
        path = self._path("merge_requests", pull, "notes")
        async for page in self._pages(path, size_key="per_page", size=PAGE):
            for one in page:
                author, body = fields.at(one, "author", "username"), fields.at(one, "body")
                if not isinstance(body, str):
                    raise UnexpectedAnswerError("a note without a text")
                name = author if isinstance(author, str) else ""
                yield Comment(fields.number(one, "id"), name, body)

    async def _add_comment(self, pull: int, body: str) -> None:
        path = self._path("merge_requests", pull, "notes")
        await self._api.call("POST", path, body={"body": body})

    async def _edit_comment(self, pull: int, comment: int, body: str) -> None:
        path = self._path("merge_requests", pull, "notes", comment)
        await self._api.call("PUT", path, body={"body": body})

    async def _remove_comment(self, pull: int, comment: int) -> None:
        await self._api.call("DELETE", self._path("merge_requests", pull, "notes", comment))
