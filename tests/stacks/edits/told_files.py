"""The part of a runner that is about files, which answers as it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stacks.edits.model import FileView, Outcome, Template
from stacks.errors import StacksError


@dataclass
class ToldFiles:
    """What it answers, and what it was asked."""

    seen: FileView | None = None
    made: Outcome = field(default_factory=Outcome)
    refused: StacksError | None = None
    files_asked: list[tuple[str, ...]] = field(default_factory=list)

    async def file(self, workspace_id: str, *, at: str = "") -> FileView:
        self.files_asked.append(("file", workspace_id, at))
        self._fail()
        assert self.seen is not None
        return self.seen

    async def reasons(self, ids: Sequence[str]) -> dict[str, str]:
        self.files_asked.append(("reasons", *ids))
        self._fail()
        return dict.fromkeys(ids, "")

    async def templates(self) -> list[Template]:
        self._fail()
        return [Template(name="small", text="owner: you\n")]

    async def rollback(
        self,
        workspace_id: str,
        *,
        to: str,
        message: str = "",
        actor: str = "",
        request_id: str = "",
    ) -> Outcome:
        self.files_asked.append(("rollback", workspace_id, to, message, actor, request_id))
        self._fail()
        return self.made

    def _fail(self) -> None:
        if self.refused:
            raise self.refused
