"""Pull requests of edits: the one of an edit's branch, found or opened, at the forge of the settings.

The only part of this package that talks to a forge. A forge's errors become ours: whether trying
again may help is what matters here.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol

from settings.forge import ForgeFields
from stacks.edits import words
from stacks.edits.model import Outcome
from stacks.errors import GitError, PushRefusedError
from stacks.forge import connected
from state_index.edits import Edit

if TYPE_CHECKING:
    from forges.forge import Forge, PullRequest


class Pulls(Protocol):
    """What opens pull requests."""

    async def find(self, *, base: str, head: str) -> Outcome | None:
        """Give the open pull request of a branch; None where there is none.

        Args:
            base: The branch that it is to be merged into.
            head: The branch.

        Raises:
            PushRefusedError: The forge refuses, or can't be asked as it is set.
            GitError: The forge does not answer now.
        """

    async def open(self, edit: Edit, *, base: str, head: str) -> Outcome:
        """Open one for an edit, or find the one there is; args and errors as `find`."""


class ForgePulls:
    """Pull requests at the forge of the settings."""

    def __init__(self, settings: ForgeFields) -> None:
        """Prepare; nothing is asked.

        Args:
            settings: Name the forge, the repository and the token's file.
        """
        self._settings = settings

    async def find(self, *, base: str, head: str) -> Outcome | None:
        """Give the open pull request of a branch; see `Pulls`."""
        async with self._forge() as forge:
            found = await forge.pull_of_branch(base=base, head=head)
        return None if found is None else _outcome(found)

    async def open(self, edit: Edit, *, base: str, head: str) -> Outcome:
        """Open one for an edit; see `Pulls`."""
        async with self._forge() as forge:
            found = await forge.pull_of_branch(base=base, head=head)
            if found is None:
                title = words.title(edit).capitalize()
                body = _body(edit)
                found = await forge.open_pull(base=base, head=head, title=title, body=body)
        return _outcome(found)

    @asynccontextmanager
    async def _forge(self) -> AsyncIterator["Forge"]:
        with _translated():
            forge = connected(self._settings)
            try:
                yield forge
            finally:
                await forge.close()


def of_settings(settings: ForgeFields) -> ForgePulls | None:
    """Give what opens pull requests; None where no forge is set."""
    if not (settings.forge and settings.forge_repository and settings.forge_token_file):
        return None
    return ForgePulls(settings)


def _outcome(found: "PullRequest") -> Outcome:
    return Outcome(commit=found.head_sha, url=found.url)


def _body(edit: Edit) -> str:
    from forges.markup import block, code  # noqa: PLC0415

    said = words.quoted(edit.message)
    told = f"{code(words.name_of(edit.actor))} asks for this change of {code(edit.workspace_id)}."
    return f"{told}\n\n{block(said)}\n" if said else f"{told}\n"


@contextmanager
def _translated() -> Iterator[None]:
    from forges.errors import ForgeError, ForgeUnreachableError, RateLimitedError  # noqa: PLC0415
    from settings.errors import SettingsError  # noqa: PLC0415

    try:
        yield
    except RateLimitedError as error:
        failed = GitError(error.message, step="pull request", remedy=error.hint)
        failed.delay = error.retry_after
        raise failed from None
    except ForgeUnreachableError as error:
        raise GitError(error.message, step="pull request", remedy=error.hint) from None
    except ForgeError as error:
        told = f"the forge refuses the pull request: {error.message}"
        raise PushRefusedError(told, step="pull request", remedy=error.hint) from None
    except SettingsError as error:
        raise PushRefusedError(f"the forge can't be asked: {error}", step="pull request") from None
