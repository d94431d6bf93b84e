"""The pages on which workspaces are made, changed and removed, as a browser without scripts uses them."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from difflib import unified_diff
from html import unescape
from pathlib import Path
from types import FrameType

import httpx
import pytest

from spec.report import read_tree
from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, BOB, ROOT, Running, login_of, serving

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FILE = """\
# alice's machine
owner: alice
image: codehub/light   # small
env:
  TZ: 'Asia/Seoul'
"""
FORM = {
    "tab": "form",
    "image": "codehub/light",
    "env_name": ["TZ", ""],
    "env_value": ["Asia/Seoul", ""],
}
EDIT = "/workspaces/alice-a/edit"
XSS = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(hub: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with hub.client(headers=NAVIGATION) as client:
        await client.post("/login", data=login_of(ALICE))
        yield client


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


def hidden(page: str, name: str) -> str:
    """What a hidden field, or the text, of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    found = found or re.search(
        rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL
    )
    assert found is not None, page
    return unescape(found[1])


async def test_a_workspace_is_made_from_a_template_by_the_form(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    assert 'href="/workspaces/new"' in (await browser.get("/")).text
    page = (await browser.get("/workspaces/new?template=small&id=alice-b")).text
    assert "<option selected>small</option>" in page
    assert hidden(page, "text") == "# from a template\nowner: alice\nimage: codehub/light\n"
    assert 'name="owner"' not in page, "admins only name another owner"
    sent = {"id": "alice-b", "text": hidden(page, "text"), "message": "try", "go": "save"}
    form = FORM | {"cpu": "0.5", "env_name": ["A"], "env_value": ["x\r\ny"]}
    done = await browser.post("/workspaces/new", data=sent | form)
    assert done.status_code == 303, done.text
    (edit,) = hub.index.edits.take()
    assert done.headers["location"] == f"/workspaces/alice-b/edits/{edit.id}"
    assert edit.text == (
        "# from a template\nowner: alice\nimage: codehub/light\n"
        'resources:\n  cpu: 0.5\nenv:\n  A: "x\\ny"\n'
    )
    assert (edit.action, edit.message) == ("create", "try")
    waiting = (await browser.get(done.headers["location"])).text
    assert "The runner writes it." in waiting
    assert '<h1 id="title">Make alice-b</h1>' in waiting
    assert '<meta http-equiv="refresh" content="3">' in waiting
    hub.index.edits.finish(edit.id, commit="c0ffee" * 6)
    finished = (await browser.get(done.headers["location"])).text
    assert "Committed <code>c0ffeec0ff</code>" in finished
    assert '<h1 id="title">alice-b is added</h1>' in finished
    assert "The runner brings alice-b up to date now." in finished
    hub.index.repository.tell(failures={"alice-b": f"no image {XSS}"})
    stuck = (await browser.get(done.headers["location"])).text
    assert "It is not applied: no image" in stuck
    assert XSS not in stuck
    hub.index.repository.tell(applied="c0ffee" * 6, failures={})
    assert "It is applied" in (await browser.get(done.headers["location"])).text


async def test_a_new_one_that_can_t_be_is_shown_again_with_what_was_typed(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    plain = (await browser.get("/workspaces/new")).text
    text = hidden(plain, "text")
    assert text == "owner: alice\nimage: codehub/code-server\n"

    async def sent(**fields: str) -> httpx.Response:
        data = {"go": "save", "tab": "form", "text": text, "image": "a", "id": "alice-b"} | fields
        return await browser.post("/workspaces/new", data=data)

    reserved = await sent(id="new", image="kept-image")
    assert (reserved.status_code, 'value="kept-image"' in reserved.text) == (400, True)
    assert "can&#39;t be a workspace&#39;s id" in reserved.text
    wrong = await sent(cpu="many")
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    assert re.search(r'id="f-cpu"[^>]*aria-invalid="true"', wrong.text)
    foreign = await sent(tab="text", text="owner: bob\nimage: a\n")
    assert foreign.status_code == 403
    assert "A workspace that you make must be your own." in foreign.text
    switched = await sent(go="text")
    assert (switched.status_code, hidden(switched.text, "tab")) == (200, "text")
    runner.templates["broken"] = "owner: [\n"
    begun = (await browser.get("/workspaces/new?template=broken")).text
    assert (hidden(begun, "text"), hidden(begun, "tab")) == ("owner: [\n", "text")
    runner.add_file("alice-b", FILE)
    assert (await sent()).status_code == 409
    runner.broken = 500
    assert (await sent()).status_code == 502
    assert "The runner could not read the file" in (await browser.get("/workspaces/new")).text
    assert hub.index.edits.take() == []


async def test_the_form_changes_what_was_touched(
    hub: Running, browser: httpx.AsyncClient, base: str
) -> None:
    page = (await browser.get(EDIT)).text
    assert hidden(page, "base") == base
    assert hidden(page, "text") == FILE
    assert 'value="codehub/light"' in page
    assert "workspaces.d/alice-a.yaml" in page
    sent = FORM | {"go": "save", "base": base, "text": FILE.replace("\n", "\r\n"), "state": "warm"}
    done = await browser.post(EDIT, data=sent)
    assert done.status_code == 303, done.text
    (edit,) = hub.index.edits.take()
    assert (edit.text, edit.base) == (FILE + "state: warm\n", base)


async def test_a_form_may_leave_the_image_to_what_all_workspaces_have(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.WARM)
    base = runner.add_file("alice-a", "owner: alice\n")
    page = (await browser.get(EDIT)).text
    assert not re.search(r'id="f-image"[^>]*required', page), "a browser would not send it"
    sent = {"tab": "form", "go": "save", "base": base, "text": "owner: alice\n", "image": ""}
    done = await browser.post(EDIT, data=sent | {"state": "warm"})
    assert done.status_code == 303, done.text
    (edit,) = hub.index.edits.take()
    assert edit.text == "owner: alice\nstate: warm\n"


async def test_line_ends_of_the_file_outlive_the_browser(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.WARM)
    base = runner.add_file("alice-a", FILE.replace("\n", "\r\n"))
    sent = FORM | {"go": "save", "base": base, "text": FILE.replace("\n", "\r\n")}
    same = await browser.post(EDIT, data=sent)
    assert (same.status_code, "Nothing changes" in same.text) == (400, True)
    assert (await browser.post(EDIT, data=sent | {"state": "warm"})).status_code == 303
    (edit,) = hub.index.edits.take()
    assert edit.text == (FILE + "state: warm\n").replace("\n", "\r\n")


async def test_mixed_line_ends_stay_where_nobody_wrote(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.WARM)
    mixed = FILE.replace("owner: alice\n", "owner: alice\r\n").replace("env:\n", "env:\r")
    sent = FORM | {"go": "save", "base": runner.add_file("alice-a", mixed), "text": FILE}
    same = await browser.post(EDIT, data=sent)
    assert (same.status_code, "Nothing changes" in same.text) == (400, True)
    assert (await browser.post(EDIT, data=sent | {"state": "warm"})).status_code == 303
    (edit,) = hub.index.edits.take()
    assert edit.text == mixed + "state: warm\n"


async def test_both_tabs_hold_what_was_written_in_the_other(
    browser: httpx.AsyncClient, base: str
) -> None:
    sent = FORM | {"base": base, "text": FILE, "go": "text", "state": "warm", "message": "why"}
    as_text = (await browser.post(EDIT, data=sent)).text
    assert hidden(as_text, "text") == FILE + "state: warm\n"
    assert (hidden(as_text, "message"), hidden(as_text, "tab")) == ("why", "text")
    assert "data-dirty" in as_text
    as_form = await browser.post(
        EDIT, data={"tab": "text", "go": "form", "base": base, "text": FILE.replace("light", "x")}
    )
    assert as_form.status_code == 200
    assert 'value="codehub/x"' in as_form.text
    broken = (
        await browser.post(EDIT, data={"tab": "text", "go": "form", "text": "owner: [\n"})
    ).text
    assert hidden(broken, "tab") == "text", "it can't be shown as a form"
    wrong = (await browser.post(EDIT, data=sent | {"cpu": "many"})).text
    assert hidden(wrong, "tab") == "form", "what was typed is not lost"
    assert 'value="many"' in wrong
    by_link = (await browser.get(f"{EDIT}?tab=text")).text
    assert hidden(by_link, "tab") == "text"


async def test_a_conflict_is_shown_and_chosen_from(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner, base: str
) -> None:
    theirs = FILE.replace("light ", "heavy ")
    now = runner.add_file("alice-a", theirs)
    sent = FORM | {"go": "save", "base": base, "text": FILE, "state": "warm"}
    shown = await browser.post(EDIT, data=sent)
    assert shown.status_code == 409
    assert "While you changed state, somebody else changed image." in shown.text
    assert '<span class="del">-image: codehub/heavy   # small</span>' in shown.text
    assert '<span class="add">+state: warm</span>' in shown.text
    assert hidden(shown.text, "base") == now
    assert hidden(shown.text, "text") == theirs + "state: warm\n"
    assert f'href="{EDIT}">Take theirs' in shown.text
    together = {"go": "together", "tab": "text", "base": now, "text": hidden(shown.text, "text")}
    page = await browser.post(EDIT, data=together)
    assert (page.status_code, "Look at it, then save" in page.text) == (200, True)
    saved = await browser.post(EDIT, data=together | {"go": "save"})
    assert saved.status_code == 303
    (edit,) = hub.index.edits.take()
    assert (edit.text, edit.base) == (theirs + "state: warm\n", now)
    waits = await browser.post(EDIT, data=together | {"go": "save"})
    assert (waits.status_code, "under way" in waits.text) == (409, True)


async def test_a_change_that_failed_is_written_once_more(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner, base: str
) -> None:
    sent = {"tab": "text", "go": "save", "base": base, "text": FILE + "state: warm\n"}
    done = await browser.post(EDIT, data=sent)
    (edit,) = hub.index.edits.take()
    hub.index.edits.finish(edit.id, code="EDIT_BREAKS_RULE", error=f"quota: {XSS}")
    failed = (await browser.get(done.headers["location"])).text
    assert "EDIT_BREAKS_RULE" in failed
    assert XSS not in failed
    again = f"{EDIT}?again={edit.id}"
    assert f'href="{again}"' in failed
    assert hidden((await browser.get(again)).text, "text") == FILE + "state: warm\n"
    runner.add_file("alice-a", FILE + "drift: report\n")
    conflict = await browser.get(again)
    assert (conflict.status_code, "changed meanwhile" in conflict.text) == (409, True)
    async with hub.client(headers=NAVIGATION) as bob:
        await bob.post("/login", data=login_of(BOB))
        other = await bob.get(f"/workspaces/new?again={edit.id}")
        assert "state: warm" not in other.text
        assert (await bob.get(done.headers["location"])).status_code == 403
    elsewhere = done.headers["location"].replace("alice-a", "alice-b")
    assert (await browser.get(elsewhere)).status_code == 404


async def test_one_that_was_not_made_is_written_once_more(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    edit = hub.index.edits.ask("alice-b", "create", actor="alice", base="", text="owner: alice\n")
    hub.index.edits.take()
    hub.index.edits.finish(edit.id, code="EDIT_FORBIDDEN", error="no")
    page = (await browser.get(f"/workspaces/alice-b/edits/{edit.id}")).text
    again = f"/workspaces/new?again={edit.id}"
    assert f'href="{again}"' in page
    shown = (await browser.get(again)).text
    assert (hidden(shown, "id"), hidden(shown, "text")) == ("alice-b", "owner: alice\n")
    pulled = hub.index.edits.ask("alice-c", "create", actor="alice", base="", text="owner: alice\n")
    hub.index.edits.take()
    hub.index.edits.finish(pulled.id, url="javascript:alert(1)")
    proposed = (await browser.get(f"/workspaces/alice-c/edits/{pulled.id}")).text
    assert "It is proposed in a pull request" in proposed
    assert "javascript:" not in proposed


async def test_a_workspace_goes_when_its_id_is_typed(
    hub: Running, browser: httpx.AsyncClient, base: str
) -> None:
    url = "/workspaces/alice-a/delete"
    page = (await browser.get(url)).text
    assert "Its home is kept" in page
    wrong = await browser.post(url, data={"base": base, "confirm": "alice-b"})
    assert (wrong.status_code, "Type the id exactly" in wrong.text) == (400, True)
    assert (await browser.post(url, data={"confirm": "alice-a"})).status_code == 400
    unseen = await browser.post(EDIT, data={"tab": "text", "text": FILE + "#\n", "go": "save"})
    assert (unseen.status_code, "which revision" in unseen.text) == (400, True)
    stale = await browser.post(url, data={"base": "0000", "confirm": "alice-a"})
    assert stale.status_code == 409
    assert hub.index.edits.take() == []
    done = await browser.post(url, data={"base": hidden(page, "base"), "confirm": "alice-a"})
    assert done.status_code == 303
    (edit,) = hub.index.edits.take()
    assert (edit.action, edit.text, edit.base) == ("delete", None, base)
    hub.index.edits.finish(edit.id)
    assert "The file is written." in (await browser.get(done.headers["location"])).text


async def test_cards_offer_an_edit_or_say_why_not(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner, base: str
) -> None:
    hub.publish("alice-g", Phase.WARM)
    hub.publish("alice-n", Phase.WARM)
    runner.add_file("alice-g", "", reason=f"made by {XSS}")
    page = (await browser.get("/")).text
    assert runner.reasons_asked == 1, "one question for all that a page shows"
    assert f'href="{EDIT}"' in page
    assert 'href="/workspaces/alice-g/edit"' not in page
    assert "Not edited here" in page
    assert 'href="/workspaces/alice-n/edit"' not in page
    assert XSS not in page
    assert f'href="{EDIT}"' in (await browser.get("/workspaces/alice-a/card")).text
    alone = (await browser.get("/workspaces/alice-g")).text
    assert "Its file is not edited here: made by" in alone
    for path in ("/workspaces/alice-g/edit", "/workspaces/alice-g/delete"):
        locked = await browser.get(path)
        assert (locked.status_code, "is not edited here" in locked.text) == (409, True)
        assert XSS not in locked.text
    runner.broken = 500
    assert f'href="{EDIT}"' not in (await browser.get("/")).text
    runner.broken, runner.gate = 0, asyncio.Event()
    slow = await browser.get("/")  # nobody waits long for a runner that is busy
    assert (slow.status_code, f'href="{EDIT}"' in slow.text) == (200, False)
    runner.gate.set()


async def test_pages_of_other_people_s_files_are_theirs(hub: Running, base: str) -> None:
    async with hub.client(headers=NAVIGATION) as bob, hub.client(headers=NAVIGATION) as root:
        for client, who in ((bob, BOB), (root, ROOT)):
            await client.post("/login", data=login_of(who))
        for path in ("edit", "delete"):
            assert (await bob.get(f"/workspaces/alice-a/{path}")).status_code == 403
            sent = {"base": base, "confirm": "alice-a", "tab": "text", "text": FILE, "go": "save"}
            assert (await bob.post(f"/workspaces/alice-a/{path}", data=sent)).status_code == 403
            assert (await root.get(f"/workspaces/alice-a/{path}")).status_code == 200
        given = {"tab": "form", "go": "save", "base": base, "text": FILE, "owner": "bob"}
        assert (await root.post(EDIT, data=given)).status_code == 303
    (edit,) = hub.index.edits.take()
    assert (edit.text or "").startswith("# alice's machine\nowner: bob\n")
    assert (edit.actor, edit.admin) == ("root-admin", True)


async def test_nothing_that_is_typed_becomes_markup(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner, base: str
) -> None:
    text = f"owner: alice\nimage: a # {XSS}</textarea>{XSS}\nenv: {{'{XSS}': '{XSS}'}}\n"
    for data in (
        {"tab": "text", "text": text, "go": "save"},
        {
            "tab": "form",
            "text": FILE,
            "go": "save",
            "image": XSS,
            "env_name": XSS,
            "env_value": XSS,
        },
    ):
        for path in (EDIT, "/workspaces/new", "/workspaces/new/check"):
            fields = {"id": XSS, "base": XSS, "message": XSS, "template": XSS} | data
            answer = await browser.post(path, data=fields)
            assert "<img" not in answer.text, path
    answer = await browser.get("/workspaces/new", params={"id": XSS, "template": XSS})
    assert "<img" not in answer.text
    runner.add_file("alice-a", text)
    assert "<img" not in (await browser.get(EDIT)).text
    conflict = await browser.post(
        EDIT, data={"tab": "text", "text": FILE, "base": base, "go": "save"}
    )
    assert (conflict.status_code, "<img" in conflict.text) == (409, False)


async def test_a_form_is_checked_while_it_is_written(
    hub: Running, browser: httpx.AsyncClient, base: str
) -> None:
    async def found(**fields: str) -> str:
        data = {"tab": "text", "id": "alice-a", "text": FILE} | fields
        answer = await browser.post("/workspaces/new/check", data=data)
        assert answer.status_code == 200
        return answer.text

    assert "The file is right." in await found()
    assert "line 3, column 8" in await found(text="owner: alice\nimage: a\nstate: x\n")
    assert "resources.cpu" in await found(tab="form", cpu="many")
    assert "is a reserved name" in await found(id="new")
    assert "more than 64 KiB" in await found(text="x" * 70_000)
    large = await browser.post("/workspaces/new/check", data={"text": "x" * 300_000})
    assert large.status_code == 413
    assert hub.index.edits.take() == []


@contextmanager
def on_the_loop() -> Iterator[list[str]]:
    """Name what reads or compares texts in this thread, which is the event loop's."""
    watched = {each.__code__: each.__name__ for each in (read_tree, unified_diff)}
    found: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in watched:
            found.append(watched[frame.f_code])

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


async def test_users_texts_are_not_read_on_the_event_loop(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner, base: str
) -> None:
    hub.publish("alice-old", Phase.WARM)
    sent = {"tab": "text", "base": base, "text": f"{FILE}formerly: alice-old\n"}
    with on_the_loop() as found:
        for path in ("/workspaces/new?template=small", EDIT):
            assert (await browser.get(path)).status_code == 200
        for tab in ("form", "text"):
            assert (await browser.post(EDIT, data=sent | {"go": tab})).status_code == 200
        saved = await browser.post(EDIT, data=sent | {"go": "save"})
        assert saved.status_code == 303
        (edit,) = hub.index.edits.take()
        hub.index.edits.finish(edit.id, code="X", error="not made")
        assert (await browser.get(f"{EDIT}?again={edit.id}")).status_code == 200
        runner.add_file("alice-a", FILE + "drift: report\n")
        assert (await browser.get(f"{EDIT}?again={edit.id}")).status_code == 409
        assert (await browser.post(EDIT, data=sent | {"go": "save"})).status_code == 409
    assert found == []
