"""Gitea and Forgejo, whose API is like GitHub's, with few differences."""

from collections.abc import AsyncIterator
from dataclasses import replace

from forges import fields
from forges.base import OPEN_PAGE
from forges.errors import ForgeNotFoundError
from forges.forge import PullRequest
from forges.github import GitHub, comment_of
from forges.http import Answer
from forges.sticky import Comment


class Gitea(GitHub):
    """One repository on a Gitea or a Forgejo."""

    # It has no limit that it tells; more than this nobody reads.
    comment_limit = 65_536
    description_limit = 255

    async def pulls_of_commit(self, sha: str) -> list[PullRequest]:
        """The pull requests by which a commit came; who merged one is told where that is known.

        A repository that takes pushes for merges names the author of the pushed commit, which is
        whatever the one who pushed wrote into it.
        """
        found = await super().pulls_of_commit(sha)
        if any(each.merged_by for each in found) and await self._takes_pushes_for_merges():
            return [replace(each, merged_by="") for each in found]
        return found

    async def _takes_pushes_for_merges(self) -> bool:
        answer = await self._api.call("GET", self._path())
        return fields.mapping(answer.data).get("autodetect_manual_merge") is not False

    async def _comments(self, pull: int) -> AsyncIterator[Comment]:
        # Of a pull request that is not there, the list of comments is a failure of the server (500).
        await self.pull(pull)
        # All of them at once: here, this list has no pages.
        answer = await self._api.call("GET", self._path("issues", pull, "comments"))
        for one in fields.items(answer.data):
            yield comment_of(one)

    async def _open_page(self, base: str, page: int) -> Answer:
        query = {"state": "open", "base_branch": base, "sort": "recentupdate"}
        told: dict[str, str | int] = {**query, "limit": OPEN_PAGE, "page": page}
        return await self._api.call("GET", self._path("pulls"), query=told)

    async def _pulls_of(self, sha: str) -> list[int]:
        try:
            answer = await self._api.call("GET", self._path("commits", sha, "pull"))
        except ForgeNotFoundError:
            return []
        return [fields.number(answer.data, "number")]

    async def _pulls_from(self, base: str, head: str) -> list[int]:
        # Its list can't be asked for a branch; this tells the newest one, also one that is closed.
        try:
            answer = await self._api.call("GET", self._path("pulls", base, head))
        except ForgeNotFoundError:
            return []
        found = fields.mapping(answer.data)
        return [fields.number(found, "number")] if fields.text(found, "state") == "open" else []
