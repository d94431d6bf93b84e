"""Workspaces as files, by the API: make, change, remove, check; and who may not."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.desk import CHECKS, LOOKS
from gateway.edit_checks import Asker
from gateway.proxy.seams import Visitor
from gateway.store import AuditEvent
from state_index.edits import MOST_LIVE
from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import BOB, ROOT, Running, serving
from tests.gateway.test_api import code_of

FORMERLY = "`formerly` must name a workspace of your own."
FILE = """\
# alice's machine
owner: alice
image: codehub/light   # small
env:
  TZ: 'Asia/Seoul'
"""
URL = "/api/v1/workspaces"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        fake.templates["small"] = "# from a template\nowner: someone\nimage: codehub/light\n"
        yield fake


@pytest.fixture
def base(hub: Running, runner: FakeRunner) -> str:
    hub.publish("alice-a", Phase.WARM)
    return runner.add_file("alice-a", FILE)


async def test_a_workspace_is_made_from_a_template_and_can_be_followed(
    hub: Running, runner: FakeRunner
) -> None:
    body = {"id": "alice-b", "template": "small", "fields": {"state": "warm"}, "message": "new one"}
    async with hub.services.nudge.listen("runner") as nudged, hub.visitor() as alice:
        answer = await alice.post(URL, json=body)
        assert answer.status_code == 202, answer.text
        operation = answer.json()["operation"]
        await asyncio.wait_for(nudged.wait(), 5)
        assert (operation["workspace"], operation["kind"]) == ("alice-b", "create")
        assert answer.headers["location"] == f"/api/v1/operations/{operation['id']}"
        (edit,) = hub.index.edits.take()
        assert edit.text == "# from a template\nowner: alice\nimage: codehub/light\nstate: warm\n"
        assert (edit.actor, edit.base, edit.admin, edit.message) == ("alice", "", False, "new one")
        assert edit.request_id == answer.headers["x-request-id"]
        hub.index.edits.finish(edit.id, commit="c0ffee", url="https://forge.example/pulls/1")
        followed = (await alice.get(answer.headers["location"])).json()
        assert (followed["status"], followed["commit"]) == ("done", "c0ffee")
        assert followed["url"] == "https://forge.example/pulls/1"
    async with hub.visitor(BOB) as bob, hub.visitor(ROOT) as root:
        assert (await bob.get(answer.headers["location"])).status_code == 404
        assert (await root.get(answer.headers["location"])).status_code == 200
    made = [row for row in hub.store.audit.latest() if row.event == AuditEvent.CREATE]
    assert [(row.user, row.workspace, row.detail) for row in made] == [
        ("alice", "alice-b", edit.id)
    ]


async def test_fields_alone_or_a_whole_text_make_one_too(hub: Running, runner: FakeRunner) -> None:
    async with hub.visitor() as alice, hub.visitor(ROOT) as root:
        made = await alice.post(URL, json={"id": "alice-b", "fields": {"image": "a"}})
        assert made.status_code == 202
        text = "owner: bob\nimage: a # as it is\n"
        of_admin = await root.post(URL, json={"id": "bob-x", "text": text})
        assert of_admin.status_code == 202
    first, second = hub.index.edits.take()
    assert first.text == "owner: alice\nimage: a\n"
    assert (second.text, second.actor, second.admin) == (text, "root-admin", True)


UNMAKEABLE: list[tuple[dict[str, Any], int, str]] = [
    ({"id": "alice-b", "text": "owner: bob\nimage: a\n"}, 403, "FORBIDDEN"),
    ({"id": "alice-b", "fields": {"owner": "bob", "image": "a"}}, 403, "FORBIDDEN"),
    ({"id": "new", "fields": {"image": "a"}}, 400, "INVALID_INPUT"),
    ({"id": "validate", "fields": {"image": "a"}}, 400, "INVALID_INPUT"),
    ({"id": "../../etc", "fields": {"image": "a"}}, 400, "INVALID_INPUT"),
    ({"id": "<script>", "fields": {"image": "a"}}, 400, "INVALID_INPUT"),
    ({"id": "alice-b", "fields": {"owner": None}}, 422, "INVALID_FILE"),
    ({"id": "alice-b", "fields": {"image": "a", "colour": "x"}}, 422, "INVALID_FILE"),
    ({"id": "alice-b", "fields": {"image": {"a": "b"}}}, 422, "INVALID_FILE"),
    ({"id": "alice-b", "text": "owner: [\n"}, 422, "INVALID_FILE"),
    ({"id": "alice-b", "text": "x" * 70_000}, 422, "INVALID_FILE"),
    ({"id": "alice-b", "text": "a", "fields": {}}, 400, "INVALID_INPUT"),
    ({"id": "alice-b", "text": "a", "template": "small"}, 400, "INVALID_INPUT"),
    ({"id": "alice-b", "template": "none"}, 404, "NOT_FOUND"),
    ({"id": "alice-b", "template": "small", "message": "x" * 501}, 400, "INVALID_INPUT"),
    ({"id": "alice-b", "text": "a", "owner": "bob"}, 400, "INVALID_INPUT"),
    ({"id": "alice-b", "text": "x" * 300_000}, 413, "TOO_LARGE"),
    ({"id": "alice-b", "text": "owner: alice\nimage: a\nformerly: bob-x\n"}, 403, "FORBIDDEN"),
    ({"id": "bob-x", "fields": {"image": "a"}}, 409, "EDIT_CONFLICT"),
    ({"id": "bob-old", "fields": {"image": "a"}}, 409, "EDIT_CONFLICT"),
    ({"id": "alice-unread", "fields": {"image": "a"}}, 409, "EDIT_CONFLICT"),
    ({"id": "alice-made", "fields": {"image": "a"}}, 409, "NOT_EDITABLE"),
]


async def test_what_can_t_be_made(hub: Running, runner: FakeRunner) -> None:
    hub.publish("bob-x", Phase.RUNNING, owner="bob")
    hub.publish("bob-old", Phase.TOMBSTONED, owner="bob")
    runner.add_file("alice-unread", FILE)
    runner.add_file("alice-made", "", reason="alice-made is made by _generators/class.yaml")
    async with hub.visitor() as alice:
        for body, status, code in UNMAKEABLE:
            answer = await alice.post(URL, json=body)
            assert (answer.status_code, code_of(answer)) == (status, code), (body, answer.text)
    assert hub.index.edits.take() == []


async def test_one_s_own_removed_workspace_may_come_back(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-old", Phase.TOMBSTONED)
    hub.publish("alice-gone", Phase.DELETED)
    async with hub.visitor() as alice:
        for each in ("alice-old", "alice-gone"):
            answer = await alice.post(URL, json={"id": each, "fields": {"image": "a"}})
            assert answer.status_code == 202
        again = await alice.post(URL, json={"id": "alice-old", "fields": {"image": "a"}})
        assert (again.status_code, code_of(again)) == (409, "EDIT_WAITS")
        first = hub.index.edits.pending("alice-old")
        assert first is not None
        assert again.json()["error"]["details"] == {"operation": first.id}


async def test_the_file_is_given_with_its_revision(hub: Running, base: str) -> None:
    async with hub.visitor() as alice:
        answer = await alice.get(f"{URL}/alice-a/file")
    assert answer.headers["etag"] == f'"{base}"'
    body = answer.json()
    assert (body["text"], body["revision"], body["editable"]) == (FILE, base, True)
    assert body["path"] == "workspaces.d/alice-a.yaml"


async def test_fields_change_the_file_and_leave_the_rest_as_it_is(hub: Running, base: str) -> None:
    patch = {"fields": {"env": {"TZ": None, "A": "1"}, "resources": {"cpu": 4}}, "base": base}
    async with hub.visitor() as alice:
        answer = await alice.patch(f"{URL}/alice-a", json=patch)
    assert answer.status_code == 202, answer.text
    (edit,) = hub.index.edits.take()
    assert (
        edit.text == FILE.replace("  TZ: 'Asia/Seoul'\n", '  A: "1"\n') + "resources:\n  cpu: 4\n"
    )
    assert (edit.action, edit.base, edit.actor) == ("change", base, "alice")
    assert [row.event for row in hub.store.audit.latest(1)] == ["change"]


async def test_an_image_may_be_left_to_what_all_workspaces_have(
    hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.WARM)
    base = runner.add_file("alice-a", "owner: alice # me\n")
    runner.templates["bare"] = "state: warm # mine\n"
    async with hub.visitor() as alice:
        body = {"fields": {"state": "warm"}, "base": base}
        assert (await alice.patch(f"{URL}/alice-a", json=body)).status_code == 202
        for new in ({"id": "alice-b", "fields": {}}, {"id": "alice-c", "template": "bare"}):
            assert (await alice.post(URL, json=new)).status_code == 202
    texts = {edit.workspace_id: edit.text for edit in hub.index.edits.take()}
    assert texts == {
        "alice-a": "owner: alice # me\nstate: warm\n",
        "alice-b": "owner: alice\n",
        "alice-c": "state: warm # mine\nowner: alice\n",
    }


async def test_the_revision_may_be_named_by_if_match(hub: Running, base: str) -> None:
    async with hub.visitor() as alice:
        body = {"text": FILE + "state: warm\n"}
        answer = await alice.patch(f"{URL}/alice-a", json=body, headers={"If-Match": f'"{base}"'})
        assert answer.status_code == 202
        gone = await alice.delete(f"{URL}/alice-a", headers={"If-Match": '"0000"'})
        assert (gone.status_code, code_of(gone)) == (409, "EDIT_CONFLICT")


UNCHANGEABLE: list[tuple[dict[str, Any], dict[str, str], int, str]] = [
    ({"fields": {"state": "warm"}}, {}, 428, "REVISION_REQUIRED"),
    ({"fields": {"state": "warm"}, "base": ""}, {}, 428, "REVISION_REQUIRED"),
    ({"fields": {"state": "warm"}, "base": "BASE"}, {"If-Match": '"x"'}, 400, "INVALID_INPUT"),
    ({"fields": {}}, {"If-Match": '"a", "b"'}, 400, "INVALID_INPUT"),
    ({"fields": {}}, {"If-Match": 'W/"a"'}, 400, "INVALID_INPUT"),
    ({"base": "BASE"}, {}, 400, "INVALID_INPUT"),
    ({"base": "BASE", "text": FILE, "fields": {}}, {}, 400, "INVALID_INPUT"),
    ({"base": "BASE", "text": FILE}, {}, 400, "INVALID_INPUT"),
    ({"base": "BASE", "fields": {"owner": None}}, {}, 422, "INVALID_FILE"),
    ({"base": "BASE", "fields": {"owner": "bob"}}, {}, 403, "FORBIDDEN"),
    ({"base": "BASE", "fields": {"formerly": "bob-x"}}, {}, 403, "FORBIDDEN"),
    ({"base": "0000", "fields": {"state": "warm"}}, {}, 409, "EDIT_CONFLICT"),
]


async def test_what_can_t_be_changed(hub: Running, base: str) -> None:
    hub.publish("bob-x", Phase.WARM, owner="bob")
    async with hub.visitor() as alice:
        for body, headers, status, code in UNCHANGEABLE:
            named = {key: base if one == "BASE" else one for key, one in body.items()}
            answer = await alice.patch(f"{URL}/alice-a", json=named, headers=headers)
            assert (answer.status_code, code_of(answer)) == (status, code), (body, answer.text)
    assert hub.index.edits.take() == []


async def test_an_admin_may_give_a_workspace_to_somebody(hub: Running, base: str) -> None:
    async with hub.visitor(ROOT) as root:
        body = {"fields": {"owner": "bob", "formerly": "bob-x"}, "base": base}
        assert (await root.patch(f"{URL}/alice-a", json=body)).status_code == 202
    (edit,) = hub.index.edits.take()
    assert (edit.admin, edit.actor) == (True, "root-admin")


async def test_two_tabs_on_one_file_the_second_is_shown_both(
    hub: Running, runner: FakeRunner, base: str
) -> None:
    async with hub.visitor() as first, hub.visitor() as second:
        mine = {"fields": {"env": {"A": "1"}}, "base": base}
        assert (await first.patch(f"{URL}/alice-a", json=mine)).status_code == 202
        early = await second.patch(f"{URL}/alice-a", json=mine)
        assert code_of(early) == "EDIT_WAITS"
        (edit,) = hub.index.edits.take()
        runner.make(edit)
        hub.index.edits.finish(edit.id, commit="abc")
        late = await second.patch(
            f"{URL}/alice-a", json={"fields": {"state": "warm"}, "base": base}
        )
        assert (late.status_code, code_of(late)) == (409, "EDIT_CONFLICT")
        details = late.json()["error"]["details"]
        assert details["theirs"] == edit.text
        assert details["yours"] == FILE + "state: warm\n"
        assert details["revision"] == runner.files["alice-a"]["revision"]
        assert (details["they_changed"], details["you_changed"]) == (["env.A"], ["state"])
        assert details["together"] == f"{edit.text}state: warm\n"
        assert "While you changed state, somebody else changed env.A." in late.text
        both = await second.patch(
            f"{URL}/alice-a", json={"fields": {"env": {"A": "2"}}, "base": base}
        )
        assert both.json()["error"]["details"]["both_changed"] == ["env.A"]
        assert both.json()["error"]["details"]["together"] is None
    assert hub.index.edits.take() == []


async def test_what_the_file_was_under_another_owner_is_not_told(
    hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.WARM)
    former = runner.add_file("alice-a", "owner: bob\nimage: a\nenv: {KEY: bobs-canary}\n")
    now = runner.add_file("alice-a", FILE)
    patches: list[dict[str, Any]] = [
        {"fields": {"state": "warm"}},
        {"text": FILE + "state: warm\n"},
    ]
    async with hub.visitor() as alice, hub.visitor(ROOT) as root:
        for base in (former, "HEAD~1", "0" * 40):
            for patch in patches:
                answer = await alice.patch(f"{URL}/alice-a", json=patch | {"base": base})
                assert (answer.status_code, code_of(answer)) == (409, "EDIT_CONFLICT")
                assert "canary" not in answer.text
                assert "KEY" not in answer.text
                assert answer.json()["error"]["details"]["revision"] == now
        seen = await root.patch(f"{URL}/alice-a", json=patches[0] | {"base": former})
        assert "bobs-canary" in seen.text
        runner.add_file("alice-a", "owner: bob\nimage: a\nenv: {KEY: bobs-canary}\n")
        handed = await alice.get(f"{URL}/alice-a/file")
        assert (handed.status_code, "canary" in handed.text) == (403, False)
    assert hub.index.edits.take() == []


async def test_removing_asks_for_it_with_the_revision_that_there_is(
    hub: Running, base: str
) -> None:
    async with hub.visitor() as alice:
        answer = await alice.delete(f"{URL}/alice-a", params={"message": "done with it"})
        assert answer.status_code == 202
        assert answer.json()["operation"]["kind"] == "delete"
    (edit,) = hub.index.edits.take()
    assert (edit.text, edit.base, edit.message) == (None, base, "done with it")
    assert [row.event for row in hub.store.audit.latest(1)] == ["delete"]


async def test_other_people_s_files_are_theirs(hub: Running, base: str) -> None:
    patch = {"fields": {"state": "warm"}, "base": base}
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/alice-a/file", None), ("PATCH", "/alice-a", patch), ("DELETE", "/alice-a", None)
    ]  # fmt: skip
    async with hub.client() as stranger, hub.visitor(BOB) as bob:
        for method, path, body in calls:
            nobody = await stranger.request(method, URL + path, json=body)
            assert code_of(nobody) == "UNAUTHENTICATED"
            refused = await bob.request(method, URL + path, json=body)
            assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
            unknown = await bob.request(method, URL + path.replace("alice-a", "no-such"), json=body)
            assert (unknown.status_code, code_of(unknown)) == (404, "NOT_FOUND")
    assert hub.index.edits.take() == []
    assert ("bob", "alice-a") in {(row.user, row.workspace) for row in hub.store.audit.latest()}


async def test_hidden_ones_look_as_if_they_were_not_there(tmp_path: Path) -> None:
    async with serving(tmp_path, hide_existence="true") as hub, hub.visitor(BOB) as bob:
        hub.publish("alice-a", Phase.WARM)
        for method, path in (("GET", "/file"), ("DELETE", ""), ("PATCH", "")):
            body = {"fields": {}, "base": "x"} if method == "PATCH" else None
            theirs = await bob.request(method, f"{URL}/alice-a{path}", json=body)
            nobodys = await bob.request(method, f"{URL}/no-such{path}", json=body)
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.json()["error"]["message"] == nobodys.json()["error"]["message"]


async def test_a_former_id_tells_nothing_of_what_is_hidden(tmp_path: Path) -> None:
    async with serving(tmp_path, hide_existence="true") as hub, hub.visitor(BOB) as bob:
        hub.publish("alice-a", Phase.WARM)
        hub.publish("bob-b", Phase.WARM, owner="bob")
        told = []
        for former in ("alice-a", "no-such"):
            text = f"owner: bob\nimage: a\nformerly: {former}\n"
            answer = await bob.post(URL, json={"id": "bob-x", "text": text})
            told.append((answer.status_code, code_of(answer), answer.json()["error"]["message"]))
        assert told[0] == told[1] == (403, "FORBIDDEN", FORMERLY)
        own = {"id": "bob-x", "text": "owner: bob\nimage: a\nformerly: bob-b\n"}
        answer = await bob.post(URL, json=own)
        assert code_of(answer) == "RUNNER_UNAVAILABLE", "it is let through"


async def test_a_former_id_is_of_whom_it_was_handed_to(hub: Running, runner: FakeRunner) -> None:
    renamed = '{"formerly": "old"}'
    hub.publish("bob-new", Phase.TOMBSTONED, owner="bob", spec_json=renamed)
    async with hub.visitor() as alice, hub.visitor(BOB) as bob:
        for visitor, owner, status in ((alice, "alice", 403), (bob, "bob", 202)):
            text = f"owner: {owner}\nimage: a\nformerly: old\n"
            answer = await visitor.post(URL, json={"id": f"{owner}-x", "text": text})
            assert answer.status_code == status, answer.text
        hub.publish("old", Phase.TOMBSTONED)  # its label still says alice
        text = "owner: alice\nimage: a\nformerly: old\n"
        again = await alice.post(URL, json={"id": "alice-x", "text": text})
        assert (again.status_code, again.json()["error"]["message"]) == (403, FORMERLY)


async def test_other_sites_change_nothing(hub: Running, base: str) -> None:
    async with hub.visitor() as alice:
        for origin in ("https://evil.example", "null"):
            headers = {"Origin": origin}
            for method, path in (("POST", ""), ("PATCH", "/alice-a"), ("DELETE", "/alice-a")):
                answer = await alice.request(method, URL + path, json={}, headers=headers)
                assert (answer.status_code, code_of(answer)) == (403, "ORIGIN_REFUSED")
    assert hub.index.edits.take() == []


async def test_what_is_generated_is_not_changed_here(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-g", Phase.WARM)
    hub.publish("alice-n", Phase.WARM)
    runner.add_file("alice-g", "", reason="alice-g is made by _generators/class.yaml")
    async with hub.visitor() as alice:
        for method in ("PATCH", "DELETE"):
            body = {"text": FILE, "base": "x"} if method == "PATCH" else None
            answer = await alice.request(method, f"{URL}/alice-g", json=body)
            assert (answer.status_code, code_of(answer)) == (409, "NOT_EDITABLE")
            assert "_generators/class.yaml" in answer.text
            gone = await alice.request(method, f"{URL}/alice-n", json=body)
            assert (gone.status_code, code_of(gone)) == (404, "NOT_FOUND")


async def test_without_a_runner_nothing_is_asked_for(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.WARM)
    runner.broken = 500
    async with hub.visitor() as alice:
        for call in (
            alice.get(f"{URL}/alice-a/file"),
            alice.post(URL, json={"id": "alice-b", "template": "small"}),
            alice.post(URL, json={"id": "alice-b", "fields": {"image": "a"}}),
        ):
            answer = await call
            assert (answer.status_code, code_of(answer)) == (502, "RUNNER_UNAVAILABLE")
    assert hub.index.edits.take() == []


async def test_a_text_is_checked_and_nothing_comes_of_it(hub: Running) -> None:
    async with hub.visitor() as alice, hub.client() as stranger:

        async def problems(**body: Any) -> Any:
            answer = await alice.post(f"{URL}/validate", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()["problems"]

        assert await problems(text=FILE) == []
        (wrong,) = await problems(text="owner: alice\nimage: a\nstate: sleepy\n", id="alice-a")
        assert (wrong["file"], wrong["line"], wrong["column"]) == ("alice-a.yaml", 3, 8)
        assert (wrong["key"], bool(wrong["hint"])) == ("state", True)
        assert "64 KiB" in (await problems(text="x" * 70_000))[0]["message"]
        half = b'{"text": "owner: \\ud800"}'
        headers = {"Content-Type": "application/json"}
        no_text = await alice.post(f"{URL}/validate", content=half, headers=headers)
        assert no_text.status_code == 400
        bad = await alice.post(f"{URL}/validate", json={"text": "", "id": "new"})
        assert code_of(bad) == "INVALID_INPUT"
        unknown = await stranger.post(f"{URL}/validate", json={"text": FILE})
        assert code_of(unknown) == "UNAUTHENTICATED"
    assert hub.index.edits.take() == []


async def test_one_user_checks_a_few_at_once(hub: Running) -> None:
    gate, desk = threading.Event(), hub.services.desk
    async with hub.visitor() as alice, hub.visitor(BOB) as bob, asyncio.TaskGroup() as tasks:
        asker = Asker(Visitor("alice", False, "key"), "", "r1")
        under_way = [tasks.create_task(desk.reading(asker, gate.wait)) for _ in range(CHECKS)]
        await asyncio.sleep(0)  # both have begun
        refused = await alice.post(f"{URL}/validate", json={"text": FILE})
        assert (refused.status_code, code_of(refused)) == (429, "THROTTLED")
        assert int(refused.headers["retry-after"]) > 0
        waiting = tasks.create_task(bob.post(f"{URL}/validate", json={"text": FILE}))
        gate.set()
        assert (await waiting).status_code == 200
        await asyncio.gather(*under_way)
        assert (await alice.post(f"{URL}/validate", json={"text": FILE})).status_code == 200


async def test_one_user_reads_a_few_files_at_once(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.WARM)
    hub.publish("bob-b", Phase.WARM, owner="bob")
    runner.add_file("alice-a", FILE)
    runner.add_file("bob-b", FILE.replace("alice", "bob"))
    runner.gate = asyncio.Event()
    async with hub.visitor() as alice, hub.visitor(BOB) as bob, asyncio.TaskGroup() as tasks:
        url = f"{URL}/alice-a/file"
        reading = [tasks.create_task(alice.get(url)) for _ in range(LOOKS + 1)]
        done, waiting = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = [task.result() for task in done]
        assert (refused.status_code, code_of(refused)) == (429, "THROTTLED")
        waiting.add(tasks.create_task(bob.get(f"{URL}/bob-b/file")))
        runner.gate.set()
        assert {(await task).status_code for task in waiting} == {200}
        assert (await alice.get(url)).status_code == 200


async def test_who_has_enough_changes_under_way_is_told_to_wait(
    hub: Running, runner: FakeRunner
) -> None:
    async with hub.visitor() as alice, hub.visitor(BOB) as bob:
        for n in range(MOST_LIVE):
            made = await alice.post(URL, json={"id": f"alice-{n}", "text": FILE})
            assert made.status_code == 202, made.text
        refused = await alice.post(URL, json={"id": "alice-more", "text": FILE})
        assert (refused.status_code, code_of(refused)) == (429, "THROTTLED")
        assert int(refused.headers["retry-after"]) > 0
        theirs = await bob.post(URL, json={"id": "bob-b", "text": FILE.replace("alice", "bob")})
        assert theirs.status_code == 202, theirs.text


async def test_a_former_id_of_one_s_own_may_be_named(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.WARM)
    hub.publish("alice-old", Phase.TOMBSTONED)
    wrong = runner.add_file("alice-a", "owner: alice\n")
    async with hub.visitor() as alice:
        for former in ("alice-old", "never-there"):
            text = f"{FILE}formerly: {former}\n"
            answer = await alice.patch(f"{URL}/alice-a", json={"text": text, "base": wrong})
            assert answer.status_code == 202, answer.text
            (edit,) = hub.index.edits.take()
            hub.index.edits.finish(edit.id, code="X", error="not made")
        hub.publish("bob-x", Phase.WARM, owner="bob")
        kept = runner.add_file("alice-a", f"{FILE}formerly: bob-x\n")  # an admin's doing
        body = {"fields": {"state": "warm"}, "base": kept}
        assert (await alice.patch(f"{URL}/alice-a", json=body)).status_code == 202


async def test_a_runner_of_another_version_is_none(hub: Running, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.WARM)
    runner.files["alice-a"] = {"text": FILE}
    async with hub.visitor() as alice:
        answer = await alice.get(f"{URL}/alice-a/file")
    assert (answer.status_code, code_of(answer)) == (502, "RUNNER_UNAVAILABLE")
