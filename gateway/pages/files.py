"""The pages on which workspace files are made, changed and removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gateway.conflicts import diff
from gateway.errors import EditConflictError, RequestError
from gateway.files import Template
from gateway.forms import FormView
from gateway.proxy.seams import Answer, Visitor
from spec.problems import Problem
from state_index.edits import Edit
from state_index.models import Published
from state_index.repository import Followed

Render = Callable[..., Answer]

STATES: Final = ("auto", "running", "warm")
DRIFTS: Final = ("heal", "report")
_COMMIT_SHOWN: Final = 10

_ASKED: Final = {
    "create": "Make {id}",
    "change": "Change {id}",
    "delete": "Delete {id}",
    "rollback": "Roll {id} back",
}
_DONE: Final = {
    "create": "{id} is added",
    "change": "{id} is changed",
    "delete": "{id} is deleted",
    "rollback": "{id} is rolled back",
}
"""Of what is in the files: not of a pull request, which is proposed only."""


class DiffLine(NamedTuple):
    """One line of a diff, and what it is: `add`, `del`, `at` or nothing."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """What the page of a file shows.

    Attributes:
        id: the workspace; what was typed, on the page of a new one.
        tab: `form` or `text`.
        text: the whole file.
        form: the fields.
        base: the revision that is edited, "" for a new one.
        message: what the visitor says about it.
        path: where the file is.
        problems: what is wrong.
        notice: what else is to be said.
        dirty: whether it holds what is saved nowhere.
        status: the HTTP status.
    """

    id: str
    tab: str
    text: str
    form: FormView
    base: str = ""
    message: str = ""
    path: str = ""
    problems: Sequence[Problem] = ()
    notice: str = ""
    dirty: bool = False
    status: int = 200


class FilePages:
    """The pages about files."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def new(
        self, editor: Editor, *, visitor: Visitor, templates: Sequence[Template], template: str
    ) -> Answer:
        """Return the page of a new workspace."""
        return self._editor("new.html", editor, visitor, templates=templates, template=template)

    def edit(self, editor: Editor, *, visitor: Visitor) -> Answer:
        """Return the page on which a file is changed."""
        return self._editor("edit.html", editor, visitor)

    def problems(self, problems: Sequence[Problem], *, visitor: Visitor, places: bool) -> Answer:
        """Return what is wrong, for the script to swap in; with lines where the visitor sees lines."""
        return self._render("checked.html", visitor=visitor, problems=problems, places=places)

    def locked(self, workspace_id: str, *, visitor: Visitor, reason: str, path: str) -> Answer:
        """Return the page that says why a file can't be changed here."""
        return self._render(
            "locked.html", status=409, visitor=visitor, id=workspace_id, reason=reason, path=path
        )

    def conflict(
        self,
        workspace_id: str,
        error: EditConflictError,
        *,
        lines: Sequence[DiffLine],
        visitor: Visitor,
    ) -> Answer:
        """Return both texts of a file that changed meanwhile, as `compared`, and the choices."""
        return self._render(
            "conflict.html",
            status=error.status,
            visitor=visitor,
            id=workspace_id,
            hint=error.message,
            gone=error.details.get("theirs") is None,
            lines=lines,
            yours=error.details.get("yours") or "",
            together=error.details.get("together"),
            revision=error.details.get("revision", ""),
        )

    def delete(
        self, row: Published, *, visitor: Visitor, base: str, problem: RequestError | None = None
    ) -> Answer:
        """Return the page that asks whether a workspace is to go."""
        return self._render(
            "delete.html",
            status=problem.status if problem else 200,
            visitor=visitor,
            id=row.id,
            base=base,
            problem=problem.message if problem else "",
        )

    def progress(self, edit: Edit, followed: Followed, *, visitor: Visitor) -> Answer:
        """Return how far a change of a file has come: asked for, written, applied."""
        web = edit.url if edit.url.startswith(("https://", "http://")) else ""
        titles = _DONE if edit.status == "done" and not edit.url else _ASKED
        return self._render(
            "edit_progress.html",
            visitor=visitor,
            edit=edit,
            title=titles[edit.action].format(id=edit.workspace_id),
            busy=edit.status in {"open", "taken"},
            commit=edit.commit[:_COMMIT_SHOWN],
            pull=web,
            applied=bool(edit.commit) and followed.applied == edit.commit,
            problem=followed.failures.get(edit.workspace_id, "") if edit.commit else "",
            mine=visitor.name == edit.actor,
        )

    def _editor(self, name: str, editor: Editor, visitor: Visitor, **more: Any) -> Answer:
        return self._render(
            name,
            status=editor.status,
            visitor=visitor,
            editor=editor,
            wrong={problem.key for problem in editor.problems},
            states=STATES,
            drifts=DRIFTS,
            **more,
        )


def compared(error: EditConflictError) -> list[DiffLine]:
    """Return both texts of a conflict as a diff. Of large ones that takes a second."""
    theirs, yours = error.details.get("theirs") or "", error.details.get("yours") or ""
    kinds = {"+": "add", "-": "del", "@": "at"}
    lines = diff(theirs, yours, names=("theirs", "yours"))[2:]
    return [DiffLine(kinds.get(line[:1], ""), line) for line in lines]
