"""The pages over a real server, as a browser without scripts uses them."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from markupsafe import escape

from gateway.errors import (
    RequestError,
    RunnerUnavailableError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.pages.render import Pages
from gateway.pages.views import LOOKS, SYNCS, counts, view_of
from gateway.proxy.seams import View, Visitor
from gateway.routing import Route
from state_index.models import Published, RunnerInfo
from state_index.phases import Phase, Sync
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import ALICE, BOB, ROOT, Running, login_of, serving
from tests.waiting import until

VISITOR = Visitor("alice", False, "key")
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(hub: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's browser; it sends what browsers send with navigations."""
    async with hub.client(headers=NAVIGATION) as client:
        answer = await client.post("/login", data=login_of(ALICE))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        yield client


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


async def test_a_stranger_is_led_to_the_login_and_back(hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with hub.client(headers=NAVIGATION) as client:
        assert (await client.get("/")).headers["location"] == "/login"
        asked = await client.get("/workspaces/alice-a?next=/w/alice-a/x%20y")
        assert asked.status_code == 303
        where = urlsplit(asked.headers["location"])
        assert where.path == "/login"
        assert parse_qs(where.query)["next"] == ["/workspaces/alice-a?next=/w/alice-a/x%20y"]
        form = await client.get(asked.headers["location"])
        hidden = re.search(r'name="next" value="([^"]*)"', form.text)
        assert hidden is not None
        assert hidden[1] == "/workspaces/alice-a?next=/w/alice-a/x%20y"
        done = await client.post("/login", data=login_of(ALICE) | {"next": hidden[1]})
        assert done.headers["location"] == "/workspaces/alice-a?next=/w/alice-a/x%20y"
        again = await client.get("/login?next=/workspaces/alice-a")
        assert (again.status_code, again.headers["location"]) == (303, "/workspaces/alice-a")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_the_login_leads_nowhere_else(hub: Running, target: str) -> None:
    async with hub.client() as client:
        form = await client.get("/login", params={"next": target})
        assert 'name="next" value="/"' in form.text
        done = await client.post("/login", data=login_of(ALICE) | {"next": target})
        assert done.headers["location"] == "/"


async def test_a_failed_login_shows_the_form_again_without_the_password(hub: Running) -> None:
    async with hub.client(headers=NAVIGATION) as client:
        fields = {"username": '"><b>al', "password": "canary-secret", "next": "/x"}
        answer = await client.post("/login", data=fields)
        assert answer.status_code == 401
        assert "Name or password is wrong." in answer.text
        assert "canary-secret" not in answer.text
        assert "<b>al" not in answer.text
        assert 'name="next" value="/x"' in answer.text
        assert 'role="alert"' in answer.text


async def test_a_throttled_login_says_so_on_the_page(tmp_path: Path) -> None:
    async with serving(tmp_path, login_attempts="1") as hub, hub.client() as client:
        await client.post("/login", data={"username": "alice", "password": "wrong"})
        answer = await client.post("/login", data=login_of(ALICE))
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Too many attempts" in answer.text


async def test_logging_out_by_the_form(hub: Running, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await browser.get("/")).headers["location"] == "/login"
    assert (await browser.post("/logout")).status_code == 303


async def test_the_portal_shows_one_s_own_workspaces(
    hub: Running, browser: httpx.AsyncClient, runner: FakeRunner
) -> None:
    empty = await browser.get("/")
    assert "No workspace yet" in empty.text
    assert "None so far." in empty.text
    problem = {"file": "f.yaml", "line": 3, "column": 7, "key": "image", "message": "bad `x`"}
    hub.publish("alice-run", Phase.RUNNING, spec_json='{"resources":{"cpu":1.5,"memory":"4Gi"}}')
    hub.publish("alice-sick", Phase.ERROR, reason="IMAGE_MISSING", step="container", message="<No>")
    hub.publish("alice-bad", Phase.WARM, sync=Sync.INVALID, problems=(problem,), pinned="warm")
    hub.publish("alice-gone", Phase.DELETED)
    hub.publish("alice-kept", Phase.TOMBSTONED, expires_at=datetime(2027, 1, 2, 3, tzinfo=UTC))
    hub.publish("bob-x", Phase.RUNNING, owner="bob")
    page = (await browser.get("/")).text
    assert "4 workspaces:" in page
    assert 'Home kept until <time datetime="2027-01-02T03:00:00+00:00">' in page
    alone = (await browser.get("/workspaces/alice-kept")).text
    assert 'Its home is kept until <time datetime="2027-01-02T03:00:00+00:00">' in alone
    assert "bob-x" not in page
    assert "alice-gone" not in page
    assert 'href="/w/alice-run/"' in page
    assert 'action="/workspaces/alice-run/stop"' in page
    assert 'action="/workspaces/alice-run/start"' not in page
    assert "1.5 CPU, 4Gi" in page
    assert "&lt;No&gt;" in page
    assert "Step: container" in page
    assert "IMAGE_MISSING" in page
    assert "Try again" in page
    assert "f.yaml:3:7" in page
    assert "image: bad <code>x</code>" in page
    assert "pinned warm" in page
    assert "The runner is not there" not in page


@pytest.mark.parametrize("path", ["/", "/workspaces/alice-other"])
async def test_pages_tell_what_another_hand_changed(
    hub: Running, browser: httpx.AsyncClient, path: str
) -> None:
    drift = {"field": "memory", "wanted": "4Gi", "found": "<8Gi>", "stays": False}
    hub.publish("alice-other", Phase.RUNNING, sync=Sync.OUT_OF_SYNC, drift=(drift,))
    page = (await browser.get(path)).text
    assert "Differs from how it was made: memory 4Gi → &lt;8Gi&gt;</span>" in page


async def test_the_portal_says_when_no_runner_listens(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    assert "The runner is not there" in (await browser.get("/")).text
    hub.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
    assert "The runner is not there" in (await browser.get("/")).text


async def test_a_workspace_that_does_not_answer_leads_to_its_state(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    hub.publish("alice-a", Phase.RUNNING, upstream="unix:alice-a/ide.sock")
    await until(lambda: "alice-a" in (hub.services.routes.current() or {}), "its route")
    answer = await browser.get("/w/alice-a/")
    assert answer.status_code == 502
    assert 'href="/workspaces/alice-a"' in answer.text


async def test_admins_see_everybody_s_workspaces_without_their_buttons(hub: Running) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    async with hub.visitor(ROOT) as root:
        own = (await root.get("/")).text
        assert "alice-a" not in own
        page = (await root.get("/?all=true")).text
        assert "alice-a" in page
        assert "/w/alice-a/" not in page
        assert "/workspaces/alice-a/stop" not in page
        card = await root.get("/workspaces/alice-a/card?all=true")
        assert "/w/alice-a/" not in card.text
    async with hub.visitor(BOB) as bob:
        assert (await bob.get("/?all=true", headers=NAVIGATION)).status_code == 403


async def test_starting_by_the_form_leads_to_the_progress_page_and_on(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    hub.publish("alice-a", Phase.WARM)
    stopped = await browser.get("/workspaces/alice-a")
    assert "alice-a is stopped" in stopped.text
    fields = {"next": "/w/alice-a/?folder=/home"}
    answer = await browser.post("/workspaces/alice-a/start", data=fields)
    assert answer.status_code == 303
    progress = answer.headers["location"]
    assert progress == "/workspaces/alice-a?next=%2Fw%2Falice-a%2F%3Ffolder%3D%2Fhome"
    (intent,) = hub.index.take_intents()
    assert (intent.kind, intent.actor) == ("start", "alice")
    hub.publish("alice-a", Phase.STARTING, step="waiting for the editor")
    page = (await browser.get(progress)).text
    assert "alice-a is starting" in page
    assert "waiting for the editor" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'data-target="/w/alice-a/?folder=/home" data-follow' in page
    assert 'role="status"' in page
    hub.publish("alice-a", Phase.RUNNING)
    there = await browser.get(progress)
    assert (there.status_code, there.headers["location"]) == (303, "/w/alice-a/?folder=/home")


@pytest.mark.parametrize("target", ["", "/w/other/", "//evil.example/w/alice-a/", "/w/alice-a"])
async def test_a_start_leads_into_that_workspace_only(
    hub: Running, browser: httpx.AsyncClient, target: str
) -> None:
    hub.publish("alice-a", Phase.WARM)
    answer = await browser.post("/workspaces/alice-a/start", data={"next": target})
    assert answer.headers["location"] == "/workspaces/alice-a?next=%2Fw%2Falice-a%2F"


async def test_stopping_by_the_form(hub: Running, browser: httpx.AsyncClient) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    answer = await browser.post("/workspaces/alice-a/stop", data={"next": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/workspaces/alice-a")
    (intent,) = hub.index.take_intents()
    assert intent.kind == "stop"


@pytest.mark.parametrize(
    ("phase", "pinned", "kind", "says"),
    [
        (Phase.RUNNING, "auto", "start", "start is not possible now"),
        (Phase.WARM, "warm", "start", "state: warm"),
    ],
)
async def test_what_is_not_possible_is_said_on_the_workspace_s_page(  # noqa: PLR0917
    hub: Running, browser: httpx.AsyncClient, phase: Phase, pinned: str, kind: str, says: str
) -> None:
    hub.publish("alice-a", phase, pinned=pinned)
    answer = await browser.post(f"/workspaces/alice-a/{kind}", data={"next": ""})
    assert answer.status_code == 409
    assert says in answer.text
    assert 'role="alert"' in answer.text


async def test_others_and_unknown_ones_are_pages_too(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    hub.publish("bob-x", Phase.RUNNING, owner="bob")
    for path in ("/workspaces/bob-x", "/workspaces/bob-x/logs"):
        answer = await browser.get(path)
        assert answer.status_code == 403
        assert "This is not yours" in answer.text
    refused = await browser.post("/workspaces/bob-x/start", data={"next": ""})
    assert (refused.status_code, "This is not yours" in refused.text) == (403, True)
    for path in ("/workspaces/no-such", "/no/such/page"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "Nothing here" in answer.text
        assert answer.headers["x-request-id"] in answer.text
    program = await browser.get(
        "/no/such/page", headers={"Accept": "*/*", "Sec-Fetch-Mode": "cors"}
    )
    assert program.headers["content-type"] == "application/json"


async def test_the_logs_page(hub: Running, browser: httpx.AsyncClient, runner: FakeRunner) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    runner.logs = b"line one\n<script>alert(1)</script>\n\xff\n"
    page = await browser.get("/workspaces/alice-a/logs?tail=1000")
    assert page.status_code == 200
    assert "line one" in page.text
    assert "&lt;script&gt;" in page.text
    assert "\ufffd" in page.text
    assert "<option selected>1000" in page.text
    assert runner.asked[0][:2] == ("alice-a", "1000")
    runner.logs = b"\x1b[?25h"
    assert "Nothing written yet" not in (await browser.get("/workspaces/alice-a/logs")).text
    runner.logs = b""
    assert "Nothing written yet" in (await browser.get("/workspaces/alice-a/logs")).text
    runner.status = 404
    assert "Nothing written yet" in (await browser.get("/workspaces/alice-a/logs")).text
    runner.status = 500
    broken = await browser.get("/workspaces/alice-a/logs")
    assert broken.status_code == 502
    assert "The runner could not give the logs." in broken.text


async def test_assets_are_kept_for_ever_under_their_digest(hub: Running) -> None:
    async with hub.client() as client:
        page = (await client.get("/login")).text
        urls = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert len(urls) == 2
        for url in urls:
            answer = await client.get(url)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
        style = await client.get(urls[1])
        assert style.headers["content-type"] == "text/css; charset=utf-8"
        old = await client.get("/static/0000000000000000/app.css")
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-store")
        for missing, status in (("nope.js", 404), ("%2e%2e", 404), ("..%2frender.py", 400)):
            answer = await client.get(f"/static/0000000000000000/{missing}")
            assert answer.status_code == status


async def test_no_page_names_a_foreign_host_or_has_anything_inline(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    hub.publish("alice-a", Phase.STARTING)
    for path in ("/", "/workspaces/alice-a", "/workspaces/alice-a/logs", "/nope"):
        page = (await browser.get(path)).text
        assert "http://" not in page
        assert "https://" not in page
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\son\w+=", page)
    for asset in hub.services.pages.assets.files.values():
        text = asset.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text


async def test_pages_have_the_parts_that_screen_readers_need(
    hub: Running, browser: httpx.AsyncClient
) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    for path in ("/", "/workspaces/alice-a", "/nope"):
        page = (await browser.get(path)).text
        assert '<html lang="en">' in page
        assert 'class="skip" href="#main"' in page
        assert '<main id="main"' in page
        assert page.count("<h1") == 1
        assert re.search(r"<title>[^<]+ · CodeHub</title>", page)
        assert not re.search(r"<svg(?![^>]*aria-hidden)", page)


# What the proxy shows, without a server.


def published(phase: Phase, **values: object) -> Published:
    return Published(id="alice-a", owner="alice", phase=phase, sync=Sync.SYNCED, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_its_words_icon_and_page(phase: Phase) -> None:
    view = view_of(published(phase))
    assert "alice-a" in view.headline
    assert view.label
    page = Pages(https=False).state(published(phase), visitor=VISITOR)
    assert escape(view.headline).encode() in page.body
    assert (b'http-equiv="refresh"' in page.body) is view.busy


def test_phases_and_syncs_are_complete() -> None:
    assert set(LOOKS) == set(Phase)
    assert set(SYNCS) == set(Sync)


def test_counting_in_words() -> None:
    rows = [published(Phase.WARM), published(Phase.WARM), published(Phase.RUNNING)]
    assert counts(rows) == "3 workspaces: 2 stopped, 1 running"
    assert counts(rows[:1]) == "1 workspace: 1 stopped"
    assert counts([]) == "None so far."


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        ('{"resources": {"cpu": 2.0, "memory": "4Gi"}}', "2 CPU, 4Gi"),
        ('{"resources": {"cpu": 0.5, "memory": 536870912}}', "0.5 CPU, 512Mi"),
        ('{"resources": {"cpu": 1, "memory": 1610612736}}', "1 CPU, 1.5Gi"),
        ('{"resources": {"cpu": 1, "memory": 100}}', "1 CPU, 100"),
        ('{"resources": {}}', ""),
        ("{}", ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_sizes_in_words(spec: str, size: str) -> None:
    assert view_of(published(Phase.WARM, spec_json=spec)).size == size


def test_many_differences_are_counted() -> None:
    drift = ({"field": "a", "wanted": "b", "found": "c"},) * 8
    told = view_of(published(Phase.WARM, drift=drift)).differs
    assert told == (*["a b → c"] * 6, "and 2 more")


def route(phase: Phase) -> Route:
    return Route("alice-a", "alice", phase, message="from the route", step="a step")


def test_the_proxy_gets_a_page_for_a_workspace_that_is_not_running() -> None:
    pages = Pages(https=True)
    answer = pages.workspace(
        View.STARTING, status=503, route=route(Phase.STARTING), visitor=VISITOR, request_id="r"
    )
    headers = dict(answer.headers)
    assert answer.status == 503
    assert headers[b"retry-after"] == b"2"
    assert headers[b"cache-control"] == b"no-store"
    assert b"strict-transport-security" in headers
    assert b"data-follow" in answer.body
    assert b'data-target="/w/alice-a/"' in answer.body
    assert b"a step" in answer.body


def test_the_proxy_s_page_knows_more_when_the_feed_does() -> None:
    problem = {"file": "f.yaml", "line": 1, "column": 2, "message": "told by the feed"}
    row = published(Phase.WARM, problems=(problem,))
    pages = Pages(https=False, find={"alice-a": row}.get)
    answer = pages.workspace(
        View.STOPPED, status=200, route=route(Phase.WARM), visitor=VISITOR, request_id="r"
    )
    assert answer.status == 200
    assert b"told by the feed" in answer.body
    assert b"retry-after" not in dict(answer.headers)


@pytest.mark.parametrize(
    ("error", "title", "retry"),
    [
        (UpstreamUnavailableError(), b"The workspace does not answer", True),
        (UpstreamTimeoutError(details={"workspace": "alice-a"}), b"took too long", True),
        (RunnerUnavailableError(), b"The runner could not do it", False),
        (RequestError(), b"That was our mistake", False),
    ],
)
def test_errors_of_the_proxy_have_pages(error: RequestError, title: bytes, retry: bool) -> None:
    answer = Pages(https=False).refusal(error, visitor=VISITOR, request_id="req-1")
    assert answer.status == error.status
    assert title in answer.body
    assert b"req-1" in answer.body
    assert (b"Try again" in answer.body) is retry
    assert (b"/workspaces/alice-a" in answer.body) is bool(error.details)


def test_an_error_for_a_stranger_has_no_logout_button() -> None:
    answer = Pages(https=False).refusal(RequestError(), visitor=None, request_id="r")
    assert b"Log out" not in answer.body
