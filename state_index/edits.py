"""Edits: changes of workspace files that users ask for, and what came of them.

A gateway adds a row, the runner takes it, writes to the repository (or the folder) and ends it; what
may be written is decided in `stacks.edits`, not here. Of each workspace one edit at most is open or
taken, held by an index of the database, so that of two who press at once one is told to wait; and of
each user a few, since the runner makes one after the other.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from state_index import pruning
from state_index.database import hold
from state_index.errors import EditsManyError, EditWaitsError, UnknownOperationError
from state_index.schema import edits
from state_index.transactions import Shared
from state_index.words import storable

EditAction = Literal["create", "change", "delete", "rollback"]
EditStatus = Literal["open", "taken", "done", "failed"]

OUTCOME = frozenset({"status", "code", "error", "commit", "url"})
"""Columns that the runner alone writes; the database fills them in before."""

MOST_LIVE = 5
"""Edits of one user that are open or taken at once; each takes the runner about a second."""

_ID_MAX = 64

_LIVE = edits.c.status.in_(("open", "taken"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A user's request to change one workspace file, an operation that can be followed by its id.

    Attributes:
        id: the operation id (uuid4, hex).
        workspace_id: whose file; it need not be published, or not yet.
        action: what the user did; decides words and checks, never what is written.
        actor: who asked, a login of the gateway or of the machine.
        base: the git blob of the file that the user saw; "" when they saw none.
        text: the whole new file; None to remove it.
        message: what the user says about it, for the commit; foreign text.
        admin: whether whoever took the request knows the actor as an admin: counts where no file in git
            says who may edit what.
        request_id: the request that brought it.
        created_at: when it was asked.
        status: open (nobody took it), taken (the runner works on it), done, failed.
        code: a stable code for why it failed (`EDIT_CONFLICT`, ...), or empty.
        error: the same for a person, with the remedy.
        commit: the commit that holds it, once there is one; stays empty in a folder.
        url: the page of the pull request that it became, or empty.
    """

    id: str
    workspace_id: str
    action: EditAction
    actor: str
    base: str
    text: str | None
    message: str = ""
    admin: bool = False
    request_id: str = ""
    created_at: datetime
    status: EditStatus = "open"
    code: str = ""
    error: str = ""
    commit: str = ""
    url: str = ""


class Edits(Shared):
    """The edits of one index; make it with `Index.edits`."""

    def ask(
        self,
        workspace_id: str,
        action: EditAction,
        *,
        actor: str,
        base: str,
        text: str | None,
        message: str = "",
        admin: bool = False,
        request_id: str = "",
    ) -> Edit:
        """Ask for a change of a file; for the fields see `Edit`.

        Raises:
            EditWaitsError: another one of this workspace is open or taken.
            EditsManyError: the actor has as many as one may have.
            IndexUnavailableError: the request could not be written.
        """
        edit = Edit(
            id=uuid4().hex,
            workspace_id=workspace_id,
            action=action,
            actor=actor,
            base=base,
            text=text,
            message=storable(message),
            admin=admin,
            request_id=storable(request_id),
            created_at=self._now(),
        )
        with self._ask() as connection:
            pending = self._pending(connection, workspace_id)
            if pending:
                raise EditWaitsError(workspace_id, pending)
            self._check_number(connection, actor)
            try:
                connection.execute(sa.insert(edits).values(_asked(edit)))
            except IntegrityError as error:  # another gateway's came between
                raise EditWaitsError(workspace_id, "") from error
        return edit

    def get(self, edit_id: str) -> Edit | None:
        """One edit."""
        with self._read() as connection:
            return _find(connection, edit_id)

    def pending(self, workspace_id: str) -> Edit | None:
        """The workspace's edit that is open or taken."""
        with self._read() as connection:
            found = self._pending(connection, workspace_id)
            return _find(connection, found) if found else None

    def newest(self, workspace_id: str, limit: int = 20) -> list[Edit]:
        """A workspace's edits, newest first."""
        query = sa.select(edits).where(edits.c.workspace_id == workspace_id)
        with self._read() as connection:
            found = connection.execute(query.order_by(edits.c.number.desc()).limit(limit))
            return [_edit(row) for row in found.mappings()]

    def take(self, limit: int = 100) -> list[Edit]:
        """For the runner: take the oldest open ones; each is handed out once."""
        query = sa.select(edits).where(edits.c.status == "open").order_by(edits.c.number)
        with self._write() as connection:
            # Skipped: those that another taker is just taking.
            locked = query.limit(limit).with_for_update(skip_locked=True)
            found = connection.execute(locked).mappings().all()
            if found:
                numbers = [row["number"] for row in found]
                taken = sa.update(edits).where(edits.c.number.in_(numbers))
                connection.execute(taken.values(status="taken"))
        return [replace(_edit(row), status="taken") for row in found]

    def reopen(self, *, but: Collection[str] = ()) -> int:
        """For the runner: open again what the former one took, or itself without knowing; how many.

        Args:
            but: ids of those that are under way.
        """
        with self._write() as connection:
            taken = sa.update(edits).where(edits.c.status == "taken", edits.c.id.not_in(but))
            return connection.execute(taken.values(status="open")).rowcount

    def finish(
        self, edit_id: str, *, commit: str = "", url: str = "", code: str = "", error: str = ""
    ) -> None:
        """For the runner: end one, failed when there is a code or an error. Twice is harmless.

        Raises:
            UnknownOperationError: there is no such edit.
        """
        status = "failed" if code or error else "done"
        said = {"commit": commit[:_ID_MAX], "url": url, "code": code[:_ID_MAX], "error": error}
        outcome = {"status": status} | {name: storable(text) for name, text in said.items()}
        with self._write() as connection:
            found = _find(connection, edit_id)
            if found is None:
                raise UnknownOperationError(edit_id)
            connection.execute(sa.update(edits).where(edits.c.id == edit_id, _LIVE).values(outcome))
            pruning.keep_newest_edits(connection, found.workspace_id)

    def _check_number(self, connection: sa.Connection, actor: str) -> None:
        hold(connection, f"edits of {actor}")  # no id is that: other gateways count after us
        live = sa.select(sa.func.count()).where(edits.c.actor == actor, _LIVE)
        number = connection.scalar(live) or 0
        if number >= MOST_LIVE:
            raise EditsManyError(actor, number)

    def _pending(self, connection: sa.Connection, workspace_id: str) -> str | None:
        query = sa.select(edits.c.id).where(edits.c.workspace_id == workspace_id, _LIVE)
        return connection.scalar(query)


def _asked(edit: Edit) -> dict[str, Any]:
    """Give what is asked; a role that may only ask can write no other column."""
    return {name: value for name, value in asdict(edit).items() if name not in OUTCOME}


def _find(connection: sa.Connection, edit_id: str) -> Edit | None:
    row = connection.execute(sa.select(edits).where(edits.c.id == edit_id)).mappings()
    found = row.one_or_none()
    return _edit(found) if found else None


def _edit(row: sa.RowMapping) -> Edit:
    values: dict[str, Any] = {str(key): value for key, value in row.items() if key != "number"}
    return Edit(**values)
