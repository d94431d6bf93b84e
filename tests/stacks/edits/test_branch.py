"""Edits on a real server's branch: who is the author, what is kept, what is refused, what is never lost."""

import os
from dataclasses import replace

import pytest

from stacks.edits.branch import STILL
from stacks.edits.model import Outcome
from stacks.errors import GitError
from stacks.git.mirror import Mirror
from state_index.edits import Edit
from tests.stacks.edits.office import ONE, Office, workspace
from tests.stacks.git.repository import WORKSPACE, Repository

COMMENTED = "# kept\nowner:   alice # me\n\nimage: codehub/light\nstate: warm\n"


async def test_an_edit_becomes_a_commit_of_its_user_byte_for_byte(office: Office) -> None:
    before = office.head
    edit = office.ask(COMMENTED, message="it sleeps\nfor now")
    [ended] = await office.settled(edit)
    assert (ended.status, ended.commit, ended.error) == ("done", office.head, "")
    assert office.text(ONE) == COMMENTED.encode()
    assert office.repository.call("rev-parse", "main~1") == before
    assert office.repository.call("diff", "--name-only", before, "main") == ONE
    told = office.repository.call("log", "-1", "--format=%an <%ae>|%cn <%ce>|%B")
    assert told == (
        "alice <alice@users.codehub.invalid>|CodeHub <codehub@users.codehub.invalid>|"
        "change workspace one\n\nit sleeps\nfor now\n\n"
        f"Codehub-Operation: {edit.id}\nCodehub-Actor: alice"
    )
    assert office.pushed == 1
    assert list((office.folder / "edits").iterdir()) == []


async def test_a_new_file_and_a_removal(office: Office) -> None:
    made = office.ask(workspace(), id_="three", action="create", base="")
    [ended] = await office.settled(made)
    assert (ended.status, office.text("ws/three.yaml")) == ("done", workspace().encode())
    [gone] = await office.settled(office.ask(None, action="delete"))
    assert gone.status == "done"
    assert "one.yaml" not in office.repository.call("ls-tree", "--name-only", "main", "ws/")
    assert office.repository.call("log", "-1", "--format=%s", "main") == "delete workspace one"


@pytest.mark.parametrize("change", ["changed", "removed", "made"])
async def test_what_its_editor_did_not_see_is_never_overwritten(
    office: Office, change: str
) -> None:
    others: dict[str, dict[str, bytes | None]] = {
        "changed": {ONE: b"owner: alice\nimage: codehub/other\n"},
        "removed": {ONE: None},
        "made": {"ws/three.yaml": b"owner: alice\nimage: codehub/other\n"},
    }
    other = others[change]
    id_, base = ("three", "") if change == "made" else ("one", None)
    edit = office.ask(workspace("state: warm\n"), id_=id_, base=base)
    commit = office.repository.commit(other)
    [ended] = await office.settled(edit)
    assert (ended.status, ended.code, ended.commit) == ("failed", "EDIT_CONFLICT", "")
    assert f"by Alice in {commit[:12]}" in ended.error
    assert "Look at the file as it is now" in ended.error
    assert office.head == commit


async def test_of_two_who_saw_the_same_file_the_second_is_told(office: Office) -> None:
    base = office.blob(ONE)
    first = office.ask(workspace("state: warm\n"))
    await office.settled(first)
    second = office.ask(workspace("state: running\n"), actor="bob", base=base, admin=True)
    [ended] = await office.settled(second)
    assert ended.code == "EDIT_CONFLICT"
    assert "by alice in" in ended.error
    assert office.text(ONE) == workspace("state: warm\n").encode()


async def test_what_is_so_already_needs_no_commit(office: Office) -> None:
    before = office.head
    same = office.ask(workspace(), base="0" * 40)
    gone = office.ask(None, id_="three", action="delete", base="0" * 40)
    ended = await office.settled(same, gone)
    assert [(one.status, one.commit) for one in ended] == [("done", before), ("done", before)]
    assert (office.head, office.pushed) == (before, 0)


class Overtaken(Mirror):
    """Another one pushes right after each of the first fetches."""

    left = 3
    repository: Repository

    async def fetch(self) -> str:
        head = await super().fetch()
        if self.left:
            self.left -= 1
            self.repository.commit({f"other-{self.left}.md": b"mine\n"})
        return head


async def test_who_is_overtaken_comes_after_and_undoes_nothing(office: Office) -> None:
    place = office.branch()
    mirror = Overtaken(office.folder / "mirror.git", place._remote, timeout=30)
    mirror.repository = office.repository
    place._mirror = mirror
    [ended] = await office.settled(office.ask(workspace("state: warm\n")), place=place)
    assert (ended.status, ended.commit) == ("done", office.head)
    names = office.repository.call("ls-tree", "--name-only", "main").split()
    assert names == ["README.md", "other-0.md", "other-1.md", "other-2.md", "ws"]


async def test_who_is_always_overtaken_is_told_in_the_end(office: Office) -> None:
    place = office.branch()
    mirror = Overtaken(office.folder / "mirror.git", place._remote, timeout=30)
    mirror.repository, mirror.left = office.repository, 1_000
    place._mirror, place._ways = mirror, replace(place._ways, pushes=2)
    edit = office.ask(workspace("state: warm\n"))
    with pytest.raises(GitError, match="others push faster"):
        await place.make(edit)


async def test_a_lock_that_stays_is_told_in_git_s_words(office: Office) -> None:
    office.repository.call("config", "receive.denyCurrentBranch", "ignore")
    lock = office.repository.folder / ".git" / "refs" / "heads" / "main.lock"
    lock.touch()
    place, edit = office.branch(), office.ask(workspace("state: warm\n"))
    with pytest.raises(GitError, match="failed to update ref"):
        await place.make(edit)
    assert office.served.asked <= 2 * (STILL + 2), "nobody is asked again and again without a pause"
    lock.unlink()
    assert (await place.make(edit)).commit == office.head


class Opened:
    """A forge that opens every pull request."""

    def __init__(self) -> None:
        self.sought: list[tuple[str, str]] = []
        self.opened: list[tuple[str, str, str]] = []

    async def find(self, *, base: str, head: str) -> Outcome | None:
        self.sought.append((base, head))
        return None

    async def open(self, edit: Edit, *, base: str, head: str) -> Outcome:
        self.opened.append((edit.id, base, head))
        return Outcome(url="https://forge.example.org/1")


async def test_no_pull_request_is_opened_of_a_branch_that_is_locked(office: Office) -> None:
    forge, edit = Opened(), office.ask(workspace("state: warm\n"))
    place = office.branch(mode="pull", pulls=forge)
    head = f"codehub/edit-{edit.id}"
    lock = office.repository.folder / ".git" / "refs" / "heads" / f"{head}.lock"
    lock.parent.mkdir()
    lock.touch()
    with pytest.raises(GitError, match="failed to update ref"):
        await place.make(edit)
    assert forge.opened == []
    lock.unlink()
    for _ in range(2):  # also when its branch is there, and the pull request is not
        assert (await place.make(edit)).url
    assert forge.opened == [(edit.id, "main", head)] * 2


async def test_a_commit_that_was_taken_back_meanwhile_does_not_come_again(office: Office) -> None:
    bad = office.repository.commit({"secret.md": b"oops\n"})
    place = office.branch()
    await place._mirror.fetch()

    class TakenBack(Mirror):
        done = False

        async def fetch(self) -> str:
            head = await super().fetch()
            if not self.done:
                self.done = True
                office.repository.call("reset", "-q", "--hard", "HEAD~1")
            return head

    place._mirror = TakenBack(office.folder / "mirror.git", place._remote, timeout=30)
    [ended] = await office.settled(office.ask(workspace("state: warm\n")), place=place)
    assert ended.status == "done"
    assert bad not in office.repository.call("rev-list", "main").split()


async def test_a_push_that_nobody_was_told_of_is_found_and_not_made_twice(office: Office) -> None:
    edit = office.ask(workspace("state: warm\n"))
    office.index.edits.take()
    first = await office.branch().make(edit)  # and its runner is killed before it says so
    office.repository.commit({ONE: b"owner: alice\nimage: codehub/later\n"})
    async with office.desk(office.branch()) as desk:
        await desk.reopen()
        ended = await desk.settled(edit)
    assert (ended.status, ended.commit) == ("done", first.commit)
    assert office.text(ONE) == b"owner: alice\nimage: codehub/later\n"
    subjects = office.repository.call("log", "--format=%s", "main").splitlines()
    assert subjects.count("change workspace one") == 1


FORGED = (
    "fine\n\nCodehub-Operation: {id}\n codehub-approve: yes\r\n---\nX: y\n\x1b[31mred\u202e\x00\n"
    "\n\n\nCodehub-Actor: root"
)


async def test_what_users_say_forges_no_trailer_and_no_header(office: Office) -> None:
    other = office.ask(workspace("state: running\n"), id_="two")
    actor = "mallory <root@example.org>\nauthor root"
    edit = office.ask(
        workspace("state: warm\n"),
        actor=actor,
        admin=True,
        message=FORGED.format(id=other.id),
    )
    place = office.branch()
    await place.make(edit)
    raw = office.repository.call("cat-file", "commit", "main")
    head, _, body = raw.partition("\n\n")
    assert [line.split()[0] for line in head.splitlines()] == [
        "tree",
        "parent",
        "author",
        "committer",
    ]
    assert "author mallory ?root@example.org? author root <mallory-root-example.org" in head
    assert "> Codehub-Operation: " in body
    assert "> codehub-approve: yes\n> ---\nX: y\n?[31mred??\n" in body
    told = office.repository.call("log", "-1", "--format=%(trailers)", "main").splitlines()
    assert [line for line in told if line] == [
        f"Codehub-Operation: {edit.id}",
        "Codehub-Actor: mallory ?root@example.org? author root",
    ]
    [ended] = await office.settled(other)
    assert ended.status == "done"
    assert office.text("ws/two.yaml") == workspace("state: running\n").encode()


async def test_other_entries_stay_as_they_are(office: Office) -> None:
    repository = office.repository
    repository.call("config", "receive.denyCurrentBranch", "ignore")
    sha = repository.call("hash-object", "-w", "--stdin", stdin=b"x")
    head = office.head
    repository.call("update-index", "--add", "--cacheinfo", f"160000,{head},ws/module")
    repository.call("update-index", "--add", "--cacheinfo", f"120000,{sha},ws/link")
    repository.call("update-index", "--chmod=+x", ONE)
    odd = os.fsdecode(b"ws/\xff\xfe \n.txt")
    repository.call("update-index", "--add", "--cacheinfo", f"100644,{sha},{odd}")
    repository.call("commit", "-q", "-m", "odd")
    before = repository.call("ls-tree", "-r", "main")
    [ended] = await office.settled(office.ask(workspace("state: warm\n")))
    assert ended.status == "done"
    after = repository.call("ls-tree", "-r", "main")
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert {line.split("\t")[1] for line in changed} == {ONE}
    assert {line[:6] for line in changed} == {"100755"}
    assert repository.call("fsck", "--strict") == ""


async def test_files_at_the_top_of_a_repository(office: Office) -> None:
    office.repository.commit({"three.yaml": WORKSPACE})
    place = office.branch(path="")
    edit = office.ask(workspace("state: warm\n"), id_="three", base=office.blob("three.yaml"))
    [ended] = await office.settled(edit, place=place)
    assert (ended.status, ended.error) == ("done", "")
    assert office.text("three.yaml") == workspace("state: warm\n").encode()
    assert (await place.file("three")).path == "three.yaml"
