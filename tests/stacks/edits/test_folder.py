"""Edits of a folder: written by a rename, links refused, nothing overwritten that nobody saw."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spec import read_folder
from spec.files import File, blob
from stacks.edits import folder, views
from stacks.edits.branch import Mode
from stacks.edits.folder import Folder
from stacks.edits.model import TEMPLATES_MAX
from stacks.errors import (
    EditConflictError,
    EditForbiddenError,
    EditInvalidError,
    EditsOffError,
    NotEditableError,
    NotLeadingError,
    NoVersionError,
    SourceError,
    UnknownWorkspaceError,
)
from stacks.fence import Fence
from state_index.edits import Edit, EditAction
from state_index.index import Index
from tests.stacks.edits.office import workspace
from tests.stacks.git.repository import WORKSPACE

WARM = workspace("state: warm\n")


@dataclass
class Shelf:
    folder: Path
    index: Index

    def place(self, *, mode: Mode = "commit", fence: Fence | None = None) -> Folder:
        return Folder(
            self.folder,
            mode=mode,
            fence=fence or Fence.always(),
            origins=lambda: read_folder(self.folder).origins,
        )

    def ask(
        self,
        text: str | None,
        *,
        id_: str = "one",
        action: EditAction = "change",
        base: str = blob(WORKSPACE),
        actor: str = "alice",
    ) -> Edit:
        return self.index.edits.ask(id_, action, actor=actor, base=base, text=text)

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    folder = tmp_path / "workspaces.d"
    folder.mkdir()
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_bytes(WORKSPACE)
    with Index.open(f"sqlite:///{tmp_path}/index.db") as index:
        yield Shelf(folder, index)


async def test_a_file_is_replaced_whole_and_keeps_its_mode(shelf: Shelf) -> None:
    path = shelf.folder / "one.yaml"
    path.chmod(0o640)
    before = path.stat().st_ino
    outcome = await shelf.place().make(shelf.ask(WARM + "# kept \r\n"))
    assert (outcome.commit, outcome.url) == ("", "")
    assert path.read_bytes() == (WARM + "# kept \r\n").encode()
    assert (path.stat().st_mode & 0o777, path.stat().st_ino != before) == (0o640, True)
    assert shelf.names == ["one.yaml", "two.yaml"]


async def test_a_new_file_and_a_removal(shelf: Shelf) -> None:
    place = shelf.place()
    await place.make(shelf.ask(WARM, id_="three", action="create", base=""))
    assert (shelf.folder / "three.yaml").stat().st_mode & 0o777 == 0o644
    await place.make(shelf.ask(None, action="delete"))
    assert shelf.names == ["three.yaml", "two.yaml"]
    gone = shelf.index.edits.take()[-1]
    await place.make(gone)  # its runner was killed before it said so
    assert shelf.names == ["three.yaml", "two.yaml"]


async def test_what_nobody_saw_stays(shelf: Shelf) -> None:
    (shelf.folder / "one.yaml").write_bytes(b"# mine\n" + WORKSPACE)
    with pytest.raises(EditConflictError, match="the file of one was changed meanwhile"):
        await shelf.place().make(shelf.ask(WARM))
    with pytest.raises(EditConflictError, match="is there already"):
        await shelf.place().make(shelf.ask(WARM, id_="two", action="create", base=""))
    assert (shelf.folder / "one.yaml").read_bytes().startswith(b"# mine")


async def test_links_pipes_and_giants_are_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_bytes(WORKSPACE)
    (shelf.folder / "link.yaml").symlink_to(elsewhere)
    os.mkfifo(shelf.folder / "pipe.yaml")
    (shelf.folder / "giant.yaml").write_bytes(b"#" * 70_000)
    place = shelf.place()
    for id_ in ("link", "pipe", "giant"):
        with pytest.raises(NotEditableError):
            await place.make(shelf.ask(WARM, id_=id_))
        seen = await place.file(id_)
        assert (seen.editable, seen.text, bool(seen.reason)) == (False, "", True)
        assert await place.reasons([id_]) == {id_: seen.reason}
    assert elsewhere.read_bytes() == WORKSPACE


async def test_rights_and_rules_hold_as_on_a_branch(shelf: Shelf) -> None:
    with pytest.raises(EditForbiddenError):
        await shelf.place().make(shelf.ask(WARM, actor="mallory"))
    with pytest.raises(EditInvalidError, match=r"workspaces\.d/two\.yaml:1:1: "):
        await shelf.place().make(shelf.ask("nonsense: 1\n", id_="two"))
    assert (shelf.folder / "one.yaml").read_bytes() == WORKSPACE


@pytest.mark.parametrize(("mode", "told"), [("off", "is off"), ("pull", "no pull requests")])
async def test_switched_off(shelf: Shelf, mode: Mode, told: str) -> None:
    place = shelf.place(mode=mode)
    with pytest.raises(EditsOffError, match=told):
        await place.make(shelf.ask(WARM))
    seen = await place.file("one")
    assert (seen.editable, told in seen.reason) == (False, True)
    assert await place.reasons(["one", "three"]) == {"one": seen.reason}


async def test_who_does_not_lead_writes_nothing(shelf: Shelf) -> None:
    with pytest.raises(NotLeadingError):
        await shelf.place(fence=Fence()).make(shelf.ask(WARM))
    assert (shelf.folder / "one.yaml").read_bytes() == WORKSPACE


async def test_reading(shelf: Shelf) -> None:
    place = shelf.place()
    seen = await place.file("one")
    assert (seen.text, seen.revision, seen.commit) == (workspace(), blob(WORKSPACE), "")
    assert (seen.path, seen.owner, seen.editable) == ("one.yaml", "alice", True)
    with pytest.raises(UnknownWorkspaceError):
        await place.file("three")
    with pytest.raises(NoVersionError, match="no history"):
        await place.file("one", at="HEAD")
    await place.refresh()


async def test_templates(shelf: Shelf, tmp_path: Path) -> None:
    place = shelf.place()
    assert await place.templates() == []
    folder = shelf.folder / "_templates"
    folder.mkdir()
    (folder / "small.yaml").write_text("owner: you\n")
    (folder / "link.yaml").symlink_to("/etc/passwd")
    assert [one.name for one in await place.templates()] == ["small"]
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert await place.templates() == []


def test_a_template_too_many_hides_none_of_those_after_it() -> None:
    most = TEMPLATES_MAX
    given = {
        "a.yaml": b"#" * (most - 8),
        "b.yaml": b"#" * 9,
        "c.yaml": b"owner:\n",
        "d.yaml": b"\0",
    }
    assert [one.name for one in views.templates_of(given)] == ["a", "c"]


async def test_a_generated_workspace_has_no_file(shelf: Shelf) -> None:
    (shelf.folder / "_generators").mkdir()
    made = "id: '{who}'\neach: [{who: pupil}]\nworkspace: {owner: alice, image: codehub/light}\n"
    (shelf.folder / "_generators" / "class.yaml").write_text(made)
    place = shelf.place()
    seen = await place.file("pupil")
    assert (seen.editable, seen.path) == (False, "workspaces.d/_generators/class.yaml")
    assert await place.reasons(["pupil", "one", "three"]) == {"pupil": seen.reason, "one": ""}
    with pytest.raises(NotEditableError, match=r"made by workspaces\.d/_generators/class"):
        await place.make(shelf.ask(WARM, id_="pupil", action="create", base=""))
    [asked] = shelf.index.edits.take()
    shelf.index.edits.finish(asked.id, code="X")
    with pytest.raises(NotEditableError, match=r"made by workspaces\.d/_generators/class"):
        await place.make(shelf.ask(None, id_="pupil", action="delete", base=""))


async def test_a_folder_that_is_gone_is_told(shelf: Shelf) -> None:
    edit = shelf.ask(WARM)
    shelf.folder.rename(shelf.folder.with_name("moved"))
    with pytest.raises(SourceError, match=r"workspaces\.d can't be opened"):
        await shelf.place().make(edit)


def test_what_can_not_be_put_in_its_place_leaves_nothing(shelf: Shelf) -> None:
    (shelf.folder / "three.yaml").mkdir()
    with pytest.raises(SourceError, match="can't be written"), folder._opened(shelf.folder) as at:
        folder._replace(at, "three.yaml", ".draft", b"x")
    assert shelf.names == ["one.yaml", "three.yaml", "two.yaml"]


async def test_what_a_killed_runner_left_is_written_over(shelf: Shelf) -> None:
    edit = shelf.ask(WARM)
    (shelf.folder / f".{edit.id}.tmp").write_bytes(b"half")
    await shelf.place().make(edit)
    assert shelf.names == ["one.yaml", "two.yaml"]


async def test_a_neighbour_that_is_just_being_written_stands_in_nobody_s_way(
    shelf: Shelf,
) -> None:
    read = []

    class Written(Folder):
        def _files(self) -> list[File]:
            read.append(super()._files())
            (self._folder / "two.yaml").write_bytes(b"owner:")  # by an editor, between two looks
            return read[-1]

    place = Written(shelf.folder, mode="commit", fence=Fence.always())
    await place.make(shelf.ask(WARM))
    assert (shelf.folder / "one.yaml").read_bytes() == WARM.encode()
    assert len(read) == 1


def test_a_folder_that_goes_meanwhile(shelf: Shelf) -> None:
    place = shelf.place()
    shelf.folder.rename(shelf.folder.with_name("moved"))
    with pytest.raises(SourceError, match="does not exist"):
        place._files()
