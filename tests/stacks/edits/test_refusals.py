"""What stands against an edit: the server, the lease, the rules, the settings, and outages that pass."""

import asyncio
from dataclasses import replace

import pytest

from spec.files import FolderRead
from spec.named import Origin
from stacks.errors import NotLeadingError
from stacks.fence import Fence
from stacks.git.mirror import Mirror
from state_index.edits import Edit
from tests.stacks.edits.office import ONE, TWO, Office, workspace
from tests.stacks.git.repository import WORKSPACE
from tests.stacks.git.serving import basic
from tests.waiting import until

WARM = "state: warm\n"


async def refused(office: Office, edit: Edit, code: str) -> str:
    """Have it refused, and see that nothing came of it."""
    before = office.head
    [ended] = await office.settled(edit)
    assert (ended.status, ended.code) == ("failed", code)
    assert (office.head, ended.commit) == (before, "")
    return ended.error


async def test_a_protected_branch_is_told_at_once_with_what_helps(office: Office) -> None:
    hook = office.repository.folder / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho asked >>asked\necho main is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    told = await refused(office, office.ask(workspace(WARM)), "PUSH_REFUSED")
    assert "remote: main is protected" in told
    assert "pre-receive hook declined" in told
    assert "CODEHUB_REPO_EDITS=pull" in told
    asked = office.repository.folder / ".git" / "asked"
    assert asked.read_text().split() == ["asked"], "not tried again"


async def test_a_login_that_may_only_read_is_told(office: Office) -> None:
    office.repository.call("config", "http.receivepack", "false")
    told = await refused(office, office.ask(workspace(WARM)), "PUSH_REFUSED")
    assert "403" in told
    assert "token or key write" in told


async def test_a_token_pushes_and_is_told_nowhere(office: Office) -> None:
    office.served.wanted = basic("x", "hunter2-token")
    token = office.folder / "token"
    token.write_text("hunter2-token\n")
    token.chmod(0o600)
    place = office.branch()
    remote = replace(place._remote, token_file=token, user="x")
    [ended] = await office.settled(office.ask(workspace(WARM)), place=office.branch(remote=remote))
    assert ended.status == "done"
    office.served.wanted = basic("x", "another")
    told = await refused_with(office, office.branch(remote=remote))
    assert "hunter2" not in told
    assert office.served.headers[-1] == basic("x", "hunter2-token"), "which it did send"


async def refused_with(office: Office, place: object) -> str:
    edit = office.ask(workspace("state: running\n"))
    [ended] = await office.settled(edit, place=place)  # type: ignore[arg-type]
    assert ended.status == "failed"
    return ended.error


async def test_an_outage_passes_and_the_edit_comes_after_it(office: Office) -> None:
    office.served.down = True
    edit = office.ask(workspace(WARM))
    async with office.desk(office.branch()) as desk, asyncio.TaskGroup() as group:
        settled = group.create_task(desk.settled(edit))
        await until(lambda: len(office.served.headers) >= 2, "a second try")
        office.served.down = False
        assert (await settled).status == "done"


async def test_an_outage_that_lasts_is_told(office: Office) -> None:
    office.served.down = True
    told = await refused(office, office.ask(workspace(WARM)), "GIT_FAILED")
    assert "git fetch" in told
    assert "See whether" in told
    assert len(office.served.headers) == 6


async def test_a_server_that_is_gone_when_it_is_pushed_to_is_asked_again(office: Office) -> None:
    class Gone(Mirror):
        left = 1

        async def fetch(self) -> str:
            office.served.down = False
            head = await super().fetch()
            office.served.down, self.left = self.left > 0, self.left - 1
            return head

    place = office.branch()
    place._mirror = Gone(office.folder / "mirror.git", place._remote, timeout=30)
    [ended] = await office.settled(office.ask(workspace(WARM)), place=place)
    assert (ended.status, ended.commit) == ("done", office.head)


async def test_who_lost_the_lease_pushes_nothing_and_ends_nothing(office: Office) -> None:
    office.fence = Fence()
    before, edit = office.head, office.ask(workspace(WARM))
    office.index.edits.take()
    with pytest.raises(NotLeadingError):
        await office.branch().make(edit)
    assert office.head == before
    async with office.desk(office.branch()) as desk:
        await desk.reopen()
        with pytest.raises(NotLeadingError):
            await desk.settled(edit)
    found = office.index.edits.get(edit.id)
    assert found is not None
    assert (found.status, office.head) == ("taken", before), "for the next one"


async def test_a_text_that_is_no_workspace_is_told_with_its_place(office: Office) -> None:
    told = await refused(office, office.ask("owner: alice\nimagee: x\n"), "EDIT_INVALID")
    assert "ws/one.yaml:2:1: " in told
    assert "image" in told
    assert not list((office.folder / "mirror.git" / "objects").glob("??")), "it left nothing"


OWNERS = b"""\
people: {alice: {quota: {workspaces: 2}}, bob: {}, carol: {}}
teams: {red: {members: [alice], maintainers: [bob]}}
admins: [carol]
"""


async def test_the_list_of_owners_says_who_may(office: Office) -> None:
    office.repository.commit({"ws/_owners.yaml": OWNERS})
    edit = office.ask(workspace("# only a word\n"), actor="mallory", admin=True)
    told = await refused(office, edit, "EDIT_FORBIDDEN")
    assert told.startswith("edit-allowed: mallory may not change a workspace of alice")


async def test_an_edit_that_gives_itself_the_right_has_none(office: Office) -> None:
    office.repository.commit({"ws/_owners.yaml": OWNERS})
    edit = office.ask(workspace().replace("alice", "bob"), actor="bob")
    [ended] = await office.settled(edit)
    assert ended.status == "done", "a maintainer of alice's team, and bob's own afterwards"
    taken = office.ask(workspace(), actor="alice")
    assert "workspace of bob" in await refused(office, taken, "EDIT_FORBIDDEN")


async def test_a_quota_refuses_in_the_rules_own_words(office: Office) -> None:
    office.repository.commit({"ws/_owners.yaml": OWNERS})
    edit = office.ask(workspace(), id_="three", action="create", base="")
    told = await refused(office, edit, "EDIT_BREAKS_RULE")
    assert told.startswith("quota-owner: ")
    assert "What one takes of the machine is missing for all others" in told
    assert "Ask for less" in told


async def test_an_image_that_is_not_on_the_list_is_refused(office: Office) -> None:
    rules = b"rules: {image-allowed: {level: mandatory, images: [codehub/*]}}\n"
    office.repository.commit({"ws/_policies.yaml": rules})
    edit = office.ask(workspace().replace("codehub/light", "evil.example.org/x"))
    assert "image-allowed: " in await refused(office, edit, "EDIT_BREAKS_RULE")


async def test_rules_that_can_not_be_read_let_nothing_in(office: Office) -> None:
    office.repository.commit({"ws/_owners.yaml": b"people: ["})
    told = await refused(office, office.ask(workspace("# a word\n")), "EDIT_BREAKS_RULE")
    assert "ws/_owners.yaml:1:" in told


async def test_the_last_file_stays(office: Office) -> None:
    office.repository.commit({ONE: None})
    edit = office.ask(None, id_="two", action="delete")
    assert "no workspace file would be left" in await refused(office, edit, "EDIT_REFUSED")


async def test_the_last_file_of_all_stays_too(office: Office) -> None:
    office.repository.commit({TWO: None, "README.md": None})
    edit = office.ask(None, action="delete")
    assert "no workspace file would be left" in await refused(office, edit, "EDIT_REFUSED")


async def test_what_is_no_folder_holds_no_file(office: Office) -> None:
    office.repository.commit({ONE: None, TWO: None})
    edit = office.ask(workspace(), id_="one", action="create", base="")
    await refused(office, edit, "GIT_REF_UNKNOWN")


async def test_an_edit_that_breaks_another_file_is_refused(office: Office) -> None:
    office.repository.commit({"ws/three.yaml": b"formerly: gone\n" + WORKSPACE})
    edit = office.ask(workspace("formerly: gone\n"))
    assert "three" in await refused(office, edit, "EDIT_INVALID")


async def test_an_id_that_is_none_becomes_no_path(office: Office) -> None:
    edit = office.ask(workspace(), id_="../escape", action="create", base="")
    assert "id" in await refused(office, edit, "EDIT_REFUSED")
    assert not office.served.headers, "nobody was asked"


async def test_switched_off(office: Office) -> None:
    place = office.branch(mode="off")
    [ended] = await office.settled(office.ask(workspace(WARM)), place=place)
    assert (ended.code, ended.status) == ("EDITS_OFF", "failed")
    await place._mirror.fetch()
    seen = await place.file("one")
    assert (seen.editable, "is off" in seen.reason, seen.text) == (False, True, workspace())


async def test_pull_requests_without_a_forge(office: Office) -> None:
    place = office.branch(mode="pull")
    [ended] = await office.settled(office.ask(workspace(WARM)), place=place)
    assert ended.code == "EDITS_OFF"
    assert "CODEHUB_FORGE" in ended.error
    await place._mirror.fetch()
    assert not (await place.file("one")).editable


async def test_a_link_in_place_of_the_file(office: Office) -> None:
    (office.repository.folder / "ws" / "link.yaml").symlink_to("/etc/passwd")
    office.repository.commit({})
    edit = office.ask(workspace(), id_="link", base="")
    assert "is a symbolic link" in await refused(office, edit, "NOT_EDITABLE")


async def test_a_generated_workspace_has_no_file_to_edit(office: Office) -> None:
    def generators(_: FolderRead, workspace_id: str) -> str:
        return "ws/_generators/class.yaml" if workspace_id == "pupil" else ""

    made = {"pupil": Origin("ws/_generators/class.yaml", generated=True)}
    place = office.branch(generators=generators, origins=lambda: made)
    edit = office.ask(workspace(), id_="pupil", action="create", base="")
    [ended] = await office.settled(edit, place=place)
    assert ended.code == "NOT_EDITABLE"
    assert "pupil is made by ws/_generators/class.yaml" in ended.error
    edit = office.ask(None, id_="pupil", action="delete", base="")
    [ended] = await office.settled(edit, place=place)
    assert ended.code == "NOT_EDITABLE", "it is not gone"
    seen = await place.file("pupil")
    assert (seen.editable, seen.text) == (False, "")
    assert "ws/_generators/class.yaml" in seen.reason
    assert await place.reasons(["pupil"]) == {"pupil": seen.reason}


async def test_a_bug_ends_one_edit_and_not_the_desk(office: Office) -> None:
    class Broken:
        async def make(self, edit: Edit) -> None:
            raise KeyError(edit.id)

    one, two = office.ask(workspace(WARM)), office.ask(workspace(WARM), id_="two")
    ended = await office.settled(one, two, place=Broken())  # type: ignore[arg-type]
    assert {found.code for found in ended} == {"EDIT_FAILED"}
