"""A workspace's page attacks the portal in a real browser, with and without what keeps it off.

Each attack has its control: the same attack on a gateway whose answers lack the protection gets
through. So what fails fails for the protection, not for a mistake in the attack. Not here, because
nothing stops it on one origin: `fetch` from a workspace's scripts (docs/explanation/security.md).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import Running, serving
from tests.gateway.proxy.support import web_app
from tests.waiting import until

pytestmark = pytest.mark.browser

OWN = "/w/alice-a/"
LOGS = "/api/v1/workspaces/alice-a/logs"
WORKER = """
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => event.respondWith(new Response('owned')));
"""


@dataclass
class Weakened:
    """The gateway, but for some headers of its answers: what it would be without a protection.

    Attributes:
        app: The gateway.
        drop: Headers that are taken away.
        put: Headers that are put in their place, by path.
    """

    app: Any
    drop: frozenset[bytes] = frozenset()
    put: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        extra = self.put.get(scope.get("path", ""))

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                gone = self.drop | ({extra[0]} if extra else set())
                kept = [pair for pair in message["headers"] if pair[0] not in gone]
                message = {**message, "headers": [*kept, *([extra] if extra else [])]}
            await send(message)

        await self.app(scope, receive, sent)


def weaken(hub: Running, *drop: bytes, put: dict[str, tuple[bytes, bytes]] | None = None) -> None:
    """Take protections away, for every connection from now on."""
    app: Any = hub.server.config.loaded_app
    hub.server.config.loaded_app = Weakened(app, frozenset(drop), put or {})


async def workspace(request: web.Request) -> web.Response:
    """The attacker's server: a page, and a service worker with the scope header that is asked."""
    if request.path == "/sw.js":
        allowed = request.query.get("allowed")
        headers = {"Service-Worker-Allowed": allowed} if allowed else {}
        return web.Response(text=WORKER, content_type="text/javascript", headers=headers)
    return web.Response(text="<title>attacker</title>", content_type="text/html")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with (
        serving(tmp_path) as running,
        web_app(running.settings.paths.run, workspace, workspace="alice-a"),
    ):
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        running.publish("alice-a", Phase.RUNNING, upstream="unix:alice-a/ide.sock")
        running.publish("alice-b", Phase.WARM)
        routes = running.services.routes
        await until(lambda: {"alice-a", "alice-b"} <= (routes.current() or {}).keys())
        yield running


@pytest.fixture
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


@asynccontextmanager
async def alice(chromium: Browser, hub: Running) -> AsyncIterator[BrowserContext]:
    """Alice's browser."""
    context = await chromium.new_context(base_url=hub.url)
    async with hub.visitor() as client:
        cookie = {"name": "codehub", "value": client.cookies["codehub"], "url": hub.url}
        await context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of that form
        yield context
        await context.close()


async def at(context: BrowserContext, path: str) -> Page:
    page = await context.new_page()
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == 200
    return page


SEEN = """async (of) => {
  for (let left = 200; left > 0; left--) {
    if (!of() || of().closed) return 'out of reach';
    try {
      const found = of().document;
      if (found.readyState === 'complete' && of().location.pathname === '/') return found.title;
    } catch { return 'out of reach'; }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return 'nothing';
}"""
"""Reads the portal's title through a window, once that has loaded."""


@pytest.mark.parametrize("protected", [True, False], ids=["attack", "control"])
async def test_the_portal_is_out_of_reach_of_a_page_that_opens_it(
    chromium: Browser, hub: Running, protected: bool
) -> None:
    if not protected:
        weaken(hub, b"cross-origin-opener-policy")
    async with alice(chromium, hub) as context:
        attacker = await at(context, OWN)
        async with attacker.expect_popup() as opened:
            await attacker.evaluate("() => { window.portal = window.open('/', 'hub') }")
        portal = await opened.value
        await expect(portal).to_have_url(f"{hub.url}/")
        title = await attacker.evaluate(f"() => ({SEEN})(() => window.portal)")
        assert title == ("out of reach" if protected else await portal.title())
        # By its name: the portal's tab goes elsewhere, or a new tab opens.
        await attacker.evaluate(f"() => {{ window.open('{OWN}login', 'hub') }}")
        await until(lambda: any(page.url.endswith("/login") for page in context.pages))
        assert portal.url == (f"{hub.url}/" if protected else f"{hub.url}{OWN}login")
        assert len(context.pages) == (3 if protected else 2)


@pytest.mark.parametrize("protected", [True, False], ids=["attack", "control"])
async def test_the_portal_is_out_of_reach_of_a_page_that_it_opened(
    chromium: Browser, hub: Running, protected: bool
) -> None:
    if not protected:
        weaken(hub, b"cross-origin-opener-policy")
    async with alice(chromium, hub) as context:
        portal = await at(context, "/")
        async with portal.expect_popup() as opened:
            await portal.evaluate(f"() => {{ window.open('{OWN}', 'ws') }}")
        attacker = await opened.value
        await expect(attacker).to_have_title("attacker")
        title = await attacker.evaluate(f"() => ({SEEN})(() => window.opener)")
        assert title == ("out of reach" if protected else await portal.title())
        move = f"() => {{ if (window.opener) window.opener.location = '{OWN}login' }}"
        await attacker.evaluate(move)
        await attacker.goto(f"{OWN}later")  # whatever the former did has been done
        if protected:
            assert portal.url == f"{hub.url}/"
        else:
            await expect(portal).to_have_url(f"{hub.url}{OWN}login")


@pytest.mark.parametrize("path", ["/", "/login", "/workspaces/alice-b", "/w/alice-b/"])
@pytest.mark.parametrize("protected", [True, False], ids=["attack", "control"])
async def test_our_pages_do_not_show_in_a_workspace_s_frame(
    chromium: Browser, hub: Running, path: str, protected: bool
) -> None:
    if not protected:
        weaken(hub, b"content-security-policy")
    async with alice(chromium, hub) as context:
        attacker = await at(context, OWN)
        text = await attacker.evaluate(
            """(path) => new Promise((resolve) => {
              const frame = document.createElement('iframe');
              frame.onload = () => resolve(frame.contentDocument?.body.innerText ?? 'out of reach');
              frame.src = path;
              document.body.append(frame);
            })""",
            path,
        )
    if not protected:
        assert "alice-b" in text
    elif path == "/w/alice-b/":  # no page for frames, only a program's answer
        assert "NOT_RUNNING" in text
    else:
        assert text == "out of reach"


REGISTER = """async ([script, scope]) => {
  try {
    const made = await navigator.serviceWorker.register(script, {scope});
    return new URL(made.scope).pathname;
  } catch (error) { return error.name; }
}"""


@pytest.mark.parametrize(
    "allowed",
    ["/", "/w/", "/w/alice-a", "{url}/", "//{host}/", "/w/alice-a/../../", "/w/alice-a/%2e%2e/"],
)
async def test_a_service_worker_gets_no_further_than_its_workspace(
    chromium: Browser, hub: Running, allowed: str
) -> None:
    host = hub.url.removeprefix("http://")
    own = f"{OWN}sw.js"
    wide = f"{own}?allowed={quote(allowed.format(url=hub.url, host=host))}"
    async with alice(chromium, hub) as context:
        attacker = await at(context, OWN)
        for scope in ("/", "/w/", "/w/alice-b/", "/w/alice-a", "/api/", "/login"):
            for script in (own, wide):
                assert await attacker.evaluate(REGISTER, [script, scope]) == "SecurityError", scope
        # Its own place is its own: otherwise the errors above would show nothing.
        assert await attacker.evaluate(REGISTER, [own, OWN]) == OWN
        assert await (await at(context, "/")).title() != "attacker"
        later = await context.new_page()
        await later.goto(OWN)
        await expect(later.get_by_text("owned")).to_be_visible()


async def test_without_the_confinement_a_service_worker_takes_the_portal(
    chromium: Browser, hub: Running
) -> None:
    """The control of the test above."""
    weaken(hub, put={f"{OWN}sw.js": (b"service-worker-allowed", b"/")})
    async with alice(chromium, hub) as context:
        attacker = await at(context, OWN)
        assert await attacker.evaluate(REGISTER, [f"{OWN}sw.js?allowed=/", "/"]) == "/"
        await attacker.evaluate("() => navigator.serviceWorker.ready.then(() => 0)")
        portal = await context.new_page()
        await portal.goto("/")
        await expect(portal.get_by_text("owned")).to_be_visible()


@pytest.mark.parametrize("protected", [True, False], ids=["attack", "control"])
async def test_what_a_workspace_wrote_into_its_log_is_no_service_worker(
    chromium: Browser, hub: Running, runner: FakeRunner, protected: bool
) -> None:
    """The log is a workspace's own text on a path outside of `/w/`: only its type protects it."""
    runner.logs = WORKER.encode()
    if not protected:
        weaken(hub, put={LOGS: (b"content-type", b"text/javascript")})
    scope = LOGS.removesuffix("logs")
    async with alice(chromium, hub) as context:
        attacker = await at(context, OWN)
        made = await attacker.evaluate(REGISTER, [LOGS, scope])
    assert made == ("SecurityError" if protected else scope)
    assert len(runner.asked) == 1
