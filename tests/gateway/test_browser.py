"""The pages in a real browser: live cards, focus, progress, without scripts, on a phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import PIECE, FakeRunner, fake_runner
from tests.gateway.harness import ALICE, Running, serving
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        yield running


@pytest.fixture(autouse=True)
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        yield fake


def _bad(said: ConsoleMessage) -> bool:
    """Whether a console line is a fault of the page, such as a broken content security policy."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


@asynccontextmanager
async def logged_in(chromium: Browser, hub: Running, **options: Any) -> AsyncIterator[Page]:
    """Alice's page, on the portal; anything that the browser complains about fails the test."""
    context = await chromium.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _bad(said) else None)
    await page.goto(f"{hub.url}/login")
    await page.get_by_label("Name").fill(ALICE[0])
    await page.get_by_label("Password").fill(ALICE[1])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{hub.url}/")
    yield page
    await context.close()
    assert complaints == []


async def test_cards_follow_their_workspaces_and_keep_the_focus(
    chromium: Browser, hub: Running
) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with logged_in(chromium, hub) as page:
        card = page.locator("[data-workspace=alice-a]")
        await expect(card.locator(".badge")).to_have_text("Stopped")
        await page.get_by_role("button", name="Start alice-a").focus()
        await page.keyboard.press("Enter")
        await until(lambda: hub.store.audit.latest(1)[0].event == "start", "the start")
        assert [intent.kind for intent in hub.index.take_intents()] == ["start"]
        hub.publish("alice-a", Phase.STARTING, step="waiting for the editor")
        await expect(card.locator(".badge")).to_have_text("Starting")
        await expect(card.get_by_text("waiting for the editor")).to_be_visible()
        await expect(page.locator("#announcer")).to_have_text("alice-a: Starting")
        hub.publish("alice-a", Phase.RUNNING)
        await expect(page.get_by_role("link", name="Open alice-a")).to_be_visible()
        await expect(page.locator("#counts")).to_have_text("1 workspace: 1 running")
        await expect(page.locator(":focus")).to_have_text("alice-a")  # not "Stop", by mistake


async def test_cards_come_and_go(chromium: Browser, hub: Running) -> None:
    async with logged_in(chromium, hub) as page:
        await expect(page.get_by_text("No workspace yet")).to_be_visible()
        hub.publish("alice-b", Phase.WARM)
        await expect(page.locator("[data-workspace=alice-b]")).to_be_visible()
        await expect(page.get_by_text("No workspace yet")).to_be_hidden()
        hub.publish("alice-a", Phase.WARM)
        await expect(page.locator("[data-workspace]")).to_have_count(2)
        order = "[...document.querySelectorAll('[data-workspace]')].map(c => c.dataset.workspace)"
        assert await page.evaluate(order) == ["alice-a", "alice-b"]
        hub.publish("alice-a", Phase.DELETED)
        await expect(page.locator("[data-workspace]")).to_have_count(1)
        await expect(page.locator("#counts")).to_have_text("1 workspace: 1 stopped")
        hub.index.forget("alice-b", "test")
        await expect(page.get_by_text("No workspace yet")).to_be_visible()


async def test_a_refusal_is_shown_on_the_card(chromium: Browser, hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    answer = '{"error": {"code": "PINNED_IN_GIT", "message": "Its file pins it."}}'
    async with logged_in(chromium, hub) as page:
        await page.route("**/start", lambda route: route.fulfill(status=409, body=answer))
        await page.get_by_role("button", name="Start alice-a").click()
        await expect(page.locator(".notice.flash")).to_have_text("Its file pins it.")
        await expect(page.locator("#announcer")).to_have_text("Its file pins it.")


async def test_the_progress_page_goes_on_by_itself(chromium: Browser, hub: Running) -> None:
    hub.publish("alice-a", Phase.STARTING, step="container")
    async with logged_in(chromium, hub) as page:
        target = "/w/alice-a/?folder=/home"
        await page.goto(f"{hub.url}/workspaces/alice-a?next={target}")
        await expect(page.get_by_role("status")).to_have_text("container")
        hub.publish("alice-a", Phase.STARTING, step="waiting for the editor")
        await expect(page.get_by_role("status")).to_have_text("waiting for the editor")
        await page.route("**/w/**", lambda route: route.fulfill(body="the editor"))
        hub.publish("alice-a", Phase.RUNNING)
        await page.wait_for_url(hub.url + target)
        await expect(page.get_by_text("the editor")).to_be_visible()


async def test_the_progress_page_shows_a_failure(chromium: Browser, hub: Running) -> None:
    hub.publish("alice-a", Phase.STARTING)
    async with logged_in(chromium, hub) as page:
        await page.goto(f"{hub.url}/workspaces/alice-a?next=/w/alice-a/")
        hub.publish("alice-a", Phase.ERROR, reason="START_FAILED", message="No answer in time.")
        await expect(page.get_by_role("heading", level=1)).to_have_text("alice-a failed")
        await expect(page.get_by_text("No answer in time.")).to_be_visible()
        await expect(page.get_by_role("button", name="Try again")).to_be_visible()


async def test_everything_works_without_scripts(chromium: Browser, hub: Running) -> None:
    hub.publish("alice-a", Phase.WARM)
    async with logged_in(chromium, hub, java_script_enabled=False) as page:
        await page.get_by_role("button", name="Start alice-a").click()
        await page.wait_for_url("**/workspaces/alice-a?next=**")
        assert [intent.kind for intent in hub.index.take_intents()] == ["start"]
        hub.publish("alice-a", Phase.STARTING)
        await page.reload()
        await page.route("**/w/**", lambda route: route.fulfill(body="the editor"))
        hub.publish("alice-a", Phase.RUNNING)
        await page.wait_for_url("**/w/alice-a/")  # the page refreshes itself
        await page.goto(f"{hub.url}/")
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url(f"{hub.url}/login")


async def test_logging_out_elsewhere_ends_the_page(chromium: Browser, hub: Running) -> None:
    async with logged_in(chromium, hub) as page:
        hub.store.users.passwd("alice", "a new password entirely")
        await page.wait_for_url(f"{hub.url}/login")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_everything_in_reach(
    chromium: Browser, hub: Running, scheme: str
) -> None:
    hub.publish("alice-" + "long-name-" * 3 + "x", Phase.RUNNING, image="i/" + "x" * 90)
    hub.publish("alice-e", Phase.ERROR, message="word" * 40, reason="IMAGE_MISSING", step="s" * 60)
    options = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme}
    async with logged_in(chromium, hub, **options) as page:
        for path in ("/", "/workspaces/alice-e", "/workspaces/alice-e/logs", "/login"):
            await page.goto(hub.url + path)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0, path
            small = """[...document.querySelectorAll('a:not(.skip), button, input, select')]
                .filter(e => e.offsetParent && e.type !== 'hidden')
                .map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
                .filter(([, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"""
            assert await page.evaluate(small) == [], path


async def test_the_page_of_logs_follows_when_it_is_asked_to(
    chromium: Browser, hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    runner.logs = b"before\n"
    async with logged_in(chromium, hub) as page:
        await page.goto(f"{hub.url}/workspaces/alice-a/logs?tail=1000")
        shown, button = page.locator("#logs"), page.get_by_role("button", name="Follow")
        await expect(shown).to_have_text("before\n")
        runner.logs, runner.gate = "before\nlater <b>ü</b>\n".encode(), asyncio.Event()
        await button.click()
        await expect(shown).to_have_text("before\nlater <b>ü</b>\n")
        await expect(button).to_have_attribute("aria-pressed", "true")
        assert runner.queries[-1] == [("tail", "1000"), ("follow", "true")]
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "false")
        await until(lambda: runner.under_way == 0, "the stream is given up")
        runner.gate.set()
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "false")
        await expect(shown).to_have_text("before\nlater <b>ü</b>\n")


@pytest.mark.parametrize(
    "cut",
    [
        "\x1b|[32mgreen",
        "\x1b[3|2mgreen",
        "\x1b]8;;http://a|\x07green",
        f"\x1b]52;c;{'Q' * 5000}|QQ\x1b\\green",
        "\x1b]0;a title|\x1b[32mgreen",
        "\r|\ngreen",
        "\r\r|\ngreen",
        "\r\x1b[K|\ngreen",
    ],
    ids=["escape", "colour", "link", "long", "no end", "line end", "line ends", "erased"],
)
async def test_what_steers_a_terminal_is_not_shown_wherever_a_piece_of_it_ends(
    chromium: Browser, hub: Running, runner: FakeRunner, cut: str
) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    head, rest = cut.split("|")
    before = "x" * (PIECE - len(head) - 1) + "\n"
    runner.logs, runner.gate = f"{before}{head}{rest}\x1b[0m\r\n".encode(), asyncio.Event()
    async with logged_in(chromium, hub) as page:
        runner.gate.set()
        await page.goto(f"{hub.url}/workspaces/alice-a/logs")
        shown = page.locator("#logs code")
        whole = before + ("\n" if "\r" in head else "") + "green\n"
        assert await shown.text_content() == whole
        runner.gate.clear()
        await page.get_by_role("button", name="Follow").click()
        await until_text(shown, before)
        runner.gate.set()
        await until_text(shown, whole)


async def until_text(shown: Locator, text: str) -> None:
    """Wait for exactly this, spaces and line ends as they are."""
    await shown.page.wait_for_function(
        "([code, text]) => code.textContent === text", arg=[await shown.element_handle(), text]
    )


async def test_an_empty_log_can_be_followed(
    chromium: Browser, hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-a", Phase.RUNNING)
    async with logged_in(chromium, hub) as page:
        await page.goto(f"{hub.url}/workspaces/alice-a/logs")
        await expect(page.get_by_text("Nothing written yet")).to_be_visible()
        runner.logs = b"first\n"
        await page.get_by_role("button", name="Follow").click()
        await expect(page.locator("#logs")).to_have_text("first\n")
        await expect(page.get_by_text("Nothing written yet")).to_be_hidden()


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const parse = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const f = (v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const over = (top, under) => { const a = top[3] / 255;
    return [0, 1, 2].map((i) => top[i] * a + under[i] * (1 - a)).concat(255); };
  const ground = (e) => e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement))
    : [255, 255, 255, 255];
  const bad = [];
  for (const e of document.querySelectorAll('main *, header *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.closest('.sr, .skip, option')) continue;
    const [a, b] = [light(over(parse(getComputedStyle(e).color), ground(e))), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_can_be_read(chromium: Browser, hub: Running, scheme: str) -> None:
    problem = {"file": "f.yaml", "line": 1, "column": 2, "message": "bad `x`", "hint": "use y"}
    for number, phase in enumerate((Phase.RUNNING, Phase.WARM, Phase.STARTING, Phase.UNKNOWN)):
        hub.publish(f"alice-{number}", phase, step="a step", problems=(problem,))
    hub.publish("alice-e", Phase.ERROR, message="It `broke`.", reason="R", step="s")
    async with logged_in(chromium, hub, color_scheme=scheme, reduced_motion="reduce") as page:
        for path in ("/", "/workspaces/alice-e", "/workspaces/alice-2", "/workspaces/alice-1/logs"):
            await page.goto(hub.url + path)
            assert await page.evaluate(CONTRAST) == [], path
